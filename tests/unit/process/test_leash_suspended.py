"""A process that is suspended while it starts commands stops, at whatever moment that is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from quard.process import leash

STARTS = """
import os, signal, sys, threading, time
from quard.process import leash

def suspend(*_):
    with lock:
        os.kill(os.getpid(), signal.SIGSTOP)

def start():
    with open(os.devnull, "wb") as out:
        while True:
            with lock:
                process = leash.start(("/bin/true",), env={}, out=out)
            process.wait()

lock = threading.RLock()
signal.signal(signal.SIGTSTP, suspend)
threading.Thread(target=start, daemon=True).start()
print("ready", flush=True)
while True:
    time.sleep(0.01)
"""
TIMES = 100
"""Without protection, about one time in ten the process did not stop."""


def stops(pid: int) -> bool:
    """Return whether a child stops; one that does not goes on for ever."""
    limit = time.monotonic() + 30
    while time.monotonic() < limit:
        if os.waitpid(pid, os.WNOHANG | os.WUNTRACED)[0]:
            return True
        time.sleep(0.001)
    return False


def test_ctrl_z_stops_a_process_that_is_starting_commands() -> None:
    site = Path(leash.__file__).parents[2]
    process = subprocess.Popen(
        (sys.executable, "-c", STARTS),
        env={"PYTHONPATH": str(site)},
        stdout=subprocess.PIPE,
        text=True,
        process_group=0,
    )
    try:
        assert process.stdout and process.stdout.readline() == "ready\n"
        for number in range(TIMES):
            time.sleep(number % 10 / 1000)
            os.killpg(process.pid, signal.SIGTSTP)  # as the terminal does
            assert stops(process.pid), number
            os.killpg(process.pid, signal.SIGCONT)
            time.sleep(0.005)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if process.stdout:
            process.stdout.close()
