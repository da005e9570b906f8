"""Server side includes of programs: exec cgi, exec cmd, include virtual, beside another module that serves exec where FcgipmExecProfile is not set."""
import pytest

from cgi_bench import OTHER, Bench
from conftest import directory, needs_root
from httpd import MPMS

pytestmark = needs_root
CONFIG = """
ScriptAlias /cgi-bin/ @PLACE@/cgi-bin/
Alias /files/ @PLACE@/cgi-bin/
<Directory @PLACE@/cgi-bin>
  Options +ExecCGI
  FcgipmExecProfile cgi
</Directory>
<Directory @ROOT@>
  Options +Includes
  AddOutputFilter INCLUDES .shtml
  FcgipmExecProfile shell
</Directory>
<Directory @ROOT@/noexec>
  Options -Includes +IncludesNOEXEC
</Directory>
@MORE@
"""
# Another module's, in a directory of its own.
THEIRS = """
ScriptSock @PLACE@/cgid.sock
Alias /theirs/ @PLACE@/theirs/
<Directory @PLACE@/theirs>
  Options +Includes
  AddOutputFilter INCLUDES .shtml
</Directory>
"""


@pytest.fixture(scope="module", params=MPMS)
def bench(request, accounts):
    """With mod_cgid in the event MPM alone."""
    theirs = request.param == "event"
    with directory() as place:
        (place / "theirs").mkdir()
        b = Bench(place, request.param, CONFIG.replace("@MORE@", THEIRS if theirs else ""), modules=("alias", "include", *(["cgid"] if theirs else [])))
        b.httpd.start()
        yield b
        b.stop()


def page(bench, text, name="page.shtml", where=None):
    path = (where or bench.httpd.root) / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


def get(bench, text, url="/page.shtml", name="page.shtml"):
    page(bench, text, name)
    return bench.httpd.get(url).body.decode()


def test_exec_cmd(bench):
    assert get(bench, 'a<!--#exec cmd="id -un; pwd" -->b') == f"a{OTHER}\n{bench.httpd.root}\nb"
    assert get(bench, '<!--#set var="x" value="y z" --><!--#exec cmd="echo ${x}" -->|<!--#exec cmd="echo two" -->') == "y z\n|two\n"
    assert get(bench, '<!--#exec cmd="echo $QUERY_STRING" -->.', "/page.shtml?a=b") == "a=b\n."


def test_exec_cmd_streams(bench):
    """What it says goes on as it comes, in bounded memory, and in its place."""
    body = get(bench, 'A<!--#exec cmd="head -c 3000000 /dev/zero | tr \'\\000\' x" -->B<!--#exec cmd="echo on" -->C')
    assert body == "A" + "x" * 3_000_000 + "Bon\nC"


def test_exec_cmd_standard_error(bench):
    at = bench.httpd.mark()
    assert get(bench, '<!--#exec cmd="echo gone wrong >&2" -->|') == "|"
    bench.httpd.line("FP0301: profile shell: GET /page.shtml: gone wrong", at)


def test_exec_cgi(bench):
    """It gets the document's query, and its head is no part of the page."""
    assert get(bench, 'a<!--#exec cgi="/cgi-bin/cgi" -->b', "/page.shtml?hello&") == "ahello\nb"
    assert get(bench, 'a<!--#exec cgi="/files/cgi" -->b', "/page.shtml?hello&") == "ahello\nb"
    assert get(bench, '<!--#exec cgi="/cgi-bin/cgi" -->', "/page.shtml?location&to=http://127.0.0.1/x") == '<a href="http://127.0.0.1/x">http://127.0.0.1/x</a>'


def test_include_virtual(bench):
    assert get(bench, 'a<!--#include virtual="/cgi-bin/cgi?hello&" -->b') == "ahello\nb"
    assert get(bench, '<!--#include virtual="/cgi-bin/awk.cgi/info" -->').endswith(" /info\n")


def test_failures(bench):
    at = bench.httpd.mark()
    error = "[an error occurred while processing this directive]"
    assert get(bench, 'a<!--#exec cgi="/cgi-bin/none" -->b') == f"a{error}b"
    assert get(bench, 'a<!--#exec cgi="/cgi-bin/cgi?q" -->b') == f"a{error}b"
    assert get(bench, 'a<!--#exec cgx="/cgi-bin/cgi" -->b') == f"a{error}b"
    bench.httpd.line("FP0341: unknown parameter", at)
    assert get(bench, 'a<!--#exec cgi="/cgi-bin/nph-cgi" -->b') == "ab"
    bench.httpd.line("FP0333: attempt to include NPH", at)
    assert get(bench, 'a<!--#exec cmd="kill -9 $$" -->b') == f"a{error}b"
    bench.httpd.line(r"FP0322: profile shell: .*cut short: kill -9 \$\$ in \S+page.shtml: killed by signal 9", at)


def test_includes_without_exec(bench):
    at = bench.httpd.mark()
    assert "error occurred" in get(bench, '<!--#exec cmd="echo no" -->', "/noexec/page.shtml", "noexec/page.shtml")
    bench.httpd.line("FP0343: exec used but not allowed", at)


def test_no_profile(bench):
    """Another module's handler is called where it has one; else the page says that there was an error."""
    if bench.mpm == "event":
        page(bench, 'a<!--#exec cmd="id -un" -->b', where=bench.place / "theirs")
        assert bench.httpd.get("/theirs/page.shtml").body == b"awww-data\nb"
