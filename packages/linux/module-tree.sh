#!/bin/sh
# module-tree.sh ARCH ARCHIVE: packs what modules of other packages are built with, as one archive:
# Kbuild with its programs, headers, the configuration, and the symbols that modules may use.
#
# Which of the files modules need is in the kernel's scripts/package/install-extmod-build. What
# Kbuild has made is in the archive only if it is named here: a build folder that is used again may
# have programs of an earlier configuration. Lists of dependencies and objects are not in it, so
# that it changes only if modules have to be compiled again. Without vmlinux, modules have no BTF, and
# what writes it is not needed either.
#
# Names end with a null byte, and no list is made by a pipeline: a shell sees only the last command of
# one fail.
set -eu
case $1 in
    i386 | x86_64) arch=x86 ;;
    *) arch=$1 ;;
esac

on() {
    grep -q "^CONFIG_$1=y" include/config/auto.conf
}

named() {
    printf '%s\0' "$@"
}

# Which plugins of gcc compile modules, too, is known to Kbuild alone.
plugins() {
    cat >.module-tree.mk <<'END'
include include/config/auto.conf
include scripts/Makefile.gcc-plugins
names: ; @printf '%s\0' $(addprefix scripts/gcc-plugins/,$(GCC_PLUGIN))
.PHONY: names
END
    MAKEFLAGS='' make --silent --file=.module-tree.mk names
}

made() {
    named .config Module.symvers include/config/auto.conf include/config/kernel.release \
        scripts/basic/fixdep scripts/mod/modpost scripts/module.lds
    if on MODVERSIONS; then named scripts/genksyms/genksyms; fi
    if on OBJTOOL; then named tools/objtool/objtool; fi
    if on FTRACE_MCOUNT_USE_RECORDMCOUNT && [ -e scripts/recordmcount ]; then
        named scripts/recordmcount
    fi
    if on GCC_PLUGINS; then plugins; fi
    # Objects that modules of these machines are linked with.
    for path in arch/powerpc/lib/crtsavres.o arch/s390/lib/expoline/expoline.o; do
        if [ -e $path ]; then named $path; fi
    done
}

# Kbuild has a list beside each file that it has made.
scripts() {
    find scripts \( -path scripts/atomic -o -path scripts/dtc -o -path scripts/kconfig \
        -o -path scripts/package \) -prune -o \( -type f -o -type l \) ! -name '*.o' \
        ! -name '.*' -exec sh -c '
            for path; do
                [ -e "${path%/*}/.${path##*/}.cmd" ] || printf "%s\0" "$path"
            done' sh {} +
}

headers() {
    find "arch/$arch" -path '*/include/*' \( -type f -o -type l \) ! -name '.*' ! -name '*.o' \
        -print0
    find include -path include/config -prune -o \( -type f -o -type l \) ! -name '.*' \
        ! -name '*.o' -print0
}

mkdir -p "${2%/*}"
{
    named Makefile
    find "arch/$arch" -maxdepth 1 -name 'Makefile*' -print0
    find "arch/$arch" \( -name Kbuild.platforms -o -name Platform \) -print0
    made
    scripts
    headers
} >.module-tree.found
LC_ALL=C sort --zero-terminated --unique --output=.module-tree .module-tree.found
tar --create --file="$2" --format=gnu --no-recursion --null --verbatim-files-from \
    --files-from=.module-tree --mtime=@0 --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX
