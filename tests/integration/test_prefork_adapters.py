"""An application says itself where it is forked: include/fcgipm/prefork.*, by the examples of docs/examples."""
import shutil
import subprocess
from pathlib import Path

import pytest

import fcgi
from conftest import wait_for

TOP = Path(__file__).resolve().parents[2]

EXAMPLES = {
    "c": "[@DIR@/examples/prefork]",
    "ruby": "[/usr/bin/ruby, @DIR@/examples/prefork.rb]",
    "perl": "[/usr/bin/perl, @DIR@/examples/prefork.pl]",
    "python": "[/usr/bin/python3, @DIR@/examples/prefork.py]",
    "sbcl": "[/usr/bin/sbcl, --script, @DIR@/examples/prefork-sbcl.lisp]",
    "clisp": "[/usr/bin/clisp, -q, -norc, @DIR@/examples/prefork-clisp.lisp]",
}


def put_examples(place):
    examples, adapters = place / "examples", place / "adapters"
    shutil.copytree(TOP / "docs/examples", examples)
    shutil.copytree(TOP / "include/fcgipm", adapters / "fcgipm")
    if not (examples / "prefork").exists():
        subprocess.run(["gcc", "-I", TOP / "include", "-o", examples / "prefork", examples / "prefork.c", "-lfcgi"], check=True)


def answers(m, count=30):
    found = set()
    for _ in range(count):
        text = fcgi.request(m.socket()).decode().split("\r\n\r\n")[-1]
        found.add(tuple(int(word.partition("=")[2]) for word in text.split()))
    return found


def pool(language, start):
    return f"""
pools:
  app:
    command: {EXAMPLES[language]}
    user: nobody
    environment: {{RUBYLIB: @DIR@/adapters, PERL5LIB: @DIR@/adapters, PYTHONPATH: @DIR@/adapters, FCGIPM_ADAPTERS: @DIR@/adapters, PYTHONDONTWRITEBYTECODE: "1"}}
    stop: {{signal: KILL}}
    workers: {{min: 3, max: 3, start: {start}}}
"""


@pytest.mark.parametrize("language", EXAMPLES)
def test_an_application_says_itself_where_it_is_forked(fcgipm, place, language):
    put_examples(place)
    m = fcgipm(pool(language, "prefork")).ready()
    seen = answers(m)
    wait_for(lambda: seen.update(answers(m, 10)) or len(seen) > 1, message="one worker answers them all")
    assert len({booted for booted, _, _ in seen}) == 1, "it booted more than once"
    assert all(opened == pid != booted for booted, opened, pid in seen), "what stands behind the call was not done by each worker"
    assert m.pool()["start"] == "prefork"


@pytest.mark.parametrize("language", EXAMPLES)
def test_the_same_application_serves_where_nothing_is_forked(fcgipm, place, language):
    put_examples(place)
    m = fcgipm(pool(language, "exec")).ready()
    assert all(booted == opened == pid for booted, opened, pid in answers(m, 10))


@pytest.mark.parametrize("language", ["python", "perl", "ruby"])
def test_the_call_does_nothing_where_there_is_no_descriptor_0(place, language):
    put_examples(place)
    program = {"python": ["python3", "-c", "from fcgipm.prefork import prefork_here; prefork_here(); print('on')"],
               "perl": ["perl", "-e", "use fcgipm::prefork; Fcgipm::prefork_here(); print 'on'"],
               "ruby": ["ruby", "-r", "fcgipm/prefork", "-e", "Fcgipm.prefork_here; print 'on'"]}[language]
    found = dict.fromkeys(("PYTHONPATH", "PERL5LIB", "RUBYLIB"), str(place / "adapters"))
    done = subprocess.run(["/bin/sh", "-c", 'exec "$@" <&-', "sh", *program], env={"PATH": "/usr/bin:/bin", **found}, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "on" and not done.stderr, done
