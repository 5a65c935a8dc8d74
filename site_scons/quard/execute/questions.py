"""What our probe asks the compiler and its C library on behalf of configure scripts.

An answer is given only if it is positive, and it is what the script would find itself. So a name
may stand here only if the script's own check is the plain one: the header compiles after Autoconf's
default headers, the function links without any library, the type is known after the default
headers. Left out are:

- functions under whose name Autoconf keeps the answer of a test of its own that a cross build
  cannot run: strtod (AC_FUNC_STRTOD);
- types whose size depends on a macro of the package: off_t, time_t (_FILE_OFFSET_BITS);
- functions of libm, and whatever a dependency could provide instead of the C library.

A change of these tables, or of the probe, needs another `quard.plan.plan.ANSWERS`.
"""

from __future__ import annotations

HEADERS = (
    "alloca.h argz.h arpa/inet.h byteswap.h dirent.h dlfcn.h elf.h endian.h err.h errno.h error.h "
    "execinfo.h fcntl.h features.h fenv.h float.h fnmatch.h ftw.h getopt.h glob.h grp.h iconv.h "
    "ifaddrs.h inttypes.h langinfo.h lastlog.h libgen.h libintl.h limits.h link.h locale.h "
    "malloc.h math.h memory.h mntent.h net/ethernet.h net/if.h net/if_arp.h net/route.h netdb.h "
    "netinet/in.h netinet/in_systm.h netinet/ip.h netinet/tcp.h netinet/udp.h netpacket/packet.h "
    "nl_types.h paths.h poll.h pthread.h pty.h pwd.h regex.h resolv.h sched.h search.h "
    "semaphore.h setjmp.h sgtty.h shadow.h signal.h spawn.h stdarg.h stdatomic.h stdbool.h "
    "stddef.h stdint.h stdio.h stdio_ext.h stdlib.h string.h strings.h sys/auxv.h sys/bitypes.h "
    "sys/cdefs.h sys/dir.h sys/epoll.h sys/eventfd.h sys/file.h sys/fsuid.h sys/inotify.h "
    "sys/ioctl.h sys/ipc.h sys/mman.h sys/mount.h sys/param.h sys/poll.h sys/prctl.h sys/ptrace.h "
    "sys/queue.h sys/random.h sys/resource.h sys/select.h sys/sem.h sys/sendfile.h sys/shm.h "
    "sys/signalfd.h sys/socket.h sys/stat.h sys/statfs.h sys/statvfs.h sys/swap.h sys/syscall.h "
    "sys/sysinfo.h sys/sysmacros.h sys/time.h sys/timerfd.h sys/times.h sys/types.h "
    "sys/ucontext.h sys/uio.h sys/un.h sys/utsname.h sys/vfs.h sys/wait.h sys/xattr.h syslog.h "
    "termio.h termios.h threads.h time.h ttyent.h ucontext.h ulimit.h unistd.h utime.h utmp.h "
    "utmpx.h wchar.h wctype.h"
).split()
"""Headers of C libraries that compile on their own."""

