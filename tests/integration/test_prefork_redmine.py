"""Redmine as Debian packages it, forked and exec'd.  Instance, database and files are the test's own; what the package has set up stays as it is."""
import os
import re
import shutil
import subprocess

import pytest

import fcgi
from conftest import needs_root, wait_for

soak = pytest.mark.skipif(not os.environ.get("RUN_SOAK"), reason="minutes: make soak")
PACKAGED = "/usr/share/redmine"


@pytest.fixture
def redmine(place):
    """A copy that an account without rights may run."""
    top = place / "redmine"
    shutil.copytree(PACKAGED, top, symlinks=True)
    (top / "instances").unlink()
    (top / "config/database.yml").unlink()
    for name in ("config", "log", "tmp", "files", "public/plugin_assets"):
        (top / "instances/default" / name).mkdir(parents=True)
    (top / "instances/default/config/secret_key.txt").write_text("a" * 64)
    (top / "instances/default/config/database.yml").write_text(f"production:\n  adapter: sqlite3\n  database: {top}/db.sqlite3\n")
    (top / "Gemfile").write_text((top / "Gemfile").read_text().replace(PACKAGED, str(top)))
    subprocess.run(["chown", "-R", "nobody", top], check=True)
    subprocess.run(["setpriv", "--reuid", "nobody", "--clear-groups", "env", f"HOME={top}", "RAILS_ENV=production", "rake", "db:migrate"], cwd=top, check=True, capture_output=True)
    return top


def login_page(m):
    """Who served it."""
    with fcgi.begin(m.socket(), body=True, script="/login") as s:
        head, page = fcgi.read_answer(s)
    assert b'name="username"' in page and page.endswith(b"</html>\n"), (head, page[:300])
    return int(re.search(rb"X-Pid: (\d+)", head)[1])


@soak
@needs_root
@pytest.mark.parametrize("start", ["prefork", "exec"])
def test_redmine_serves_and_is_replaced_without_a_lost_request(fcgipm, redmine, start):
    m = fcgipm(f"""
pools:
  app:
    command: [/usr/bin/ruby, @DIR@/apps/forked-redmine.rb]
    user: nobody
    environment: {{REDMINE: {redmine}, HOME: {redmine}, RAILS_ENV: production}}
    workers: {{start: {start}, min: 3, max: 3, boot_timeout: 120s}}
""")
    m.event("ready", timeout=120)
    assert m.pool()["start"] == start, m.pool()["start_reason"]
    old, seen = set(m.pids()), set()
    with fcgi.Load(m.socket(), clients=4, limit=300, expect=b"<!DOCTYPE html>", script="/login") as load:
        load.wait(20, timeout=60)
        wait_for(lambda: seen.add(login_page(m)) or len(seen) == 3, timeout=60)
        m.cli("restart", "app", check=0, timeout=180)
        load.wait(20, timeout=60)
    assert not load.failures
    assert seen == old and login_page(m) not in old
