"""Real applications behind real frontends, in their own accounts and jails."""
import shutil
import subprocess
from pathlib import Path

import pytest
from apps import APPS, pool, script
from conftest import needs_root, wait_for
from fcgi import Load, request
from frontends import frontend, get

LANGUAGES = ("c", "php", "perl", "ruby", "sbcl", "clisp")


@pytest.mark.parametrize("kind", ("nginx", "httpd"))
@pytest.mark.parametrize("language", LANGUAGES)
def test_serves_behind(fcgipm, place, language, kind):
    m = fcgipm("pools:" + pool(language, workers=2)).ready()
    with frontend(kind, place, m.socket(), script(place, language)) as port:
        assert get(port, "pid").startswith(b"pid=")
        m.cli("restart", "app", check=0)
        assert int(get(port, "pid")[4:]) in m.pids()


@pytest.mark.parametrize("language", ("clisp", "sbcl"))
def test_lisp_restarts_under_load(fcgipm, place, language):
    m = fcgipm("pools:" + pool(language, workers=4)).ready()
    with Load(m.socket(), clients=8) as l:
        for _ in range(2):
            l.wait(20)
            m.cli("restart", "app", check=0)
        l.wait(20)
    assert not l.failures


@pytest.mark.parametrize("kind", ("nginx", "httpd"))
def test_a_body_arrives_whole(fcgipm, place, kind):
    m = fcgipm("pools:" + pool("c", workers=2)).ready()
    body = bytes(range(256)) * 4096
    with frontend(kind, place, m.socket()) as port:
        assert get(port, "echo", data=body) == body


def libraries(program):
    out = subprocess.run(["ldd", program], capture_output=True, text=True, check=False).stdout
    return [word for word in out.split() if word.startswith("/")]


def make_chroot(root, *programs, trees=()):
    """Copies programs with their libraries, and whole trees, below root."""
    paths = set(programs)
    for program in programs:
        paths.update(libraries(program))
    for path in paths:
        target = root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target)
    for tree in trees:
        for path in sorted(Path("/").glob(tree.lstrip("/"))):
            target = root / str(path).lstrip("/")
            if path.is_dir():
                shutil.copytree(path, target, dirs_exist_ok=True, ignore_dangling_symlinks=True)
            else:
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(path, target)
            for library in {l for so in target.rglob("*.so*") for l in libraries(so)} if path.is_dir() else libraries(path):
                inside = root / library.lstrip("/")
                inside.parent.mkdir(parents=True, exist_ok=True)
                if not inside.exists():
                    shutil.copy2(library, inside)
    for device in ("null", "urandom"):
        (root / "dev").mkdir(exist_ok=True)
        subprocess.run(["mknod", "-m", "666", root / "dev" / device, "c", "1", "3" if device == "null" else "9"], check=True)


JAILS = {
    "c": ([], []),
    "php": (["/usr/bin/php-cgi"], ["/usr/share/zoneinfo/UTC"]),
    "perl": (["/usr/bin/perl"], ["/usr/share/perl/5.*", "/usr/lib/*/perl*/5.*", "/usr/lib/*/perl-base", "/usr/share/perl5/FCGI*", "/etc/perl"]),
    "ruby": (["/usr/bin/ruby"], ["/usr/lib/ruby", "/usr/lib/*/ruby", "/var/lib/gems"]),
}


@needs_root
@pytest.mark.parametrize("language", list(JAILS))
def test_runs_in_a_chroot_under_its_own_uid(fcgipm, place, accounts, language):
    a = accounts[0]
    root = place / "jail"
    programs, trees = JAILS[language]
    (root / "apps").mkdir(parents=True)
    root.chmod(0o755)
    for app in (place / "apps").iterdir():
        if app.is_file():
            shutil.copy2(app, root / "apps")
    make_chroot(root, *programs, *([str(place / "apps" / "app")] if language == "c" else []), trees=trees)
    m = fcgipm(f"""
pools:
  app:
    {APPS[language].replace("@DIR@", "")}
    user: {a.pw_name}
    chroot: @DIR@/jail
    workers: {{min: 2, max: 2}}
""").ready()
    pid = m.pids()[0]
    assert Path(f"/proc/{pid}").stat().st_uid == a.pw_uid
    assert Path(f"/proc/{pid}/root").readlink() == root
    assert request(m.socket(), "pid", SCRIPT_FILENAME="/apps/app.php" if language == "php" else "/app").startswith(b"pid=")


def test_gitwebs_exit_0_after_every_error_page_is_no_crash(fcgipm, place):
    m = fcgipm("""
pools:
  app:
    command: [/usr/bin/perl, /usr/share/gitweb/gitweb.cgi, --fastcgi]
    user: nobody
    environment: {GITWEB_CONFIG: /dev/null, PATH: "/usr/bin:/bin"}
    workers: {min: 2, max: 2}
""")
    m.event("ready", timeout=30)
    before = m.pids()
    for _ in range(6):
        try:
            request(m.socket(), "p=nothing;a=summary", SCRIPT_NAME="/gitweb")
        except Exception:  # noqa: BLE001  the answer is an error page or a cut one: what counts is that workers come back at once
            pass
    wait_for(lambda: len(m.pids()) == 2 and m.pids() != before, timeout=30)
    assert not [e for e in m.events if e.get("event") == "pool.backoff"]
