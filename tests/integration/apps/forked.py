"""What a pre-forked application does afterwards, in Python: the query string is the wish (test_prefork_languages.py)."""
import gc
import os
import random
import re
import socket
import struct
import subprocess
import threading
import time

random.random()  # the generator is seeded before the fork
kept = []
listener = socket.socket(fileno=0)


def record(kind, body):
    return struct.pack(">BBHHBB", 1, kind, 1, len(body), 0, 0) + body


def read_request(connection):
    data = b""
    while not data.endswith(record(5, b"")):
        more = connection.recv(65536)
        if not more:
            break
        data += more
    return data


def answer(wish):
    if wish == b"wait":
        time.sleep(0.05)
    if wish == b"random":
        return b"random=%r\n" % str(random.random())
    if wish == b"gc":
        return b"gc=%d\n" % (gc.collect() >= 0)
    if wish == b"thread":
        got = []
        thread = threading.Thread(target=lambda: got.append(1))
        thread.start()
        thread.join()
        return b"thread=%d\n" % len(got)
    if wish == b"grow":
        kept.append(b"x" * (80 << 20))
    if wish == b"child":
        return subprocess.run("env; ls -l /proc/self/fd", shell=True, capture_output=True, check=True).stdout
    return b""


while True:
    connection, _ = listener.accept()
    with connection:
        found = re.search(rb"QUERY_STRING(\w+)", read_request(connection).replace(b"SCRIPT", b" "))
        body = answer(found[1] if found else b"") + b"pid=%d\n" % os.getpid()
        connection.sendall(record(6, b"Content-Type: text/plain\r\n\r\n" + body) + record(6, b"") + record(3, bytes(8)))
