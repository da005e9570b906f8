/* Every kind of error that a configuration can have, with its whole text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/conf/world.h"

struct fault {
	const char *yaml, *text;
};

/* A pool that is right, for what is to be wrong in it. */
#define POOL "pools:\n  blog:\n    command: [/bin/x]\n    user: alice\n"
#define ROOM "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static const struct fault yaml_faults[] = {
	{"a: [b\n", "p.yaml:2:1: no end of the list that begins in line 1 (\",\" or \"]\")\n"},
	{"a:\n\tb: c\n", "p.yaml:2:1: a tab in the indentation (spaces only)\n"},
	{"a: \xff\n", "p.yaml:1:4: not valid UTF-8 (save the file as UTF-8)\n"},
	{"a: b\nc: \x01\n", "p.yaml:2:4: a control character (only tab and line feed may be in the file as they are)\n"},
	{"a: \"\\0\"\n", "p.yaml:1:4: a NUL in a text (no value may hold one)\n"},
	{"a: &x b\nc: *x\n", "p.yaml:2:4: aliases are not read (write it out, or use defaults)\n"},
	{"pools: !!map {}\n", "p.yaml:1:8: tags are not read (leave out what begins with \"!\")\n"},
	{"a: b\n---\nc: d\n", "p.yaml:2:1: a second document (one file is one document)\n"},
	{"[a]: b\n", "p.yaml:1:1: a key must be one word (not a list or mapping)\n"},
	{"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", "p.yaml:1:33: nested too deep (32 levels at most)\n"},
	{"%a\n%a\n%a\n%a\n%a\n%a\n%a\n%a\n%a\n%a\n%a\n%a\n%a\n%a\n%a\n%a\n%a\n", "p.yaml:17:1: too many lines that begin with \"%\" (16 at most)\n"},
	{"", "p.yaml:1:1: empty (pools: {} where none are meant)\n"},
	{"# nothing\n", "p.yaml:1:1: empty (pools: {} where none are meant)\n"},
	{"pools: {}\n", ""},
	{"- a\n", "p.yaml:1:1: not a mapping (manager:, pools: and so on)\n"},
};

static const struct fault key_faults[] = {
	{"pols: {}\n", "p.yaml:1:1: pols: unknown key (did you mean \"pools\"?)\n"},
	{"zebra: {}\n", "p.yaml:1:1: zebra: unknown key (manager, defaults, include, pools or exec)\n"},
	{"templates: {}\n", "p.yaml:1:1: templates: not possible yet (leave it out)\n"},
	{POOL "    usr: bob\n", "p.yaml:5:5: pools.blog.usr: unknown key (did you mean \"user\"?)\n"},
	{POOL "    zebra: 1\n", "p.yaml:5:5: pools.blog.zebra: unknown key (fcgipm.yaml(5) lists those that there are)\n"},
	{POOL "    max_lifetime: 1h\n", "p.yaml:5:5: pools.blog.max_lifetime: unknown key (did you mean \"workers.max_lifetime\"?)\n"},
	{POOL "    workers.max: 1\n", "p.yaml:5:5: pools.blog.workers.max: unknown key (write it as workers: {max: ...})\n"},
	{POOL "    workers: {max_worker: 3}\n", "p.yaml:5:15: pools.blog.workers.max_worker: unknown key (did you mean \"max\"?)\n"},
	{POOL "    workers: {template_life: 1h}\n", "p.yaml:5:15: pools.blog.workers.template_life: unknown key (did you mean \"template_lifetime\"?)\n"},
	{POOL "    queue: {zebra: 3}\n", "p.yaml:5:13: pools.blog.queue.zebra: unknown key (limit or timeout)\n"},
	{"manager: {log: {zebra: 3}}\n", "p.yaml:1:17: manager.log.zebra: unknown key (target, level or format)\n"},
	{"manager: {maxworkers: 3}\n", "p.yaml:1:11: manager.maxworkers: unknown key (did you mean \"max_workers\"?)\n"},
	{"defaults: {workers: {maxx: 3}}\n", "p.yaml:1:22: defaults.workers.maxx: unknown key (did you mean \"max\"?)\n"},
	{POOL "    user: bob\n", "p.yaml:5:5: pools.blog.user: given twice (first in line 4; keep one)\n"},
	{POOL "  blog: {}\n", "p.yaml:5:3: pools.blog: given twice (first in line 2; keep one)\n"},
	{POOL "    workers: 3\n", "p.yaml:5:14: pools.blog.workers: not a mapping (KEY: VALUE lines)\n"},
	{"pools: [a]\n", "p.yaml:1:8: pools: not a mapping (NAME: and its keys)\n"},
	{"pools: {a: b}\n", "p.yaml:1:9: pools.a: no command (such as command: [/usr/bin/php-cgi])\n"
			    "p.yaml:1:9: pools.a: no user (the account of its workers, such as user: alice)\n"
			    "p.yaml:1:12: pools.a: not a mapping (KEY: VALUE lines)\n"},
	{"manager: []\n", "p.yaml:1:10: manager: not a mapping (KEY: VALUE lines)\n"},
	{"include: {a: b}\n", "p.yaml:1:10: include: a mapping (a pattern, or a list of them)\n"},
	{"include: [[a]]\n", "p.yaml:1:11: include: a list or mapping among the patterns (each is one value)\n"},
	{"pools: {Blog: {}}\n", "p.yaml:1:9: pools: \"Blog\" is no name for a pool (a-z, 0-9, \".\", \"_\", \"-\", at most 63, a letter or digit first)\n"},
	{"pools: {site@alice: {}}\n", "p.yaml:1:9: pools.site@alice: \"@\" is for pools that templates make (a-z, 0-9, \".\", \"_\", \"-\")\n"},
};

