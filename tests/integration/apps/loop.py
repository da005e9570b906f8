"""A worker that dies of SIGTERM in the middle of a request: Python's default, with FastCGI by hand."""
import os
import re
import socket
import struct
import time

gate = os.environ.get("BOOT_GATE")
while gate and not os.path.exists(gate):
    time.sleep(0.02)
listener = socket.socket(fileno=0)


def record(kind, body):
    return struct.pack(">BBHHBB", 1, kind, 1, len(body), 0, 0) + body


def read_request(connection):
    """Everything up to the empty STDIN record; the parameters are searched as bytes."""
    data = b""
    while not data.endswith(struct.pack(">BBHHBB", 1, 5, 1, 0, 0, 0)):
        more = connection.recv(65536)
        if not more:
            break
        data += more
    return data


while True:
    connection, _ = listener.accept()
    pause = re.search(rb"QUERY_STRINGsleep=(\d+)", read_request(connection))
    if pause:
        time.sleep(int(pause.group(1)) / 1000)
    body = b"Content-Type: text/plain\r\n\r\npid=%d\n" % os.getpid()
    try:
        connection.sendall(record(6, body) + record(6, b"") + record(3, bytes(8)))
    except BrokenPipeError:
        pass
    connection.close()
