/* Writes a greeting, with the name in /etc/greeter.conf, to /run/greeter, and waits for a signal. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(void)
{
    char name[64] = "";
    FILE *file = fopen("/etc/greeter.conf", "r");

    if (!file || !fgets(name, sizeof name, file)) {
        perror("/etc/greeter.conf");
        return 1;
    }
    fclose(file);
    name[strcspn(name, "\n")] = '\0';
    file = fopen("/run/greeter", "w");
    if (!file || fprintf(file, "Hello from %s\n", name) < 0 || fclose(file)) {
        perror("/run/greeter");
        return 1;
    }
    pause();
    return 0;
}
