/* Whole imports: what becomes a key, what a note, and where the note stands. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* before cmocka.h */
#include <cmocka.h>
#include <stdio.h>

#include "fcgipm/import/draft.h"
#include "tests/unit/import/files.h"

#define MAIN "/etc/php-fpm.conf"

static struct import_result result;

static void run(const char *kind, const char *const *words, size_t count)
{
	import_result_fini(&result);
	assert_int_equal(memory_import(kind, words, count, &result), 0);
}

static void run_text(const char *kind, const char *text)
{
	static const char *const words[] = {MAIN};

	memory_put(0, MAIN, text, strlen(text));
	run(kind, words, 1);
}

static void prints(const char *text)
{
	if (strstr(result.yaml.at, text) == NULL)
		fail_msg("no '%s' in:\n%s", text, result.yaml.at);
}

static void prints_not(const char *text)
{
	if (strstr(result.yaml.at, text) != NULL)
		fail_msg("'%s' in:\n%s", text, result.yaml.at);
}

static void says(const char *text)
{
	if (result.said.at == NULL || strstr(result.said.at, text) == NULL)
		fail_msg("no '%s' in:\n%s", text, result.said.at);
}

static void pool(const char *lines)
{
	char text[2048];

	snprintf(text, sizeof(text), "[www]\nuser = bob\nlisten = /run/x.sock\n%s", lines);
	run_text("php-fpm", text);
	assert_false(result.bad);
}

static void test_modes(void **state)
{
	(void)state;
	pool("pm = static\npm.max_children = 7\n");
	prints("      min: 7\n      max: 7\n      spare: 0\n");
	pool("pm = dynamic\npm.max_children = 9\npm.start_servers = 3\npm.min_spare_servers = 2\npm.max_spare_servers = 6\n");
	prints("      min: 3\n      max: 9\n      spare: 2\n      # " MAIN ":8: pm.max_spare_servers = 6: not carried over: ");
	says(MAIN ":8: pm.max_spare_servers = 6: not carried over: ");
	pool("pm = dynamic\npm.max_children = 9\npm.min_spare_servers = 2\npm.max_spare_servers = 6\n");
	prints("      min: 4\n");
	pool("pm = ondemand\npm.max_children = 9\n");
	prints("      min: 0\n      max: 9\n      spare: 0\n      idle_timeout: 10s\n");
	pool("pm = ondemand\npm.max_children = 9\npm.process_idle_timeout = 2m\npm.start_servers = 4\n");
	prints("      idle_timeout: 2m\n");
	says(":7: pm.start_servers = 4: not carried over: php-fpm reads it with pm = dynamic alone");
	pool("pm = often\n");
	says("neither static, dynamic nor ondemand");
}

static void test_listening(void **state)
{
	(void)state;
	run_text("php-fpm", "[a]\nlisten = 9000\nlisten.mode = 0666\n");
	prints("listen: \"0.0.0.0:9000\"\n");
	says(":3: listen.mode = 0666: not carried over: a TCP socket has neither owner nor mode");
	run_text("php-fpm", "[a]\nlisten = localhost:9000\n");
	prints("listen: \"127.0.0.1:9000\"\n");
	run_text("php-fpm", "[a]\nlisten = [::1]:9000\n");
	prints("listen: \"[::1]:9000\"\n");
	run_text("php-fpm", "[a]\nlisten = db.example.org:9000\n");
	prints_not("\n    listen:");
	says("listen = db.example.org:9000: not carried over: ");
	run_text("php-fpm", "[a]\nprefix = /srv/$pool\nlisten = run/$pool.sock\nlisten.backlog = -1\nlisten.mode = 0600\n");
	prints("listen: /srv/a/run/a.sock\n");
	prints("mode: \"0600\"\n");
	prints("limit: 4096\n");
	run_text("php-fpm", "[a]\nlisten = run/a.sock\nlisten.backlog = 99999\n");
	prints("listen: /usr/run/a.sock\n");
	prints("limit: 4096\n");
}

