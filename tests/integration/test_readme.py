"""README's three sites: its own text, run."""
import re
import subprocess
import urllib.request

import pytest

from conftest import HERE, needs_root, wait_for
from frontends import free_port
from httpd import Httpd

pytestmark = needs_root
README = (HERE.parent.parent / "README.md").read_text()
PHP = "<?php echo 'blog ', getenv('DB_PASSWORD'), ' ', posix_getuid();"
RUBY = "require 'fcgi'\nFCGI.each { |r| r.out.print \"Content-Type: text/plain\\r\\n\\r\\nshop #{ENV['DATABASE_URL']} #{Process.uid}\"; r.finish }\n"
PERL = "use FCGI; my $r = FCGI::Request(); while ($r->Accept() >= 0) { print \"Content-Type: text/plain\\r\\n\\r\\nwiki $<\", -e '/wiki/wiki.pl' ? ' jailed' : ''; }\n"


def block(language):
    """The code of that language in the section of the three sites."""
    section = README.split("## Three sites, whole")[1].split("\n## ")[0]
    return re.search(rf"```{language}\n(.*?)```", section, re.S).group(1)


def jail(place):
    """Perl with what it needs, found as ldd and perl themselves say."""
    root = place / "srv" / "jail"
    (root / "wiki").mkdir(parents=True)
    (root / "wiki" / "wiki.pl").write_text(PERL)
    files = {"/usr/bin/perl"}
    loaded = subprocess.run(["perl", "-e", "use FCGI; use Symbol; use POSIX; print join qq(\\n), values %INC, @DynaLoader::dl_shared_objects"], capture_output=True, text=True, check=True)
    files |= set(loaded.stdout.split("\n"))
    for file in [f for f in files if f.endswith(".so")] + ["/usr/bin/perl"]:
        files |= set(re.findall(r"(/\S+) \(0x", subprocess.run(["ldd", file], capture_output=True, text=True, check=True).stdout))
    subprocess.run(["cp", "-L", "--parents", "-t", root, *sorted(f for f in files if f.startswith("/"))], check=True)
    (root / "dev").mkdir()
    for name, minor in (("null", 3), ("zero", 5), ("urandom", 9)):
        subprocess.run(["mknod", "-m", "666", root / "dev" / name, "c", "1", str(minor)], check=True)
    subprocess.run(["chmod", "-R", "a+rX", root], check=True)


@pytest.fixture
def sites(fcgipm, place, accounts):
    www = place / "srv" / "alice" / "www"
    www.mkdir(parents=True)
    (www / "index.php").write_text(PHP)
    secrets = place / "srv" / "alice" / "secrets"
    secrets.write_text("DB_PASSWORD=geheim\n")
    (place / "srv" / "bob").mkdir()
    (place / "srv" / "bob" / "shop.rb").write_text(RUBY)
    jail(place)
    subprocess.run(["chmod", "-R", "a+rX", place / "srv"], check=True)
    subprocess.run(["chown", "fcgipm-t1", secrets], check=True)
    secrets.chmod(0o400)
    text = block("yaml").replace("/srv/", f"{place}/srv/")
    for name, account in (("alice", "fcgipm-t1"), ("bob", "fcgipm-t2"), ("carol", "nobody")):
        text = text.replace(f"user: {name}", f"user: {account}")
    del accounts
    return fcgipm(text).ready()


def ask(port, path):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=20) as answer:
        return answer.read().decode()


def all_three_answer(port, accounts):
    assert ask(port, "/index.php") == f"blog geheim {accounts[0].pw_uid}"
    assert ask(port, "/shop/x") == f"shop postgresql://127.0.0.1/shop {accounts[1].pw_uid}"
    assert ask(port, "/wiki/x") == "wiki 65534 jailed"


def test_behind_nginx(sites, place, accounts):
    port = free_port()
    text = block("nginx").replace("listen 80", f"listen 127.0.0.1:{port}").replace("/srv/", f"{place}/srv/").replace("/run/fcgipm", str(sites.run))
    (place / "nginx.conf").write_text(f"""daemon off; user www-data; pid {place}/nginx.pid; error_log {place}/nginx.log; events {{}}
http {{ access_log off; client_body_temp_path {place}/b; fastcgi_temp_path {place}/f; proxy_temp_path {place}/p; uwsgi_temp_path {place}/u; scgi_temp_path {place}/s;
{text.replace("include fastcgi_params", "include /etc/nginx/fastcgi_params")} }}""")
    nginx = subprocess.Popen(["/usr/sbin/nginx", "-c", place / "nginx.conf"], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        wait_for(lambda: nginx.poll() is None and (place / "nginx.pid").exists() and (place / "nginx.pid").read_text().strip())
        all_three_answer(port, accounts)
    finally:
        nginx.terminate()
        nginx.wait(20)
        nginx.stderr.close()


def test_behind_httpd(sites, place, accounts):
    httpd = Httpd(place / "httpd", "event", sites.run / "control.sock", block("apache").replace("/srv/", f"{place}/srv/")).start()
    all_three_answer(httpd.port, accounts)
    httpd.stop()


def test_every_pool_passes_check(sites):
    done = subprocess.run([sites.build / "bin" / "fcgipm", "check", "-c", sites.config], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
