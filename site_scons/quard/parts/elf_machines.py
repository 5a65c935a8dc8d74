"""Names of e_machine: the processors that Linux runs on, and those whose firmware it loads.

The numbers are from the System V gABI's registry; /usr/include/elf.h lists all of them.
"""

MACHINES = {
    2: "EM_SPARC",
    3: "EM_386",
    4: "EM_68K",
    8: "EM_MIPS",
    15: "EM_PARISC",
    20: "EM_PPC",
    21: "EM_PPC64",
    22: "EM_S390",
    40: "EM_ARM",
    42: "EM_SH",
    43: "EM_SPARCV9",
    50: "EM_IA_64",
    62: "EM_X86_64",
    83: "EM_AVR",
    92: "EM_OPENRISC",
    93: "EM_ARC_COMPACT",
    94: "EM_XTENSA",
    105: "EM_MSP430",
    113: "EM_ALTERA_NIOS2",
    164: "EM_QDSP6",
    183: "EM_AARCH64",
    189: "EM_MICROBLAZE",
    224: "EM_AMDGPU",
    243: "EM_RISCV",
    247: "EM_BPF",
    252: "EM_CSKY",
    258: "EM_LOONGARCH",
    0x9026: "EM_ALPHA",
}