static const struct fault value_faults[] = {
	{POOL "    workers: {max: many}\n", "p.yaml:5:20: pools.blog.workers.max: \"many\" is no whole number (1 to 4096)\n"},
	{POOL "    workers: {max: -1}\n", "p.yaml:5:20: pools.blog.workers.max: \"-1\" is no whole number (1 to 4096)\n"},
	{POOL "    workers: {max: }\n", "p.yaml:5:15: pools.blog.workers.max: \"\" is no whole number (1 to 4096)\n"},
	{POOL "    workers: {max: 9000}\n", "p.yaml:5:20: pools.blog.workers.max: 9000 exceeds 4096 (1 to 4096)\n"},
	{POOL "    workers: {max: 99999999999999999999999}\n", "p.yaml:5:20: pools.blog.workers.max: 99999999999999999999999 exceeds 4096 (1 to 4096)\n"},
	{POOL "    workers: {max: 0}\n", "p.yaml:5:20: pools.blog.workers.max: 0 is below 1 (1 to 4096)\n"},
	{POOL "    workers: {max: [1]}\n", "p.yaml:5:20: pools.blog.workers.max: a list (one value belongs here)\n"},
	{POOL "    workers: {max: {a: 1}}\n", "p.yaml:5:20: pools.blog.workers.max: a mapping (one value belongs here)\n"},
	{POOL "    priority: {nice: 20}\n", "p.yaml:5:22: pools.blog.priority.nice: 20 exceeds 19 (-20 to 19)\n"},
	{POOL "    workers: {idle_timeout: 10}\n", "p.yaml:5:29: pools.blog.workers.idle_timeout: \"10\" is no duration (such as 250ms, 10s, 5m, 1h)\n"},
	{POOL "    workers: {idle_timeout: 400d}\n", "p.yaml:5:29: pools.blog.workers.idle_timeout: 400d exceeds 365d (0s to 365d)\n"},
	{POOL "    limits: {as: 1X}\n", "p.yaml:5:18: pools.blog.limits.as: \"1X\" is no size (such as 64K, 256M, 2G)\n"},
	{POOL "    limits: {as: 2000000000G}\n", "p.yaml:5:18: pools.blog.limits.as: 2000000000G exceeds 1048576T (0 to 1048576T)\n"},
	{POOL "    umask: 8\n", "p.yaml:5:12: pools.blog.umask: \"8\" is no mode (octal digits, such as \"0027\")\n"},
	{POOL "    umask: \"1777\"\n", "p.yaml:5:12: pools.blog.umask: 1777 exceeds 0777 (0000 to 0777)\n"},
	{POOL "    stop: {signal: STOP}\n",
	 "p.yaml:5:20: pools.blog.stop.signal: \"STOP\" is not known here (TERM, INT, QUIT, HUP, USR1, USR2, WINCH or KILL)\n"},
	{POOL "    stop: {busy_signal: KILL}\n", "p.yaml:5:25: pools.blog.stop.busy_signal: \"KILL\" is not known here (none, USR1 or TERM)\n"},
	{POOL "    socket: {private: yes}\n", "p.yaml:5:23: pools.blog.socket.private: \"yes\" is no switch (true or false)\n"},
	{"manager: {log: {level: loud}}\n", "p.yaml:1:24: manager.log.level: \"loud\" is not known here (error, warn, info or debug)\n"},
	{"manager: {log: {target: here}}\n", "p.yaml:1:25: manager.log.target: \"here\" is not known here (stderr, syslog, journal or an absolute path)\n"},
	{POOL "    output: here\n", "p.yaml:5:13: pools.blog.output: \"here\" is not known here (log, null or an absolute path)\n"},
	{POOL "    chroot: srv\n", "p.yaml:5:13: pools.blog.chroot: \"srv\" is no absolute path (such as /srv/alice)\n"},
	{POOL "    chroot: /srv/../etc\n",
	 "p.yaml:5:13: pools.blog.chroot: \"/srv/../etc\" is no plain path (no \".\", \"..\" or empty parts, no control characters; such as /srv/alice)\n"},
	{POOL "    chroot: \"/a\\nb\"\n",
	 "p.yaml:5:13: pools.blog.chroot: \"/a\\nb\" is no plain path (no \".\", \"..\" or empty parts, no control characters; such as /srv/alice)\n"},
	{POOL "    directory: \"\"\n", "p.yaml:5:16: pools.blog.directory: \"\" is no absolute path (such as /srv/alice)\n"},
	{POOL "    groups: hosting\n", "p.yaml:5:13: pools.blog.groups: not a list (such as [\"hosting\"])\n"},
	{POOL "    groups: [[hosting]]\n", "p.yaml:5:14: pools.blog.groups: a list or mapping among the items (each is one value)\n"},
	{POOL "    groups: [\"a:b\"]\n", "p.yaml:5:14: pools.blog.groups: \"a:b\" is no account (a name or a number)\n"},
	{POOL "    frontends: [\"@\"]\n", "p.yaml:5:17: pools.blog.frontends: \"@\" is nobody (a user, or a group as \"@group\")\n"},
	{POOL "    environment: [a]\n", "p.yaml:5:18: pools.blog.environment: not a mapping (NAME: VALUE lines)\n"},
	{POOL "    environment: {a: [b]}\n", "p.yaml:5:22: pools.blog.environment.a: not one value (NAME: VALUE)\n"},
	{POOL "    environment: {\"a b\": c}\n",
	 "p.yaml:5:19: pools.blog.environment: \"a b\" is no name of a variable (no blanks, no \"=\"; such as APP_ENV)\n"},
	{POOL "    environment: {\"a=b\": c}\n", "p.yaml:5:19: pools.blog.environment: \"=\" in the name a=b (NAME: VALUE)\n"},
	{POOL "    inherit_environment: [A=b]\n",
	 "p.yaml:5:27: pools.blog.inherit_environment: \"A=b\" is no name of a variable (no blanks, no \"=\"; such as APP_ENV)\n"},
	{POOL "    sandbox: {capabilities: [CAP_FLY]}\n",
	 "p.yaml:5:30: pools.blog.sandbox.capabilities: \"CAP_FLY\" is no capability (such as CAP_NET_BIND_SERVICE)\n"},
	{POOL "    sandbox: {capabilities: [cap_sys_admin]}\n",
	 "p.yaml:5:30: pools.blog.sandbox.capabilities: \"cap_sys_admin\" amounts to root (such as CAP_NET_BIND_SERVICE)\n"},
	{"pools: {a: {user: alice, command: [php-cgi]}}\n", "p.yaml:1:36: pools.a.command: \"php-cgi\" is no absolute path (such as /usr/bin/php-cgi)\n"},
	{"pools: {a: {user: alice, command: []}}\n", "p.yaml:1:35: pools.a.command: an empty list (such as [/usr/bin/php-cgi])\n"},
	{POOL "    groups: hosting, adm\n", "p.yaml:5:13: pools.blog.groups: not a list (such as [a, b])\n"},
	{POOL "    groups: {hosting: adm}\n", "p.yaml:5:13: pools.blog.groups: not a list (such as [a, b])\n"},
	{"pools: {a: {user: alice, command: /bin/x}}\n", "p.yaml:1:35: pools.a.command: not a list (such as [/usr/bin/php-cgi, -b])\n"},
};

