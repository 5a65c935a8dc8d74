"""Sockets: a server and its client on the loopback interface, for both families and asyncio."""

import asyncio
import http.server
import os
import socket
import threading
import urllib.request

os.chdir("/")
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
threading.Thread(target=server.serve_forever, daemon=True).start()
with urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}/usr/", timeout=30) as answer:
    assert b"lib" in answer.read()
server.shutdown()


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(await reader.readline())
    await writer.drain()
    writer.close()


async def asked(address: str) -> bytes:
    listening = await asyncio.start_server(echo, address, 0)
    port = listening.sockets[0].getsockname()[1]
    reader, writer = await asyncio.open_connection(address, port)
    writer.write(b"said\n")
    line = await reader.readline()
    writer.close()
    listening.close()
    return line


assert asyncio.run(asked("127.0.0.1")) == b"said\n"
assert socket.has_ipv6
assert socket.getaddrinfo("127.0.0.1", "ssh", type=socket.SOCK_STREAM)[0][4] == ("127.0.0.1", 22)
print("done")
