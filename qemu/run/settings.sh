#!/bin/sh
# Starts the system in this folder under QEMU: @summary@.
# Needs neither the build system nor Python; `sh run.sh --help` lists the settings.
set -eu

default_forward=@forward@

usage() {
    cat <<END
usage: run.sh [SETTING=value ...]

Settings are arguments or environment variables; arguments win.
  FORWARD=PROTOCOL:[ADDRESS:]PORT:GUESTPORT,...
                 ports of this machine that are forwarded to the guest, or "none"; PORT 0
                 takes a free one; without ADDRESS, only this machine can reach them
                 (default: $default_forward)
  NETWORK=none   a machine without a network device
  SHARE=FOLDER   the folder that the guest sees as its 9p share, or "none"
                 (default: share/ beside the images folder, created if it is missing)
  SHARE_CACHE=mmap
                 programs in the guest may map files of the share shared and writable; if
                 this machine then changes a file that the guest has read, the guest does not
                 see that, or sees zeros (default: none, where both sides see the same)
#@if bootable
  ROOT=KIND      the root file system (default: @root@):
#@end
#@if ext4
                 ext4: a disk that keeps its changes
#@end
#@if squashfs
                 squashfs: a read-only disk; changes are in memory
#@end
#@if cpio
                 cpio: in memory
#@end
  STATE=FOLDER   the folder of the guest's own disks; two guests at once need two:
#@if ext4
                 the copy of the ext4 root, replaced with a new image (default: run/ beside
                 the images folder)
#@end
#@if data
                 the data disk, /data in the guest, which is kept (default: a folder for these
                 images below \$XDG_STATE_HOME/quardroot or ~/.local/state/quardroot)
#@end
  FRESH=1        deletes these disks first
  SNAPSHOT=1     discards all changes afterwards; several guests may do so at once
  ACCEL=WHAT     what runs the guest's programs: kvm, this machine's own processors; tcg, QEMU
                 emulates others; auto, kvm where it is possible (default: @accel@)
  APPEND=WORDS   additional kernel parameters
  PANIC=WHAT     when the kernel panics: exit ends QEMU with status 3; keep leaves the
                 machine as it is, for gdb and QEMU's monitor; reboot restarts it
                 (default: exit)
  DEBUG=1        waits for gdb on port 1234 before the first instruction; DEBUG=PORT: on
                 that port
  QEMU_ARGS=ARGS additional arguments for QEMU, quoted as for a shell

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

# choose SETTING VALUE CHOICE...: fails unless the value is one of the choices.
choose() {
    setting=$1 value=$2
    shift 2
    for choice; do
        [ "$value" != "$choice" ] || return 0
    done
    fail "bad value of $setting" "$setting=$value" bad-setting "give one of: $*"
}

for word in "$@"; do
    value=${word#*=}
    case $word in
        -h | --help)
            usage
            exit 0
            ;;
        ACCEL=*) ACCEL=$value ;;
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
: "${ACCEL:=@accel@}" "${APPEND:=}" "${DEBUG:=0}" "${FORWARD:=$default_forward}" "${FRESH:=0}" "${NETWORK:=user}"
: "${PANIC:=exit}" "${QEMU_ARGS:=}" "${ROOT:=@root@}" "${SHARE:=}" "${SHARE_CACHE:=none}"
: "${SNAPSHOT:=0}" "${STATE:=}"

choose ACCEL "$ACCEL" auto kvm tcg
choose FRESH "$FRESH" 0 1
choose SNAPSHOT "$SNAPSHOT" 0 1
choose NETWORK "$NETWORK" user none
choose PANIC "$PANIC" exit keep reboot
choose SHARE_CACHE "$SHARE_CACHE" none mmap
#@if unbootable
fail "the board has no root file system to start from" "image.formats is empty" image-missing \
    "add one to image.formats in the board's file, and build again"
#@end
#@if bootable
choose ROOT "$ROOT" @roots@
[ "$DEBUG" != 1 ] || DEBUG=1234
[ "$NETWORK" != none ] || FORWARD=none
machine_file=@machine_file@
kernel_words=@kernel_words@
# These words come before APPEND, whose words win.
case $PANIC in
#@if panic
    exit) kernel_words="$kernel_words "@panic_words@ ;;
#@end
    keep) kernel_words="$kernel_words panic=0" ;;
esac
[ "$SHARE_CACHE" = none ] || kernel_words="$kernel_words share_cache=$SHARE_CACHE"

note() {
    printf '%s\n' "$1" >&2
}

# QEMU's option syntax doubles a comma that belongs to a value.
escape() {
    case $1 in
        *,*) printf '%s' "$1" | sed 's/,/,,/g' ;;
        *) printf '%s' "$1" ;;
    esac
}

images=$(dirname "$(readlink -f "$0")")
beside=$(dirname "$images")

# The build puts a start script there if it uses the pinned tools.
qemu=$beside/tools/@binary@
[ -x "$qemu" ] || qemu="@binary@"
command -v "$qemu" >/dev/null || fail "QEMU is not installed" \
    "@binary@ is not on PATH" qemu-missing "install it; the Debian package is @host_packages@"
[ ! -f "$images/unfinished" ] || fail "the images are from different builds" \
    "the last build did not finish these: $(tr '\n' ' ' <"$images/unfinished")" \
    images-unfinished "rebuild them with ./scons; its errors say what is missing"
root_file=rootfs.$ROOT
#@if cpio
[ "$ROOT" != cpio ] || root_file=rootfs.cpio.gz
#@end
set -- @kernel@ "$root_file"
#@if firmware
set -- "$@" @firmware@
#@end
#@if devicetree
set -- "$@" @devicetree@
#@end
#@if loaded
set -- "$@" @loaded@
#@end
#@if data
set -- "$@" @data_file@
#@end
for file; do
    [ -f "$images/$file" ] || fail "an image is missing" "$images/$file" image-missing \
        "rebuild the board's images with ./scons"
done

case $SHARE in
    '' | none) ;;
    *)
        [ -d "$SHARE" ] || fail "the folder to share does not exist" "SHARE=$SHARE" \
            share-missing "create the folder, set another with SHARE=, or give SHARE=none"
        [ -w "$SHARE" ] || fail "the folder to share is not writable" "SHARE=$SHARE" \
            share-unwritable "set another with SHARE=, or give SHARE=none"
        ;;
esac

# xargs splits quoted words as a shell does, and runs nothing.
extra=''
if [ -n "$QEMU_ARGS" ]; then
    extra=$(printf '%s\n' "$QEMU_ARGS" | xargs printf '%s\n' 2>/dev/null) || fail \
        "QEMU_ARGS cannot be split into words" "QEMU_ARGS=$QEMU_ARGS" bad-setting \
        "close every quote"
fi

