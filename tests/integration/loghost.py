"""A system of its own for logs: a mount namespace in which /dev/log and /run/systemd/journal are a directory of the test's, listeners that play the daemons,
and the daemons themselves.  Nothing of the real system's is touched: what is mounted goes with the last process in it."""
import array
import os
import re
import socket
import struct
import subprocess
import threading

import pytest
from conftest import parse_logfmt, wait_for

# $1: the test's directory.  /dev has what programs need and a `log`; it has no kmsg: what a daemon says to the kernel is said to the real one.
SETUP = """
set -e
cd "$1"
mkdir dev journal
chmod 755 dev journal
mount -t tmpfs -o mode=755 none dev
for name in null zero full random urandom tty; do
	: >dev/$name
	mount --bind /dev/$name dev/$name
done
ln -s /proc/self/fd dev/fd
ln -s /proc/self/fd/2 dev/stderr
mkdir dev/shm
ln -s "$1/devlog" dev/log
mount --rbind dev /dev
mount -t tmpfs -o mode=755 none /run
mkdir -p /run/systemd/journal /run/log/journal
mount --bind journal /run/systemd/journal
mkdir etc
cat >etc/journald.conf <<CONF
[Journal]
Storage=volatile
Audit=no
ReadKMsg=no
RateLimitIntervalSec=0
ForwardToSyslog=no
ForwardToWall=no
CONF
[ ! -e /etc/systemd/journald.conf ] || mount --bind etc/journald.conf /etc/systemd/journald.conf
echo ready
exec cat
"""


FILLER = b"full"


