"""mod_fcgipm: authorizers and filters of libfcgi, in each MPM."""
import base64

import pytest

from conftest import Manager, directory, needs_root
from httpd import MPMS, Httpd

pytestmark = needs_root
POOLS = """
pools:
  app: {command: [@DIR@/apps/roles], user: fcgipm-t1, workers: {min: 1, max: 1}}
"""
CONFIG = """
<Location /echo>
  SetHandler fcgipm:app
</Location>
<Location /access>
  SetHandler fcgipm:app
  FcgipmAccessChecker app
</Location>
<Location /any>
  SetHandler fcgipm:app
  FcgipmAccessChecker app
  AuthType Basic
  AuthName x
  AuthBasicProvider file
  AuthUserFile {place}/users
  Require valid-user
  Satisfy Any
</Location>
<Location /authn>
  SetHandler fcgipm:app
  AuthType Basic
  AuthName area
  FcgipmAuthenticator app
  Require valid-user
</Location>
<Location /require>
  SetHandler fcgipm:app
  Require fcgipm app
</Location>
<Location /either>
  SetHandler fcgipm:app
  <RequireAny>
    Require fcgipm app
    Require ip 127.0.0.1
  </RequireAny>
</Location>
<Location /user>
  SetHandler fcgipm:app
  AuthType Basic
  AuthName area
  FcgipmAuthenticator app
  <RequireAll>
    Require valid-user
    Require fcgipm app
  </RequireAll>
</Location>
<Location /beside>
  SetHandler fcgipm:app
  FcgipmAuthorizer app
</Location>
<Location /closed>
  SetHandler fcgipm:app
  Require fcgipm nobody-knows-it
</Location>
<Location /closed2>
  SetHandler fcgipm:app
  FcgipmAccessChecker nobody-knows-it
</Location>
<Location /document>
  SetHandler fcgipm:app
  Require fcgipm app
  ErrorDocument 402 "not this one"
  ErrorDocument 403 "this one"
</Location>
<Location /filtered>
  FcgipmFilter app
</Location>
<Location /unfiltered>
  FcgipmFilter nobody-knows-it
</Location>
<Location /both>
  SetHandler fcgipm:app
  FcgipmFilter app
</Location>
"""


@pytest.fixture(scope="module", params=MPMS)
def httpd(request, accounts):
    """One manager and one httpd for all tests of this file."""
    with directory() as place:
        manager = Manager(place, POOLS).ready()
        httpd = Httpd(place / "httpd", request.param, manager.run / "control.sock", modules=("auth_basic", "authn_file", "authz_user", "access_compat"))
        (place / "users").write_text("joe:$apr1$x$VlyM17u7fcWXFQEnUq2XG1\n")
        httpd.write(CONFIG.format(place=place))
        for name in ("filtered", "unfiltered"):
            (httpd.root / name).mkdir()
            (httpd.root / name / "a.txt").write_text("abc DEF\n" * 8)
        (httpd.root / "filtered" / "b.txt").write_text("abc DEF\n" * 37500)
        (httpd.root / "filtered" / "empty.txt").touch()
        httpd.start()
        yield httpd
        httpd.stop()
        assert manager.stop() == 0
        manager.check_end()


def basic(user, password):
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def text(answer):
    return answer.body.decode()


def test_access_checker(httpd):
    ok = httpd.get("/access/x/y?go")
    assert ok.status == 200 and "who=as ACCESS_CHECKER unsaid= " in text(ok), ok
    assert "X-Hidden" not in ok.headers
    denied = httpd.get("/access?deny")
    assert (denied.status, denied.body) == (403, b"")
    page = httpd.request("/access/z?page", "POST", b"x" * 100000)
    assert (page.status, page.headers["X-Price"], text(page)) == (402, "5", "pay /access/z?page")
    assert httpd.get("/access?variable").status == 200 and "a=1" in text(httpd.get("/access?variable"))


