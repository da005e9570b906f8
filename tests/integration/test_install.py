"""What `make install` puts where, and that it works from there."""
import re
import subprocess

import pytest
from apps import pool
from conftest import BUILD, HERE, needs_root
from fcgi import request

ROOT = HERE.parent.parent


def run(*command):
    return subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture
def installed(place):
    """A prefix, installed there as a package would (no accounts are made)."""
    done = run("make", "-s", "-C", ROOT, "install", f"BUILD={BUILD}", f"DESTDIR={place}", "prefix=/inst")
    assert done.returncode == 0, done.stderr
    return place / "inst"


@needs_root
def test_the_result_of_make_install_runs_from_there(fcgipm, installed):
    m = fcgipm("pools:" + pool("c", workers=1), build=installed).ready()
    assert m.pool()["start"] == "prefork", "the library is not found from there"
    assert request(m.socket(), "pid").startswith(b"pid=")
    assert m.cli("status", check=0).stdout
    assert run(installed / "bin/fcgipm", "check", "-c", installed / "share/fcgipm/pools.yaml").returncode == 0


def test_every_page_of_the_manual_is_installed(installed):
    pages = {p.name: f"share/man/man{p.suffix[1:]}/{p.name}" for p in (ROOT / "man").iterdir()}
    assert {"fcgipm.8", "fcgipm-status.8", "fcgipm.yaml.5", "fcgipm-events.7"} <= set(pages)
    for name, path in pages.items():
        assert (installed / path).read_text() == (ROOT / "man" / name).read_text()


def test_the_unit_is_one_that_systemd_accepts(installed):
    unit = installed / "lib/systemd/system/fcgipm.service"
    text = unit.read_text()
    unit.write_text(text.replace("=/inst/", f"={installed}/"))
    done = run("systemd-analyze", "verify", "--man=no", unit)
    assert "fcgipm.service" not in done.stderr, done.stderr
    assert done.returncode == 0


def test_the_unit_grants_the_capabilities_of_the_table_and_no_other():
    table = re.findall(r"^\| (CAP_\w+) \|", (ROOT / "docs/threats.md").read_text(), re.M)
    unit = (ROOT / "packaging/fcgipm.service.in").read_text()
    assert re.search(r"^CapabilityBoundingSet=(.*)$", unit, re.M).group(1).split() == table


@needs_root
def test_sysusers_and_tmpfiles_make_the_accounts_and_the_directories(installed, place):
    root = place / "root"
    for path in ("etc", "usr/lib/sysusers.d", "usr/lib/tmpfiles.d"):
        (root / path).mkdir(parents=True)
    (root / "etc/group").write_text("root:x:0:\nadm:x:4:\n")
    (root / "etc/passwd").write_text("root:x:0:0::/root:/bin/sh\n")
    done = run("systemd-sysusers", f"--root={root}", installed / "lib/sysusers.d/fcgipm.conf")
    assert done.returncode == 0, done.stderr
    assert {"fcgipm", "fcgipm-conf", "fcgipm-status"} <= {line.split(":")[0] for line in (root / "etc/passwd").read_text().splitlines()}
    done = run("systemd-tmpfiles", f"--root={root}", "--create", installed / "lib/tmpfiles.d/fcgipm.conf")
    assert done.returncode == 0, done.stderr
    assert (root / "run/fcgipm").stat().st_mode & 0o7777 == 0o711


@needs_root
def test_the_client_library_runs_a_program_from_c(fcgipm, installed, place):
    """docs/examples/exec.c against what is installed."""
    example, control = place / "exec", place / "run/control.sock"
    source = place / "exec.c"
    source.write_text((ROOT / "docs/examples/exec.c").read_text().replace("FCGIPM_CONTROL_SOCKET", f'"{control}"'))
    done = run("gcc", "-Wall", "-Werror", *(["-fsanitize=address,undefined"] if "asan" in str(BUILD) else []), f"-I{installed}/include", f"-L{installed}/lib", f"-Wl,-rpath,{installed}/lib", "-o", example, source, "-lfcgipm")
    assert done.returncode == 0, done.stderr
    program = place / "program"
    program.write_text("#!/bin/sh\necho \"hello $1\"\nexit 4\n")
    program.chmod(0o755)
    m = fcgipm("pools: {}\nexec:\n  cgi: {roots: [@DIR@/program], user: nobody, clients: [root]}\n")
    m.event("ready")
    done = run(example, "cgi", program, "world")
    assert (done.returncode, done.stdout) == (4, "hello world\n") and "of processor time" in done.stderr
    assert run(example, "cgi", "/bin/sh").stderr.startswith("outside-roots: ")


def test_the_client_library_shows_its_functions_alone():
    shown = run("nm", "-D", "--defined-only", BUILD / "lib/libfcgipm.so.0").stdout.split()[2::3]
    declared = re.findall(r"\b(fcgipm_\w+)\(", re.sub(r"/\*.*?\*/", "", (ROOT / "include/fcgipm/client.h").read_text(), flags=re.S))
    assert sorted(shown) == sorted(set(declared))
