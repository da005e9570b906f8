#!/bin/bash
# The Debian package: built, then installed, used, removed and purged in a root of its own.  Nothing of this system changes.  package.sh BUILD   (as root, for make soak)
set -eu
cd "$(dirname "$0")/.."
tools/deps.sh debhelper debootstrap dh-apache2 dpkg-dev >/dev/null
work=$(mktemp -d "${TMPDIR:-/tmp}/fcgipm-package.XXXXXX")
root=$work/root
leave() {
	umount "$root/proc" 2>/dev/null || true
	rm -rf --one-file-system "$work"
}
trap leave EXIT

mkdir "$work/source"
git ls-files -z | xargs -0 cp --parents -t "$work/source"
(cd "$work/source" && dpkg-buildpackage -us -uc -b >"$work/log" 2>&1) || {
	tail -n 40 "$work/log"
	exit 1
}
. /etc/os-release
debootstrap --variant=minbase "$VERSION_CODENAME" "$root" >"$work/log" 2>&1 || {
	tail -n 20 "$work/log"
	exit 1
}
mount -t proc proc "$root/proc"
cp "$work"/fcgipm_*.deb "$root/fcgipm.deb"
cp "$work"/libapache2-mod-fcgipm_*.deb "$root/module-fcgipm.deb"

in_root() { chroot "$root" /usr/bin/env DEBIAN_FRONTEND=noninteractive PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"; }
in_root apt-get install -q -y --no-install-recommends /fcgipm.deb /module-fcgipm.deb >"$work/log" 2>&1 || {
	tail -n 20 "$work/log"
	exit 1
}
in_root getent passwd fcgipm fcgipm-conf fcgipm-status
cat >"$root/tmp/httpd.conf" <<'CONF'
ServerName x
DefaultRuntimeDir /tmp
ErrorLog /tmp/httpd.log
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
Include /etc/apache2/mods-available/fcgipm.load
FcgipmTimeout 60
CONF
in_root apache2 -t -f /tmp/httpd.conf
rm -f "$root/tmp/httpd.conf" "$root/tmp/httpd.log"
in_root fcgipm check
in_root test -d /run/fcgipm || in_root systemd-tmpfiles --create fcgipm.conf
echo 'pools: {one: {command: [/bin/sleep, "1000"], user: nobody, workers: {boot_timeout: 0s}}}' >"$root/etc/fcgipm/pools.yaml"
in_root fcgipm run 2>"$work/run" &
for _ in $(seq 100); do
	in_root fcgipm status >/dev/null 2>&1 && break
	sleep 0.1
done
in_root fcgipm status one
in_root fcgipm shutdown --now
wait $!
in_root apt-get remove -q -y fcgipm libapache2-mod-fcgipm >"$work/log" 2>&1
grep -q 'one: {' "$root/etc/fcgipm/pools.yaml" || {
	echo "removing took the administrator's file"
	exit 1
}
[ ! -e "$root/usr/bin/fcgipm" ]
in_root apt-get purge -q -y fcgipm libapache2-mod-fcgipm >"$work/log" 2>&1
left=$(cd "$root" && find . -xdev -path '*fcgipm*' ! -name '*fcgipm.deb' ! -path './var/log/*' ! -path './run/*')
[ -z "$left" ] || {
	echo "left behind after purge: $left"
	exit 1
}
echo "package: built, installed, used, removed, purged"
