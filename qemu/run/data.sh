#@if data
# Sets data_folder: it is outside of the build's folder, which may be deleted at any time. The hash
# distinguishes several checkouts of one board.
find_data_folder() {
    data_folder=$STATE board=@board@
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
        note "data: no home folder can hold the guest's data; STATE=FOLDER sets a place"
    fi
}

# The guest's data outlive every image; a new guest gets a copy of the empty disk that the build made.
# Sets data_drive.
prepare_data() {
    data_disk=$data_folder/data.ext4
    data_drive="if=none,id=data,format=raw,file=$(escape "$images/"@data_file@)"
    make_folder "$data_folder" "the guest's data disk"
    require_lock "$data_folder/data.lock" "the guest's data disk"
    exec 8>"$data_folder/data.lock"
    if ! flock -n 8; then
        note "data: another guest uses $data_folder; this one starts without data and keeps none"
        note "data: STATE=FOLDER gives a guest its own disks"
        data_drive=$data_drive,snapshot=on
        return 0
    fi
    if [ "$FRESH" = 1 ] && [ -f "$data_disk" ]; then
        note "data: $data_disk is dropped (FRESH=1)"
        rm -f "$data_disk"
    fi
    [ -f "$data_disk" ] || copy_disk "$images/"@data_file@ "$data_disk"
    printf '%s\n' "$images" >"$data_folder/images"
    note "data: $data_disk"
    data_drive="if=none,id=data,format=raw,file=$(escape "$data_disk")"
}

# With SNAPSHOT=1 a guest sees the kept data, in a copy without a name that ends with QEMU.
borrow_data() {
    data_drive="if=none,id=data,format=raw,snapshot=on,file=$(escape "$images/"@data_file@)"
    [ "$FRESH" = 0 ] && [ -r "$data_folder/data.ext4" ] || return 0
    # A failed redirection of exec would end some shells.
    [ -r "$data_folder/data.lock" ] || return 0
    exec 8<"$data_folder/data.lock"
    if ! flock -s -n 8; then
        note "data: another guest uses $data_folder; this one starts without data and keeps none"
        return 0
    fi
    data_disk=$(mktemp 2>&1) || fail "the guest's data cannot be copied" "$data_disk" \
        disk-copy-failed "set another folder for the copy with TMPDIR="
    exec 7<>"$data_disk"
    message=$(cp --sparse=always --reflink=auto "$data_folder/data.ext4" "$data_disk" 2>&1) || {
        rm -f "$data_disk"
        fail "the guest's data cannot be copied" "$message" disk-copy-failed \
            "free some space, or set another folder for the copy with TMPDIR="
    }
    rm -f "$data_disk"
    exec 8<&-
    data_drive="if=none,id=data,format=raw,file=/dev/fd/7"
}

find_data_folder
case $SNAPSHOT in
    0) prepare_data ;;
    1) borrow_data ;;
esac

#@end