static void test_values_of_php(void **state)
{
	(void)state;
	pool("php_value[memory_limit] = 32M\nphp_flag[display_errors] = off\nphp_admin_flag[log_errors] = on\n"
	     "php_admin_value[sendmail_path] = /usr/sbin/sendmail -t -f x@y\nphp_value[error_reporting] = E_ALL & ~E_NOTICE\n"
	     "php_value[a] = \"say \\\"hi\\\"\"\nphp_value[b] = ~E_ALL\n");
	prints("command: [/usr/bin/php-cgi, \"-d\", \"memory_limit=32M\", \"-d\", \"display_errors=0\", \"-d\", \"log_errors=1\", "
	       "\"-d\", \"sendmail_path=\\\"/usr/sbin/sendmail -t -f x@y\\\"\", \"-d\", \"error_reporting=E_ALL & ~E_NOTICE\", "
	       "\"-d\", \"a=\\\"say \\\\\\\"hi\\\\\\\"\\\"\"]\n");
	says(":6: php_admin_flag[log_errors]: as an argument of php-cgi it holds, but a script may change it");
	says("php_value[b]: not carried over: it cannot be said as -d NAME=VALUE");
}

static void test_environment(void **state)
{
	(void)state;
	pool("env[TMP] = /tmp\nenv[HOSTNAME] = $HOSTNAME\nenv[TZ] = ${TZ}\nenv[HOST] = $HOSTNAME\nclear_env = no\nenv[FLAG] = yes\n");
	prints("      \"FLAG\": \"1\"\n      \"PHP_FCGI_MAX_REQUESTS\": \"0\"\n      \"TMP\": \"/tmp\"\n");
	prints("inherit_environment: [HOSTNAME, TZ]\n");
	says("env[HOST]: not carried over: ");
	says("clear_env = no: not carried over: ");
	pool("env[PASSWORD] = \"geheim\"\nenv[a b] = geheim2\nphp_value[x y] = geheim3\n");
	assert_null(strstr(result.said.at, "geheim"));
}