static const struct fault later_faults[] = {
	{POOL "    cgroup: {memory_max: 5M}\n", "p.yaml:5:26: pools.blog.cgroup.memory_max: \"5M\" is not possible yet (leave it out)\n"},
	{POOL "    cgroup: {pids_max: 5}\n", "p.yaml:5:24: pools.blog.cgroup.pids_max: \"5\" is not possible yet (leave it out)\n"},
	{POOL "    cgroup: {cpu_weight: 5}\n", "p.yaml:5:26: pools.blog.cgroup.cpu_weight: \"5\" is not possible yet (leave it out)\n"},
};

static const struct fault account_faults[] = {
	{"pools: {a: {command: [/x], user: nobody-here}}\n",
	 "p.yaml:1:34: pools.a.user: user \"nobody-here\" does not exist (useradd makes it; or another name or number)\n"},
	{"pools: {a: {command: [/x], user: 4294967295}}\n", "p.yaml:1:34: pools.a.user: user \"4294967295\" is no number of an account (0 to 4294967294)\n"},
	{"pools: {a: {command: [/x], user: 4711}}\n", "p.yaml:1:34: pools.a.user: a number without an account has no primary group (give group as well)\n"},
	{"pools: {a: {command: [/x], user: root}}\n", "p.yaml:1:34: pools.a.user: root (an account without privileges)\n"},
	{"pools: {a: {command: [/x], user: \"0\"}}\n", "p.yaml:1:34: pools.a.user: root (an account without privileges)\n"},
	{"pools: {a: {command: [/x], user: carol}}\n", "p.yaml:1:34: pools.a.user: group 0 (a group without privileges)\n"},
	{"pools: {a: {command: [/x], user: fcgipm}}\n", "p.yaml:1:34: pools.a.user: fcgipm's own account (an account of the pool's own)\n"},
	{"pools: {a: {command: [/x], user: 991}}\n", "p.yaml:1:34: pools.a.user: fcgipm's own account (an account of the pool's own)\n"},
	{POOL "    group: nogroup-here\n",
	 "p.yaml:5:12: pools.blog.group: group \"nogroup-here\" does not exist (groupadd makes it; or another name or number)\n"},
	{POOL "    group: root\n", "p.yaml:5:12: pools.blog.group: group 0 (a group without privileges)\n"},
	{POOL "    group: fcgipm\n", "p.yaml:5:12: pools.blog.group: fcgipm's own group (a group of the pool's own)\n"},
	{POOL "    groups: [root]\n", "p.yaml:5:14: pools.blog.groups: group 0 (a group without privileges)\n"},
	{POOL "    groups: [fcgipm-conf]\n", "p.yaml:5:14: pools.blog.groups: fcgipm's own group (a group of the pool's own)\n"},
	{POOL "    groups: [zebra]\n", "p.yaml:5:14: pools.blog.groups: group \"zebra\" does not exist (groupadd makes it; or another name or number)\n"},
	{POOL "    frontends: [zebra]\n", "p.yaml:5:17: pools.blog.frontends: user \"zebra\" does not exist (useradd makes it; or another name or number)\n"},
	{POOL "    frontends: [\"@zebra\"]\n",
	 "p.yaml:5:17: pools.blog.frontends: group \"zebra\" does not exist (groupadd makes it; or another name or number)\n"},
	{POOL "    socket: {user: zebra}\n",
	 "p.yaml:5:20: pools.blog.socket.user: user \"zebra\" does not exist (useradd makes it; or another name or number)\n"},
	{POOL "    socket: {group: zebra}\n",
	 "p.yaml:5:21: pools.blog.socket.group: group \"zebra\" does not exist (groupadd makes it; or another name or number)\n"},
	{"manager: {control: {operators: [zebra]}}\n",
	 "p.yaml:1:33: manager.control.operators: user \"zebra\" does not exist (useradd makes it; or another name or number)\n"},
	{"manager: {user: zebra}\n", "p.yaml:1:17: manager.user: user \"zebra\" does not exist (\"make install\" creates fcgipm)\n"},
	{"manager: {user: root}\n", "p.yaml:1:17: manager.user: root (an account of its own, such as fcgipm)\n"},
	{"manager: {user: fcgipm-conf}\n", "p.yaml:1:17: manager.user: the account that reads the configuration (an account of its own, such as fcgipm)\n"},
	{"manager: {user: 4711}\n", "p.yaml:1:17: manager.user: 4711 has no group (an account with a name)\n"},
	{"manager: {user: carol}\n", "p.yaml:1:17: manager.user: carol is in group 0 (an account of its own, such as fcgipm)\n"},
};

