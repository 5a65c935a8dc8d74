"""S45ntpd and the hook of the DHCP client that tells it about servers."""

from __future__ import annotations

import pytest
from guestroot import Guest, Result
from lease import bound, event

SERVICE = "/etc/init.d/S45ntpd"


@pytest.fixture
def clock(net: Guest) -> Guest:
    """A root with an ntpd that notes its arguments."""
    net.program("usr/sbin/ntpd", 'echo "ntpd $*" >>/stub/calls; [ ! -e /stub/deaf ]')
    net.stub("sleep", "busybox sleep 0.01")
    return net


def start(clock: Guest) -> Result:
    """Start the service and wait for what it does in the background."""
    return clock.shell(
        f"{SERVICE} start; status=$?; n=0; until grep -q '^logger ' /stub/calls 2>/dev/null ||"
        " [ $n -gt 200 ]; do busybox sleep 0.01; n=$((n + 1)); done; exit $status",
        live=True,
    )


def settings(clock: Guest, text: str) -> None:
    clock.write("etc/default/ntpd", text)


def test_without_a_server_nothing_is_done_or_said(clock: Guest) -> None:
    assert clock.run(SERVICE, "start") == Result(0, "")
    assert clock.called("ntpd") == []


def test_the_clock_is_set_once_from_what_dhcp_and_the_settings_name(clock: Guest) -> None:
    settings(clock, 'NTP_SERVERS="10.0.0.9 pool.example"\n')
    bound(clock, ntpsrv="10.0.0.1 10.0.0.9")
    clock.forget()
    result = start(clock)
    assert result == Result(0, "Setting the clock from 10.0.0.9 pool.example 10.0.0.1\n")
    assert clock.called("ntpd") == ["ntpd -n -q -p 10.0.0.9 -p pool.example -p 10.0.0.1"]
    assert clock.called("logger") == ["logger -t ntpd -p daemon.info the clock is set"]


def test_servers_that_do_not_answer_are_logged(clock: Guest) -> None:
    settings(clock, 'NTP_SERVERS="10.0.0.9"\n')
    clock.write("stub/deaf", "")
    assert start(clock).status == 0
    assert clock.called("logger") == [
        "logger -t ntpd -p daemon.warning the clock is not set: no answer"
    ]


def test_a_server_that_is_learnt_later_is_used_at_once(clock: Guest) -> None:
    assert clock.run(SERVICE, "start") == Result(0, "")
    assert "Setting the clock from 10.0.0.1" in bound(clock, ntpsrv="10.0.0.1").lines
    again = bound(clock, "renew", ntpsrv="10.0.0.1").lines
    assert [line for line in again if "clock" in line] == []


def test_after_a_stop_a_server_starts_nothing(clock: Guest) -> None:
    clock.run(SERVICE, "start")
    clock.run(SERVICE, "stop")
    assert "Setting" not in bound(clock, ntpsrv="10.0.0.1").out


def test_servers_go_with_the_lease(clock: Guest) -> None:
    bound(clock, ntpsrv="10.0.0.1")
    assert clock.read("run/network/ntp.eth0") == "10.0.0.1\n"
    event(clock, "deconfig")
    assert not (clock.root / "run/network/ntp.eth0").exists()


def test_a_server_that_is_no_address_is_refused(clock: Guest) -> None:
    result = bound(clock, ntpsrv="-l;reboot")
    assert result.status == 1
    assert not (clock.root / "run/network/ntp.eth0").exists()


DAEMON = "echo $$ >/run/ntpd.pid; while :; do busybox sleep 0.05; done"


def test_the_daemon_runs_when_it_is_switched_on(clock: Guest) -> None:
    clock.program("usr/sbin/ntpd", f'echo "ntpd $*" >>/stub/calls\n{DAEMON}')
    settings(clock, 'NTPD="yes"\nNTP_SERVERS="10.0.0.9"\n')
    result = clock.shell(f"{SERVICE} start; {SERVICE} start; {SERVICE} stop", live=True)
    assert result.out == (
        "Starting ntpd... OK\nStarting ntpd... already running\nStopping ntpd... OK\n"
    )
    assert clock.called("ntpd") == ["ntpd -n -p 10.0.0.9"]


def test_an_image_without_ntpd_counts_as_started(guest: Guest) -> None:
    assert guest.run(SERVICE, "start") == Result(0, "")
