#!/bin/sh
# Says what is missing, by Debian package, and installs it as root: deps.sh [MORE...]   Packages' daemons are kept from starting.
set -eu
packages="build-essential pkg-config libevent-dev libcap-dev libyaml-dev libfcgi-dev libcmocka-dev libncurses-dev
	nginx-light apache2-bin apache2-dev php-cgi ruby-fcgi libfcgi-perl libcgi-fast-perl sbcl clisp clisp-module-fastcgi gitweb
	nghttp2-client musl-tools ruby-sinatra ruby-railties php-fpm libapache2-mod-fcgid spawn-fcgi git cgit strace
	chromium chromium-driver fonts-liberation python3 python3-pytest python3-pyte python3-prometheus-client python3-jsonschema python3-yaml rsyslog busybox logrotate man-db mandoc shellcheck clang clang-format clang-tidy cppcheck valgrind gcovr curl procps util-linux passwd ca-certificates tzdata systemd $*"

# shellcheck disable=SC2086 # a list of words
missing=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' $packages 2>/dev/null |
	awk -v all="$packages" '$2 == "installed" { have[$1] = 1 } END { n = split(all, p); for (i = 1; i <= n; i++) if (!(p[i] in have)) printf "%s ", p[i] }')
if [ -n "$missing" ]; then
	echo "missing Debian packages: $missing"
	if [ "$(id -u)" -ne 0 ]; then
		echo "install them as root: apt-get install --no-install-recommends $missing" >&2
		exit 1
	fi
	policy=/usr/sbin/policy-rc.d
	if [ ! -e "$policy" ]; then
		printf '#!/bin/sh\nexit 101\n' >"$policy"
		chmod 755 "$policy"
		trap 'rm -f "$policy"' EXIT INT TERM
	fi
	export DEBIAN_FRONTEND=noninteractive
	apt-get update -q
	# shellcheck disable=SC2086
	apt-get install -q -y --no-remove --no-install-recommends $missing
fi
exec "$(dirname "$0")/accounts.sh"
