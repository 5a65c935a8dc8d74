/*
 * A plugin of QEMU (docs/devel/tcg-plugins) that counts the instructions which a guest executes. The
 * number is in a file that is mapped, so that it can be read at any moment:
 *
 *     -plugin count.so,out=FILE
 *
 * Distributions ship no header for plugins; what is used of it is declared here. Of a block that an
 * exception leaves early, all instructions count.
 */
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct qemu_plugin_tb;
typedef uint64_t plugin_id;
#if PLUGIN_VERSION < 7
typedef void (*on_translated)(plugin_id, struct qemu_plugin_tb *);
#else /* the second argument is the third one of the registration */
typedef void (*on_translated)(struct qemu_plugin_tb *, void *);
#endif
typedef void (*on_executed)(unsigned int, void *);

extern size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
extern void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id, on_translated, void *);
extern void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *, on_executed, int, void *);

#define PUBLIC __attribute__((visibility("default")))
PUBLIC int qemu_plugin_version = PLUGIN_VERSION;

static uint64_t *counter;

static void executed(unsigned int processor, void *instructions)
{
    (void)processor;
    __atomic_fetch_add(counter, (uintptr_t)instructions, __ATOMIC_RELAXED);
}

static void count(struct qemu_plugin_tb *block)
{
    qemu_plugin_register_vcpu_tb_exec_cb(block, executed, 0,
                                         (void *)(uintptr_t)qemu_plugin_tb_n_insns(block));
}

#if PLUGIN_VERSION < 7
static void translated(plugin_id id, struct qemu_plugin_tb *block)
{
    (void)id;
    count(block);
}
#else
static void translated(struct qemu_plugin_tb *block, void *unused)
{
    (void)unused;
    count(block);
}
#endif

PUBLIC int qemu_plugin_install(plugin_id id, const void *info, int count, char **words)
{
    (void)info;
    if (count != 1 || strncmp(words[0], "out=", 4))
        return -1;
    int file = open(words[0] + 4, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (file < 0 || ftruncate(file, sizeof *counter))
        return -1;
    counter = mmap(0, sizeof *counter, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (counter == MAP_FAILED)
        return -1;
    close(file);
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated, 0); /* earlier versions see two arguments */
    return 0;
}
