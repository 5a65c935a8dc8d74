"""Modules that a feature of the package brings, and those that ask much of the C library."""

import bz2
import ctypes
import curses
import decimal
import hashlib
import json
import lzma
import multiprocessing
import os
import readline
import ssl
import subprocess
import sys
import sysconfig
import time
import zlib
from xml.etree import ElementTree

DATA = b"quard" * 1000

for module in (bz2, lzma, zlib):
    packed = module.compress(DATA)
    assert len(packed) < 200 and module.decompress(packed) == DATA, module

assert hashlib.sha256(b"").hexdigest().startswith("e3b0c44298fc1c14")
assert hashlib.new("sha512_256", b"").__class__.__module__ == "_hashlib"
assert ssl.create_default_context().minimum_version >= ssl.TLSVersion.TLSv1_2
assert json.loads(json.dumps({"a": [1, None]})) == {"a": [1, None]}
assert str(decimal.Decimal(1) / 3).startswith("0.3333") and decimal.HAVE_THREADS
assert ElementTree.fromstring("<a><b/></a>")[0].tag == "b"

libc = ctypes.CDLL(None)
assert libc.strlen(b"four") == 4
compare_type = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int)
)
numbers = (ctypes.c_int * 4)(3, 1, 4, 2)
libc.qsort(numbers, 4, ctypes.sizeof(ctypes.c_int), compare_type(lambda a, b: a[0] - b[0]))
assert list(numbers) == [1, 2, 3, 4]

curses.setupterm("vt100", sys.stdout.fileno())
assert curses.tigetnum("cols") == 80
readline.add_history("one line")
assert readline.get_history_item(1) == "one line" and "GNU readline" in str(readline.__doc__)

words = ("sh", "-c", "cat; echo error >&2; exit 3")
done = subprocess.run(words, input="text", capture_output=True, text=True, check=False)
assert (done.returncode, done.stdout, done.stderr) == (3, "text", "error\n")

with multiprocessing.Pool(2) as pool:
    assert pool.map(abs, [-1, -2]) == [1, 2]

os.environ["TZ"] = "UTC-3"
time.tzset()
assert time.localtime(0).tm_hour == 3

paths = [
    f"{name}: {value}"
    for name, value in sysconfig.get_config_vars().items()
    if "/quard" in str(value)
]
assert not paths, paths
assert sysconfig.get_paths()["stdlib"] == "/usr/lib/python3.13"
assert sysconfig.get_platform() == "linux-riscv64"
print("done")