#define GOOD "command: [/x], user: alice"
static const struct fault relation_faults[] = {
	{POOL "    workers: {min: 5, max: 4}\n", "p.yaml:5:20: pools.blog.workers.min: 5 exceeds workers.max, 4 (at most as much)\n"},
	{"defaults: {workers: {min: 5}}\n" POOL "    workers: {max: 4}\n",
	 "p.yaml:6:20: pools.blog.workers.max: 4 is below workers.min, 5 (at least as much)\n"},
	{POOL "    restart: {max_delay: 1ms}\n", "p.yaml:5:26: pools.blog.restart.max_delay: 1ms is below restart.delay, 100ms (at least as much)\n"},
	{POOL "    queue: {limit: 4097}\n", "p.yaml:5:20: pools.blog.queue.limit: 4097 exceeds net.core.somaxconn (1 to 4096, or raise that with sysctl)\n"},
	{POOL "    listen: 127.0.0.1\n", "p.yaml:5:13: pools.blog.listen: \"127.0.0.1\" is no address (an absolute path, 127.0.0.1:9000 or \"[::1]:9000\")\n"},
	{POOL "    listen: \"localhost:9000\"\n",
	 "p.yaml:5:13: pools.blog.listen: \"localhost:9000\" is no address (an absolute path, 127.0.0.1:9000 or \"[::1]:9000\")\n"},
	{POOL "    listen: \"127.0.0.1:70000\"\n",
	 "p.yaml:5:13: pools.blog.listen: \"127.0.0.1:70000\" is no address (an absolute path, 127.0.0.1:9000 or \"[::1]:9000\")\n"},
	{POOL "    listen: /" ROOM "/longer-name\n",
	 "p.yaml:5:13: pools.blog.listen: \"/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...\" is too "
	 "long for a socket (107 bytes at most)\n"},
	{POOL "    listen: /run/fcgipm/control.sock\n", "p.yaml:5:13: pools.blog.listen: among fcgipm's own files (in its pools directory, or outside)\n"},
	{POOL "    listen: /run/fcgipm/private/blog.sock\n", "p.yaml:5:13: pools.blog.listen: among fcgipm's own files (in its pools directory, or outside)\n"},
	{POOL "    listen: /\n", "p.yaml:5:13: pools.blog.listen: the root directory (a path for a socket)\n"},
	{POOL "    listen: /run/x.sock\n    socket: {private: true}\n",
	 "p.yaml:5:13: pools.blog.listen: a private socket has its own place (leave listen out)\n"},
	{POOL "    listen: \"[::1]:9000\"\n    socket: {private: true}\n",
	 "p.yaml:6:23: pools.blog.socket.private: TCP has no private sockets (a unix socket, or false)\n"},
	{POOL "  shop: {command: [/x], user: bob, listen: /run/fcgipm/pools/blog.sock}\n",
	 "p.yaml:5:44: pools.shop.listen: taken by pool blog in line 2 (an address of its own)\n"},
	{POOL "    listen: 127.0.0.1:9000\n  shop: {command: [/x], user: bob, listen: 127.0.0.1:09000}\n",
	 "p.yaml:6:44: pools.shop.listen: taken by pool blog in line 5 (an address of its own)\n"},
	{POOL "    listen: 127.0.0.1:9000\n  shop: {command: [/x], user: bob, listen: 0.0.0.0:9000}\n",
	 "p.yaml:6:44: pools.shop.listen: taken by pool blog in line 5 (an address of its own)\n"},
	{POOL "    listen: \"[::]:9000\"\n  shop: {command: [/x], user: bob, listen: \"0.0.0.0:9000\"}\n", ""}, /* IPV6_V6ONLY */
	{POOL "    listen: \"[::1]:9000\"\n  shop: {command: [/x], user: bob, listen: \"[0::0]:09000\"}\n",
	 "p.yaml:6:44: pools.shop.listen: taken by pool blog in line 5 (an address of its own)\n"},
	{POOL "    listen: \"[::ffff:127.0.0.1]:9000\"\n", "p.yaml:5:13: pools.blog.listen: an IPv4 address in IPv6's notation (such as 127.0.0.1:9000)\n"},
	{"defaults: {" GOOD ", listen: 127.0.0.1:9000}\npools: {a: {}, b: {}, c: {}}\n",
	 "p.yaml:1:48: defaults.listen: one address for many pools (leave it out, and each has a socket of its own)\n"},
	{"manager: {runtime_directory: /}\n", "p.yaml:1:30: manager.runtime_directory: the root directory (a directory of its own, such as /run/fcgipm)\n"},
	{"manager: {runtime_directory: /" ROOM "}\n", "p.yaml:1:30: manager.runtime_directory: too long for the sockets in it (94 bytes at most)\n"},
	{"manager: {runtime_directory: /xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx}\n" POOL
	 "    socket: {private: true}\n",
	 "p.yaml:3:3: pools.blog: /xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx... is too long for a socket (107 bytes at most; give "
	 "listen)\n"},
};

