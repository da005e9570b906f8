"""A program on a terminal of its own: what it writes goes through pyte, so that tests read the screen as a person does."""
import fcntl
import os
import select
import signal
import struct
import subprocess
import termios
import time

import pyte


def as_from_a_login():
    """Its controlling terminal, and no signal ignored, as the tests themselves may have been started (nohup)."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    for signo in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM):
        signal.signal(signo, signal.SIG_DFL)


class Terminal:
    """argv on a pty of columns x lines; screen() is what is to be seen now, raw every byte that came."""

    def __init__(self, argv, columns=100, lines=24, env=None, user=None):
        self.master, self.slave = os.openpty()
        self.raw = b""
        self._screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self._screen)
        self._size(columns, lines)
        self.before = termios.tcgetattr(self.slave)
        self.process = subprocess.Popen([str(a) for a in argv], stdin=self.slave, stdout=self.slave, stderr=self.slave, start_new_session=True, user=user,
                                        preexec_fn=as_from_a_login,  # noqa: PLW1509 - there is no other way
                                        env={**os.environ, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8", **(env or {})})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for fd in (self.master, self.slave):
            os.close(fd)

    def _size(self, columns, lines):
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def resize(self, columns, lines):
        self._screen.resize(lines, columns)
        self._size(columns, lines)  # the kernel sends SIGWINCH

    def type(self, keys):
        os.write(self.master, keys.encode() if isinstance(keys, str) else keys)

    def _read(self, wait):
        ready, _, _ = select.select([self.master], [], [], wait)
        if ready:
            data = os.read(self.master, 65536)
            self.raw += data
            self._stream.feed(data)
        return bool(ready)

    def screen(self):
        while self._read(0):
            pass
        return [line.rstrip() for line in self._screen.display]

    def colours(self, text):
        """The colours of the last place where text stands."""
        found = set()
        for y, line in enumerate(self._screen.display):
            if text in line:
                found = {self._screen.buffer[y][x].fg for x in range(line.index(text), line.index(text) + len(text))}
        return found

    def until(self, what, timeout=20):
        """The screen as soon as what(screen) is true."""
        end = time.monotonic() + timeout
        while True:
            screen = self.screen()
            if what(screen):
                return screen
            assert time.monotonic() < end, "\n".join(screen)
            self._read(0.1)

    def shows(self, text, **more):
        return self.until(lambda s: any(text in line for line in s), **more)

    def end(self, timeout=20):
        """Waits until the program has ended; its status as subprocess tells it."""
        end = time.monotonic() + timeout
        while self.process.poll() is None:
            assert time.monotonic() < end, "\n".join(self.screen())
            self._read(0.05)
        self.screen()
        return self.process.returncode

    def signal(self, signo):
        self.process.send_signal(signo)

    def is_as_before(self):
        """Modes of the line; main screen, cursor seen, keys and attributes as they were."""
        assert termios.tcgetattr(self.slave) == self.before
        for on, off in ((b"\x1b[?1049h", b"\x1b[?1049l"), (b"\x1b[?25l", b"\x1b[?25h"), (b"\x1b[?1h", b"\x1b[?1l")):
            assert self.raw.rfind(on) <= self.raw.rfind(off), (on, self.raw[-200:])
        assert not self._screen.cursor.hidden
        return True


