"""A FastCGI responder with habits of its own, for what the library must leave as it is (test_prefork_unusual.py).  WAY:

log       has put its output into a file (LOG) before its first accept
thread    has a thread that does something else
dontwait  after each answer it reads without waiting
helper    has a child of its own in each process that is forked, (before) from a handler that runs before that
signal    has a handler for TERM, and a handler for forks that takes 50 ms
limit     its connections have SO_RCVTIMEO, a second
"""
import os
import signal
import socket
import struct
import sys
import threading
import time

listener, way = socket.socket(fileno=0), os.environ.get("WAY", "")
if way == "log":
    os.dup2(os.open(os.environ["LOG"], os.O_WRONLY | os.O_APPEND), 1)
    os.dup2(1, 2)
if way == "thread":
    threading.Thread(target=time.sleep, args=(1e6,), daemon=True).start()

if way in ("helper", "before"):
    def help_once():
        if hasattr(help_once, "pid"):
            return
        help_once.pid = -1
        help_once.pid = os.fork()
        if help_once.pid == 0:
            time.sleep(60)
            os._exit(0)
    if way == "helper":
        os.register_at_fork(after_in_child=help_once)
    else:
        os.register_at_fork(before=help_once)
if way == "signal":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    os.register_at_fork(after_in_child=lambda: time.sleep(0.05))


def record(kind, body=b""):
    return struct.pack(">BBHHBB", 1, kind, 1, len(body), 0, 0) + body


def say(text):
    os.write(2, text.encode() + b"\n")


def read_request(c):
    data, begun = b"", time.monotonic()
    while not data.endswith(record(5)):
        try:
            more = c.recv(65536)
        except BlockingIOError:
            say(f"limit after {time.monotonic() - begun:.1f} s")
            return b""
        if not more:
            return b""
        data += more
    return data


while True:
    c = listener.accept()[0]
    if way == "limit":
        c.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 1, 0))
    with c:
        while data := read_request(c):
            body = b"pid=%d\n" % os.getpid()
            if way == "helper":
                body = b"pid=%d helper=%d\n" % (os.getpid(), help_once.pid)
            if way == "log":
                say(f"from worker {os.getpid()}")
            if b"long" in data:
                time.sleep(30)
            c.sendall(record(6, b"Content-Type: text/plain\r\n\r\n" + body) + record(6) + record(3, bytes(8)))
            if not data[10] & 1:
                break
            if way == "dontwait":
                begun = time.monotonic()
                try:
                    c.recv(1, socket.MSG_DONTWAIT)
                except BlockingIOError:
                    say(f"nothing after {time.monotonic() - begun:.1f} s")