/* What is wrong with defaults is said once, at its own line, however many pools inherit it. */
#define TWO "pools: {a: {}, b: {}}\n"
static const struct fault default_faults[] = {
	{"defaults: {command: [/x], user: zebra}\n" TWO,
	 "p.yaml:1:33: defaults.user: user \"zebra\" does not exist (useradd makes it; or another name or number)\n"},
	{"defaults: {command: [x], user: alice}\n" TWO, "p.yaml:1:22: defaults.command: \"x\" is no absolute path (such as /usr/bin/php-cgi)\n"},
	{"defaults: {command: [], user: alice}\n" TWO, "p.yaml:1:21: defaults.command: an empty list (such as [/usr/bin/php-cgi])\n"},
	{"defaults: {command: [/x], user: root}\n" TWO, "p.yaml:1:33: defaults.user: root (an account without privileges)\n"},
	{"defaults: {" GOOD ", group: zebra}\n" TWO,
	 "p.yaml:1:47: defaults.group: group \"zebra\" does not exist (groupadd makes it; or another name or number)\n"},
	{"defaults: {" GOOD ", groups: [hosting, zebra]}\n" TWO,
	 "p.yaml:1:58: defaults.groups: group \"zebra\" does not exist (groupadd makes it; or another name or number)\n"},
	{"defaults: {" GOOD ", groups: [hosting, root]}\n" TWO, "p.yaml:1:58: defaults.groups: group 0 (a group without privileges)\n"},
	{"defaults: {" GOOD ", frontends: [zebra]}\n" TWO,
	 "p.yaml:1:52: defaults.frontends: user \"zebra\" does not exist (useradd makes it; or another name or number)\n"},
	{"defaults: {" GOOD ", socket: {user: zebra}}\n" TWO,
	 "p.yaml:1:55: defaults.socket.user: user \"zebra\" does not exist (useradd makes it; or another name or number)\n"},
	{"defaults: {" GOOD ", workers: {min: 20}}\n" TWO, "p.yaml:1:55: defaults.workers.min: 20 exceeds workers.max, 16 (at most as much)\n"},
	{"defaults: {" GOOD ", workers: {max: 0}}\n" TWO, "p.yaml:1:55: defaults.workers.max: 0 is below 1 (1 to 4096)\n"},
	{"defaults: {" GOOD ", queue: {limit: 5000}}\n" TWO,
	 "p.yaml:1:55: defaults.queue.limit: 5000 exceeds net.core.somaxconn (1 to 4096, or raise that with sysctl)\n"},
	/* Where only one pool is in the way of a default, it is that pool's. */
	{"defaults: {" GOOD ", workers: {min: 5}}\npools: {a: {}, b: {workers: {max: 4}}}\n",
	 "p.yaml:2:35: pools.b.workers.max: 4 is below workers.min, 5 (at least as much)\n"},
	{"defaults: {user: zebra, command: [/x]}\npools: {a: {}, b: {user: alice}, c: {}, d: {user: zebra}}\n",
	 "p.yaml:1:18: defaults.user: user \"zebra\" does not exist (useradd makes it; or another name or number)\n"
	 "p.yaml:2:51: pools.d.user: user \"zebra\" does not exist (useradd makes it; or another name or number)\n"},
};

