"""An exec broker and an httpd for programs: profiles, directories with programs of several owners, and what must hold when it ends."""
import os
import pwd
import shutil
from pathlib import Path

from conftest import HERE, Manager, wait_for
from httpd import Httpd

OWNER, OTHER = "fcgipm-t1", "fcgipm-t2"
PROFILES = """
exec:
  cgi:
    roots: [@DIR@/cgi-bin, "@DIR@/home/*/public_html/cgi-bin"]
    min_uid: 1
    min_gid: 1
    timeout: 30s
    stop: {timeout: 1s}
  few:
    roots: [@DIR@/cgi-bin]
    min_uid: 1
    min_gid: 1
    max_running: 1
    queue: {limit: 1}
  brief:
    roots: [@DIR@/cgi-bin]
    min_uid: 1
    min_gid: 1
    timeout: 500ms
  words:
    roots: [@DIR@/cgi-bin]
    min_uid: 1
    min_gid: 1
    arguments: {allow: ["[a-z]*"]}
  closed:
    roots: [@DIR@/cgi-bin]
    clients: [fcgipm-t2]
  shell:
    roots: [/bin/sh, /usr/bin/tr, /usr/bin/cat, /usr/bin/head, /usr/bin/env, /usr/bin/sed]
    user: fcgipm-t2
"""


def own(path, account=OWNER, mode=0o755):
    entry = pwd.getpwnam(account)
    os.chown(path, entry.pw_uid, entry.pw_gid)
    path.chmod(mode)


def install(directory, account=OWNER):
    """The programs of tests/integration/cgi and the one that plays every part, as the account's."""
    directory.mkdir(parents=True, exist_ok=True)
    for script in sorted((HERE / "cgi").iterdir()):
        shutil.copy(script, directory / script.name)
    return directory


class Bench:
    """manager, httpd; config: of httpd, {place} and {root} in it."""

    def __init__(self, place, mpm, config, modules=(), profiles=PROFILES, local=False):
        self.place, self.mpm, self.local = place, mpm, local
        self.bin, self.gates = place / "cgi-bin", place / "gates"
        self.gates.mkdir()
        self.gates.chmod(0o777)
        for directory, account in ((self.bin, OWNER), (place / "home" / "alice" / "public_html" / "cgi-bin", OWNER), (place / "home" / "bob" / "public_html" / "cgi-bin", OTHER)):
            install(directory)
            shutil.copy(place / "apps" / "cgi", directory / "cgi")
            shutil.copy(place / "apps" / "cgi", directory / "nph-cgi")
            for path in (directory, *directory.iterdir()):
                own(path, account)
        self.manager = Manager(place, profiles).ready()
        self.httpd = Httpd(place / "httpd", mpm, self.manager.run / "control.sock", modules=modules)
        self.httpd.write(config.replace("@PLACE@", str(place)).replace("@ROOT@", str(self.httpd.root)).replace("@PROFILE@", "local" if local else "cgi"))

    def script(self, name, text, account=OWNER, mode=0o755, directory=None):
        path = (directory or self.bin) / name
        path.write_text(text)
        own(path, account, mode)
        return path

    def gate(self, name):
        return self.gates / name

    def noted(self, name, what):
        path = Path(f"{self.gate(name)}.note")
        return wait_for(lambda: path.exists() and what in path.read_text(), message=f"{name}: no note {what!r}")

    def stop(self):
        self.httpd.stop()
        assert self.manager.stop() == 0
        self.manager.check_end()

