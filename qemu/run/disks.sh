# make_folder FOLDER WHAT: it exists afterwards and can be written, or the run ends.
make_folder() {
    if ! mkdir -p "$1" 2>/dev/null || [ ! -w "$1" ]; then
        fail "$2 has no place" "$1 cannot be written" state-unwritable \
            "name another folder with STATE=, or give SNAPSHOT=1"
    fi
}

# copy_disk IMAGE DISK: DISK is whole or not there; holes of IMAGE stay holes.
copy_disk() {
    message=$(cp --sparse=always --reflink=auto "$1" "$2.new" 2>&1) || {
        rm -f "$2.new"
        fail "the guest's disk cannot be made" "$message" disk-copy-failed \
            "make room, name another folder with STATE=, or give SNAPSHOT=1"
    }
    chmod u+rw "$2.new"
    mv -f "$2.new" "$2"
}

# The guest writes to a copy, so that the image stays what the build made. The lock is held until
# QEMU ends, since QEMU inherits the file; a second guest gets a disk that forgets.
prepare_root() {
    root_disk=$root_folder/rootfs.ext4 stamp=$root_folder/rootfs.stamp
    seen_key='' seen_sum='' sum=''
    [ ! -f "$stamp" ] || { read -r seen_key && read -r seen_sum; } <"$stamp" || :
    # Inode and change time cannot be set back, so the same key is the same image; another key
    # may still be the same image, copied or built again, and only then it is read.
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

# memory_of TEXT: prints the MiB that an argument of QEMU's -m asks for; fails for what it does not know.
memory_of() {
    size=${1%%,*}
    size=${size#size=}
    case $size in
        *[KkBb]) return 1 ;;
        *[Mm]) unit=1 size=${size%?} ;;
        *[Gg]) unit=1024 size=${size%?} ;;
        *[Tt]) unit=1048576 size=${size%?} ;;
        *) unit=1 ;;
    esac
    case $size in
        '' | *[!0-9]* | ???????*) return 1 ;;
    esac
    echo $((${size#"${size%%[!0]*}"} * unit))
}

# Sets memory to the MiB of the machine, "" if QEMU_ARGS says what is not known here.
find_memory() {
    memory=$memory_mib before=''
    while IFS= read -r word; do
        case $before in
            -m | --m) memory=$(memory_of "$word") || memory='' ;;
        esac
        before=$word
    done <<END
$extra
END
}

# The kernel gives a root in memory half of what is left beside the packed archive and its own 10 MiB. It
# says so in the middle of its log when that is not enough, and goes on; /init would stop there.
check_initramfs() {
    find_memory
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
    more=$((needed * 5 / 4))
    fail "the root file system does not fit into the memory" "$detail" initramfs-too-big \
        "give more, QEMU_ARGS=\"-m $more\" or memory_mib in $machine_file; or take ROOT=squashfs"
}
[ "$ROOT" != cpio ] || check_initramfs

drive="if=none,id=root,format=raw,file=$(escape "$images/$root_file")"
case $ROOT$SNAPSHOT in
    ext40)
        root_folder=${STATE:-$beside/run}
        make_folder "$root_folder" "the guest's disk"
        exec 9>"$root_folder/lock"
        if flock -n 9; then
            prepare_root
            drive="if=none,id=root,format=raw,file=$(escape "$root_disk")"
        else
            note "disk: another guest has $root_folder; this one forgets its changes at the end"
            drive=$drive,snapshot=on
        fi
        ;;
    ext41) drive=$drive,snapshot=on ;;
    squashfs*) drive=$drive,readonly=on ;;
esac

# Sets data_folder: outside of the build's folder, which may be deleted at any time. The hash tells
# the checkouts of one board apart.
find_data_folder() {
    data_folder=$STATE
    [ -z "$STATE" ] || return 0
    home=${HOME-} base=${XDG_STATE_HOME-}
    case $home in
        /*) ;;
        *) home=$(getent passwd "$(id -u)" | cut -d: -f6) || home='' ;;
    esac
    case $base in
        /*) ;;
        *) base=${home:+$home/.local/state} ;;
    esac
    if [ -n "$base" ] && mkdir -p "$base" 2>/dev/null; then
        hash=$(printf '%s' "$images" | sha256sum)
        data_folder=$base/quardroot/$board-$(printf '%.12s' "$hash")
    else
        data_folder=$beside/run
        note "data: no home folder can hold the guest's data; STATE=FOLDER names a place"
    fi
}

# The guest's data outlive every image; the build makes the empty disk that a new guest gets.
# Sets data_drive.
prepare_data() {
    data_disk=$data_folder/data.ext4
    data_drive="if=none,id=data,format=raw,file=$(escape "$images/$data_file")"
    make_folder "$data_folder" "the guest's data disk"
    exec 8>"$data_folder/data.lock"
    if ! flock -n 8; then
        note "data: another guest has $data_folder; this one starts without data and keeps none"
        note "data: STATE=FOLDER gives a guest disks of its own"
        data_drive=$data_drive,snapshot=on
        return 0
    fi
    if [ "$FRESH" = 1 ] && [ -f "$data_disk" ]; then
        note "data: $data_disk is dropped (FRESH=1)"
        rm -f "$data_disk"
    fi
    [ -f "$data_disk" ] || copy_disk "$images/$data_file" "$data_disk"
    printf '%s\n' "$images" >"$data_folder/images"
    note "data: $data_disk"
    data_drive="if=none,id=data,format=raw,file=$(escape "$data_disk")"
}

# A guest that forgets sees what another has kept, in a copy without a name that ends with QEMU.
borrow_data() {
    data_drive="if=none,id=data,format=raw,snapshot=on,file=$(escape "$images/$data_file")"
    [ "$FRESH" = 0 ] && [ -r "$data_folder/data.ext4" ] || return 0
    { exec 8<"$data_folder/data.lock"; } 2>/dev/null || return 0
    if ! flock -s -n 8; then
        note "data: another guest has $data_folder; this one starts without data and keeps none"
        return 0
    fi
    data_disk=$(mktemp 2>&1) || fail "the guest's data cannot be copied" "$data_disk" \
        disk-copy-failed "name another folder for the copy with TMPDIR="
    exec 7<>"$data_disk"
    message=$(cp --sparse=always --reflink=auto "$data_folder/data.ext4" "$data_disk" 2>&1) || {
        rm -f "$data_disk"
        fail "the guest's data cannot be copied" "$message" disk-copy-failed \
            "make room, or name another folder for the copy with TMPDIR="
    }
    rm -f "$data_disk"
    exec 8<&-
    data_drive="if=none,id=data,format=raw,file=/dev/fd/7"
}

if [ -n "$data_file" ]; then
    find_data_folder
    case $SNAPSHOT in
        0) prepare_data ;;
        1) borrow_data ;;
    esac
fi
