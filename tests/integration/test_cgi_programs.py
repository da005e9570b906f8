"""Real CGI programs behind the exec broker: git over smart HTTP (git-http-backend), cgit; and CGI over HTTP/2."""
import os
import shutil
import subprocess

import pytest

from cgi_bench import OWNER, Bench, own
from conftest import directory, needs_root, wait_for
from httpd import MPMS

pytestmark = needs_root
BACKEND, CGIT = "/usr/lib/git-core/git-http-backend", "/usr/lib/cgit/cgit.cgi"
SIZE_MB = 200 if os.environ.get("RUN_SOAK") else 12
PROFILES = f"""
exec:
  git:
    roots: [{BACKEND}]
    user: {OWNER}
    file_owner: root
    environment_allow: ["GIT_*"]
    timeout: 600s
  cgit:
    roots: [{CGIT}]
    user: {OWNER}
    file_owner: root
    environment_allow: [CGIT_CONFIG]
  cgi:
    roots: [@DIR@/cgi-bin]
    min_uid: 1
    min_gid: 1
"""
CONFIG = f"""
Protocols h2c http/1.1
<Location /git>
  FcgipmExecProfile git
  SetEnv GIT_PROJECT_ROOT @PLACE@/repositories
  SetEnv GIT_HTTP_EXPORT_ALL 1
  SetEnv REMOTE_USER tester
  LimitRequestBody 0
</Location>
ScriptAlias /git/ {BACKEND}/
<Location /cgit>
  FcgipmExecProfile cgit
  SetEnv CGIT_CONFIG @PLACE@/cgitrc
</Location>
ScriptAlias /cgit {CGIT}
ScriptAlias /cgi-bin/ @PLACE@/cgi-bin/
<Location /cgi-bin>
  FcgipmExecProfile cgi
</Location>
"""


@pytest.fixture(scope="module", params=MPMS)
def bench(request, accounts):
    with directory() as place:
        repositories = place / "repositories"
        repositories.mkdir()
        own(repositories)
        (place / "cgitrc").write_text(f"cache-size=0\nscan-path={repositories}\n")
        b = Bench(place, request.param, CONFIG, modules=("alias", "env", *([] if request.param == "prefork" else ["http2"])), profiles=PROFILES)
        b.httpd.start()
        yield b
        b.stop()


def git(*args, cwd=None, user=None):
    """By the account where it is the server's side."""
    prefix = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"] if user else []
    env = {**os.environ, "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0", "GIT_AUTHOR_NAME": "t", "GIT_AUTHOR_EMAIL": "t@x.invalid",
           "GIT_COMMITTER_NAME": "t", "GIT_COMMITTER_EMAIL": "t@x.invalid"}
    done = subprocess.run([*prefix, "git", *map(str, args)], cwd=cwd, env=env, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, f"git {args}: {done.stderr}"
    return done.stdout


def served(bench, name):
    """An empty repository that may be pushed to."""
    path = bench.place / "repositories" / name
    git("init", "-q", "-b", "main", "--bare", path, user=OWNER)
    git("-C", path, "config", "http.receivepack", "true", user=OWNER)
    return f"http://127.0.0.1:{bench.httpd.port}/git/{name}"


def work(bench, name, megabytes):
    """A clone's work tree with so much that does not compress."""
    tree = bench.place / name
    shutil.rmtree(tree, ignore_errors=True)
    git("init", "-q", "-b", "main", tree)
    for i in range(megabytes):
        (tree / f"f{i}").write_bytes(os.urandom(1 << 20))
    (tree / "README").write_text("of the test\n")
    git("add", "-A", cwd=tree)
    git("commit", "-q", "-m", "first", cwd=tree)
    return tree


def test_git_push_and_clone(bench):
    """Pushed in chunks (no Content-Length), cloned, and the same."""
    url, tree = served(bench, "big.git"), work(bench, "tree", SIZE_MB)
    git("-c", "http.postBuffer=65536", "push", "-q", url, "main", cwd=tree)
    git("clone", "-q", url, bench.place / "clone")
    assert git("rev-parse", "HEAD", cwd=bench.place / "clone") == git("rev-parse", "HEAD", cwd=tree)
    assert git("fsck", "--full", cwd=bench.place / "clone") == ""
    (tree / "README").write_text("changed\n")
    git("commit", "-q", "-a", "-m", "second", cwd=tree)
    git("push", "-q", url, "main", cwd=tree)
    git("pull", "-q", cwd=bench.place / "clone")
    assert (bench.place / "clone" / "README").read_text() == "changed\n"
    for path in ("tree", "clone"):
        shutil.rmtree(bench.place / path)


def test_cgit(bench):
    url, tree = served(bench, "small.git"), work(bench, "small", 0)
    git("push", "-q", url, "main", cwd=tree)
    index = bench.httpd.get("/cgit/").body.decode()
    assert "small.git" in index
    page = bench.httpd.get("/cgit/small.git/log/").body.decode()
    assert ">first<" in page
    assert bench.httpd.get("/cgit/small.git/plain/README").body == b"of the test\n"
    assert bench.httpd.get("/cgit/small.git/commit/?id=0000000000000000000000000000000000000000").status == 404


def test_http2(bench):
    """Streams have no connection of their own: bodies both ways, an unparsed head, a client that leaves."""
    if bench.mpm == "prefork":
        pytest.skip("mod_http2 does not go with it")

    def h2(path, *args):
        return bench.httpd.curl(path, "--http2-prior-knowledge", "-i", *args).stdout

    assert h2("/cgi-bin/cgi?hello&").startswith(b"HTTP/2 200") and h2("/cgi-bin/cgi?hello&").endswith(b"\r\n\r\nhello\n")
    data = bench.place / "data"
    data.write_bytes(b"y" * 3_000_000)
    assert h2("/cgi-bin/cgi?echo&", "--data-binary", f"@{data}", "-H", "Expect:").endswith(b"\r\n\r\n" + b"y" * 3_000_000)
    assert h2("/cgi-bin/nph-cgi?unparsed&").startswith(b"HTTP/2 299") and h2("/cgi-bin/nph-cgi?unparsed&").endswith(b"raw")
    assert h2("/cgi-bin/cgi?nothing&").startswith(b"HTTP/2 500")
    gate = bench.gate(f"h2-{bench.mpm}")
    bench.httpd.curl(f"/cgi-bin/cgi?silent&gate={gate}", "--http2-prior-knowledge", "--max-time", "1")
    bench.noted(gate.name, "begun")
    wait_for(lambda: subprocess.run(["pgrep", "-f", f"^{bench.bin}/cgi"], capture_output=True, check=False).returncode == 1, message="the program goes on")
