#@if ext4 or data
# make_folder FOLDER WHAT: it exists afterwards and is writable, or the run ends.
make_folder() {
    if ! mkdir -p "$1" 2>/dev/null || [ ! -w "$1" ]; then
        fail "there is no folder for $2" "$1 is not writable" state-unwritable \
            "set another folder with STATE=, or give SNAPSHOT=1"
    fi
}

# require_lock FILE WHAT: it can be opened for writing, or the run ends. A failed redirection of exec would
# end some shells without a word.
require_lock() {
    [ ! -e "$1" ] || [ -w "$1" ] ||
        fail "there is no folder for $2" "$1 is not writable" state-unwritable \
            "set another folder with STATE=, or give SNAPSHOT=1"
}

# copy_disk IMAGE DISK: DISK is complete or does not exist; holes of IMAGE stay holes.
copy_disk() {
    message=$(cp --sparse=always --reflink=auto "$1" "$2.new" 2>&1) || {
        rm -f "$2.new"
        fail "the guest's disk cannot be created" "$message" disk-copy-failed \
            "free some space, set another folder with STATE=, or give SNAPSHOT=1"
    }
    chmod u+rw "$2.new"
    mv -f "$2.new" "$2"
}

#@end
# use_ROOT prepares one root file system and sets what QEMU and the kernel need for it.
#@if ext4 or squashfs
drive="if=none,id=root,format=raw,file=$(escape "$images/$root_file")"
#@end
#@if ext4

# The guest writes to a copy, so that the image stays as it was built. QEMU inherits the file descriptor, so
# the lock is held until QEMU ends; a second guest gets a disk that discards its changes.
use_ext4() {
    kernel_words="root=@disk_node@ ro rootfstype=ext4 $kernel_words"
    if [ "$SNAPSHOT" = 1 ]; then
        drive=$drive,snapshot=on
        return
    fi
    root_folder=${STATE:-$beside/run}
    make_folder "$root_folder" "the guest's disk"
    require_lock "$root_folder/lock" "the guest's disk"
    exec 9>"$root_folder/lock"
    if flock -n 9; then
        prepare_root
        drive="if=none,id=root,format=raw,file=$(escape "$root_disk")"
    else
        note "disk: another guest uses $root_folder; this one discards its changes at the end"
        drive=$drive,snapshot=on
    fi
}

prepare_root() {
    root_disk=$root_folder/rootfs.ext4 stamp=$root_folder/rootfs.stamp
    seen_key='' seen_sum='' sum=''
    [ ! -f "$stamp" ] || { read -r seen_key && read -r seen_sum; } <"$stamp" || :
    # Inode and change time cannot be set back, so the same key means the same image. With another key it
    # may still be the same image, copied or rebuilt, and only then it is read.
    key=$(stat -c '%i %s %z' "$images/rootfs.ext4")
    [ "$FRESH" = 1 ] || [ ! -f "$root_disk" ] || [ "$key" != "$seen_key" ] || return 0
    sum=$(sha256sum <"$images/rootfs.ext4")
    if [ "$FRESH" = 1 ] || [ ! -f "$root_disk" ] || [ "$sum" != "$seen_sum" ]; then
        [ ! -f "$root_disk" ] ||
            note "disk: changes of earlier boots are dropped (FRESH=1 or a new image)"
        rm -f "$stamp"
        copy_disk "$images/rootfs.ext4" "$root_disk"
    fi
    printf '%s\n' "$key" "$sum" >"$stamp"
}
#@end
#@if squashfs

# Of several init= the kernel takes the last: APPEND can override this one, as with init=/sbin/init for a
# root without the writable layer.
use_squashfs() {
    kernel_words="root=@disk_node@ ro rootfstype=squashfs init=/sbin/overlay-init $kernel_words"
    drive=$drive,readonly=on
}
#@end
#@if cpio

# Prints the machine's memory in MiB; nothing if QEMU_ARGS gives it in an unknown form.
memory() {
    printf '%s\n' "$extra" | awk -v mib=@memory_mib@ '
        before == "-m" || before == "--m" {
            size = $0
            sub(/,.*/, "", size)
            sub(/^size=/, "", size)
            unit = index("MGT", toupper(substr(size, length(size))))
            known = size ~ /^[0-9]+[MmGgTt]?$/ && length(size) < 9
            mib = known ? size * 1024 ^ (unit ? unit - 1 : 0) : ""
        }
        { before = $0 }
        END { if (mib != "") printf "%.0f\n", mib }'
}

# For a root in memory, the kernel takes half of the memory that is left beside the packed archive and its
# own 10 MiB. If that is not enough, it says so in the middle of its log and continues; /init would stop.
use_cpio() {
    memory=$(memory)
    [ -n "$memory" ] || return 0
    packed=$(wc -c <"$images/$root_file")
    # The last four bytes of gzip's format are the size of the content, modulo 4 GiB.
    # shellcheck disable=SC2046 # four words
    set -- $(tail -c 4 "$images/$root_file" | od -A n -t u1)
    unpacked=$((${1:-0} + ${2:-0} * 256 + ${3:-0} * 65536 + ${4:-0} * 16777216))
    needed=$(((2 * unpacked + packed) / 1048576 + 10))
    [ "$memory" -lt "$needed" ] || return 0
    detail="$root_file takes $((unpacked / 1048576)) MiB unpacked, and gets half of the memory:"
    detail="$detail the machine has $memory MiB and needs $needed MiB at least"
    hint="give more, QEMU_ARGS=\"-m $((needed * 5 / 4))\" or memory_mib in $machine_file"
#@if squashfs
    hint="$hint; or use ROOT=squashfs"
#@end
    fail "the root file system does not fit into the memory" "$detail" initramfs-too-big "$hint"
}
#@end
"use_$ROOT"

