"""A FastCGI application that plays a part: QUERY_STRING is row=NAME, perhaps with &KEY=VALUE.  Nothing of libfcgi; descriptor 0 listens.

@row functions below take a Request and say what goes over the wire.  A test and a row meet by files in $SCRIPTED_DIR: note() writes, wait() waits.
"""
import json
import os
import signal
import socket
import struct
import time
import urllib.parse

BEGIN, ABORT, END, PARAMS, STDIN, STDOUT, STDERR, DATA = range(1, 9)
PLAIN = b"Content-Type: text/plain\r\n\r\n"
ROWS = {}


def row(function):
    ROWS[function.__name__] = function
    return function


def record(kind, content=b"", request=1, padding=0):
    return struct.pack(">BBHHBx", 1, kind, request, len(content), padding) + content + bytes(padding)


def stdout(content):
    return b"".join(record(STDOUT, content[at:at + 32768]) for at in range(0, len(content), 32768))


def end(protocol_status=0, app_status=0):
    return record(END, struct.pack(">IB3x", app_status, protocol_status))


def pairs(data):
    found, at = {}, 0
    while at < len(data):
        lengths = []
        for _ in range(2):
            wide = data[at] & 0x80
            lengths.append(struct.unpack(">I", data[at:at + 4])[0] & 0x7FFFFFFF if wide else data[at])
            at += 4 if wide else 1
        name = data[at:at + lengths[0]]
        found[name.decode("latin-1")] = data[at + lengths[0]:at + sum(lengths)].decode("latin-1")
        at += sum(lengths)
    return found


class Request:
    """One request on one connection: its parameters, its body as it comes, what is said to it."""

    def __init__(self, connection):
        self.connection, self.input = connection, b""
        self.env, self.body_over, self.aborted, self.param_records = {}, False, False, 0

    def exactly(self, n):
        while len(self.input) < n:
            more = self.connection.recv(65536)
            if not more:
                raise EOFError
            self.input += more
        taken, self.input = self.input[:n], self.input[n:]
        return taken

    def record(self):
        _, kind, _, length, padding, _ = struct.unpack(">BBHHBB", self.exactly(8))
        content = self.exactly(length)
        self.exactly(padding)
        return kind, content

    def read_params(self):
        data, kind, content = b"", *self.record()
        assert kind == BEGIN, kind
        self.role = struct.unpack(">H", content[:2])[0]
        while True:
            kind, content = self.record()
            assert kind == PARAMS, kind
            if not content:
                break
            data += content
            self.param_records += 1
        self.env = pairs(data)
        self.query = dict(urllib.parse.parse_qsl(self.env.get("QUERY_STRING", ""), keep_blank_values=True))
        return self

    def piece(self):
        """The next bytes of the body; b"" at its end."""
        kind, content = self.record()
        if kind == ABORT:
            self.aborted = True
        self.body_over = kind != STDIN or not content
        return content

    def body(self):
        got = []
        while not self.body_over:
            got.append(self.piece())
        return b"".join(got)

    def raw(self, data):
        self.connection.sendall(data)

    def say(self, content):
        self.raw(stdout(content))

    def answer(self, content, **more):
        self.body()
        self.raw(stdout(content) + record(STDOUT) + end(**more))

    def note(self, name, text=""):
        path = os.path.join(os.environ["SCRIPTED_DIR"], self.query.get("id", "") + name)
        with open(f"{path}.{os.getpid()}", "w", encoding="latin-1") as f:
            f.write(str(text))
        os.rename(f"{path}.{os.getpid()}", path)

    def wait(self, name):
        path = os.path.join(os.environ["SCRIPTED_DIR"], self.query.get("id", "") + name)
        give_up = time.monotonic() + 60
        while not os.path.exists(path) and time.monotonic() < give_up:
            time.sleep(0.005)


# ---- what is not an answer

@row
def overloaded(r):
    r.body()
    r.raw(end(protocol_status=2))


@row
def cant_mpx(r):
    r.body()
    r.raw(end(protocol_status=1))


@row
def unknown_role(r):
    r.body()
    r.raw(end(protocol_status=3))


@row
def unknown_status(r):
    r.body()
    r.raw(end(protocol_status=77))


@row
def no_output(r):
    r.body()
    r.raw(record(STDOUT) + end())


