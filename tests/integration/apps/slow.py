"""A FastCGI application that takes its time, in seconds, from the environment:

BOOT   before its first accept          NOTES  a signal TERM that comes meanwhile is noted, and changes nothing
INIT   in each worker, behind the fork  END    from TERM to its end
A request of sleep=MS takes so many milliseconds; of end=bell it shuts down what the workers ring (descriptor 4); of since=NS it writes so on the lines of the
board (include/fcgipm/board.h).
"""
import os
import re
import select
import signal
import socket
import struct
import time

boot, init, end = (float(os.environ.get(name, "0")) for name in ("BOOT", "INIT", "END"))


def record(kind, body):
    return struct.pack(">BBHHBB", 1, kind, 1, len(body), 0, 0) + body


def on_term(*_):
    time.sleep(end)
    os._exit(0)


if "NOTES" in os.environ:
    signal.signal(signal.SIGTERM, lambda *_: None)
    until = time.monotonic() + boot
    while (left := until - time.monotonic()) > 0:
        time.sleep(left)
else:
    time.sleep(boot)
signal.signal(signal.SIGTERM, on_term)
if init > 0:
    select.select([0], [], [], 0)  # here it is forked
    time.sleep(init)
listener = socket.socket(fileno=0)
while True:
    connection, _ = listener.accept()
    with connection:
        data = b""
        while not data.endswith(record(5, b"")) and (more := connection.recv(65536)):
            data += more
        if b"end=bell" in data:
            socket.socket(fileno=os.dup(4)).shutdown(socket.SHUT_RDWR)
        if wish := re.search(rb"since=(\d+)", data):
            board = next(int(line.split("-")[0], 16) for line in open("/proc/self/maps", encoding="ascii") if "fcgipm-board" in line)
            with open("/proc/self/mem", "r+b", buffering=0) as memory:
                for line in range(64):
                    memory.seek(board + 64 + 64 * line + 24)
                    memory.write(struct.pack("<q", int(wish[1])))
        if wish := re.search(rb"sleep=(\d+)", data):
            time.sleep(int(wish[1]) / 1000)
        try:
            connection.sendall(record(6, b"Content-Type: text/plain\r\n\r\npid=%d\n" % os.getpid()) + record(6, b"") + record(3, bytes(8)))
        except OSError:
            pass
