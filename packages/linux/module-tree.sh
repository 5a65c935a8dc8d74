#!/bin/sh
# module-tree.sh ARCH ARCHIVE: packs what modules of other packages are built with, as one archive:
# Kbuild with its programs, headers, the configuration, and the symbols that modules may use.
#
# Which of the files modules need is in the kernel's scripts/package/install-extmod-build. What
# Kbuild has made is in the archive only if it is named here: a build folder that is used again may
# have programs of an earlier configuration. Lists of dependencies and objects are not in it, so
# that it changes only if modules have to be compiled again.
set -eu
case $1 in
    i386 | x86_64) arch=x86 ;;
    *) arch=$1 ;;
esac

on() {
    grep -q "^CONFIG_$1=y" include/config/auto.conf
}

made() {
    echo .config
    echo Module.symvers
    echo include/config/auto.conf
    echo include/config/kernel.release
    echo scripts/basic/fixdep
    echo scripts/mod/modpost
    echo scripts/module.lds
    if on MODVERSIONS; then echo scripts/genksyms/genksyms; fi
    if on OBJTOOL; then echo tools/objtool/objtool; fi
    if on FTRACE_MCOUNT_USE_RECORDMCOUNT && [ -e scripts/recordmcount ]; then
        echo scripts/recordmcount
    fi
    # Objects that modules of these machines are linked with.
    for path in arch/powerpc/lib/crtsavres.o arch/s390/lib/expoline/expoline.o; do
        if [ -e $path ]; then echo $path; fi
    done
}

scripts() {
    find scripts \( -path scripts/atomic -o -path scripts/dtc -o -path scripts/kconfig \
        -o -path scripts/package \) -prune -o \( -type f -o -type l \) ! -name '*.o' \
        ! -name '.*' -print |
        while read -r path; do
            [ -e "${path%/*}/.${path##*/}.cmd" ] || echo "$path"
        done
}

headers() {
    find "arch/$arch" -type d -name include -exec find {} \( -type f -o -type l \) \
        ! -name '.*' ! -name '*.o' ';'
    find include -path include/config -prune -o \( -type f -o -type l \) ! -name '.*' \
        ! -name '*.o' -print
}

mkdir -p "${2%/*}"
{
    echo Makefile
    find "arch/$arch" -maxdepth 1 -name 'Makefile*'
    find "arch/$arch" \( -name Kbuild.platforms -o -name Platform \)
    made
    scripts
    headers
} | LC_ALL=C sort -u >.module-tree
tar --create --file="$2" --format=gnu --no-recursion --files-from=.module-tree \
    --mtime=@0 --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX
