#!/bin/sh
# Starts gdb on a machine that waits for it (./scons run DEBUG=1), with the symbols of the kernel and
# of every package. It is used from out/BOARD/debug. PORT is that of DEBUG=PORT (1234); all
# further arguments are gdb's own, as -ex 'break start_kernel' -ex continue.
set -eu

port=1234
case ${1-} in
    -h | --help)
        echo "usage: gdb.sh [PORT] [ARGUMENTS OF GDB]"
        exit 0
        ;;
    [1-9]*)
        port=$1
        shift
        ;;
esac

folder=$(dirname "$(readlink -f "$0")")
root=$folder/root
# The build puts a start script there if it uses the pinned tools.
gdb=$(dirname "$folder")/tools/gdb-multiarch
[ -x "$gdb" ] || gdb=$(command -v gdb-multiarch) || {
    printf 'error: %s\nreason: %s\nhint: %s\n' "gdb for the board's processor is not installed" \
        gdb-missing "install it: apt-get install gdb-multiarch" >&2
    exit 2
}

exec "$gdb" -q -nx \
    -ex "set confirm off" \
    -ex "set architecture @gdb@" \
    -ex "set sysroot $root" \
    -ex "set debug-file-directory $root/usr/lib/debug" \
    -x "$folder/gdb.py" \
    -ex "file \"$root/usr/lib/debug/boot/vmlinux\"" \
    -ex "target remote 127.0.0.1:$port" \
    "$@"