static const struct fault environment_warnings[] = {
	{POOL "    environment: {APP_ENV: x, _1: x, LD_PRELOAD: /usr/lib/libjemalloc.so.2, PATH: /bin}\n", ""},
	{POOL "    environment:\n      A-B: x\n      1A: x\n",
	 "p.yaml:6:7: warning: pools.blog.environment.A-B: a name that shells and most languages cannot read (letters, digits and _, no digit first)\n"
	 "p.yaml:7:7: warning: pools.blog.environment.1A: a name that shells and most languages cannot read (letters, digits and _, no digit first)\n"},
	{POOL "    environment: {PATH: \"/bin:.\"}\n",
	 "p.yaml:5:19: warning: pools.blog.environment.PATH: a part is not absolute, so programs are looked for in the working directory, too (absolute "
	 "directories alone)\n"},
	{POOL "    environment: {PATH: \"\"}\n",
	 "p.yaml:5:19: warning: pools.blog.environment.PATH: a part is not absolute, so programs are looked for in the working directory, too (absolute "
	 "directories alone)\n"},
	{POOL "    environment: {PATH: \"/bin:\"}\n",
	 "p.yaml:5:19: warning: pools.blog.environment.PATH: a part is not absolute, so programs are looked for in the working directory, too (absolute "
	 "directories alone)\n"},
	{POOL "    environment: {PHP_FCGI_CHILDREN: \"4\"}\n", "p.yaml:5:19: warning: pools.blog.environment.PHP_FCGI_CHILDREN: php-cgi forks workers of its "
							       "own, which fcgipm neither counts nor scales (leave it unset)\n"},
	{POOL "    environment: {PHP_FCGI_CHILDREN: \"0\"}\n", ""},
	{POOL "    inherit_environment: [TZ, \"LC_*\"]\n", "p.yaml:5:31: warning: pools.blog.inherit_environment.LC_*: a name that shells and most languages "
							   "cannot read (letters, digits and _, no digit first)\n"},
	{"defaults: {environment: {A.B: x}}\npools: {a: {" GOOD "}, b: {" GOOD ", environment: {C: x}}}\n",
	 "p.yaml:1:26: warning: defaults.environment.A.B: a name that shells and most languages cannot read (letters, digits and _, no digit first)\n"},
};

