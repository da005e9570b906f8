#!/bin/sh
# Makes the two system accounts of fcgipm where they are missing: fcgipm (the manager) and fcgipm-conf (the reader of the configuration).
set -eu
[ "$(id -u)" -eq 0 ] || exit 0
for name in fcgipm fcgipm-conf; do
	getent passwd "$name" >/dev/null && continue
	echo "making the system account $name"
	useradd --system --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin "$name"
done
