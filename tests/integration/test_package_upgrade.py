"""A complete stop and start of fcgipm behind httpd, as a package's upgrade makes them: httpd's parent holds the listeners meanwhile."""
import ctypes
import os
import socket as sockets
import subprocess
import threading
import time
from pathlib import Path

import pytest

from conftest import Manager, needs_root, wait_for
from fcgi import request
from httpd import Httpd

pytestmark = needs_root
POOLS = """
pools:
  app: {command: [@DIR@/apps/app], user: fcgipm-t1, workers: {min: 2, max: 4}, SOCKET}
"""
CONFIG = """
<Location /app>
  SetHandler fcgipm:app
</Location>
"""
SOCKETS = {"named": "queue: {limit: 511}", "private": "socket: {private: true}", "tcp": "listen: 127.0.0.1:PORT"}


class Load:
    """Clients that ask again and again; what they got that was no 200."""

    def __init__(self, httpd, clients=8):
        self.httpd, self.wrong, self.served, self.over = httpd, [], 0, False
        self.threads = [threading.Thread(target=self._ask) for _ in range(clients)]
        for t in self.threads:
            t.start()

    def _ask(self):
        while not self.over:
            answer = self.httpd.get("/app?pid")
            if answer.status != 200:
                self.wrong.append(answer)
            self.served += 1

    def stop(self):
        self.over = True
        for t in self.threads:
            t.join(30)


@pytest.fixture
def start(place, accounts):
    """start(socket) gives a manager and httpd; again() another manager of the same place."""
    made, managers = [], []

    def text(socket):
        return POOLS.replace("SOCKET", SOCKETS[socket].replace("PORT", str(20000 + os.getpid() % 10000)))

    def one(socket):
        manager = again(socket).ready()
        httpd = Httpd(place / "httpd", "event", manager.run / "control.sock")
        httpd.write(CONFIG)
        made.append(httpd.start())
        return manager, httpd

    def again(socket):
        managers.append(Manager(place, text(socket)))
        made.append(managers[-1])
        return managers[-1]

    one.again = again
    yield one
    for thing in made:
        thing.stop()
    managers[-1].check_end()


def taken_back(manager):
    return [e for e in manager.events if e.get("event") == "listener.taken_back"]


@pytest.mark.parametrize("socket", SOCKETS)
def test_a_complete_stop_and_start_loses_no_request_while_httpd_holds_the_listener(start, socket):
    manager, httpd = start(socket)
    load = Load(httpd)
    second = None
    try:
        for _ in range(3):
            served = load.served
            wait_for(lambda n=served: load.served > n + 200)
            assert manager.stop() == 0
            manager.event("listener.left")
            time.sleep(0.3)  # a package's scripts run; requests queue
            second = start.again(socket)
            second.ready()
            assert len(taken_back(second)) == 1
            manager = second
        served = load.served
        wait_for(lambda: load.served > served + 200)
    finally:
        load.stop()
    assert load.wrong == []


def test_what_nobody_holds_is_removed_at_a_stop(start, place):
    manager, httpd = start("named")
    httpd.stop()
    assert manager.stop() == 0
    assert not manager.socket().exists()
    second = start.again("named").ready()
    assert not taken_back(second)


def listener_of(manager):
    """A copy of the launcher's listening descriptor."""
    inode = next(line.split()[6] for line in Path("/proc/net/unix").read_text().splitlines() if line.endswith(f" {manager.socket()}") and line.split()[3] == "00010000")
    fds = Path(f"/proc/{manager.launcher_pid}/fd")
    number = next(int(fd.name) for fd in fds.iterdir() if os.readlink(fd) == f"socket:[{inode}]")
    pidfd = os.pidfd_open(manager.launcher_pid)
    try:
        fd = ctypes.CDLL(None, use_errno=True).syscall(438, pidfd, number, 0)  # pidfd_getfd
    finally:
        os.close(pidfd)
    assert fd >= 0
    return fd


@pytest.mark.parametrize("who, kept", [("root", True), ("another account", False)])
def test_a_listener_is_taken_back_from_our_own_account_alone(start, accounts, who, kept):
    manager, httpd = start("named")
    httpd.stop()
    fd = listener_of(manager)
    user = {} if who == "root" else {"user": accounts[1].pw_uid, "group": accounts[1].pw_gid, "extra_groups": []}
    holder = subprocess.Popen(["/bin/sleep", "60"], pass_fds=(fd,), **user)
    os.close(fd)
    try:
        assert manager.stop() == 0
        assert manager.socket().exists() == kept
        second = start.again("named").ready()
        assert len(taken_back(second)) == kept
        assert request(second.socket(), "pid").startswith(b"pid=")
    finally:
        holder.kill()
        holder.wait()


def test_what_another_server_of_root_listens_on_is_not_taken(start, place):
    """It was never ours: nobody noted it at a stop."""
    with sockets.socket(sockets.AF_UNIX) as theirs:
        (place / "run" / "pools").mkdir(parents=True)
        theirs.bind(str(place / "run" / "pools" / "app.sock"))
        theirs.listen(1)
        m = start.again("named")
        m.expected_errors.add("listener.failed")
        m.event("listener.failed")
        assert not taken_back(m)
    theirs.close()
    m.event("ready")