static const struct fault warnings[] = {
	{"defaults: {command: [/x], user: www-data}\n" TWO,
	 "p.yaml:1:33: warning: defaults.user: www-data is also in manager.control.frontends: its workers may connect to every pool\n"},
	{"manager: {max_workers: 1}\n" POOL "    workers: {min: 2}\n",
	 "p.yaml:1:24: warning: manager.max_workers: 1, but the pools' workers.min come to 2 (not all of them will run)\n"},
	{"pools: {a: {command: [/x], user: www-data}}\n",
	 "p.yaml:1:34: warning: pools.a.user: www-data is also in manager.control.frontends: its workers may connect to every pool\n"},
	{"manager: {control: {operators: [alice]}}\n" POOL,
	 "p.yaml:5:11: warning: pools.blog.user: alice is also in manager.control.operators: its workers may change every pool\n"},
	{"manager: {control: {holders: [\"@hosting\"]}}\n" POOL "    groups: [hosting]\n",
	 "p.yaml:5:11: warning: pools.blog.user: alice is also in manager.control.holders: its workers may shut down every listener\n"},
	{POOL "    frontends: [alice]\n", "p.yaml:4:11: warning: pools.blog.user: alice is also in frontends: its workers may connect to the pool\n"},
	{POOL "    request: {slow: 5s, timeout: 5s}\n",
	 "p.yaml:5:21: warning: pools.blog.request.slow: is never said: the worker is ended before that (below request.timeout)\n"},
	{POOL "    workers: {start: exec, template: keep}\n", "p.yaml:5:38: warning: pools.blog.workers.template: has no effect with workers.start: exec\n"},
	{POOL "    workers: {start: exec, template_lifetime: 1h}\n",
	 "p.yaml:5:47: warning: pools.blog.workers.template_lifetime: has no effect with workers.start: exec\n"},
	{POOL "    workers: {spare: 17}\n", "p.yaml:5:22: warning: pools.blog.workers.spare: 17 exceeds workers.max, 16 (so many are never idle)\n"},
	{POOL "    workers: {boot_parallel: 9, max: 8}\n",
	 "p.yaml:5:30: warning: pools.blog.workers.boot_parallel: 9 exceeds workers.max, 8 (so many never boot at once)\n"},
	{POOL "    workers: {boot_parallel: 4, max: 1}\n", ""}, /* as a dump has it */
	{POOL "    socket: {mode: 432}\n",
	 "p.yaml:5:20: warning: pools.blog.socket.mode: 0432 gives others more than those before them (octal digits, such as \"0660\")\n"},
	{POOL "    socket: {mode: 6}\n",
	 "p.yaml:5:20: warning: pools.blog.socket.mode: 0006 gives others more than those before them (octal digits, such as \"0660\")\n"},
	{POOL "    socket: {mode: \"0440\"}\n", "p.yaml:5:20: warning: pools.blog.socket.mode: 0440 lets nobody connect (such as \"0660\")\n"},
	{POOL "    socket: {mode: 660}\n", ""},
	{POOL "    listen: 127.0.0.1:9000\n    queue: {timeout: 5s}\n    socket:\n      user: alice\n      group: alice\n      mode: \"0600\"\n",
	 "p.yaml:6:22: warning: pools.blog.queue.timeout: on TCP nobody can tell whether a request still waits: it has no effect (leave it out, or listen on a "
	 "path)\n"
	 "p.yaml:8:13: warning: pools.blog.socket.user: a TCP socket has no owner (leave it out, or listen on a path)\n"
	 "p.yaml:9:14: warning: pools.blog.socket.group: a TCP socket has no group (leave it out, or listen on a path)\n"
	 "p.yaml:10:13: warning: pools.blog.socket.mode: a TCP socket has no mode: whoever reaches the port may connect (leave it out, or listen on a path)\n"},
	{POOL "    listen: 127.0.0.1:9000\n    queue: {timeout: 30s}\n    socket: {user: root, group: www-data, mode: \"0660\"}\n", ""}, /* as a dump has it */
	{"defaults: {socket: {mode: \"0600\"}}\n" POOL "    listen: 127.0.0.1:9000\n", ""},
	{POOL "    socket: {private: true, mode: \"0600\"}\n",
	 "p.yaml:5:35: warning: pools.blog.socket.mode: a private socket is 0666, in a directory that nobody enters\n"},
};

