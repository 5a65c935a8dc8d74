# From here on, the arguments are QEMU's. Of several init= the kernel takes the last: APPEND has its
# say, as with init=/sbin/init for a squashfs root without the layer that can be written.
set -- @fixed_arguments@ -bios "$images/$firmware" -kernel "$images/$kernel"
case $ROOT in
    ext4) kernel_words="root=$disk_node ro rootfstype=ext4 $kernel_words" ;;
    squashfs)
        kernel_words="root=$disk_node ro rootfstype=squashfs init=/sbin/overlay-init $kernel_words"
        ;;
    cpio) set -- "$@" -initrd "$images/$root_file" ;;
esac
[ "$ROOT" = cpio ] || set -- "$@" -drive "$drive" -device @disk_device@
[ -z "$data_file" ] || set -- "$@" -drive "$data_drive" -device @data_device@
set -- "$@" -append "$kernel_words${APPEND:+ $APPEND}"

while read -r protocol address port guest; do
    [ -n "$protocol" ] || continue
    network=$network,hostfwd=$protocol:$address:$port-:$guest
    note "forward: $protocol $address:$port -> guest port $guest"
done <<END
$forwards
END
case $NETWORK in
    user) set -- "$@" -netdev "$network" -device @network_device@ ;;
    none) set -- "$@" -nic none ;;
esac

share=$SHARE
case $SHARE in
    none) share='' ;;
    '')
        share=$beside/share
        if ! mkdir -p "$share" 2>/dev/null; then
            note "share: off, since $share cannot be made"
            share=''
        fi
        ;;
esac
if [ -n "$share" ]; then
    note "share: $share"
    set -- "$@" -fsdev @share@"$(escape "$share")" -device @share_device@
fi
if [ "$DEBUG" != 0 ]; then
    if [ -x "$beside/debug/gdb.sh" ]; then
        note "debug: QEMU waits for gdb; in another terminal: $beside/debug/gdb.sh $DEBUG"
    else
        note "debug: QEMU waits for gdb; there: target remote 127.0.0.1:$DEBUG"
    fi
    set -- "$@" -gdb "tcp:127.0.0.1:$DEBUG" -S
fi

if [ -n "$extra" ]; then
    while IFS= read -r word; do
        set -- "$@" "$word"
    done <<END
$extra
END
fi

exec "$binary" "$@"
