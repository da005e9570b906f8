"""A small FastCGI client for the tests: one request a connection, and a load of many clients in a closed loop."""
import socket
import struct
import threading
import time


class Broken(Exception):
    """The answer ended before END_REQUEST, or never came."""


def _record(kind, body):
    return struct.pack(">BBHHBB", 1, kind, 1, len(body), 0, 0) + body


def _length(n):
    return bytes([n]) if n < 128 else struct.pack(">I", n | 0x80000000)


def _params(params):
    out = b""
    for key, value in params.items():
        key, value = key.encode(), value if isinstance(value, bytes) else value.encode()
        out += _length(len(key)) + _length(len(value)) + key + value
    return out


def connect(address, timeout=30):
    if isinstance(address, tuple):
        return socket.create_connection(address, timeout)
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(timeout)
    deadline = time.monotonic() + timeout
    while True:
        try:
            s.connect(str(address))
            return s
        except BlockingIOError:  # the queue is full
            if time.monotonic() > deadline:
                raise
            time.sleep(0.005)


def begin(address, query="", keep=False, body=False, script="/app"):
    """A connection on which a request stands; without body its application waits for the end of it."""
    params = {"REQUEST_METHOD": "GET", "QUERY_STRING": query, "SCRIPT_NAME": script, "REQUEST_URI": script, "SERVER_PROTOCOL": "HTTP/1.1"}
    s = connect(address)
    s.sendall(_record(1, struct.pack(">HB5x", 1, keep)) + _record(4, _params(params)) + _record(4, b"") + (_record(5, b"") if body else b""))
    return s


def request(address, query="", body=b"", script="/app", timeout=30, **extra):
    """The body of the answer.  Raises Broken when it is not whole."""
    params = {"REQUEST_METHOD": "POST" if body else "GET", "QUERY_STRING": query, "SCRIPT_NAME": script, "SCRIPT_FILENAME": script,
              "REQUEST_URI": script, "CONTENT_LENGTH": str(len(body)), "REDIRECT_STATUS": "200", "SERVER_PROTOCOL": "HTTP/1.1", **extra}
    with connect(address, timeout) as s:
        out = _record(1, struct.pack(">HB5x", 1, 0)) + _record(4, _params(params)) + _record(4, b"")
        for at in range(0, len(body), 32768):
            out += _record(5, body[at:at + 32768])
        s.sendall(out + _record(5, b""))
        return _answer(s)


def _answer(s):
    return read_answer(s)[1]


def read_answer(s):
    """Head and body."""
    data, stdout = b"", b""
    while True:
        more = s.recv(65536)
        if not more:
            raise Broken(f"ended after {len(stdout)} bytes")
        data += more
        while len(data) >= 8:
            _, kind, _, length, padding, _ = struct.unpack(">BBHHBB", data[:8])
            if len(data) < 8 + length + padding:
                break
            content, data = data[8:8 + length], data[8 + length + padding:]
            if kind == 6:
                stdout += content
            elif kind == 3:
                head, found, rest = stdout.partition(b"\r\n\r\n")
                if not found:
                    raise Broken(f"no head: {head[:80]!r}")
                return head, rest


class Load:
    """Clients in a closed loop from __enter__ to __exit__ (at most limit seconds); then .served and .failures."""

    def __init__(self, address, query="sleep=50", clients=16, limit=60, expect=b"pid=", **extra):
        self.address, self.query, self.expect, self.extra = address, query, expect, extra
        self.served, self.failures, self.pids = 0, [], set()
        self._end = time.monotonic() + limit
        self._stop, self._lock = threading.Event(), threading.Lock()
        self._threads = [threading.Thread(target=self._client, daemon=True) for _ in range(clients)]

    def _client(self):
        once = True  # limit 0: one request a client
        while once or not self._stop.is_set() and time.monotonic() < self._end:
            once = False
            try:
                answer = request(self.address, self.query, **self.extra)
                good = answer.startswith(self.expect) and answer.endswith(b"\n")
                problem = None if good else f"short answer {answer[:60]!r}"
            except (OSError, Broken) as error:
                answer, problem = b"", repr(error)
            with self._lock:
                if problem:
                    self.failures.append(problem)
                else:
                    self.served += 1
                    self.pids.add(answer.strip())

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def wait(self, count, timeout=30):
        """Until that many more requests are served."""
        goal, end = self.served + count, time.monotonic() + timeout
        while self.served < goal and time.monotonic() < end:
            time.sleep(0.01)
        assert self.served >= goal, f"only {self.served} of {goal} served: {self.failures[:3]}"

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join(60)
