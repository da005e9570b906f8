"""A client of the exec broker that says what it likes: fcgipm/wire/exec.h in Python."""
import array
import os
import socket
import struct

C_EXEC, C_DONE = 9, 65
X_RUN, X_CANCEL, X_WORDS = 33, 34, 35
X_HELLO, X_STARTED, X_REFUSED, X_ENDED = 96, 97, 98, 99


def text(s):
    b = s if isinstance(s, bytes) else s.encode()
    return struct.pack("<I", len(b)) + b + b"\0"


def blob(b):
    return struct.pack("<I", len(b)) + b


def words(argv, env=()):
    return b"".join(struct.pack("<I", len(texts)) + b"".join(map(text, texts)) for texts in (argv, env))


def message(kind, body=b"", seq=0):
    return struct.pack("<HHI", kind, 0, seq) + body


def run_message(profile, argv, env=(), directory="", stdio=0):
    return message(X_RUN, text(profile) + text(directory) + bytes([stdio]) + blob(words(argv, env)))


def words_message(piece):
    return message(X_WORDS, blob(piece))


class Refused(Exception):
    def __init__(self, code, why):
        super().__init__(f"{code}: {why}")
        self.code = code


class Broker:
    """A connection; what is wrong with it raises."""

    def __init__(self, path, hello=True):
        self.s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.s.settimeout(20)
        self.s.connect(str(path))
        self.s.send(message(C_EXEC, seq=1))
        if hello:
            assert self.answer()[0] == X_HELLO

    def send(self, data, fds=()):
        self.s.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else [])

    def answer(self):
        """(kind, body, descriptors); EOFError when it is closed."""
        data, control, _, _ = self.s.recvmsg(65536, socket.CMSG_SPACE(16 * 4))
        fds = array.array("i")
        for level, kind, payload in control:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                fds.frombytes(payload[:len(payload) // 4 * 4])
        if not data:
            raise EOFError
        return struct.unpack_from("<H", data)[0], data[8:], list(fds)

    def ask(self, profile, argv, **more):
        self.send(run_message(profile, argv, **more))

    def started(self):
        """(pid, [stdin, stdout, stderr, pidfd]) or Refused."""
        kind, body, fds = self.answer()
        if kind == X_REFUSED:
            code, length = struct.unpack_from("<II", body)
            raise Refused(code, body[8:8 + length].decode())
        assert kind == X_STARTED, kind
        return struct.unpack_from("<i", body)[0], fds

    def ended(self):
        """(status as of waitpid, user us, system us, peak KB, why)."""
        kind, body, _ = self.answer()
        assert kind == X_ENDED, (kind, body)
        return struct.unpack_from("<iqqqB", body)

    def run(self, profile, argv, data=b"", **more):
        """(exit status, stdout, stderr) of one that reads little and writes little."""
        self.ask(profile, argv, **more)
        _, fds = self.started()
        with os.fdopen(fds[0], "wb") as stdin:
            stdin.write(data)
        with os.fdopen(fds[1], "rb") as out, os.fdopen(fds[2], "rb") as err:
            said = out.read(), err.read()
        os.close(fds[3])
        return os.waitstatus_to_exitcode(self.ended()[0]), *said

    def close(self):
        self.s.close()
