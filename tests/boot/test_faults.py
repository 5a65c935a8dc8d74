"""Faults of a booted system, on one guest: services that were killed, a terminal that ends."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from boot import checks
from boot.checks import System
from boot.guest import LOGIN, Guest, Ssh
from boot.lines import complaints

pytestmark = pytest.mark.boot


@pytest.fixture(scope="module")
def system(guest: Guest, ssh: Ssh) -> Iterator[System]:
    """The module's guest; every service answers again after the last test, and it powers off."""
    system = System(guest, ssh)
    yield system
    checks.ssh_with_a_key_runs_a_command_as_root(system)
    checks.status_page_is_served_through_the_forward(system)
    checks.system_log_takes_messages_of_programs_and_of_the_kernel(system)
    checks.power_off(guest)


def kill(guest: Guest, service: str) -> None:
    """Kill a service so that it cannot clean up, and wait until it has gone."""
    guest.check(
        f"read -r pid </run/{service}.pid && kill -KILL $pid"
        " && while [ -d /proc/$pid ]; do sleep 0.05; done"
    )


def restart(guest: Guest, script: str, lines: str) -> None:
    """Restart by the service's own script; it must succeed and say no more than `lines`."""
    assert guest.check(f"/etc/init.d/{script} restart") == lines


def test_killed_sshd_leaves_sessions_alone_and_restarts(system: System) -> None:
    kill(system.guest, "sshd")
    refused = system.ssh.run("true")
    assert refused.returncode == 255, refused.stdout
    keys = system.guest.check("sha256sum /data/ssh/ssh_host_*")
    restart(system.guest, "S50sshd", "Stopping sshd... OK\nStarting sshd... OK")
    checks.ssh_with_a_key_runs_a_command_as_root(system)
    assert system.guest.check("sha256sum /data/ssh/ssh_host_*") == keys


def test_sshd_is_restarted_over_ssh_without_ending_the_session(system: System) -> None:
    done = system.ssh.run("/etc/init.d/S50sshd restart && echo still here")
    lines = "Stopping sshd... OK\nStarting sshd... OK\nstill here\n"
    assert (done.returncode, done.stdout) == (0, lines), done.stderr
    checks.ssh_with_a_key_runs_a_command_as_root(system)


BRIEF = r"""
printf '#!/bin/sh\nsleep 0.1\nexit 3\n' >/tmp/brief
printf '. /etc/init.d/functions\n%s\n%s\nservice_action "$@"\n' \
    'start() { printf "Starting brief... "; start_logged brief /tmp/brief
    wait_ready brief lasting; report $?; }' \
    'stop() { printf "Stopping brief... "; stop_daemon brief; report $?; }' >/tmp/brief.init
chmod +x /tmp/brief
sh /tmp/brief.init restart; echo "status $?"
until grep 'brief: ended' /var/log/messages; do sleep 0.1; done | sed 's/.* brief: //'
"""


def test_a_service_whose_program_ends_soon_fails_and_the_log_has_its_status(
    system: System,
) -> None:
    done = system.ssh.run(BRIEF)
    assert done.stdout.splitlines() == [
        "Stopping brief... OK",
        "Starting brief... FAIL",
        "status 1",
        "ended with status 3",
    ]


def test_killed_httpd_restarts(system: System) -> None:
    kill(system.guest, "httpd")
    with pytest.raises(OSError):
        checks.fetch(system.guest, "/")
    restart(system.guest, "S60httpd", "Stopping httpd... OK\nStarting httpd... OK")
    checks.status_page_is_served_through_the_forward(system)


def test_killed_syslogd_and_klogd_restart_and_log_again(system: System) -> None:
    kill(system.guest, "syslogd")
    kill(system.guest, "klogd")
    restart(
        system.guest,
        "S01syslogd",
        "Stopping klogd... OK\nStopping syslogd... OK\n"
        "Starting syslogd... OK\nStarting klogd... OK",
    )
    system.guest.check("echo '<3>said to the kernel' >/dev/kmsg; logger said to syslogd")
    system.guest.check(
        "i=0; until grep -q 'said to the kernel' /var/log/messages; do"
        " i=$((i + 1)); [ $i -lt 100 ] || exit 1; sleep 0.1; done"
    )
    assert re.search(r"said to syslogd$", system.guest.check("cat /var/log/messages"), re.M)


def test_services_and_the_network_restart_on_a_read_only_etc(system: System) -> None:
    guest = system.guest
    guest.check("mount --bind /etc /etc && mount -o remount,ro,bind /etc")
    assert guest.run("echo x >/etc/new").status != 0
    for script in ("S50sshd", "S60httpd", "S01syslogd"):
        guest.check(f"/etc/init.d/{script} restart")
    text = guest.check("/etc/init.d/S40network reload")
    assert f"lease of {checks.ADDRESS} obtained" in text
    assert complaints(text) == []
    guest.check("umount /etc && echo x >/etc/new && rm /etc/new")
    checks.interface_has_the_leased_address(system)
    checks.only_default_route_and_name_server_are_those_of_the_machine(system)


def test_login_prompt_returns_after_logout_and_after_its_getty_was_killed(system: System) -> None:
    guest = system.guest
    guest.child.sendeof()
    guest.wait_for(LOGIN)
    killed = system.ssh.run("kill -KILL $(pidof getty)")
    assert killed.returncode == 0, killed.stderr
    guest.wait_for(LOGIN)
    guest.log_in()


def test_login_prompt_returns_after_the_session_on_the_console_was_killed(system: System) -> None:
    guest = system.guest
    session = guest.check("echo $PPID")
    killed = system.ssh.run(f"kill -KILL {session}")
    assert killed.returncode == 0, killed.stderr
    guest.wait_for(LOGIN)
    guest.log_in()
    assert guest.check("echo $PPID") != session