static const struct fault ordinary[] = {
	{POOL, "p.yaml:4:11: warning: pools.blog.user: alice is not you (without root every pool runs as you)\n"},
	{"pools: {a: {command: [/x], user: zebra}}\n",
	 "p.yaml:1:34: pools.a.user: user \"zebra\" does not exist (useradd makes it; or another name or number)\n"},
	{"pools: {a: {command: [/x]}}\n", ""},
	{"pools: {a: {command: [/x], user: bob, group: bob, socket: {user: bob, group: bob}}}\n", ""},
	{"pools: {a: {command: [/x], group: alice}}\n", "p.yaml:1:35: warning: pools.a.group: alice is not your group (without root it is)\n"},
	{"pools: {a: {command: [/x], groups: [hosting]}}\n", "p.yaml:1:36: warning: pools.a.groups: needs root (left as yours are)\n"},
	{"pools: {a: {command: [/x], socket: {user: root}}}\n", "p.yaml:1:43: warning: pools.a.socket.user: root is not you (without root it is you)\n"},
	{"pools: {a: {command: [/x], socket: {group: adm}}}\n", "p.yaml:1:44: warning: pools.a.socket.group: adm is not your group (without root it is)\n"},
	{"pools: {a: {command: [/x], chroot: /srv}}\n", "p.yaml:1:36: warning: pools.a.chroot: needs root (the pool will not start)\n"},
	{"pools: {a: {command: [/x], sandbox: {capabilities: [net_raw]}}}\n",
	 "p.yaml:1:52: warning: pools.a.sandbox.capabilities: needs root (the pool will not start)\n"},
	{"manager: {user: fcgipm}\n", "p.yaml:1:17: warning: manager.user: fcgipm is not you (without root everything runs as you)\n"},
};

static void check(const struct fault *faults, size_t count, struct conf_world world)
{
	for (size_t i = 0; i < count; i++) {
		struct judged g;

		judge_text(&g, world, faults[i].yaml, strlen(faults[i].yaml));
		assert_string_equal(g.text.at != NULL ? g.text.at : "", faults[i].text);
		judged_free(&g);
	}
}
#define CHECK(faults, world) check(faults, sizeof(faults) / sizeof((faults)[0]), (world))

static void test_yaml(void **state)
{
	(void)state;
	CHECK(yaml_faults, world_of_root());
}

static void test_keys(void **state)
{
	(void)state;
	CHECK(key_faults, world_of_root());
}

static void test_values(void **state)
{
	(void)state;
	CHECK(value_faults, world_of_root());
}

static void test_not_yet(void **state)
{
	(void)state;
	CHECK(later_faults, world_of_root());
}

static void test_accounts(void **state)
{
	(void)state;
	CHECK(account_faults, world_of_root());
}

static void test_relations(void **state)
{
	(void)state;
	CHECK(relation_faults, world_of_root());
}

static void test_defaults(void **state)
{
	(void)state;
	CHECK(default_faults, world_of_root());
}

static void test_warnings(void **state)
{
	(void)state;
	CHECK(warnings, world_of_root());
	CHECK(environment_warnings, world_of_root());
}

static void test_ordinary_user(void **state)
{
	(void)state;
	CHECK(ordinary, world_of_bob());
}

/* All at once, in order of place, and no more lines than anybody reads. */
static void test_all_at_once(void **state)
{
	static char yaml[200000];
	struct fp_text t = FP_TEXT(yaml);
	struct judged g;
	unsigned lines = 0;

	(void)state;
	for (unsigned i = 0; i < 1200; i++)
		fp_text_add(&t, "wrong%u: x\n", i);
	judge_text(&g, world_of_root(), yaml, t.len);
	assert_int_equal(g.errors, CONF_REPORT_MAX + 1);
	for (const char *p = g.text.at; (p = strchr(p, '\n')) != NULL; p++)
		lines++;
	assert_int_equal(lines, CONF_REPORT_MAX + 1);
	assert_non_null(strstr(g.text.at, "\np.yaml:1000:1: wrong999: unknown key"));
	assert_non_null(strstr(g.text.at, "\np.yaml: 200 more errors\n"));
	judged_free(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_yaml),          cmocka_unit_test(test_keys),        cmocka_unit_test(test_values),   cmocka_unit_test(test_not_yet),
		cmocka_unit_test(test_accounts),      cmocka_unit_test(test_relations),   cmocka_unit_test(test_defaults), cmocka_unit_test(test_warnings),
		cmocka_unit_test(test_ordinary_user), cmocka_unit_test(test_all_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
