#!/bin/bash
# Starts the manager with conf/pools.yaml and a private httpd in front of it, on loopback; Ctrl-C stops all of it.  run.sh BUILD
# Everything is below one private directory, which is removed at the end.
set -eu
cd "$(dirname "$0")/.."
build=$1
run=$(mktemp -d /tmp/fcgipm-run.XXXXXX)
chmod 711 "$run"
manager='' httpd=''

free_port() {
	/usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

stop() {
	trap '' INT TERM
	echo
	echo "stopping"
	if [ -n "$httpd" ]; then
		kill "$httpd" 2>/dev/null || true
		wait "$httpd" 2>/dev/null || true
	fi
	if [ -n "$manager" ]; then
		kill "$manager" 2>/dev/null || true
		wait "$manager" 2>/dev/null || true
	fi
	rm -rf "$run"
}
trap stop EXIT
trap 'exit 0' INT TERM

# The pools' accounts must reach the applications, wherever this checkout is.
cp -r conf/demo "$run/demo"
chmod -R a+rX "$run/demo"
me=$(id -un)
owner=nobody
observer='fcgipm-status'
clients='www-data, root'
[ "$(id -u)" -eq 0 ] || { owner=$me; observer=$me; clients=$me; }
cp "$build/libexec/fcgipm/fcgipm-status" "$run/"
sed -e "s|/usr/share/fcgipm/demo|$run/demo|g" -e "s|runtime_directory: .*|runtime_directory: $run/fcgipm|" \
	-e "s|user: nobody|user: $owner|" -e "s|clients: .*|clients: [$clients]|" -e "s|^manager:|&\n  control: {observers: [$observer]}|" conf/pools.yaml >"$run/pools.yaml"
cat >>"$run/pools.yaml" <<YAML
  status:
    command: [$run/fcgipm-status]
    user: $observer
    environment: {FCGIPM_CONTROL: $run/fcgipm/control.sock}
YAML
chmod 644 "$run/pools.yaml"

"$build/bin/fcgipm" run -c "$run/pools.yaml" 2>"$run/fcgipm.log" &
manager=$!
for _ in $(seq 100); do
	grep -q 'event=ready' "$run/fcgipm.log" && break
	kill -0 "$manager" 2>/dev/null || { cat "$run/fcgipm.log" >&2; exit 1; }
	sleep 0.1
done

port=$(free_port)
modules=/usr/lib/apache2/modules
cat >"$run/httpd.conf" <<CONF
ServerRoot $run
ServerName 127.0.0.1
Listen 127.0.0.1:$port
PidFile $run/httpd.pid
ErrorLog $run/httpd.log
DocumentRoot $run/demo
LoadModule mpm_event_module $modules/mod_mpm_event.so
LoadModule authz_core_module $modules/mod_authz_core.so
LoadModule alias_module $modules/mod_alias.so
LoadModule fcgipm_module $(realpath "$build")/lib/httpd/modules/mod_fcgipm.so
$([ "$(id -u)" -eq 0 ] && printf 'User www-data\nGroup www-data\n')
FcgipmControl $run/fcgipm/control.sock
Alias /php $run/demo/hello.php
Alias /cgi $run/demo/cgi-bin/hello
<Location /cgi>
  Options +ExecCGI
  SetHandler fcgipm-cgi
  FcgipmExecProfile cgi
</Location>
<Location />
  Require all granted
</Location>
$(for pool in php ruby lisp perl status; do printf '<Location /%s>\n  SetHandler fcgipm:%s\n</Location>\n' $pool $pool; done)
CONF
/usr/sbin/apache2 -f "$run/httpd.conf" -DFOREGROUND &
httpd=$!
for _ in $(seq 100); do
	curl -s -o /dev/null "http://127.0.0.1:$port/" && break
	kill -0 "$httpd" 2>/dev/null || { cat "$run/httpd.log" >&2; exit 1; }
	sleep 0.1
done

fcgipm="$build/bin/fcgipm -s $run/fcgipm/control.sock"
cat <<TEXT

fcgipm runs, with a private httpd in front of it:

  http://127.0.0.1:$port/php     http://127.0.0.1:$port/ruby
  http://127.0.0.1:$port/lisp    http://127.0.0.1:$port/perl
  http://127.0.0.1:$port/cgi     a shell script, through the exec broker
  http://127.0.0.1:$port/status  the pools, live

Try next, in another terminal:

  $fcgipm status
  $fcgipm scale php --min 4
  $fcgipm restart ruby
  $fcgipm request perl /hello
  $fcgipm exec cgi -- $run/demo/cgi-bin/hello
  pkill -9 -P $manager fcgipm-manager     (and reload a page: nothing is lost)
  edit $run/pools.yaml, then: $fcgipm reload

The log is $run/fcgipm.log.  Ctrl-C stops all of it.
TEXT
wait "$manager"
