"""A private nginx and a private httpd (mod_proxy_fcgi, event MPM) in front of a pool's socket, on a free loopback port."""
import os
import socket
import subprocess
import urllib.request
from contextlib import contextmanager
from conftest import wait_for

NGINX = """
daemon off; pid {dir}/nginx.pid; error_log {dir}/nginx.log; worker_processes 1; {user}
events {{ worker_connections 256; }}
http {{
  access_log off; client_body_temp_path {dir}/body; fastcgi_temp_path {dir}/fcgi; proxy_temp_path {dir}/proxy; uwsgi_temp_path {dir}/uwsgi; scgi_temp_path {dir}/scgi;
  server {{
    listen 127.0.0.1:{port};
    location / {{
      include /etc/nginx/fastcgi_params;
      fastcgi_param SCRIPT_FILENAME {script};
      fastcgi_pass {nginx_address};
    }}
  }}
}}
"""
HTTPD = """
ServerRoot {dir}
ServerName 127.0.0.1
Listen 127.0.0.1:{port}
PidFile {dir}/httpd.pid
ErrorLog {dir}/httpd.log
DocumentRoot {dir}
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule proxy_module /usr/lib/apache2/modules/mod_proxy.so
LoadModule proxy_fcgi_module /usr/lib/apache2/modules/mod_proxy_fcgi.so
{user}
<Location />
  Require all granted
  SetHandler "proxy:{httpd_address}"
  ProxyFCGISetEnvIf true SCRIPT_FILENAME {script}
</Location>
"""


def free_port(family=socket.AF_INET, host="127.0.0.1"):
    with socket.socket(family) as s:
        s.bind((host, 0))
        return s.getsockname()[1]


def get(port, query="", data=None):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/x?{query}", data=data, timeout=20) as answer:
        return answer.read()


@contextmanager
def _serve(command, config, text):
    config.write_text(text)
    process = subprocess.Popen([*command, config], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(20)
        process.stderr.close()


def _up(process, port):
    def listening():
        assert process.poll() is None, process.stderr.read().decode()
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", port)) == 0

    wait_for(listening, message="the frontend does not listen")
    return port


@contextmanager
def frontend(kind, place, address, script="/app"):
    """kind: nginx or httpd; address: a socket's path or "host:port".  Gives the port."""
    port = free_port()
    unix = str(address).startswith("/")
    root = os.geteuid() == 0
    names = {"dir": place, "port": port, "script": script,
             "nginx_address": f"unix:{address}" if unix else address,
             "httpd_address": f"unix:{address}|fcgi://app/" if unix else f"fcgi://{address}/"}
    if kind == "nginx":
        with _serve(["/usr/sbin/nginx", "-e", f"{place}/nginx.log", "-c"], place / "nginx.conf",
                    NGINX.format(user="user www-data;" if root else "", **names)) as process:
            yield _up(process, port)
    else:
        with _serve(["/usr/sbin/apache2", "-DFOREGROUND", "-f"], place / "httpd.conf",
                    HTTPD.format(user="User www-data\nGroup www-data" if root else "", **names)) as process:
            yield _up(process, port)
