"""Real applications through mod_fcgipm: PHP (upload, sessions, streaming, redirects, errors), Sinatra, CLISP, SBCL, gitweb."""
import http.client
import re
import subprocess
import threading

import pytest

from apps import pool
from conftest import Manager, directory, needs_root
from httpd import Httpd, read

pytestmark = needs_root
PHP = {
    "upload.php": "<?php $f = $_FILES['f']; header('Content-Type: text/plain'); echo $f['name'], ' ', $f['size'], ' ', md5_file($f['tmp_name']), ' ', $_POST['x'];",
    "session.php": "<?php session_save_path('@DIR@/sessions'); session_start(); $_SESSION['n'] = ($_SESSION['n'] ?? 0) + 1; echo $_SESSION['n'];",
    "stream.php": "<?php header('Content-Type: text/event-stream'); for ($i = 0; $i < 3; $i++) { echo \"data: $i\\n\\n\"; @ob_flush(); flush(); while (!file_exists('@DIR@/sessions/go' . $i)) "
                  "{ usleep(5000); clearstatcache(); } }",
    "redirect.php": "<?php header('Location: /session.php'); http_response_code(303); setcookie('a', 'b');",
    "error.php": "<?php ini_set('display_errors', '0'); ini_set('log_errors', '1'); ini_set('error_log', ''); nothing_of_that_name();",
    "info.php": "<?php header('Content-Type: text/plain'); echo $_SERVER['PATH_INFO'] ?? '-', '|', $_SERVER['SCRIPT_NAME'], '|', $_SERVER['PHP_SELF'], '|', $_SERVER['REQUEST_URI'];",
    "large.php": "<?php for ($i = 0; $i < 200; $i++) echo str_repeat('0123456789abcdef', 4096);",
}
SINATRA = """
require 'sinatra/base'
require 'rack/handler/fastcgi'
class Site < Sinatra::Base
  set :environment, :production
  get('/hello/:name') { "hello #{params['name']} from #{request.script_name}|#{request.path_info}" }
  post('/echo') { request.body.read.reverse }
  get('/gone') { redirect '/sinatra/hello/you' }
  get('/error') { raise 'as it should' }
end
Rack::Handler::FastCGI.run(Site)
"""
CONFIG = """
DirectoryIndex index.php
<FilesMatch "\\.php$">
  SetHandler fcgipm:php
</FilesMatch>
<Location /sinatra>
  SetHandler fcgipm:sinatra
</Location>
<Location /clisp>
  SetHandler fcgipm:clisp
</Location>
<Location /sbcl>
  SetHandler fcgipm:sbcl
</Location>
<Location /git>
  SetHandler fcgipm:gitweb
  SetEnv GITWEB_CONFIG {place}/gitweb.conf
</Location>
"""


def make_repository(place):
    work = place / "work"
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@example.org"]
    subprocess.run([*git, "init", "-q", work], check=True)
    (work / "file.txt").write_text("in the repository\n")
    subprocess.run([*git, "-C", work, "add", "."], check=True)
    subprocess.run([*git, "-C", work, "commit", "-q", "-m", "the first change"], check=True)
    subprocess.run([*git, "clone", "-q", "--bare", work, place / "git" / "project.git"], check=True)
    (place / "gitweb.conf").write_text(f"$projectroot = '{place}/git';\n")
    subprocess.run(["chown", "-R", "nobody", place / "git"], check=True)


