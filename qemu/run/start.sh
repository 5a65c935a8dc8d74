#@if kvm
# Sets obstacle: why KVM cannot run the guest; empty if it can. Only a trial tells that for certain: in some
# virtual machines the device can be opened, but QEMU cannot make a processor with it. It is a trial of a
# subshell, which would say that QEMU was aborted.
find_kvm() {
    obstacle=''
    case " @kvm_processors@ " in
        *" $(uname -m) "*) ;;
        *)
            obstacle="this machine has other processors"
            return
            ;;
    esac
    if [ ! -e /dev/kvm ]; then
        obstacle="this machine has no /dev/kvm"
    elif ! (exec 3<>/dev/kvm) 2>/dev/null; then
        obstacle="/dev/kvm cannot be opened"
    elif ! (echo quit | "$qemu" -no-user-config -nodefaults -machine @machine@ @accelerated@ \
        -display none -S -monitor stdio) >/dev/null 2>&1; then
        obstacle="QEMU cannot use /dev/kvm"
    fi
}

if [ "$ACCEL" = tcg ]; then
    obstacle="ACCEL=tcg"
else
    find_kvm
fi
#@end
#@if emulated
obstacle="$machine_file names no processors that can"
#@end
if [ -n "$obstacle" ]; then
    [ "$ACCEL" != kvm ] || fail "KVM cannot run the guest" "$obstacle" kvm-missing \
        "give ACCEL=auto or ACCEL=tcg; /dev/kvm is often for one group, see ls -l /dev/kvm"
    set -- @emulated@
#@if kvm
    note "processors: emulated ($obstacle)"
else
    note "processors: this machine's own (KVM)"
    set -- @accelerated@
#@end
fi

# From here on, the arguments are QEMU's.
set -- @fixed_arguments@ "$@" -kernel "$images/"@kernel@
#@if firmware
set -- "$@" -bios "$images/"@firmware@
#@end
#@if devicetree
set -- "$@" -dtb "$images/"@devicetree@
#@end
#@if loaded
folder=$(escape "$images")
set -- "$@" @load_devices@
#@end
#@if cpio
[ "$ROOT" != cpio ] || set -- "$@" -initrd "$images/$root_file"
#@end
#@if ext4 or squashfs
[ "$ROOT" = cpio ] || set -- "$@" -drive "$drive" -device @disk_device@
#@end
#@if data
set -- "$@" -drive "$data_drive" -device @data_device@
#@end
set -- "$@" -append "$kernel_words${APPEND:+ $APPEND}"

network=@network@
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

if [ -z "$SHARE" ]; then
    SHARE=$beside/share
    mkdir -p "$SHARE" 2>/dev/null || {
        note "share: off, because $SHARE cannot be created"
        SHARE=none
    }
fi
if [ "$SHARE" != none ]; then
    note "share: $SHARE"
    set -- "$@" -fsdev @share@"$(escape "$SHARE")" -device @share_device@
fi
if [ "$DEBUG" != 0 ]; then
    if [ -x "$beside/debug/gdb.sh" ]; then
        note "debug: QEMU waits for gdb; in another terminal: $beside/debug/gdb.sh $DEBUG"
    else
        note "debug: QEMU waits for gdb; in gdb: target remote 127.0.0.1:$DEBUG"
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

exec "$qemu" "$@"
#@end