def test_a_redirect_is_a_refusal(httpd):
    answer = httpd.get("/access?redirect")
    assert (answer.status, answer.headers["Location"], answer.headers["Set-Cookie"]) == (302, "/login", "a=b")


def test_access_or_user(httpd):
    assert httpd.get("/any?go").status == 200
    assert httpd.get("/any?deny").status == 401


def test_authenticator(httpd):
    asked = httpd.get("/authn")
    assert asked.status == 401 and asked.headers["WWW-Authenticate"] == 'Basic realm="area"'
    ok = httpd.request("/authn?x", headers=basic("eve", "secret"))
    assert ok.status == 200 and "who=eve as AUTHENTICATOR" in text(ok) and "user=eve" in text(ok), ok
    no = httpd.request("/authn?x", headers=basic("eve", "wrong"))
    assert (no.status, no.headers["X-Why"], text(no)) == (401, "password", "not you, eve")
    assert no.headers["WWW-Authenticate"] == 'Basic realm="area"'


def test_require(httpd):
    first, second = httpd.get("/require?go"), httpd.get("/require?go")
    assert "as AUTHORIZER" in text(first)

    def asked(answer):
        return int(text(answer).split("asked=")[1].split()[0])

    assert asked(second) == asked(first) + 1, "it is asked once a request"
    page = httpd.get("/require?page")
    assert (page.status, page.headers["X-Price"], text(page)) == (402, "5", "pay /require?page")
    assert httpd.get("/require?deny").status == 403


def test_a_refusal_counts_only_where_nothing_else_grants(httpd):
    assert httpd.get("/either?deny").status == 200
    assert httpd.get("/either?page").status == 200


def test_with_a_user(httpd):
    assert httpd.get("/user").status == 401
    ok = httpd.request("/user?x", headers=basic("eve", "secret"))
    assert ok.status == 200 and "who=eve as AUTHORIZER" in text(ok)
    assert httpd.request("/user?deny", headers=basic("eve", "secret")).status == 403


def test_authorizer_beside_whatever_grants(httpd):
    assert httpd.get("/beside?go").status == 200
    assert httpd.get("/beside?page").status == 402


def test_who_cannot_be_asked_refuses(httpd):
    assert httpd.get("/closed").status == 503
    assert httpd.get("/closed2").status == 503
    assert httpd.get("/require?die").status == 502
    assert httpd.get("/access?die").status == 502


def test_the_applications_page_goes_before_an_error_document(httpd):
    assert text(httpd.get("/document?page")) == "pay /document?page"


def test_a_connection_serves_on_after_a_refusal(httpd):
    with httpd.connect() as s:
        for _ in range(3):
            s.sendall(b"POST /require?page HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nabcde")
            got = b""
            while b"pay /require?page" not in got:
                got += s.recv(65536)
            assert got.startswith(b"HTTP/1.1 402")


def test_filter(httpd):
    answer = httpd.get("/filtered/a.txt")
    assert (answer.status, text(answer)) == (200, "ABC DEF\n" * 8 + "[64]")
    assert answer.headers["X-Length"] == "64"
    assert int(answer.headers["X-Modified"]) == int((httpd.root / "filtered" / "a.txt").stat().st_mtime)
    assert "ETag" not in answer.headers and "Last-Modified" not in answer.headers


def test_filter_of_much_and_of_nothing(httpd):
    assert text(httpd.get("/filtered/b.txt")) == "ABC DEF\n" * 37500 + "[300000]"
    assert text(httpd.get("/filtered/empty.txt")) == "[0]"


def test_filter_of_a_pools_own_answer(httpd):
    assert text(httpd.get("/both")).startswith("ASKED=")


def test_a_filter_that_fails(httpd):
    assert httpd.get("/unfiltered/a.txt").status == 503
    assert httpd.get("/filtered/a.txt?die").status == 502


def test_head_through_a_filter(httpd):
    answer = httpd.request("/filtered/a.txt", "HEAD")
    assert answer.status == 200 and answer.body == b"" and answer.headers["X-Length"] == "64"