@pytest.fixture(scope="module")
def site():
    with directory() as place:
        (place / "sessions").mkdir()
        (place / "sessions").chmod(0o777)
        (place / "apps" / "sinatra.rb").write_text(SINATRA)
        make_repository(place)
        text = "pools:" + pool("php", "php", 2) + pool("clisp", "clisp", 1) + pool("sbcl", "sbcl", 1) + """
  sinatra: {command: [/usr/bin/ruby, @DIR@/apps/sinatra.rb], user: nobody, workers: {min: 1, max: 2}}
  gitweb: {command: [/usr/bin/perl, /usr/share/gitweb/gitweb.cgi, --fastcgi], user: nobody, workers: {min: 1, max: 2}}
"""
        manager = Manager(place, text).ready()
        httpd = Httpd(place / "httpd", "event", manager.run / "control.sock", CONFIG.replace("{place}", str(place)))
        for name, code in PHP.items():
            (httpd.root / name).write_text(code.replace("@DIR@", str(place)))
        httpd.place = place
        httpd.start()
        yield httpd
        httpd.stop()
        assert manager.stop() == 0
        manager.check_end()


def test_php_upload(site, tmp_path):
    file = tmp_path / "some file.bin"
    file.write_bytes(bytes(range(256)) * 4000)
    done = subprocess.run(["curl", "-sS", "-F", f"f=@{file}", "-F", "x=y z", f"http://127.0.0.1:{site.port}/upload.php"], capture_output=True, check=True)
    md5 = subprocess.run(["md5sum", file], capture_output=True, check=True).stdout.split()[0]
    assert done.stdout == b"some file.bin 1024000 " + md5 + b" y z"


def test_php_sessions_redirects_and_cookies(site):
    first = site.get("/session.php")
    cookie = first.headers["Set-Cookie"].split(";")[0]
    assert [first.body] + [site.get("/session.php", Cookie=cookie).body for _ in range(3)] == [b"1", b"2", b"3", b"4"]
    answer = site.get("/redirect.php")
    assert (answer.status, answer.headers["Location"], answer.headers["Set-Cookie"]) == (303, "/session.php", "a=b")


def test_php_streams(site):
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=20)
    connection.request("GET", "/stream.php")
    answer = connection.getresponse()
    for n in range(3):
        assert answer.readline() == b"data: %d\n" % n and answer.readline() == b"\n"
        (site.place / "sessions" / f"go{n}").touch()
    assert answer.read() == b""
    connection.close()


def test_php_errors(site):
    at = site.mark()
    assert site.get("/error.php").status == 500
    assert "nothing_of_that_name" in site.line("FP0301: pool php: GET /error.php: PHP Fatal error", at)
    assert site.get("/nothing.php").status == 404


def test_php_paths_and_sizes(site):
    assert site.get("/info.php/a/b?c").body == b"/a/b|/info.php|/info.php/a/b|/info.php/a/b?c"
    assert len(site.get("/large.php").body) == 200 * 65536
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(site.get("/info.php").status)) for _ in range(40)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert answers == [200] * 40


def test_sinatra(site):
    assert site.get("/sinatra/hello/world").body == b"hello world from /sinatra|/hello/world"
    echo = site.request("/sinatra/echo", "POST", b"abc" * 50000, {"Content-Type": "application/octet-stream"})
    assert echo.body == b"cba" * 50000
    assert site.get("/sinatra/gone").headers["Location"].endswith("/sinatra/hello/you")
    assert site.get("/sinatra/error").status == 500


@pytest.mark.parametrize("lisp", ["clisp", "sbcl"])
def test_lisp(site, lisp):
    answer = site.get(f"/{lisp}/x")
    assert answer.status == 200 and re.search(rb"pid=\d+", answer.body)
    assert site.request(f"/{lisp}/x?echo", "POST", b"some body").status == 200


def test_gitweb(site):
    assert b"project.git" in site.get("/git").body
    assert b"the first change" in site.get("/git?p=project.git;a=log").body
    assert b"in the repository" in site.get("/git?p=project.git;a=blob_plain;f=file.txt;hb=HEAD").body
    assert site.get("/git?p=nothing.git").status == 404
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=20)
    for _ in range(5):  # it ends itself after every error page
        connection.request("GET", "/git?p=nothing.git")
        assert read(connection.getresponse()).status == 404
    connection.close()
