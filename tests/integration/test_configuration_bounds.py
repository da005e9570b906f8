"""Files that are not written by people: each is an error within bounded time and memory, for check, run and reload alike."""
import os
import re
import resource
import signal
import subprocess
from pathlib import Path

import pytest
from apps import pool
from conftest import BUILD, children_of, comm, state, wait_for
from fcgi import request

MB = 1 << 20
SANITIZED = "asan" in str(BUILD)
# Of `check` and all its children together.  Measured: 0.2 s and 130 MB at the most; what is quadratic takes minutes.
CPU_SECONDS = 5 if not SANITIZED else 60
RESIDENT_MB = 256

# The peak that the kernel counts for a process begins with that of the program which it was before exec: a small one in between keeps pytest's out of it.
MEASURE = """
import os, sys
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
_, status, usage = os.wait4(pid, 0)
print("USAGE", os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime, usage.ru_maxrss // 1024)
"""


def write(path, data):
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    path.chmod(0o644)
    return path


def check(config, *args):
    """The exit code and the text of a check that has kept within the bounds."""
    done = subprocess.run(["/usr/bin/python3", "-IS", "-c", MEASURE, BUILD / "bin/fcgipm", "check", "-c", config, *args], capture_output=True, text=True,
                          timeout=120, stdin=subprocess.DEVNULL, check=True)
    code, cpu, resident = re.search(r"^USAGE (\S+) (\S+) (\S+)$", done.stdout, re.M).groups()
    assert float(cpu) < CPU_SECONDS, f"{cpu} s of processor time"
    assert int(resident) < RESIDENT_MB or SANITIZED, f"{resident} MB"
    return int(code), done.stderr


