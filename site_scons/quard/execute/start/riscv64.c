/*
 * Start file (rcrt1.o) of static position-independent programs for RISC-V, for toolchains whose C
 * library comes without one (glibc before static PIE was added for RISC-V, Debian 12's among them).
 *
 * The C library of such a toolchain takes a static program for one that lies where it was linked:
 * nothing in it relocates the program, and it reads addresses from the program headers as they are.
 * This file applies the relocations and gives the C library headers with the real addresses, in
 * place of the linker's __ehdr_start and of the kernel's AT_PHDR. From there on everything is as if
 * the program had been linked for the place where it lies.
 *
 * Nothing here may need a relocation before `relocate` has run: all that it refers to is hidden.
 */
#include <elf.h>

#define HEADERS 32
#define HIDDEN __attribute__((visibility("hidden")))

extern int main(int, char **, char **);
extern void __libc_start_main(int (*)(int, char **, char **), int, char **, void (*)(void),
                              void (*)(void), void (*)(void), void *) __attribute__((noreturn));
extern const Elf64_Dyn _DYNAMIC[] HIDDEN;

/* ld defines __ehdr_start, the ELF header in memory, only where no object does (ld(1)). */
HIDDEN struct {
    Elf64_Ehdr header;
    Elf64_Phdr program[HEADERS];
} __ehdr_start;

static inline void relocate(Elf64_Addr base)
{
    const Elf64_Rela *entry = 0, *end = 0;
    const Elf64_Sym *symbols = 0;
    Elf64_Xword size = 0;

    for (const Elf64_Dyn *dynamic = _DYNAMIC; dynamic->d_tag != DT_NULL; dynamic++) {
        if (dynamic->d_tag == DT_RELA)
            entry = (const Elf64_Rela *)(base + dynamic->d_un.d_ptr);
        else if (dynamic->d_tag == DT_RELASZ)
            size = dynamic->d_un.d_val;
        else if (dynamic->d_tag == DT_SYMTAB)
            symbols = (const Elf64_Sym *)(base + dynamic->d_un.d_ptr);
    }
    for (end = entry + size / sizeof *entry; entry < end; entry++) {
        Elf64_Addr *place = (Elf64_Addr *)(base + entry->r_offset);
        const Elf64_Sym *symbol = symbols + ELF64_R_SYM(entry->r_info);

        switch (ELF64_R_TYPE(entry->r_info)) {
        case R_RISCV_NONE:
            break;
        case R_RISCV_RELATIVE:
            *place = base + entry->r_addend;
            break;
        case R_RISCV_64:
            *place = symbol->st_value + entry->r_addend;
            if (symbol->st_shndx != SHN_ABS && symbol->st_shndx != SHN_UNDEF)
                *place += base;
            break;
        case R_RISCV_TLS_TPREL64: /* the program's own block begins where tp points */
            *place = symbol->st_value + entry->r_addend;
            break;
        default:
            __builtin_trap();
        }
    }
}

/* stack: argc, argv, 0, environment, 0, auxiliary vector, as execve left it */
HIDDEN __attribute__((noreturn, used)) void __static_pie_start(Elf64_Addr *stack)
{
    Elf64_Addr *word = stack + 1 + stack[0] + 1;
    Elf64_auxv_t *vector, *headers = 0;
    Elf64_Addr base = 0, count = 0;

    while (*word)
        word++;
    for (vector = (Elf64_auxv_t *)(word + 1); vector->a_type != AT_NULL; vector++) {
        if (vector->a_type == AT_PHDR)
            headers = vector;
        else if (vector->a_type == AT_PHNUM)
            count = vector->a_un.a_val;
    }
    if (!headers || count > HEADERS)
        __builtin_trap();

    const Elf64_Phdr *program = (const Elf64_Phdr *)headers->a_un.a_val;
    for (Elf64_Addr number = 0; number < count; number++)
        if (program[number].p_type == PT_DYNAMIC)
            base = (Elf64_Addr)_DYNAMIC - program[number].p_vaddr;
    relocate(base);

    for (Elf64_Addr number = 0; number < count; number++) {
        __ehdr_start.program[number] = program[number];
        __ehdr_start.program[number].p_vaddr += base;
        __ehdr_start.program[number].p_paddr += base;
    }
    __ehdr_start.header.e_phoff = sizeof __ehdr_start.header;
    __ehdr_start.header.e_phentsize = sizeof *program;
    __ehdr_start.header.e_phnum = count;
    headers->a_un.a_val = (Elf64_Addr)__ehdr_start.program;

    __libc_start_main(main, stack[0], (char **)(stack + 1), 0, 0, 0, stack);
}

__asm__(".globl _start\n"
        ".type _start, @function\n"
        "_start:\n"
        "	.cfi_startproc\n"
        "	.cfi_undefined ra\n"
        "	.option push\n"
        "	.option norelax\n"
        "	lla gp, __global_pointer$\n"
        "	.option pop\n"
        "	mv a0, sp\n"
        "	andi sp, sp, -16\n"
        "	tail __static_pie_start\n"
        "	.cfi_endproc\n"
        "	.size _start, .-_start\n");
