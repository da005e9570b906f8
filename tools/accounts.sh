#!/bin/sh
# Makes the system accounts of fcgipm where they are missing: fcgipm (the manager), fcgipm-conf (the reader of the configuration), and fcgipm-status (a pool: the
# status page, where there is one).
set -eu
[ "$(id -u)" -eq 0 ] || exit 0
for name in fcgipm fcgipm-conf fcgipm-status; do
	getent passwd "$name" >/dev/null && continue
	echo "making the system account $name"
	useradd --system --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin "$name"
done