@row
def app_status(r):
    r.answer(PLAIN + b"status 3\n", app_status=3)


# ---- records

@row
def largest_record(r):
    content = PLAIN + b"x" * (65535 - len(PLAIN))
    r.body()
    r.raw(record(STDOUT, content, padding=255) + record(STDOUT, padding=255) + end())


@row
def stderr_between(r):
    head = PLAIN + b"body\n"
    r.body()
    r.raw(b"".join(record(STDERR, b".") + record(STDOUT, head[at:at + 1]) for at in range(len(head))) + record(STDERR, b"\n") + record(STDOUT) + end())


@row
def one_byte_records(r):
    r.body()
    for byte in PLAIN + b"one by one\n":
        r.raw(record(STDOUT, bytes([byte])))
    r.raw(record(STDOUT) + end())


@row
def split(r):
    """A good answer with a record of every kind, cut into writes of n bytes."""
    n = int(r.query["n"])
    data = record(11, bytes(8), request=0) + record(STDERR, b"split\n", padding=3) + record(STDOUT, PLAIN + b"whole", padding=5) + record(STDOUT, b" answer\n") + end()
    r.body()
    r.connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4608)
    for at in range(0, len(data), n):
        r.raw(data[at:at + n])


@row
def lf_only(r):
    r.answer(b"Content-Type: text/plain\nX-Lf: yes\n\nlf\n")


@row
def other_request(r):
    r.body()
    r.raw(record(STDOUT, PLAIN + b"stolen\n", request=2) + record(END, bytes(8), request=2))


@row
def other_request_between(r):
    r.body()
    r.raw(record(STDOUT, PLAIN + b"stolen\n", request=2) + stdout(PLAIN + b"own\n") + record(STDOUT, b"stolen\n", request=3) + end())


@row
def management(r):
    r.body()
    r.raw(record(11, struct.pack(">B7x", 99), request=0) + stdout(PLAIN + b"fine\n") + end())


@row
def garbage_record(r):
    r.body()
    r.raw(b"\x07garbage that is no record at all")


# ---- ends

@row
def eof_in_body(r):
    r.body()
    r.say(PLAIN + b"a part of the body, and then")


@row
def eof_in_head(r):
    r.body()
    r.say(b"Content-Type: text/pl")


@row
def eof_at_once(r):
    r.body()


@row
def eof_behind_much(r):
    r.body()
    r.say(PLAIN + b"more than is kept until the end " * 1000)


@row
def longer(r):
    r.answer(b"Content-Type: text/plain\r\nContent-Length: 100\r\n\r\nonly ten..")


@row
def longer_than_much(r):
    r.answer(b"Content-Type: text/plain\r\nContent-Length: 1000000\r\n\r\n" + b"only a half" * 40000)


@row
def shorter(r):
    r.answer(b"Content-Type: text/plain\r\nContent-Length: 4\r\n\r\nten bytes.")


@row
def two_lengths(r):
    r.answer(b"Content-Type: text/plain\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nten bytes.")


# ---- heads

@row
def head(r):
    """What the test has written: &text=."""
    r.answer(r.query["text"].encode("latin-1"))


@row
def redirect(r):
    r.answer(b"Location: " + r.query["to"].encode() + b"\r\n\r\n")


@row
def loop(r):
    r.answer(b"Location: " + r.env["REQUEST_URI"].encode() + b"\r\n\r\n")


