"""Every supported language, forked and exec'd: docs/prefork.md."""
import os
import re
import time

import pytest

import fcgi
from conftest import children_of, wait_for

PHP = "[/usr/bin/php-cgi, -d, opcache.enable=1, -d, opcache.file_update_protection=0]"
# What each does afterwards; random: its generator is seeded by the language, so it must differ.
LANGUAGES = {
    "c": ("[@DIR@/apps/forked]", "thread child"),
    "php": (PHP, "random gc child"),
    "perl": ("[/usr/bin/perl, @DIR@/apps/forked.pl]", "random child"),
    "ruby": ("[/usr/bin/ruby, @DIR@/apps/forked.rb]", "random gc thread child"),
    "sinatra": ("[/usr/bin/ruby, @DIR@/apps/forked-sinatra.rb]", "random gc thread child"),
    "rails": ("[/usr/bin/ruby, @DIR@/apps/forked-rails.rb]", "random gc thread child"),
    "python": ("[/usr/bin/python3, @DIR@/apps/forked.py]", "random gc thread child"),
    "clisp": ("[/usr/bin/clisp, -q, -norc, @DIR@/apps/forked-clisp.lisp]", "gc child"),
    "sbcl": ("[/usr/bin/sbcl, --script, @DIR@/apps/forked-sbcl.lisp]", "gc thread child"),
}
STOPS = {"clisp": "USR1", "sbcl": "USR1"}  # their TERM is a handler of their own (test_no_request_lost.py)


def pool(language, start, workers=3):
    return f"""
pools:
  app:
    command: {LANGUAGES[language][0]}
    user: nobody
    environment: {{PHP_FCGI_MAX_REQUESTS: "0", STOP_FINALIZER: "1"}}
    stop: {{signal: {STOPS.get(language, "TERM")}, timeout: 10s}}
    workers: {{min: {workers}, max: {workers}, start: {start}}}
"""


def ask(m, wish):
    script = str(m.place / "apps/forked.php")
    return fcgi.request(m.socket(), wish, script=script, PATH_INFO="/", SCRIPT_NAME="/").decode()


def of_several(m, wish, count=3, timeout=20):
    """pid: what it answered to the wish, of that many workers."""
    found, end = {}, time.monotonic() + timeout
    while len(found) < count and time.monotonic() < end:
        with fcgi.Load(m.socket(), "wait", clients=count - 1, limit=0, script=str(m.place / "apps/forked.php"), SCRIPT_NAME="/", PATH_INFO="/"):
            text = ask(m, wish)
        found[int(re.search(r"pid=(\d+)", text)[1])] = text
    assert len(found) >= count, found
    return found


@pytest.mark.parametrize("start", ["prefork", "exec"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_serves_forked_and_execd(fcgipm, language, start):
    m = fcgipm(pool(language, start)).ready()
    shown = m.pool()
    assert shown["start"] == start, shown["start_reason"]
    wishes = LANGUAGES[language][1].split()
    for pid in of_several(m, ""):
        assert pid in children_of(m.launcher_pid) and os.getsid(pid) == pid
    if "random" in wishes:
        said = [re.search(r"random=\S+", text)[0] for text in of_several(m, "random").values()]
        assert len(set(said)) == len(said), said
    for wish in {"gc", "thread"} & set(wishes):
        assert all(f"{wish}=1\n" in text for text in of_several(m, wish).values())
    for text in of_several(m, "child", count=2).values():
        assert "FCGIPM_WORKER" not in text and "LD_PRELOAD" not in text, text
        assert "fcgipm-board" not in text and "libfcgipm" not in text, text
        assert text.count("socket:") <= 2, "more than the listener and the connection: " + text
    m.cli("restart", "app", check=0)
    assert not [e for e in m.events if e["event"] == "worker.stop_timeout"], "a worker did not end within its grace"
    assert len(of_several(m, "")) == 3


def test_php_has_one_opcache_for_all_its_workers(fcgipm):
    m = fcgipm(pool("php", "prefork", workers=4)).ready()
    ask(m, "opcache")
    time.sleep(1.1)  # the first request has put the script there
    said = {re.search(r"opcache=\S+", text)[0] for text in of_several(m, "opcache", count=4).values()}
    assert len(said) == 1, said
    assert said.pop().endswith("-1-1"), "one script, missed once"


def test_execd_php_has_a_cache_a_worker(fcgipm):
    m = fcgipm(pool("php", "exec", workers=2)).ready()
    assert all("-1-1\n" in text for text in of_several(m, "opcache", count=2).values())


def test_gitweb_is_forked(fcgipm, place):
    (place / "gitweb.conf").write_text(f"$projectroot = '{place}';\n")
    m = fcgipm(f"""
pools:
  app:
    command: [/usr/bin/perl, /usr/share/gitweb/gitweb.cgi, --fastcgi]
    user: nobody
    environment: {{GITWEB_CONFIG: {place}/gitweb.conf}}
    workers: {{min: 2, max: 2, start: prefork}}
""").ready()
    for _ in range(4):
        assert b"</html>" in fcgi.request(m.socket(), "", SCRIPT_NAME="/gitweb", GITWEB_CONFIG=f"{place}/gitweb.conf", SERVER_NAME="localhost")
    assert m.pool()["start"] == "prefork"


def test_sbcl_with_its_second_thread_is_not_forked_and_serves(fcgipm):
    m = fcgipm(pool("sbcl", "auto").replace('STOP_FINALIZER: "1"', 'NOTHING: "1"')).ready()
    shown = m.pool()
    assert shown["start"] == "exec" and "threads" in shown["start_reason"]
    wait_for(lambda: m.pool()["workers"]["idle"] == 3)
    assert len(of_several(m, "")) == 3