class LogHost:
    def __init__(self, place):
        self.devlog, self.journal = place / "devlog", place / "journal" / "socket"
        self.place, self._daemons = place, []
        self._holder = subprocess.Popen(["unshare", "--mount", "--propagation", "private", "sh", "-c", SETUP, "sh", place], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._holder.stdout.readline() == "ready\n"
        self.enter = ("nsenter", f"--mount=/proc/{self._holder.pid}/ns/mnt", "--")

    def run(self, *command, **more):
        return subprocess.run([*self.enter, *command], capture_output=True, text=True, check=True, **more)

    def start(self, *command):
        """A daemon in the foreground; it ends with the test."""
        self._daemons.append(subprocess.Popen([*self.enter, *command], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        return self._daemons[-1]

    def close(self):
        for d in self._daemons:
            d.terminate()
            d.wait(20)
        self._holder.stdin.close()
        self._holder.wait(20)


# ---- what arrives, by the documents ----

def parse_syslog(datagram):
    """What syslog(3) sends: <PRI>Mmm dd hh:mm:ss TAG[PID]: MESSAGE, nothing behind it."""
    head = re.fullmatch(rb"<(\d{1,3})>(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) ([ 123]\d) ([012]\d:[0-5]\d:[0-6]\d) (\w+)\[(\d+)\]: ([^\0-\x1f\x7f]*)", datagram)
    assert head, datagram
    priority = int(head.group(1))
    return {"facility": priority >> 3, "severity": priority & 7, "tag": head.group(5).decode(), "pid": int(head.group(6)), "text": head.group(7).decode()}


def parse_entry(data):
    """https://systemd.io/JOURNAL_NATIVE_PROTOCOL/, strictly: one entry of fields, each in one of its two forms, whose names journald takes from a client."""
    fields, at = {}, 0
    while at < len(data):
        end = data.index(b"\n", at)
        name, equals, value = data[at:end].partition(b"=")
        at = end + 1
        if not equals:
            (size,) = struct.unpack_from("<Q", data, at)
            value = data[at + 8:at + 8 + size]
            at += 8 + size
            assert len(value) == size and data[at:at + 1] == b"\n", data
            assert b"\n" in value, "the second form where the first would do"
            at += 1
        assert re.fullmatch(rb"[A-Z][A-Z0-9_]{0,63}", name), name
        assert name not in fields, f"{name} twice"
        fields[name.decode()] = value
    assert {"MESSAGE", "PRIORITY", "SYSLOG_IDENTIFIER", "FCGIPM_EVENT"} <= set(fields), fields
    return fields


def memfd_of(ancillary):
    """The whole of the one sealed memfd that came along."""
    fds = array.array("i")
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            fds.frombytes(data)
    assert len(fds) == 1
    with os.fdopen(fds[0], "rb", closefd=True) as f:
        return os.pread(f.fileno(), os.fstat(f.fileno()).st_size, 0)


class Listener:
    """Plays a daemon: a datagram socket that parses all that comes.  `events` has {"event", "level", ...} whatever the protocol; `raw` what the parser made of it."""
    SEVERITIES = {3: "error", 4: "warn", 6: "info", 7: "debug"}

    def __init__(self, path, read=True):
        self.path, self.raw, self.events, self.wrong = path, [], [], []
        path.unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        path.chmod(0o666)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self._changed, self._thread, self._ended = threading.Condition(), None, False
        if read:
            self.go_on()

    def fill(self):
        """Its queue is full from now on: however long the system lets queues be (net.unix.max_dgram_qlen, a sender's buffer)."""
        senders = []
        while True:
            senders.append(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK))
            senders[-1].connect(str(self.path))
            sent = 0
            try:
                while True:
                    senders[-1].send(FILLER)
                    sent += 1
            except BlockingIOError:
                if sent == 0:
                    break
        for s in senders:
            s.close()

    def go_on(self):
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _take(self, data, ancillary):
        pid, uid, _ = next(struct.unpack("iII", d) for level, kind, d in ancillary if (level, kind) == (socket.SOL_SOCKET, socket.SCM_CREDENTIALS))
        if self.path.name == "devlog":
            raw = parse_syslog(data)
            assert raw["pid"] == pid and raw["tag"] == "fcgipm"
            event = parse_logfmt(raw["text"]) if raw["text"].startswith("level=") else {"event": None}
            assert event["event"] is None or event["level"] == self.SEVERITIES[raw["severity"]]
        else:
            raw = parse_entry(data or memfd_of(ancillary))
            event = {k.removeprefix("FCGIPM_").lower(): v.decode(errors="replace") for k, v in raw.items() if k.startswith("FCGIPM_")}
            event["level"] = self.SEVERITIES[int(raw["PRIORITY"])]
        return {**raw, "_pid": pid, "_uid": uid}, {**event, "_pid": pid, "_uid": uid}

    def _read(self):
        while True:
            data, ancillary, flags, _ = self._socket.recvmsg(1 << 20, socket.CMSG_SPACE(64))
            if self._ended:
                return
            if data == FILLER:
                continue
            assert not flags & (socket.MSG_TRUNC | socket.MSG_CTRUNC)
            with self._changed:
                try:
                    raw, event = self._take(data, ancillary)
                except Exception as e:  # told by whoever waits
                    self.wrong.append((data, e))
                else:
                    self.raw.append(raw)
                    self.events.append(event)
                self._changed.notify_all()

    def event(self, name, timeout=20, after=0, **fields):
        def find():
            assert not self.wrong, self.wrong[:3]
            return next((e for e in self.events[after:] if e["event"] == name and all(str(e.get(k)) == str(v) for k, v in fields.items())), None)

        with self._changed:
            assert self._changed.wait_for(find, timeout), f"no event {name} {fields}: {self.events[-10:]}"
            return find()

    def close(self):
        """Gone: the name stays behind, as a daemon's that was killed."""
        self._ended = True
        if self._thread is not None:
            try:
                with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
                    s.sendto(b"end", str(self.path))
            except OSError:
                pass  # another one has taken the name: the reader ends with the socket
            self._socket.shutdown(socket.SHUT_RDWR)
            self._thread.join(10)
        self._socket.close()
        assert not self.wrong, self.wrong[:3]


def wait_socket(path):
    return wait_for(lambda: path.exists() and path.is_socket(), message=f"no {path}")


@pytest.fixture
def host(place):
    h = LogHost(place)
    yield h
    h.close()


@pytest.fixture
def listen():
    """listen(path, ...): a Listener that is closed, and asked whether all was right, at the end."""
    made = []

    def start(path, **more):
        made.append(Listener(path, **more))
        return made[-1]

    yield start
    for one in made:
        if not one._ended:
            one.close()