@row
def large_head(r):
    """&n=: bytes of the head, in fields of 1000 bytes."""
    n = int(r.query["n"])
    fields = "".join(f"X-{at}: {'v' * 1000}\r\n" for at in range(n // 1010))
    r.answer(fields.encode() + PLAIN + b"large\n")


@row
def sendfile(r):
    r.answer(b"Content-Type: text/x-sent\r\nX-Sendfile: " + r.query["file"].encode() + b"\r\n\r\nnot this")


# ---- bodies of requests

@row
def env(r):
    """All parameters as JSON."""
    r.body()
    r.answer(b"Content-Type: application/json\r\n\r\n" + json.dumps({**r.env, "(records)": r.param_records}).encode())


@row
def echo(r):
    body = r.body()
    r.answer(b"X-Length: " + r.env.get("CONTENT_LENGTH", "none").encode() + b"\r\n" + PLAIN + body)


@row
def count(r):
    n = 0
    while not r.body_over:
        n += len(r.piece())
    r.answer(PLAIN + f"{n} {r.env.get('CONTENT_LENGTH')}\n".encode())


@row
def early(r):
    """Refuses before it has read the body, and does not wait for it."""
    r.raw(stdout(b"Status: 413 Too Much\r\n" + PLAIN + b"too much\n") + record(STDOUT) + end())
    r.note("refused")


@row
def writes_first(r):
    """&n= bytes before it reads anything."""
    n = int(r.query["n"])
    r.say(PLAIN)
    for at in range(0, n, 1 << 20):
        r.say(b"w" * min(1 << 20, n - at))
    r.say(b"%d" % len(r.body()))
    r.raw(end())


@row
def first_then_read(r):
    """Says something, and then reads."""
    r.say(PLAIN + b"first\n")
    r.say(b"%d\n" % len(r.body()))
    r.raw(end())


# ---- time

@row
def two_parts(r):
    r.body()
    r.say(r.query.get("head", "").encode() + PLAIN + b"first\n")
    r.wait("go")
    r.say(b"second\n")
    r.raw(end())


@row
def events(r):
    r.body()
    r.say(b"Content-Type: text/event-stream\r\nCache-Control: no-cache\r\n\r\n")
    r.wait("opened")
    for n in range(int(r.query["n"])):
        r.say(b"data: %d\n\n" % n)
        r.wait(f"go{n}")
    r.raw(end())


@row
def holds(r):
    """Begins, and answers when it is told to."""
    r.body()
    r.note("begun", os.getpid())
    r.wait("go")
    r.answer(PLAIN + b"at last\n")


@row
def left(r):
    """Notes what it sees of a client that leaves: a record, and the end of the connection."""
    if "read" in r.query:
        r.body()
    if "say" in r.query:
        r.say(PLAIN + b"something\n")
    r.note("begun")
    seen = []
    try:
        while True:
            kind, _ = r.record()
            if kind == ABORT:
                seen.append("ABORT")
    except EOFError:
        seen.append("EOF")
    except ConnectionError:
        seen.append("RESET")
    r.note("seen", " ".join(seen))


@row
def floods(r):
    """Writes until nobody hears it."""
    r.say(PLAIN)
    r.note("begun")
    try:
        while True:
            r.say(b"f" * 32768)
    except ConnectionError:
        r.note("seen", "RESET")


@row
def closes_and_stays(r):
    """A whole answer, and then it does not close its end."""
    r.answer(PLAIN + b"whole\n")
    try:
        r.record()
    except (EOFError, ConnectionError):
        r.note("closed")


# ---- death

def die():
    os.kill(os.getpid(), signal.SIGKILL)


@row
def killed(r):
    """&part=: what it says before; the second attempt (the file is there) is served."""
    r.body()
    mark = os.path.join(os.environ["SCRIPTED_DIR"], r.query["id"] + "died")
    tries = 1 + (len(open(mark, encoding="ascii").read()) if os.path.exists(mark) else 0)
    r.note("died", "x" * tries)
    if tries <= int(r.query.get("times", 1)):
        if "part" in r.query:
            r.say(PLAIN + r.query["part"].encode())
        die()
    r.answer(PLAIN + b"attempt %d\n" % tries)


@row
def says(r):
    """&lines= lines of standard error; the first in two records."""
    r.body()
    n = int(r.query["lines"])
    r.raw(record(STDERR, b"half a ") + record(STDERR, b"line\r\n") + b"".join(record(STDERR, b"line %d\n" % at) for at in range(1, n)) + record(STDERR, b"no end"))
    r.answer(PLAIN + b"said\n")


@row
def hello(r):
    r.answer(PLAIN + b"pid=%d\n" % os.getpid())


def serve(connection):
    if os.environ.get("SCRIPTED_FIRST"):  # answers and closes at the first PARAMS record
        r = Request(connection)
        r.record()
        r.record()
        r.raw(stdout(PLAIN + b"first record\n") + end())
        return
    r = Request(connection).read_params()
    ROWS[r.query.get("row", "hello")](r)


def main():
    listener = socket.socket(fileno=0)
    while True:
        connection, _ = listener.accept()
        with connection:
            try:
                serve(connection)
            except (EOFError, ConnectionError):
                pass


main()
