# The kernel's socket tables show which ports are taken, before QEMU starts; the error names the setting to
# change. Prints "PROTOCOL ADDRESS PORT GUESTPORT" lines, or an error block on standard error.
plan_forwards() {
    set -- /dev/null
    for table in tcp tcp6 udp udp6; do
        [ ! -r "/proc/net/$table" ] || set -- "$@" "/proc/net/$table"
    done
    list=$FORWARD gdb=$DEBUG file=$machine_file awk -v pid=$$ '
        function fail(message, detail, reason, hint) {
            printf "error: %s\n  %s\nreason: %s\nhint: %s\n", message, detail, reason, hint >"/dev/stderr"
            exit 2
        }
        function bad(item) {
            fail("bad value of FORWARD", "FORWARD=" list ": \"" item "\"", "bad-forward", \
                "the form is tcp:3522:22 or tcp:127.0.0.1:3522:22, several with commas, or none")
        }
        function is_port(text) {
            return text ~ /^[0-9]+$/ && length(text) <= 5 && text + 0 <= 65535
        }
        function is_address(text,    part, i) {
            if (split(text, part, ".") != 4)
                return 0
            for (i = 1; i <= 4; i++)
                if (part[i] !~ /^[0-9]+$/ || length(part[i]) > 3 || part[i] + 0 > 255)
                    return 0
            return 1
        }
        function key(protocol, port) {
            return protocol sprintf(" %04X", port)
        }
        # The tables have addresses in the byte order of the processor: compare with both orders.
        # A listener on all IPv6 addresses takes the port of IPv4, too.
        function is_taken(protocol, address, port,    part, other, count, i, big, little) {
            split(address, part, ".")
            big = sprintf("%02X%02X%02X%02X", part[1], part[2], part[3], part[4])
            little = sprintf("%02X%02X%02X%02X", part[4], part[3], part[2], part[1])
            count = split(bound[key(protocol, port)], other, " ")
            for (i = 1; i <= count; i++) {
                sub(/^0000000000000000FFFF0000/, "", other[i])
                if (other[i] ~ /^0+$/ || other[i] == big || other[i] == little)
                    return 1
                if (address == "0.0.0.0" && length(other[i]) == 8)
                    return 1
            }
            return 0
        }
        # Below the range of outgoing connections, and different for each guest that starts.
        function free(protocol,    i, port) {
            for (i = 0; i < 12000; i++) {
                port = 20000 + (pid * 16 + i) % 12000
                if (!(key(protocol, port) in used))
                    return port
            }
            fail("no host port is free", "FORWARD=" list, "port-taken", "name one in FORWARD=")
        }
        $2 ~ /^[0-9A-F]+:[0-9A-F]+$/ {
            split($2, local, ":")
            protocol = substr(FILENAME, length("/proc/net/") + 1, 3)
            used[protocol " " local[2]] = 1
            if (protocol == "udp" || $4 == "0A")
                bound[protocol " " local[2]] = bound[protocol " " local[2]] " " local[1]
        }
        END {
            list = ENVIRON["list"]
            gdb = ENVIRON["gdb"]
            count = list == "none" ? 0 : split(list, items, ",")
            for (n = 1; n <= count; n++) {
                fields = split(items[n], field, ":")
                address = fields == 4 ? field[2] : "127.0.0.1"
                port = field[fields - 1]
                guest = field[fields]
                if (fields != 3 && fields != 4 || field[1] !~ /^(tcp|udp)$/ || \
                        !is_address(address) || !is_port(port) || !is_port(guest) || guest == 0)
                    bad(items[n])
                if (port + 0 == 0)
                    port = free(field[1])
                else if (is_taken(field[1], address, port + 0)) {
                    sub(port ":" guest "$", "0:" guest, items[n])
                    suggestion = items[1]
                    for (i = 2; i <= count; i++)
                        suggestion = suggestion "," items[i]
                    fail("host port " port " is taken", "FORWARD=" list ": another program has " \
                        field[1] " port " port " (perhaps another guest; ss -lntup shows it)", \
                        "port-taken", "give other ports, such as FORWARD=" suggestion \
                        " (0: any free one), or change forwards in " ENVIRON["file"])
                }
                if (key(field[1], port) in mine)
                    bad(items[n])
                mine[key(field[1], port)] = used[key(field[1], port)] = 1
                print field[1], address, port + 0, guest + 0
            }
            if (!is_port(gdb) || gdb ~ /^0./)
                fail("bad value of DEBUG", "DEBUG=" gdb, "bad-setting", "give 1, 0 or a port for gdb")
            if (gdb != 0 && is_taken("tcp", "127.0.0.1", gdb + 0))
                fail("host port " gdb " is taken", "DEBUG: gdb would reach QEMU there", \
                    "port-taken", "give another: DEBUG=PORT")
        }' "$@"
}
forwards=$(plan_forwards) || exit 2

