/* writeboost BACKING CACHE: make a device of the target writeboost, write to it, and look for what
 * was written on the device and on the cache. Exits with 0 if it is on both.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <linux/fs.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK 4096
#define NODE "/dev/boost"
static const char text[] = "written-by-way-of-the-log";

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static struct dm_ioctl *request(void *room, size_t size, unsigned flags)
{
    struct dm_ioctl *asked = room;
    memset(room, 0, size);
    asked->version[0] = DM_VERSION_MAJOR;
    asked->data_size = size;
    asked->data_start = sizeof *asked;
    asked->flags = flags;
    strcpy(asked->name, "boost");
    return asked;
}

static int has_text(const char *path, off_t end)
{
    char *block;
    int found = 0, file = open(path, O_RDONLY | O_DIRECT);
    if (file < 0 || posix_memalign((void **)&block, BLOCK, BLOCK))
        fail(path);
    for (off_t at = 0; at < end && !found; at += BLOCK) {
        if (pread(file, block, BLOCK, at) != BLOCK)
            fail(path);
        found = memmem(block, BLOCK, text, sizeof text - 1) != 0;
    }
    close(file);
    return found;
}

static void make(int control, const char *backing, const char *cache, unsigned long sectors)
{
    static char room[BLOCK];
    struct dm_ioctl *asked = request(room, sizeof room, 0);
    if (ioctl(control, DM_DEV_CREATE, asked))
        fail("DM_DEV_CREATE");
    asked = request(room, sizeof room, 0);
    asked->target_count = 1;
    struct dm_target_spec *target = (void *)(room + sizeof *asked);
    target->length = sectors;
    strcpy(target->target_type, "writeboost");
    sprintf((char *)(target + 1), "%s %s", backing, cache);
    if (ioctl(control, DM_TABLE_LOAD, asked))
        fail("DM_TABLE_LOAD");
    asked = request(room, sizeof room, 0);
    if (ioctl(control, DM_DEV_SUSPEND, asked))
        fail("DM_DEV_SUSPEND");
    if (mknod(NODE, S_IFBLK | 0600, makedev(major(asked->dev), minor(asked->dev))))
        fail(NODE);
}

int main(int count, char **words)
{
    static char room[BLOCK];
    unsigned long sectors;
    uint64_t size;
    char *block;
    int control = open("/dev/mapper/control", O_RDWR), file = open(words[1], O_RDONLY);
    if (count != 3 || control < 0 || file < 0 || ioctl(file, BLKGETSIZE, &sectors))
        fail("devices");
    close(file);
    file = open(words[2], O_RDONLY);
    if (file < 0 || ioctl(file, BLKGETSIZE64, &size))
        fail(words[2]);
    close(file);
    make(control, words[1], words[2], sectors);
    file = open(NODE, O_RDWR | O_DIRECT);
    if (file < 0 || posix_memalign((void **)&block, BLOCK, BLOCK))
        fail(NODE);
    memset(block, 0, BLOCK);
    strcpy(block + 100, text);
    if (pwrite(file, block, BLOCK, 10 * BLOCK) != BLOCK || fsync(file) || close(file))
        fail("write");
    int found = has_text(NODE, 20 * BLOCK) && has_text(words[2], size);
    if (ioctl(control, DM_DEV_REMOVE, request(room, sizeof room, 0)) || unlink(NODE))
        fail("DM_DEV_REMOVE");
    return !found;
}
