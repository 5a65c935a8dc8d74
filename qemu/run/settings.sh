#!/bin/sh
# Starts the system in this folder under QEMU: @summary@.
# Needs neither the build system nor Python; `sh run.sh --help` lists the settings.
set -eu

binary=@binary@
host_packages=@host_packages@
machine_file=@machine_file@
firmware=@firmware@
kernel=@kernel@
kernel_words=@kernel_words@
panic_words=@panic_words@
default_forward=@forward@
network=@network@
disk_node=@disk_node@
memory_mib=@memory_mib@
board=@board@
data_file=@data_file@

usage() {
    cat <<END
usage: run.sh [SETTING=value ...]

Settings are arguments or environment variables; arguments win.
  FORWARD=PROTOCOL:[ADDRESS:]PORT:GUESTPORT,...
                 ports of this machine that lead into the guest, or "none"; PORT 0 takes
                 a free one; without ADDRESS only this machine itself reaches them
                 (default: $default_forward)
  NETWORK=none   a machine without a network device
  SHARE=FOLDER   the folder that the guest sees as its 9p share, or "none"
                 (default: share/ beside the images folder, made when missing)
  SHARE_CACHE=mmap
                 programs in the guest may map files of the share shared and writable; what
                 this machine changes meanwhile in a file that the guest has read is then not
                 seen there, or seen as zeros (default: none, where both sides see the same)
  ROOT=KIND      ext4: a disk that keeps its changes; squashfs: a read-only disk, changes
                 are in memory; cpio: in memory (default: ext4)
  STATE=FOLDER   keeps the guest's own disks: its copy of the ext4 root, replaced with a new
                 image (default: run/ beside the images folder), and its data disk, /data in
                 the guest, which stays (default: a folder for these images below
                 \$XDG_STATE_HOME/quardroot or ~/.local/state/quardroot); two guests at
                 once need two
  FRESH=1        throws both away first
  SNAPSHOT=1     throws all changes away afterwards; several guests may do so at once
  APPEND=WORDS   more words for the kernel's command line
  PANIC=WHAT     when the kernel panics: exit ends QEMU with status 3; keep leaves the
                 machine as it is, for gdb and QEMU's monitor; reboot starts it again
                 (default: exit)
  DEBUG=1        waits for gdb on port 1234 before the first instruction; DEBUG=PORT: there
  QEMU_ARGS=ARGS more arguments for QEMU, quoted as for a shell

On the console, Ctrl-A X quits QEMU and Ctrl-A C opens its monitor.

Status: 0 the guest switched itself off; 1 QEMU failed; 2 nothing was started, an error
block says why; 3 the guest's kernel panicked.
END
}

# fail MESSAGE DETAIL REASON HINT
fail() {
    printf 'error: %s\n' "$1"
    printf '%s\n' "$2" | sed 's/^/  /'
    printf 'reason: %s\nhint: %s\n' "$3" "$4"
    exit 2
} >&2

note() {
    printf '%s\n' "$1" >&2
}

# QEMU's option syntax doubles a comma that belongs to a value.
escape() {
    printf '%s' "$1" | sed 's/,/,,/g'
}

for word in "$@"; do
    value=${word#*=}
    case $word in
        -h | --help)
            usage
            exit 0
            ;;
        APPEND=*) APPEND=$value ;;
        DEBUG=*) DEBUG=$value ;;
        FORWARD=*) FORWARD=$value ;;
        FRESH=*) FRESH=$value ;;
        NETWORK=*) NETWORK=$value ;;
        PANIC=*) PANIC=$value ;;
        QEMU_ARGS=*) QEMU_ARGS=$value ;;
        ROOT=*) ROOT=$value ;;
        SHARE=*) SHARE=$value ;;
        SHARE_CACHE=*) SHARE_CACHE=$value ;;
        SNAPSHOT=*) SNAPSHOT=$value ;;
        STATE=*) STATE=$value ;;
        *) fail "there is no setting '${word%%=*}'" "argument: $word" bad-setting \
            "run.sh --help lists the settings" ;;
    esac
