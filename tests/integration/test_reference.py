"""The manual and the schema that come from the table of settings."""
import json
import re
import subprocess
from pathlib import Path

import jsonschema
import pytest
import yaml
from apps import APPS, pool
from conftest import BUILD, HERE

ROOT = HERE.parent.parent
SCHEMA = json.loads((ROOT / "conf/pools.schema.json").read_text())


def generated(what):
    by = [ROOT / "tools/docs.py", "man"] if what == "events" else [BUILD / "tools/reference", what]
    return subprocess.run(by, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("what, path", (("man", "man/fcgipm.yaml.5"), ("events", "man/fcgipm-events.7"), ("schema", "conf/pools.schema.json"), ("completion", "packaging/completion.bash")))
def test_what_is_stored_is_what_the_table_says(what, path):
    assert (ROOT / path).read_text() == generated(what), "run make docs"


def complaints(text):
    return [e.message for e in jsonschema.Draft7Validator(SCHEMA).iter_errors(yaml.safe_load(text))]


def test_the_schema_is_one():
    jsonschema.Draft7Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("language", APPS)
def test_the_schema_accepts_what_the_tests_use(language):
    assert not complaints("manager: {runtime_directory: /run/x, max_workers: 9}\npools:" + pool(language, extra="socket: {mode: \"0660\"}\n    queue: {timeout: 5s}").replace("@DIR@", "/srv"))


@pytest.mark.parametrize("path", ("conf/pools.yaml", "packaging/pools.yaml"))
def test_the_schema_accepts_our_files(path):
    assert not complaints((ROOT / path).read_text())


def test_the_schema_accepts_the_example_of_the_manual():
    example = re.search(r"^\.Bd -literal.*?\n(.*?)^\.Ed", (ROOT / "man/fcgipm.yaml.5").read_text(), re.M | re.S).group(1).replace("\\-", "-")
    assert not complaints(example) and set(yaml.safe_load(example)["pools"]) == {"blog", "shop"} and set(yaml.safe_load(example)["exec"]) == {"cgi"}


@pytest.mark.parametrize("text, word", (
    ("pools: {a: {comand: [/bin/x]}}", "comand"), ("pools: {a: {workers: {mn: 1}}}", "mn"), ("pools: {a: {workers: {min: many}}}", "many"),
    ("pools: {a: {workers: {min: -1}}}", "-1"), ("pools: {a: {workers: {idle_timeout: 5}}}", "5"), ("pools: {a: {stop: {signal: HURT}}}", "HURT"),
    ("pools: {a: {command: /bin/x}}", "/bin/x"), ("pools: {A: {}}", "A"), ("manager: {log: {format: xml}}", "xml"), ("pool: {}", "pool"),
    ("exec: {cgi: {rots: [/srv]}}", "rots"), ("exec: {cgi: {roots: [srv]}}", "srv"), ("exec: {cgi: {roots: []}}", "[]"), ("exec: {local: {}}", "local"),
    ("exec: {cgi: {file_owner: me}}", "me"), ("exec: {cgi: {max_running: 0}}", "0"), ("exec: {cgi: {arguments: {mx: 1}}}", "mx"),
    ("pools: {a: {workers: {start: forked}}}", "forked"), ("pools: {a: {chroot: srv}}", "srv"),
))
def test_the_schema_refuses(text, word):
    assert any(word in c for c in complaints(text)), complaints(text)


@pytest.mark.parametrize("page", sorted(p.name for p in (ROOT / "man").iterdir()))
def test_a_page_renders_without_a_warning(page):
    done = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", ROOT / "man" / page], capture_output=True, text=True, check=True, env={"PATH": "/usr/bin:/bin", "MANWIDTH": "100"})
    assert not done.stderr
    linted = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", ROOT / "man" / page], capture_output=True, text=True, check=False)
    assert not linted.stdout, linted.stdout


def test_every_key_stands_in_the_manual():
    keys = re.findall(r'^\tX\("([a-z_.]+)"', Path(ROOT / "fcgipm/settings/table.h").read_text(), re.M)
    page = (ROOT / "man/fcgipm.yaml.5").read_text()
    assert len(keys) > 80 and all(f".It Ic {key} : " in page for key in keys)


def complete(*words, cwd="/", path=BUILD / "bin"):
    """What bash would offer for the last word."""
    script = f'. {ROOT}/packaging/completion.bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _fcgipm; printf "%s\\n" "${{COMPREPLY[@]}}"'
    done = subprocess.run(["bash", "-c", script, "bash", *map(str, words)], capture_output=True, text=True, check=True, cwd=cwd, env={"PATH": f"{path}:/usr/bin:/bin"})
    assert not done.stderr
    return done.stdout.split()


def test_bash_completes_commands_options_and_pools(fcgipm):
    m = fcgipm("pools:" + pool("c", name="blog", workers=1) + pool("c", name="shop", workers=1)).ready()
    socket = m.run / "control.sock"
    assert complete("fcgipm", "rel") == ["reload"] and {"status", "top", "scale"} <= set(complete("fcgipm", ""))
    assert complete("fcgipm", "status", "--op") == ["--openmetrics"] and "-c" in complete("fcgipm", "run", "-")
    assert complete("fcgipm", "-s", socket, "restart", "") == ["blog", "shop"]
    assert complete("fcgipm", "restart", "-s", socket, "s") == ["shop"]
    assert complete("fcgipm", "restart", "-s", "/nowhere", "") == [], "no manager: nothing to offer, and nothing said"
    assert complete("fcgipm", "check", "-c", "bi", cwd="/usr") == ["bin"]
