"""fcgipm-status: the page, in a browser and by hand, behind nginx and behind httpd."""
import fcntl
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import termios
import zlib
from contextlib import contextmanager

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from browser import browser
from conftest import BUILD, Manager, directory, needs_root, wait_for
from fcgi import begin, read_answer, request
from frontends import free_port
from httpd import Httpd, read

pytestmark = needs_root
POOLS = """
manager:
  runtime_directory: @RUN@
  control: {observers: [fcgipm-t1]}
pools:
  status:
    command: [@DIR@/fcgipm-status]
    user: fcgipm-t1
    environment: {FCGIPM_CONTROL: @RUN@/control.sock, ASAN_OPTIONS: verify_asan_link_order=0}  # the pre-fork library is loaded before, if it is built so
    workers: {min: 1, max: 2}
  shop: {command: [@DIR@/apps/app], user: fcgipm-t2, workers: {min: 2, max: 6}}
  broken: {command: [@DIR@/apps/words], user: fcgipm-t2, workers: {min: 1, max: 4}}
"""
NGINX = """
daemon off; pid {dir}/nginx.pid; error_log {dir}/nginx.log; worker_processes 1; user www-data;
events {{ worker_connections 256; }}
http {{
  access_log off; client_body_temp_path {dir}/b; fastcgi_temp_path {dir}/f; proxy_temp_path {dir}/p; uwsgi_temp_path {dir}/u; scgi_temp_path {dir}/s;
  server {{ listen 127.0.0.1:{port}; location /fcgipm {{ include /etc/nginx/fastcgi_params; fastcgi_pass unix:{socket}; }} }}
}}
"""
HOSTILE = "<script>alert(1)</script>\"'&\x1b[31m\u202e"


class Site:
    def __init__(self, frontend, manager, port):
        self.frontend, self.manager, self.port, self.url = frontend, manager, port, f"http://127.0.0.1:{port}/fcgipm"

    def ask(self, path="", method="GET"):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, "/fcgipm" + path)
            return read(connection.getresponse())
        finally:
            connection.close()


def start(place):
    (place / "fcgipm-status").write_bytes((BUILD / "libexec/fcgipm/fcgipm-status").read_bytes())
    (place / "fcgipm-status").chmod(0o755)
    words = place / "apps" / "words"
    words.write_text(f"#!/bin/sh\ncat <<'X' >&2\n{HOSTILE}\nX\nexit 3\n")
    words.chmod(0o755)
    manager = Manager(place, POOLS)
    wait_for(lambda: manager.socket("status").exists() and manager.socket("shop").exists())
    wait_for(lambda: manager.cli("status", "--json").returncode == 0 and manager.pool("broken")["restarts"]["exit"] > 0)
    return manager