FUNCTIONS = (
    "accept accept4 access alarm arc4random arc4random_buf arc4random_uniform asctime_r asprintf "
    "atexit backtrace bcopy bind btowc bzero cfmakeraw chmod chown chroot clock clock_getres "
    "clock_gettime clock_nanosleep clock_settime close_range closefrom confstr connect ctime_r "
    "daemon dcgettext dirfd dirname dlclose dlopen dlsym dprintf dup dup2 dup3 eaccess endgrent "
    "endpwent endutent endutxent epoll_create1 err errx eventfd execv execve execvp execvpe "
    "explicit_bzero faccessat fallocate fallocate64 fchdir fchmod fchmodat fchown fchownat fcntl "
    "fdatasync fdopen fdopendir ffs fileno flock fmemopen fnmatch fork forkpty fpathconf fputc "
    "freeaddrinfo freelocale fseeko fstat fstat64 fstatat fstatfs fstatvfs fsync ftello ftruncate "
    "ftruncate64 futimens futimes gai_strerror getaddrinfo getauxval getc_unlocked getcwd "
    "getdelim getdtablesize getegid getentropy getenv geteuid getgid getgrgid getgrgid_r getgrnam "
    "getgrnam_r getgrouplist getgroups gethostbyname gethostbyname_r gethostname getifaddrs "
    "getline getlogin getlogin_r getmntent getnameinfo getopt getopt_long getopt_long_only "
    "getpagesize getpeername getpgid getpgrp getpid getppid getpriority getprotobyname getpwent "
    "getpwnam getpwnam_r getpwuid getpwuid_r getrandom getrlimit getrusage getservbyname "
    "getservent getsid getsockname getsockopt getspnam gettimeofday getttyent getuid getutent "
    "getutid getutline getutxent getutxid getutxline getxattr glob gmtime_r hasmntopt herror "
    "if_nametoindex imaxdiv index inet_aton inet_ntoa inet_ntop inet_pton initgroups innetgr "
    "inotify_init1 ioctl isascii isatty isblank isgraph isprint isspace iswctype iswlower "
    "iswprint iswupper isxdigit jrand48 kill killpg lchown link linkat listen llabs llistxattr "
    "localeconv localtime_r lockf login logout logwtmp lseek lseek64 lstat lutimes madvise "
    "mallinfo2 malloc_usable_size mblen mbrlen mbrtowc mbsnrtowcs mbsrtowcs mbstowcs mbtowc "
    "memalign memchr memcmp memcpy memfd_create memmem memmove mempcpy memrchr memset mincore "
    "mkdir mkdirat mkdtemp mkfifo mkfifoat mknod mkostemp mkstemp mkstemps mktime mlock mlockall "
    "mmap mprotect mremap msync munmap nanosleep newlocale nice nl_langinfo open open64 "
    "open_memstream openat opendir openpty pathconf pause perror pipe pipe2 poll popen "
    "posix_fadvise posix_fadvise64 posix_memalign posix_openpt posix_spawn posix_spawnp ppoll "
    "prctl pread pread64 preadv pselect putenv pututline pututxline putwc pwrite pwrite64 pwritev "
    "qsort qsort_r raise rand rand_r random readdir readlink readlinkat readv reallocarray "
    "realpath recv recvfrom recvmsg regcomp regerror regexec regfree remove rename renameat "
    "rewinddir rindex rmdir rresvport_af sbrk scandir sched_getaffinity sched_setaffinity "
    "sched_yield secure_getenv seekdir select send sendfile sendmsg sendto setbuf setbuffer "
    "setegid setenv seteuid setfsuid setgid setgroups sethostname setitimer setlinebuf setlocale "
    "setlogmask setmntent setpgid setpgrp setpriority setregid setresgid setresuid setreuid "
    "setrlimit setsid setsockopt setuid setutent setutxent setvbuf shm_open shutdown sigaction "
    "sigaddset sigaltstack sigemptyset siginterrupt signal sigpending sigprocmask sigsuspend "
    "sigtimedwait sigwait sleep snprintf socket socketpair splice srandom srandom_r stat statfs "
    "statvfs stpcpy strcasecmp strcasestr strchr strchrnul strcmp strcoll strcpy strcspn strdup "
    "strerror strerror_r strftime strlcat strlcpy strlen strncasecmp strncmp strndup strnlen "
    "strpbrk strptime strrchr strsep strsignal strspn strstr strtof strtoimax strtok_r strtol "
    "strtoll strtoul strtoull strtoumax strverscmp strxfrm symlink symlinkat sync sync_file_range "
    "sysconf sysinfo syslog system tcflow tcgetattr tcgetpgrp tcsetattr tcsetpgrp tdelete tfind "
    "time timegm timerfd_create times tmpfile towlower towupper truncate tsearch ttyname tzset "
    "ulimit umask umount2 uname ungetc unlink unlinkat unsetenv updwtmp updwtmpx uselocale usleep "
    "utime utimensat utimes utmpname utmpxname valloc vasprintf vdprintf vfork vprintf vsnprintf "
    "vsscanf wait wait3 wait4 waitid waitpid warn wcpcpy wcrtomb wcschr wcscmp wcscoll wcsdup "
    "wcslen wcsncmp wcsnlen wcsnrtombs wcsrchr wcsrtombs wcstombs wcswidth wctob wctomb wctype "
    "wcwidth wmemchr wprintf write writev"
).split()
"""Functions of C libraries."""

TYPES = (
    "size_t",
    "ssize_t",
    "ptrdiff_t",
    "pid_t",
    "uid_t",
    "gid_t",
    "mode_t",
    "off_t",
    "time_t",
    "int8_t",
    "int16_t",
    "int32_t",
    "int64_t",
    "uint8_t",
    "uint16_t",
    "uint32_t",
    "uint64_t",
    "intmax_t",
    "uintmax_t",
    "intptr_t",
    "uintptr_t",
    "long long",
    "long long int",
    "unsigned long long",
    "unsigned long long int",
    "long double",
)
"""Types that every C library has; Autoconf asks for each after its default headers."""

SIZED = (
    "char",
    "signed char",
    "unsigned char",
    "short",
    "short int",
    "unsigned short",
    "int",
    "unsigned int",
    "long",
    "long int",
    "unsigned long",
    "long long",
    "long long int",
    "unsigned long long",
    "float",
    "double",
    "long double",
    "void *",
    "char *",
    "size_t",
    "ssize_t",
    "ptrdiff_t",
    "wchar_t",
    "intmax_t",
    "uintmax_t",
    "intptr_t",
    "uintptr_t",
)
"""Types whose size the ABI fixes. A script that cannot run programs compiles ten for each."""

DEFAULT = (
    "stdio.h sys/types.h sys/stat.h stdlib.h stddef.h string.h inttypes.h stdint.h strings.h "
    "unistd.h"
).split()
"""Headers that Autoconf's checks include first (AC_INCLUDES_DEFAULT)."""

COMPILER = (
    ("ac_cv_c_compiler_gnu", "yes"),
    ("ac_cv_c_const", "yes"),
    ("ac_cv_c_inline", "inline"),
    ("ac_cv_c_volatile", "yes"),
    ("ac_cv_objext", "o"),
    ("ac_cv_prog_cc_g", "yes"),
)
"""What holds for a compiler that compiles the probe, as it uses each of these."""
