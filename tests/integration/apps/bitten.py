"""Reads kept connections a few bytes at a time: one byte of the first connection, two of the second, and so on (test_scoreboard.py)."""
import os
import select
import socket
import struct

listener = socket.socket(fileno=0)
END_OF_INPUT = struct.pack(">BBHHBB", 1, 5, 1, 0, 0, 0)
ANSWER = b"".join(struct.pack(">BBHHBB", 1, kind, 1, len(body), 0, 0) + body for kind, body in ((6, b"Status: 204\r\n\r\n"), (6, b""), (3, bytes(8))))


def serve(fd, bite):
    data = b""
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    while ("POLL" not in os.environ or poll.poll()) and (more := os.read(fd, bite)):
        data += more
        if data.endswith(END_OF_INPUT):
            os.write(fd, ANSWER)
            data = b""


bite = 0
while True:
    connection, _ = listener.accept()
    bite += 1
    with connection:
        serve(connection.fileno(), bite)