@pytest.fixture(scope="module", params=["nginx", "mod_fcgipm", "mod_proxy_fcgi"])
def site(request, accounts):
    with directory() as place:
        manager, port = start(place), free_port()
        if request.param == "nginx":
            (place / "nginx.conf").write_text(NGINX.format(dir=place, port=port, socket=manager.socket("status")))
            frontend = subprocess.Popen(["/usr/sbin/nginx", "-c", place / "nginx.conf"], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        else:
            handler = {"mod_fcgipm": "fcgipm:status", "mod_proxy_fcgi": f"proxy:unix:{manager.socket('status')}|fcgi://status"}[request.param]
            frontend = Httpd(place / "httpd", "event", manager.run / "control.sock", f'<Location /fcgipm>\nSetHandler "{handler}"\n</Location>',
                             modules=("proxy", "proxy_fcgi")).start()
            port = frontend.port
        site = Site(request.param, manager, port)
        wait_for(lambda: answers(site))
        yield site
        if request.param == "nginx":
            frontend.terminate()
            frontend.wait(20)
            frontend.stderr.close()
        else:
            frontend.stop()
        assert manager.stop() == 0
        manager.check_end()


def answers(site):
    try:
        return site.ask().status == 200
    except OSError:
        return False


def pixels(png):
    """The bytes of a PNG's image data, inflated."""
    data, at = b"", 8
    while at < len(png):
        length = int.from_bytes(png[at:at + 4], "big")
        if png[at + 4:at + 8] == b"IDAT":
            data += png[at + 8:at + 8 + length]
        at += length + 12
    return zlib.decompress(data)


def idle(b):
    return b.text("tbody tr:nth-child(2) td:nth-child(3)")


def test_a_person_sees_the_numbers_and_sees_them_change(site):
    with browser() as b:
        b.open(site.url)
        assert b.text("tbody tr:nth-child(2) th").strip() == "shop"
        assert idle(b) == str(site.manager.pool("shop")["workers"]["idle"]) != "5" and b.text("#live span") == "Live"
        b.run("window.mark = 1")
        site.manager.cli("scale", "shop", "--min", "5", check=0)
        wait_for(lambda: idle(b) == "5")
        assert b.run("return window.mark") == 1, "it was loaded anew"
        assert b.log() == []
        picture = b.picture()
        assert len(set(pixels(picture))) > 50, "a blank picture"
        b.click("tbody tr:nth-child(2) a")
        assert b.text("h1") == "shop" and "workers.max" in b.text("table")


def test_it_works_without_scripts(site):
    with browser(scripts=False) as b:
        b.open(site.url + "?filter=sho")
        assert b.text("tbody th").strip() == "shop" and b.text("tbody tr:nth-child(2)") == ""
        b.click("#live a")
        assert b.text("#live a") == "Do not load it again"
        b.open(site.url)
        b.click("thead th:nth-child(6) a")
        assert b.text("tbody tr:nth-child(1) th").strip() == "shop", "it has the highest workers.max"


def test_what_a_worker_wrote_is_text_and_nothing_else(site):
    for path in ("", "?pool=broken"):
        text = site.ask(path).body.decode()
        assert "<script>alert" not in text and "\x1b" not in text and "\u202e" not in text
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text or path == ""
    text = site.ask("?filter=%22%3E%3Cscript%3E&sort=%3Cb%3E").body.decode()
    assert "<script>" not in text and "<b>" not in text and "&quot;&gt;&lt;script&gt;" in text


def test_json_is_that_of_status(site):
    for path in ("/json", "?format=json"):
        answer = site.ask(path)
        assert answer.headers["Content-Type"] == "application/json"
        mine, theirs = json.loads(answer.body), site.manager.status()
        assert mine.keys() == theirs.keys() and [p["name"] for p in mine["pools"]] == [p["name"] for p in theirs["pools"]]
        assert mine["pools"][1].keys() == theirs["pools"][1].keys() and mine["manager"]["launcher_pid"] == theirs["manager"]["launcher_pid"]
    assert [p["name"] for p in json.loads(site.ask("?format=json&pool=shop").body)["pools"]] == ["shop"]


def test_openmetrics(site):
    answer = site.ask("/metrics")
    assert answer.headers["Content-Type"].startswith("application/openmetrics-text")
    families = {f.name for f in text_string_to_metric_families(answer.body.decode())}
    assert "fcgipm_workers" in " ".join(families)


def test_methods_and_what_is_not_there(site):
    head, get = site.ask("", "HEAD"), site.ask()
    length = None if site.frontend == "mod_proxy_fcgi" else str(len(get.body))  # which believes no application about it
    assert head.status == 200 and head.body == b"" and get.headers["Content-Length"] == length
    assert site.ask("", "POST").status == 405 and site.ask("", "POST").headers["Allow"] == "GET, HEAD"
    assert site.ask("?pool=nobody").status == 404 and site.ask("?format=xml").status == 404
    assert "default-src 'none'" in get.headers["Content-Security-Policy"] and get.headers["Cache-Control"] == "no-store"


def test_it_answers_while_every_worker_of_every_other_pool_is_busy(site):
    held = [begin(site.manager.socket("shop")) for _ in range(8)]  # each worker waits for the end of a body
    wait_for(lambda: site.manager.pool("shop")["workers"]["busy"] == 6)
    answer = site.ask()
    assert answer.status == 200 and re.search(r">shop</a>.*?<td[^>]*>0</td><td[^>]*>6</td>", answer.body.decode(), re.S)
    assert site.manager.pool("shop")["workers"]["busy"] == 6, "meanwhile all are"
    for s in held:
        s.close()
    wait_for(lambda: site.manager.pool("shop")["workers"]["busy"] == 0)


def test_while_there_is_no_manager_it_says_so_and_comes_back(site):
    with browser() as b:
        b.open(site.url)
        os.kill(site.manager.manager_pid, signal.SIGSTOP)
        stopped = site.manager.manager_pid
        try:
            answer = wait_for(lambda: (a := site.ask("?format=json")).status == 503 and a)
            assert "does not answer" in json.loads(answer.body)["remedy"]
            wait_for(lambda: b.text("#live span") == "Waiting for the manager")
        finally:
            os.kill(stopped, signal.SIGCONT)
        wait_for(lambda: b.text("#live span") == "Live" and idle(b) != "")


def test_the_way_back_leads_to_the_list_as_it_was(site):
    with browser(scripts=False) as b:
        b.open(site.url + "?filter=ready&sort=max&reverse=1")
        b.click("tbody tr:nth-child(2) a")
        assert b.text("h1") == "shop"
        b.click("header a")
        assert b.run("return location.search") == "?filter=ready&sort=max&reverse=1"


def replaced(b):
    """Has the script put a new <main> in place since this was last asked?"""
    return b.run("const m = document.querySelector('main'), seen = m.seen; m.seen = true; return !seen")


def test_what_was_scrolled_to_stays_while_the_numbers_change(site):
    with browser(size="700,800") as b:
        b.open(site.url)
        b.run("document.querySelector('.scroll').scrollLeft = 60")
        replaced(b)
        wait_for(lambda: replaced(b))
        assert b.run("return document.querySelector('.scroll').scrollLeft") == 60


def test_a_frontends_own_page_is_not_taken_for_the_managers(site):
    with browser() as b:
        b.open(site.url)
        b.run("const real = window.fetch; window.back = () => { window.fetch = real };"
              "window.fetch = async () => new Response('<html><body>502 Bad Gateway</body></html>', {status: 502})")
        wait_for(lambda: b.text("#live span") == "No answer; what is shown is old")
        assert "offline" in b.run("return document.body.className") and idle(b) != ""
        b.run("window.back()")
        wait_for(lambda: b.text("#live span") == "Live")
        assert "offline" not in b.run("return document.body.className")
        b.run("window.fetch = async () => new Response('<main>There is no pool of that name.</main>', {status: 404})")
        wait_for(lambda: "no pool" in b.text("main"))
        assert b.text("#live span") == "Live", "the manager is there"


@contextmanager
def by_itself(place, control):
    """The program without a launcher: its process and its socket."""
    path = place / "by-itself.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(8)
        page = subprocess.Popen([BUILD / "libexec/fcgipm/fcgipm-status"], stdin=listener.fileno(), env={"FCGIPM_CONTROL": str(control)})
    try:
        yield page, path
    finally:
        page.kill()
        page.wait()


def sleeps(process):
    return open(f"/proc/{process.pid}/stat").read().split()[2] == "S"


def test_without_a_manager_it_says_503_and_ends_when_told_though_its_connection_is_kept(place):
    with by_itself(place, place / "nothing.sock") as (page, path), begin(path, "format=json", keep=True, body=True) as s:
        head, body = read_answer(s)
        assert head.startswith(b"Status: 503 ") and b"\r\nRetry-After: " in head and "not there" in json.loads(body)["remedy"]
        wait_for(lambda: sleeps(page), message="it does not wait for the next request")
        page.terminate()
        assert page.wait(20) == 0


def unread(s):
    return int.from_bytes(fcntl.ioctl(s, termios.FIONREAD, bytes(4)), sys.byteorder)


def test_an_answer_is_whole_though_it_is_told_to_end_meanwhile(fcgipm, place, accounts):
    pools = "".join(f"  p{i}: {{command: [@DIR@/apps/app], user: fcgipm-t2, workers: {{min: 0}}}}\n" for i in range(600))
    m = fcgipm(f"manager:\n  runtime_directory: @RUN@\npools:\n{pools}").ready()
    with by_itself(place, m.run / "control.sock") as (page, path), begin(path, "format=json", body=True) as s:
        wait_for(lambda: unread(s) > 0 and sleeps(page), message="it is not held in a write")
        written = unread(s)
        page.terminate()
        head, body = read_answer(s)
        assert head.startswith(b"Status: 200 ") and len(body) > written and len(json.loads(body)["pools"]) == 600
        assert page.wait(20) == 0


def test_who_may_not_observe_is_told_what_to_do(fcgipm, place, accounts):
    place_binary = place / "fcgipm-status"
    place_binary.write_bytes((BUILD / "libexec/fcgipm/fcgipm-status").read_bytes())
    place_binary.chmod(0o755)
    m = fcgipm(POOLS.replace("observers: [fcgipm-t1]", "observers: [root]").split("  broken")[0]).ready()
    text = request(m.socket("status"), "").decode()
    assert "manager.control.observers" in text
    m.cli("stop", "status", check=0)
    assert m.pool("status")["restarts"]["signal"] == 0, "it ends well when it is told to"
