/* Tries what needs a capability each, and prints the names of what it may do. */

#define _GNU_SOURCE
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static int raw_socket(void)
{
    return socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
}

static int low_port(void)
{
    struct sockaddr_in here = { .sin_family = AF_INET, .sin_port = htons(81) };

    return bind(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&here, sizeof here);
}

static int others_file(void)
{
    return access("/etc/shadow", R_OK);
}

static int others_mode(void)
{
    return chmod("/etc/shadow", 0600);
}

static int host_name(void)
{
    return sethostname("granted", 7);
}

static int other_user(void)
{
    return setuid(33);
}

int main(void)
{
    static const struct { const char *name; int (*does)(void); } all[] = {
        { "net_raw", raw_socket },
        { "net_bind_service", low_port },
        { "dac_read_search", others_file },
        { "fowner", others_mode },
        { "sys_admin", host_name },
        { "setuid", other_user },
    };

    for (unsigned i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i].does() >= 0)
            printf("%s\n", all[i].name);
    return 0;
}