def bomb():
    """Nine levels of nine: a billion values, if aliases were read."""
    levels = "".join(f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi"))
    return "a: &a [x, x, x, x, x, x, x, x, x]\n" + levels


def pools(count):
    return "pools:\n" + "".join(f"  p{i}: {{}}\n" for i in range(count))


DEEP = "nested too deep (32 levels at most)"
MANY = "too many values (1048576 at most)"
ALIAS = "aliases are not read (write it out, or use defaults)"
LONG_KEY = "a key has at most 1024 characters)"
SHAPES = {
    "bomb": (bomb, f"2:8: {ALIAS}"),
    "bomb_quadratic": (lambda: f"a: &a [{'x,' * 100000}]\nb: [{'*a,' * 100000}]\n", f"2:5: {ALIAS}"),
    "bomb_that_holds_itself": (lambda: "pools: &a [*a]\n", f"1:12: {ALIAS}"),
    "merge_key": (lambda: "a: &a {b: c}\nd: {<<: *a}\n", f"2:9: {ALIAS}"),
    "brackets": (lambda: "[" * 100000, f"1:33: {DEEP}"),
    "brackets_closed": (lambda: "[" * 100000 + "]" * 100000, f"1:33: {DEEP}"),
    "braces": (lambda: "{a: " * 100000, f"1:129: {DEEP}"),
    "dashes_nested": (lambda: "- " * 100000 + "x\n", f"1:65: {DEEP}"),
    "mappings_nested": (lambda: "".join(" " * i + "a:\n" for i in range(3000)), f"33:33: {DEEP}"),
    "keys_nested": (lambda: "? " * 100000 + "x\n", "1:3: a key must be one word (not a list or mapping)"),
    "16_MB_of_brackets": (lambda: "[" * (16 * MB), f"1:33: {DEEP}"),
    "not_utf8": (lambda: b"pools:\n  x: \xc3\x28\n", "2:7: not valid UTF-8 (save the file as UTF-8)"),
    "latin1": (lambda: "# Größe\npools: {}\n".encode("latin-1"), "1:6: not valid UTF-8 (save the file as UTF-8)"),
    "surrogate": (lambda: b"# \xed\xa0\x80\npools: {}\n", "1:3: not valid UTF-8 (save the file as UTF-8)"),
    "overlong": (lambda: b"# \xc0\xaf\npools: {}\n", "1:3: not valid UTF-8 (save the file as UTF-8)"),
    "utf16": (lambda: "pools: {}\n".encode("utf-16"), "1:1: UTF-16 or UTF-32 (save the file as UTF-8)"),
    "utf16_of_the_other_order": (lambda: b"\xfe\xff" + "pools: {}\n".encode("utf-16-be"), "1:1: UTF-16 or UTF-32 (save the file as UTF-8)"),
    "utf16_without_a_mark": (lambda: "pools: {}\n".encode("utf-16-le"), "1:2: a NUL byte (save the file as text, in UTF-8)"),
    "utf8_with_its_mark": (lambda: b"\xef\xbb\xbfpolls: {}\n", '1:1: polls: unknown key (did you mean "pools"?)'),
    "nul": (lambda: b"pools:\n  a\0b: {}\n", "2:4: a NUL byte (save the file as text, in UTF-8)"),
    "nuls": (lambda: bytes(MB), "1:1: a NUL byte (save the file as text, in UTF-8)"),
    "nul_escaped": (lambda: 'pools: "\\0"\n', "1:8: a NUL in a text (no value may hold one)"),
    "100_MB": (lambda: b"#" * (100 * MB), "1:1: the file is too large (16 MB at most)"),
    "16_MB_of_comment": (lambda: b"#\n" * (8 * MB), "1:1: empty (pools: {} where none are meant)"),
    "16_MB_of_newlines": (lambda: b"\n" * (16 * MB), "1:1: empty (pools: {} where none are meant)"),
    "16_MB_of_one_value": (lambda: b"pools: " + b"a" * (15 * MB), "1:8: pools: not a mapping (NAME: and its keys)"),
    "16_MB_of_one_quoted_value": (lambda: b'pools: "' + b"a" * (15 * MB) + b'"', "1:8: pools: not a mapping (NAME: and its keys)"),
    "16_MB_of_an_open_quote": (lambda: b'"' + b"\n" * (15 * MB), "15728641:1: no end of the quoted text that begins in line 1 (close the quotes)"),
    "50_MB_of_one_value": (lambda: b"pools: " + b"a" * (50 * MB), "1:1: the file is too large (16 MB at most)"),
    "million_keys": (lambda: "".join(f"k{i}: x\n" for i in range(1000000)), f"524288:10: {MANY}"),
    "million_times_one_key": (lambda: "k: x\n" * 1000000, f"524288:4: {MANY}"),
    "half_a_million_times_one_key": (lambda: "k: x\n" * 500000, "2:1: k: given twice (first in line 1; keep one)"),
    "million_pools": (lambda: pools(1000000), f"524288:12: {MANY}"),
    "million_items": (lambda: "pools: [" + "a," * (7 * MB), f"1:2097155: {MANY}"),
    "long_key": (lambda: "a" * MB + ": x\n", LONG_KEY),
    "long_key_further_down": (lambda: "a: b\n" + "a" * MB + ": x\n", LONG_KEY),
    "long_key_with_a_question_mark": (lambda: "? " + "a" * MB + "\n: x\n", f"1:3: {'a' * 64}: unknown key (manager, defaults, include, pools or exec)"),
    "documents": (lambda: "---\n" * (4 * MB), "2:1: a second document (one file is one document)"),
    "directives": (lambda: "%YAML 1.1\n" * MB, '17:1: too many lines that begin with "%" (16 at most)'),
    "tags": (lambda: "!a " * (5 * MB), '1:1: tags are not read (leave out what begins with "!")'),
    "anchors": (lambda: "&a " * (5 * MB), "1:4: no part of the document"),
    "aliases": (lambda: "*a " * (5 * MB), f"1:1: {ALIAS}"),
    "colons": (lambda: "a: " * (5 * MB), '1:5: a ":" where no key can be'),
    "keys_without_values": (lambda: "{" + "?," * (7 * MB), f"1:1048577: {MANY}"),
    "lines_in_a_bracket": (lambda: "[" + "a\n" * (7 * MB), "7340033:1: no end of the list that begins in line 1"),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_hostile_shape_is_an_error_within_bounds(place, shape):
    data, text = SHAPES[shape]
    config = write(place / "pools.yaml", data())
    code, said = check(config)
    assert code == 78
    first = said.splitlines()[0]
    assert first.startswith(f"{config}:") and text in first, said[:500]
    assert len(said) < 200000


def test_ten_thousand_errors_are_as_many_lines_as_somebody_reads(place):
    config = write(place / "pools.yaml", "".join(f"wrong{i}: x\n" for i in range(10000)))
    code, said = check(config)
    lines = said.splitlines()
    assert code == 78 and len(lines) == 1001
    assert lines[999] == f"{config}:1000:1: wrong999: unknown key (manager, defaults, include, pools or exec)"
    assert lines[1000] == f"{config}: 9000 more errors"


def test_what_is_no_regular_file_is_refused_without_reading(place):
    os.mkfifo(place / "fifo")
    for path in (place / "fifo", "/dev/zero", "/dev/null", place):
        code, said = check(path)
        assert code == 78 and said.strip().endswith(f"{path} is not a regular file"), said


@pytest.mark.parametrize("files, length, text", (
    (10000, 10, "include: a.d/*.yaml: more than 4096 files are included (one file may hold many pools)"),
    (30, 15 * MB, "include: the files are too large together (64 MB at most)")))
def test_includes_without_end_are_an_error_within_bounds(place, files, length, text):
    (place / "a.d").mkdir(mode=0o755)
    first = write(place / "a.d/0.yaml", "#" * length)
    for i in range(1, files):
        os.link(first, place / f"a.d/{i}.yaml") if length < MB else write(place / f"a.d/{i}.yaml", "#" * length)
    code, said = check(write(place / "pools.yaml", "include: a.d/*.yaml\npools: {}\n"))
    assert code == 78 and text in said and len(said.splitlines()) == 1, said[:500]


def test_patterns_without_end_are_an_error(place):
    config = write(place / "pools.yaml", f"include: [{'a.d/*.yaml, ' * 100000}]\npools: {{}}\n")
    (place / "a.d").mkdir(mode=0o755)
    code, said = check(config)
    assert code == 78 and said == f"{config}:1:3083: include: too many patterns (256 at most, such as pools.d/*.yaml)\n"


def limited(amount):
    return lambda: resource.setrlimit(resource.RLIMIT_AS, (amount, amount))


@pytest.mark.skipif(SANITIZED, reason="memory is not measured under a sanitizer")
def test_memory_that_is_not_there_is_an_error_and_no_crash(place):
    config = write(place / "pools.yaml", pools(400000))
    done = subprocess.run([BUILD / "bin/fcgipm", "check", "-c", config], capture_output=True, text=True, timeout=60, preexec_fn=limited(64 * MB), check=False)
    assert done.returncode == 78 and "out of memory" in done.stderr, done.stderr[-500:]


def serves(m, pids):
    assert m.pids() == pids and m.pool()["state"] == "ready"
    assert request(m.socket(), "").startswith(b"pid=")


@pytest.mark.parametrize("shape", ("bomb", "brackets", "100_MB", "million_pools", "utf16"))
def test_run_and_reload_refuse_what_check_refuses(fcgipm, place, shape):
    data, text = SHAPES[shape]
    bad = write(place / "bad.yaml", data())
    done = subprocess.run([BUILD / "bin/fcgipm", "run", "-c", bad], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 78 and f"{bad}:{text}" in done.stderr
    m = fcgipm("pools:" + pool("c", workers=1)).ready()
    m.expected_errors.add("reload.refused")
    pids, good, manager = m.pids(), m.config.read_text(), m.manager_pid
    bad.rename(m.config)
    assert f"{m.config}:{text}" in m.cli("reload", check=78).stderr
    serves(m, pids)
    assert m.manager_pid == manager
    m.write(good)
    m.cli("reload", check=0)
    serves(m, pids)


def hold_reader(m):
    """A reload whose reader is stopped on its way: the process of the command, and the reader's pid."""
    for _ in range(20):
        reload = subprocess.Popen([m.build / "bin/fcgipm", "-s", m.run / "control.sock", "reload"], stderr=subprocess.PIPE, text=True)
        try:
            pid = wait_for(lambda: reload.poll() or next((p for p in children_of(m.launcher_pid) if comm(p) == "fcgipm-conf"), None))
            if reload.poll() is None:
                os.kill(pid, signal.SIGSTOP)
                wait_for(lambda: state(pid) in "TZX")
                if state(pid) == "T":
                    return reload, pid
        except (FileNotFoundError, ProcessLookupError):
            pass  # it was faster
        reload.communicate(timeout=60)
    raise AssertionError("the reader was never caught")


def hard_limits(pid):
    return {row[:26].strip(): row[26:].split()[1] for row in Path(f"/proc/{pid}/limits").read_text().splitlines()[1:]}


def test_a_reader_that_hangs_is_ended_and_the_old_configuration_goes_on(fcgipm, place):
    """Its end comes after 20 seconds; meanwhile everything serves."""
    m = fcgipm("pools:" + pool("c", workers=1)).ready()
    m.expected_errors.add("reload.refused")
    pids, good = m.pids(), m.config.read_text()
    write(m.config, SHAPES["half_a_million_times_one_key"][0]())
    reload, _ = hold_reader(m)
    serves(m, pids)
    said = reload.communicate(timeout=120)[1]
    assert reload.returncode == 78 and "the process that reads it took longer than 20 seconds and was ended" in said, said
    serves(m, pids)
    m.write(good)
    m.cli("reload", check=0)
    serves(m, pids)


@pytest.mark.skipif(SANITIZED, reason="memory is not measured under a sanitizer")
def test_a_reader_beyond_its_limits_is_ended_and_the_old_configuration_goes_on(fcgipm):
    m = fcgipm("pools:" + pool("c", workers=1)).ready()
    m.expected_errors.add("reload.refused")
    pids = m.pids()
    write(m.config, SHAPES["half_a_million_times_one_key"][0]())
    for _ in range(5):
        reload, reader = hold_reader(m)
        limits = hard_limits(reader)
        os.kill(reader, signal.SIGXCPU)
        os.kill(reader, signal.SIGCONT)
        said = reload.communicate(timeout=60)[1]
        if "given twice" not in said:  # it had answered when it was stopped
            break
    assert reload.returncode == 78 and "the process that reads it ended without an answer, by signal XCPU" in said, said
    assert {"Max address space": "1073741824", "Max cpu time": "10", "Max open files": "64", "Max processes": "0", "Max core file size": "0"}.items() <= limits.items()
    serves(m, pids)