done
: "${APPEND:=}" "${DEBUG:=0}" "${FORWARD:=$default_forward}" "${FRESH:=0}" "${NETWORK:=user}"
: "${PANIC:=exit}" "${QEMU_ARGS:=}" "${ROOT:=ext4}" "${SHARE:=}" "${SHARE_CACHE:=none}" "${SNAPSHOT:=0}" "${STATE:=}"

for word in "FRESH=$FRESH" "SNAPSHOT=$SNAPSHOT"; do
    case $word in
        *=0 | *=1) ;;
        *) fail "bad value of ${word%%=*}" "$word" bad-setting "give 1 or 0" ;;
    esac
done
case $DEBUG in
    1) DEBUG=1234 ;;
    0 | [1-9] | [1-9][0-9] | [1-9][0-9][0-9] | [1-9][0-9][0-9][0-9] | [1-6][0-9][0-9][0-9][0-9]) ;;
    *) fail "bad value of DEBUG" "DEBUG=$DEBUG" bad-setting "give 1, 0 or a port for gdb" ;;
esac
case $NETWORK in
    user) ;;
    none) FORWARD=none ;;
    *) fail "bad value of NETWORK" "NETWORK=$NETWORK" bad-setting "give user or none" ;;
esac
# What a panic does has to come before APPEND, whose words win.
case $PANIC in
    exit) kernel_words="$kernel_words${panic_words:+ $panic_words}" ;;
    keep) kernel_words="$kernel_words panic=0" ;;
    reboot) ;;
    *) fail "bad value of PANIC" "PANIC=$PANIC" bad-setting "give exit, keep or reboot" ;;
esac
case $SHARE_CACHE in
    none) ;;
    mmap) kernel_words="$kernel_words share_cache=mmap" ;;
    *) fail "bad value of SHARE_CACHE" "SHARE_CACHE=$SHARE_CACHE" bad-setting "give none or mmap" ;;
esac
case $ROOT in
    ext4) root_file=rootfs.ext4 ;;
    squashfs) root_file=rootfs.squashfs ;;
    cpio) root_file=rootfs.cpio.gz ;;
    *) fail "bad value of ROOT" "ROOT=$ROOT" bad-setting "give ext4, squashfs or cpio" ;;
esac

command -v "$binary" >/dev/null || fail "QEMU is not installed" \
    "$binary is not on PATH" qemu-missing "install it; the Debian package is $host_packages"

images=$(dirname "$(readlink -f "$0")")
beside=$(dirname "$images")
[ ! -f "$images/unfinished" ] || fail "the images are not of one build" \
    "the last build began these and did not finish: $(tr '\n' ' ' <"$images/unfinished")" \
    images-unfinished "build them again: ./scons; its errors say what is missing"
for file in "$firmware" "$kernel" "$root_file" "$data_file"; do
    [ -z "$file" ] || [ -f "$images/$file" ] || fail "an image is missing" "$images/$file" image-missing \
        "build the board's images again: ./scons (ROOT= names one of the board's formats)"
done

case $SHARE in
    '' | none) ;;
    *)
        [ -d "$SHARE" ] || fail "the folder to share does not exist" "SHARE=$SHARE" \
            share-missing "make the folder, name another with SHARE=, or give SHARE=none"
        [ -w "$SHARE" ] || fail "the folder to share cannot be written" "SHARE=$SHARE" \
            share-unwritable "name another with SHARE=, or give SHARE=none"
        ;;
esac

# xargs takes quotes apart as a shell does, and runs nothing.
extra=''
if [ -n "$QEMU_ARGS" ]; then
    extra=$(printf '%s\n' "$QEMU_ARGS" | xargs printf '%s\n' 2>/dev/null) || fail \
        "QEMU_ARGS cannot be split into words" "QEMU_ARGS=$QEMU_ARGS" bad-setting \
        "close every quote"
fi

