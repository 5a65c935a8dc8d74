# The guest writes to a copy, so that the image stays what the build made. The lock is held until
# QEMU ends, since QEMU inherits the file; a second guest gets a disk that forgets.
prepare_disk() {
    disk=$STATE/rootfs.ext4
    seen_key='' seen_sum='' sum=''
    [ ! -f "$STATE/rootfs.stamp" ] || { read -r seen_key && read -r seen_sum; } \
        <"$STATE/rootfs.stamp" || :
    # Inode and change time cannot be set back, so the same key is the same image; another key
    # may still be the same image, copied or built again, and only then it is read.
    key=$(stat -c '%i %s %z' "$images/rootfs.ext4")
    [ "$FRESH" = 1 ] || [ ! -f "$disk" ] || [ "$key" != "$seen_key" ] || return 0
    sum=$(sha256sum <"$images/rootfs.ext4")
    if [ "$FRESH" = 1 ] || [ ! -f "$disk" ] || [ "$sum" != "$seen_sum" ]; then
        [ ! -f "$disk" ] || note "disk: changes of earlier boots are dropped (FRESH=1 or a new image)"
        rm -f "$STATE/rootfs.stamp"
        message=$(cp --sparse=always --reflink=auto "$images/rootfs.ext4" "$disk.new" 2>&1) || {
            rm -f "$disk.new"
            fail "the guest's disk cannot be made" "$message" disk-copy-failed \
                "make room, name another folder with STATE=, or give SNAPSHOT=1"
        }
        chmod u+rw "$disk.new"
        mv -f "$disk.new" "$disk"
    fi
    printf '%s\n' "$key" "$sum" >"$STATE/rootfs.stamp"
}

drive="if=none,id=root,format=raw,file=$(escape "$images/$root_file")"
case $ROOT$SNAPSHOT in
    ext40)
        : "${STATE:=$beside/run}"
        if ! mkdir -p "$STATE" 2>/dev/null || [ ! -w "$STATE" ]; then
            fail "the guest's disk has no place" "$STATE cannot be written" state-unwritable \
                "name another folder with STATE=, or give SNAPSHOT=1"
        fi
        exec 9>"$STATE/lock"
        if flock -n 9; then
            prepare_disk
            drive="if=none,id=root,format=raw,file=$(escape "$disk")"
        else
            note "disk: another guest has $STATE; this one forgets its changes at the end"
            drive=$drive,snapshot=on
        fi
        ;;
    ext41) drive=$drive,snapshot=on ;;
    squashfs*) drive=$drive,readonly=on ;;
esac