/* Whether the table takes a key decides whether it is one: nothing here may be changed when it comes to. */
static void test_keys_that_are_not_yet(void **state)
{
	static const struct {
		const char *line, *key, *printed;
	} cases[] = {
		{"request_terminate_timeout = 30\n", "request.timeout", "      timeout: 30s\n"},
		{"request_slowlog_timeout = 2\n", "request.slow", "      slow: 2s\n"},
		{"pm.max_requests = 500\n", "workers.max_requests", "      max_requests: 500\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct settings_row *row = settings_find(&settings_pool_table, cases[i].key);

		pool(cases[i].line);
		if (row != NULL && row->status == SETTINGS_NOW) {
			prints(cases[i].printed);
		} else {
			prints_not(cases[i].printed);
			says("is not supported by this version");
		}
	}
	prints(settings_find(&settings_pool_table, "workers.max_requests")->status == SETTINGS_NOW ? "\"PHP_FCGI_MAX_REQUESTS\": \"0\""
												   : "\"PHP_FCGI_MAX_REQUESTS\": \"500\"");
}

static void test_accounts(void **state)
{
	(void)state;
	run_text("php-fpm", "[a]\nuser = alice\ngroup = hosting\n");
	prints("    user: alice\n    group: hosting\n");
	prints("    groups: [mail]\n");
	run_text("php-fpm", "[a]\nuser = root\n");
	prints_not("\n    user:");
	says("no pool may run as root");
}

static void test_global(void **state)
{
	(void)state;
	run_text("php-fpm", "[global]\nprocess.max = 300\nlog_level = warning\nprocess_control_timeout = 5\nrlimit_core = unlimited\nrlimit_files = 2048\n"
			    "process.priority = -30\ndaemonize = no\n[a]\npm.max_children = 5\n");
	prints("manager:\n  max_workers: 300\n  log:\n    level: warn\n");
	prints("    timeout: 5s\n");
	prints("    nofile: 2048\n    core: 1048576T\n");
	says(":7: process.priority = -30: not carried over: priority.nice: -30 is below -20");
	says(":8: daemonize = no: not carried over: ");
	/* No bound on the whole: that of all pools. */
	run_text("php-fpm", "[a]\npm.max_children = 400\n[b]\npm.max_children = 200\n");
	prints("  max_workers: 600\n");
}

static void test_pools_and_files(void **state)
{
	static const char *const words[] = {MAIN, "/none"};
	static const char text[] = "[global]\ninclude = /etc/fpm.d/*.conf\npm = static\n[Web_1 !]\nlisten = /run/$pool\n[web_1--]\n[-]\n";
	static const char a[] = "[a]\nuser = bob\nuser = carl\n", b[] = "[a]\npm.max_children = 3";

	(void)state;
	memory_put(0, MAIN, text, strlen(text));
	memory_put(1, "/etc/fpm.d/a.conf", a, strlen(a));
	memory_put(2, "/etc/fpm.d/b.conf", b, strlen(b));
	run("php-fpm", words, 2);
	memory_put(1, NULL, NULL, 0);
	memory_put(2, NULL, NULL, 0);
	/* What stands behind an include goes on in its last section. */
	prints("  a:\n");
	prints("    user: carl\n");
	prints("      min: 3\n      max: 3\n");
	says("/etc/fpm.d/a.conf:2: user = bob: given again in /etc/fpm.d/a.conf:3, which holds");
	prints("  web_1--:\n");
	says("pool Web_1 ! has the name web_1-- now");
	prints("  web_1---2:\n");
	prints("listen: \"/run/Web_1 !\"\n");
	prints("  pool:\n");
	says("/none: No such file or directory\n");
	assert_true(result.bad);
}

static void test_a_version_of_debian(void **state)
{
	static const char *const words[] = {"/etc/php/8.4/fpm/pool.d/www.conf"};

	(void)state;
	memory_put(0, words[0], "[www]\n", 6);
	run("php-fpm", words, 1);
	prints("command: [/usr/bin/php-cgi8.4, \"-c\", /etc/php/8.4/fpm/php.ini]\n");
	prints("\"PHP_INI_SCAN_DIR\": \"/etc/php/8.4/fpm/conf.d\"\n");
	memory_put(0, words[0], "[www]\nchroot = /srv/x\n", 22);
	run("php-fpm", words, 1);
	prints("command: [/usr/bin/php-cgi8.4]\n");
	says("php-cgi reads its php.ini inside the chroot");
}

static void test_hostile_files(void **state)
{
	static const char loop[] = "[a]\ninclude = /etc/*.conf\ninclude = /etc/*.conf\nenv[A]=\"x\x1b[31m\xff\"\n[b\0]\n\x1b[31m = 3\n[open";
	static const char *const words[] = {MAIN};
	char *line = malloc(100001);

	(void)state;
	memory_put(0, MAIN, loop, sizeof(loop) - 1);
	run("php-fpm", words, 1);
	says("files include each other more than 5 deep");
	says("a NUL byte");
	says("a section without its ]");
	assert_null(strchr(result.yaml.at, '\x1b'));
	assert_null(strchr(result.said.at, '\x1b'));
	assert_true(result.bad);
	assert_non_null(line);
	memset(line, 'x', 100000);
	line[100000] = '\0';
	run_text("php-fpm", line);
	says(":1: a line longer than 65536 bytes");
	memcpy(line, "[a]\nlisten=$pool$pool\n[", 23);
	for (size_t i = 23; i + 6 < 60000; i += 5)
		memcpy(line + i, "$pool", 5);
	memcpy(line + 60000, "]\nlisten=$pool$pool\n\0", 21);
	run_text("php-fpm", line);
	says("too long with the pool's name in it");
	free(line);
}

static void test_fcgid(void **state)
{
	(void)state;
	run_text(
		"mod-fcgid",
		"User #33\nGroup web\nDefine ROOT /srv\nFcgidMaxProcesses 700\nIdleTimeout 60\nFcgidInitialEnv A all\nFcgidIOTimeout 3\n"
		"<VirtualHost *>\n  ServerName Shop.example.org:80\n  SuexecUserGroup alice hosting\n  FcgidMinProcessesPerClass 2\n"
		"  FcgidInitialEnv B \"x y\"\n  FcgidMaxRequestsPerProcess 0\n  <Directory ${ROOT}/shop>\n"
		"    FcgidWrapper \"${ROOT}/bin/php -c 'x y'\" .php\n    FcgidAuthorizer /srv/auth\n  </Directory>\n"
		"  FcgidCmdOptions /srv/auth MaxProcesses 3 InitialEnv B=z IOTimeout 5 What 3\n</VirtualHost>\nFcgidCmdOptions /srv/app.fcgi IdleTimeout 10\n");
	prints("manager:\n  max_workers: 700\n");
	prints("    min: 0\n    max: 100\n    spare: 0\n    idle_timeout: 1m\n    max_lifetime: 1h\n");
	prints("  app:\n");
	prints("    command: [/srv/app.fcgi]\n    user: 33\n    group: web\n");
	prints("  shop.example.org-80:\n    # httpd, <Directory ${ROOT}/shop>, <FilesMatch \\.php$>: SetHandler \"fcgipm:shop.example.org-80\" with "
	       "mod_fcgipm, or\n");
	prints("    command: [/srv/bin/php, \"-c\", \"x y\"]\n    user: alice\n    group: hosting\n");
	prints("      \"A\": \"all\"\n      \"B\": \"x y\"\n");
	prints("      \"A\": \"all\"\n      \"B\": \"z\"\n");
	prints("FcgipmAuthorizer shop.example.org-80-2 with mod_fcgipm");
	says(":7: FcgidIOTimeout 3: not carried over: ");
	says(":18: FcgidCmdOptions /srv/auth: no option What is known here");
	says(":11: FcgidMinProcessesPerClass 2: mod_fcgid keeps so many once they run; fcgipm starts them at once");
	assert_true(result.bad);
}

static void test_fcgid_hostile(void **state)
{
	(void)state;
	run_text("mod-fcgid",
		 "</VirtualHost>\n<VirtualHost *>\nFcgidWrapper\nFcgidWrapper \"a\nFcgidWrapper \" \"\nFcgidBusyTimeout x\nFcgidWrapper a .b\nFcgidFuture 1\n");
	says(":1: </VirtualHost> without <VirtualHost>");
	says(":3: FcgidWrapper : without an argument");
	says(":4: FcgidWrapper \"a: a quote that does not end");
	says(":5: FcgidWrapper \" \": no command");
	says(":8: FcgidFuture: not carried over: no directive of mod_fcgid that is known here");
	says("the file ends within a section");
	assert_true(result.bad);
}

static void spawn(size_t count, const char *const *words)
{
	run("spawn-fcgi", words, count);
}

#define SPAWN(...) spawn(sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *), (const char *const[]){__VA_ARGS__})

static void test_spawn_fcgi(void **state)
{
	(void)state;
	SPAWN("-s", "/run/x.sock", "-u", "alice", "-gweb", "-U", "nginx", "-G", "nginx", "-M", "0666", "-nF3", "-C", "2", "-d", "/x", "-b", "99999", "-P",
	      "/run/pid", "--", "/usr/bin/php-cgi", "-c", "-n");
	prints("  php-cgi:\n");
	prints("    command: [/usr/bin/php-cgi, \"-c\", \"-n\"]\n    user: alice\n    group: web\n");
	prints("    groups: [mail]\n");
	prints("    directory: /x\n");
	prints("    listen: /run/x.sock\n    socket:\n      user: nginx\n      group: nginx\n      mode: \"0666\"\n");
	prints("      limit: 4096\n");
	prints("      min: 6\n");
	prints("      max: 6\n      spare: 0\n");
	says("spawn-fcgi: -n: not carried over: ");
	says("spawn-fcgi: -P /run/pid: not carried over: ");
	assert_false(result.bad);
	SPAWN("-a", "::1", "-p", "9000", "-M", "0666", "-f", "/srv/app -x");
	prints("    command: [/bin/sh, \"-c\", \"exec /srv/app -x\"]\n");
	prints("    listen: \"[::1]:9000\"\n");
	says("-M 0666: not carried over: a TCP socket has neither owner nor mode");
	SPAWN("-p", "9000", "-f", "/srv/app");
	prints("    command: [/srv/app]\n");
	prints("    listen: \"0.0.0.0:9000\"\n");
}

static void test_spawn_fcgi_in_a_chroot(void **state)
{
	(void)state;
	SPAWN("-c", "/srv/x", "-s", "/run/y", "/app");
	prints("    listen: /srv/x/run/y\n");
	SPAWN("-c", "/srv/x", "-S", "-s", "/run/y", "/app");
	prints("    listen: /run/y\n");
}

static void test_spawn_fcgi_wrong(void **state)
{
	(void)state;
	SPAWN("-Z");
	says("spawn-fcgi: -Z: no option of spawn-fcgi");
	assert_true(result.bad);
	SPAWN("-s");
	says("spawn-fcgi: -s: it needs a value");
	SPAWN("-u", "root", "-p", "x");
	says("no command");
	says("no pool may run as root");
	prints_not("\n    listen:");
	assert_true(result.bad);
}

static int end(void **state)
{
	(void)state;
	import_result_fini(&result);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_modes),
		cmocka_unit_test(test_listening),
		cmocka_unit_test(test_values_of_php),
		cmocka_unit_test(test_environment),
		cmocka_unit_test(test_keys_that_are_not_yet),
		cmocka_unit_test(test_accounts),
		cmocka_unit_test(test_global),
		cmocka_unit_test(test_pools_and_files),
		cmocka_unit_test(test_a_version_of_debian),
		cmocka_unit_test(test_hostile_files),
		cmocka_unit_test(test_fcgid),
		cmocka_unit_test(test_fcgid_hostile),
		cmocka_unit_test(test_spawn_fcgi),
		cmocka_unit_test(test_spawn_fcgi_in_a_chroot),
		cmocka_unit_test(test_spawn_fcgi_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, end);
}
