"""The test applications by language: the command of a pool, and what a graceful stop needs."""

APPS = {
    "c": "command: [@DIR@/apps/app]",
    "php": "command: [/usr/bin/php-cgi]\n    environment: {PHP_FCGI_MAX_REQUESTS: \"0\"}",
    "perl": "command: [/usr/bin/perl, @DIR@/apps/app.pl]",
    "ruby": "command: [/usr/bin/ruby, @DIR@/apps/app.rb]",
    "clisp": "command: [/usr/bin/clisp, -q, -norc, @DIR@/apps/app-clisp.lisp]\n    stop: {signal: USR1}",
    "sbcl": "command: [/usr/bin/sbcl, --script, @DIR@/apps/app-sbcl.lisp]\n    stop: {signal: USR1}",
    "python": "command: [/usr/bin/python3, @DIR@/apps/loop.py]",
}


def pool(language, name="app", workers=4, user="nobody", extra=""):
    """The YAML of one pool, to stand below `pools:`."""
    return f"""
  {name}:
    {APPS[language]}
    user: {user}
    workers: {{min: {workers}, max: {workers * 2}, spare: 0}}
    {extra}
"""


def script(place, language):
    """What SCRIPT_FILENAME must be: php-cgi asks for a file."""
    return str(place / "apps" / "app.php") if language == "php" else "/app"
