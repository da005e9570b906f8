"""A chroot with the C library of another release: what is preloaded comes from outside, and must fit (docs/prefork.md)."""
import os
import subprocess

import pytest

import fcgi
from conftest import needs_root

soak = pytest.mark.skipif(not os.environ.get("RUN_SOAK"), reason="minutes: make soak")
SOURCES = "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian {} main\n"


def unpacked(place, release, *packages):
    """Packages of that release, unpacked into place/root; apt's state is below place, nothing is installed."""
    work, root = place / "apt", place / "root"
    for name in ("state/lists/partial", "cache/archives/partial"):
        (work / name).mkdir(parents=True)
    (work / "sources.list").write_text(SOURCES.format(release))
    apt = ["apt-get", "-qq", "-o", f"Dir::Etc::sourcelist={work}/sources.list", "-o", "Dir::Etc::sourceparts=-", "-o", f"Dir::State={work}/state",
           "-o", "Dir::State::status=/dev/null", "-o", f"Dir::Cache={work}/cache", "-o", "APT::Sandbox::User=root"]
    subprocess.run([*apt, "update"], check=True)
    subprocess.run([*apt, "download", *packages], cwd=work, check=True)
    for archive in work.glob("*.deb"):
        subprocess.run(["dpkg-deb", "-x", archive, root], check=True)
    return root


@soak
@needs_root
@pytest.mark.parametrize("start", ["prefork", "exec"])
def test_an_application_with_an_older_c_library_serves_in_its_chroot(fcgipm, place, start):
    root = unpacked(place, "bullseye", "libc6", "libc6-dev")
    assert list(root.glob("lib/*/libc-2.31.so"))
    loader, libraries = root / "lib64/ld-linux-x86-64.so.2", root / "lib/x86_64-linux-gnu"
    loader.unlink()
    loader.symlink_to("../lib/x86_64-linux-gnu/ld-2.31.so")  # the linker would follow it out of the tree
    subprocess.run(["gcc", "-D_GNU_SOURCE", "-c", "-o", place / "direct.o", place / "apps/direct.c"], check=True)
    subprocess.run(["gcc", f"--sysroot={root}", f"-B{root}/usr/lib/x86_64-linux-gnu", "-o", root / "direct", place / "direct.o", libraries / "libpthread.so.0"], check=True)
    (root / "proc").mkdir()
    m = fcgipm(f"""
pools:
  app:
    command: [/direct]
    user: nobody
    chroot: {root}
    workers: {{start: {start}, min: 3, max: 3}}
""", wrap=["unshare", "--mount", "sh", "-c", f'mount --bind /proc {root}/proc && exec "$@"', "sh"]).ready()
    assert m.pool()["start"] == start, m.pool()["start_reason"]
    old = set(m.pids())
    with fcgi.Load(m.socket(), "", clients=4) as load:
        load.wait(100)
        m.cli("restart", "app", check=0)
        load.wait(100)
    assert not load.failures and not old & set(m.pids())
    assert m.pool()["served"] >= load.served, "the library counts there"
