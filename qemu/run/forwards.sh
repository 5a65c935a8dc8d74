# The kernel's socket tables say which ports are taken: the answer is there before QEMU starts, and
# names the setting to change. Prints "PROTOCOL ADDRESS PORT GUESTPORT" lines, or an error block.
plan_forwards() {
    for table in tcp tcp6 udp udp6; do
        [ ! -r "/proc/net/$table" ] || sed "s/^/${table%6} /" "/proc/net/$table"
    done | awk -v list="$FORWARD" -v gdb="$DEBUG" -v pid=$$ -v file="$machine_file" '
        function fail(message, detail, reason, hint) {
            printf "error: %s\n  %s\nreason: %s\nhint: %s\n", message, detail, reason, hint
            exit 2
        }
        function bad(item) {
            fail("bad value of FORWARD", "FORWARD=" list ": \"" item "\"", "bad-forward", \
                "the form is tcp:3522:22 or tcp:127.0.0.1:3522:22, several with commas, or none")
        }
        function number(hex,    i, value) {
            for (i = 1; i <= length(hex); i++)
                value = value * 16 + index("0123456789ABCDEF", substr(hex, i, 1)) - 1
            return value
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
        # The tables hold an address in the byte order of the processor: compare with both.
        # A listener on all IPv6 addresses takes the port of IPv4 too.
        function is_taken(protocol, address, port,    part, other, count, i, big, little) {
            split(address, part, ".")
            big = sprintf("%02X%02X%02X%02X", part[1], part[2], part[3], part[4])
            little = sprintf("%02X%02X%02X%02X", part[4], part[3], part[2], part[1])
            count = split(bound[protocol, port], other, " ")
            for (i = 1; i <= count; i++) {
                sub(/^0000000000000000FFFF0000/, "", other[i])
                if (other[i] ~ /^0+$/ || other[i] == big || other[i] == little)
                    return 1
                if (address == "0.0.0.0" && length(other[i]) == 8)
                    return 1
            }
            return 0
        }
        # Below the range of outgoing connections, and elsewhere for each guest that starts.
        function free(protocol,    i, port) {
            for (i = 0; i < 12000; i++) {
                port = 20000 + (pid * 16 + i) % 12000
                if (!((protocol, port) in used))
                    return port
            }
            fail("no host port is free", "FORWARD=" list, "port-taken", "name one in FORWARD=")
        }
        $3 ~ /^[0-9A-F]+:[0-9A-F]+$/ {
            split($3, local, ":")
            port = number(local[2])
            used[$1, port] = 1
            if ($1 == "udp" || $5 == "0A")
                bound[$1, port] = bound[$1, port] " " local[1]
        }
        END {
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
                    other = items[n]
                    sub(port ":" guest "$", "0:" guest, other)
                    items[n] = other
                    suggestion = items[1]
                    for (i = 2; i <= count; i++)
                        suggestion = suggestion "," items[i]
                    fail("host port " port " is taken", "FORWARD=" list ": another program has " \
                        field[1] " port " port " (perhaps another guest; ss -lntup shows it)", \
                        "port-taken", "give other ports, as FORWARD=" suggestion \
                        " (0: any free one), or change forwards in " file)
                }
                if ((field[1], port + 0) in mine)
                    bad(items[n])
                mine[field[1], port + 0] = used[field[1], port + 0] = 1
                print field[1], address, port + 0, guest + 0
            }
            if (!is_port(gdb))
                fail("bad value of DEBUG", "DEBUG=" gdb, "bad-setting", "give 1, 0 or a port for gdb")
            if (gdb != 0 && is_taken("tcp", "127.0.0.1", gdb + 0))
                fail("host port " gdb " is taken", "DEBUG: gdb is to reach QEMU there", \
                    "port-taken", "name another: DEBUG=PORT")
        }'
}
if ! forwards=$(plan_forwards); then
    printf '%s\n' "$forwards" | sed -n '/^error:/,$p' >&2
    exit 2
fi

