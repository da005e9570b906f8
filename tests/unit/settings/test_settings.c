/* What each type of setting takes, every error with its whole text, and the defaults. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* before cmocka.h */
#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fcgipm/settings/settings.h"
#include "fcgipm/spec/spec.h"

#define X10  "xxxxxxxxxx"
#define X60  X10 X10 X10 X10 X10 X10
#define X64  X60 "xxxx"
#define X107 X60 X10 X10 X10 X10 "xxxxxxx"
#define X255 X60 X60 X60 X60 X10 "xxxxx"

/* Either struct, by the table of its rows. */
union any {
	struct pool_settings pool;
	struct manager_settings manager;
};

static const struct settings_row *find(const char *key, const struct settings_table **ret_table)
{
	const struct settings_row *row = settings_find(&settings_pool_table, key);

	*ret_table = row != NULL ? &settings_pool_table : &settings_manager_table;
	row = row != NULL ? row : settings_find(&settings_manager_table, key);
	assert_non_null(row);
	return row;
}

/* "key: value" as the dump says it, without the section and its indent. */
static void add_value(struct fp_text *t, const struct settings_row *row, const void *s)
{
	const struct settings_table one = {row, 1, "one"};
	const char *dot = strchr(row->key, '.'), *value;
	struct fp_doc d = {.at = NULL};
	char head[64];

	snprintf(head, sizeof(head), "%s:", dot != NULL ? dot + 1 : row->key);
	settings_dump(&d, &one, s, 0, true);
	assert_non_null(d.at);
	value = strstr(d.at, head);
	assert_non_null(value);
	value += strlen(head);
	value += *value == ' ';
	fp_text_add_bytes(t, value, strlen(value) - 1);
	fp_doc_fini(&d);
}

struct taken {
	const char *key, *written, *value;
};

static const struct taken taken[] = {
	{"workers.max", "1", "1"},
	{"workers.max", "4096", "4096"},
	{"workers.max", "0016", "16"},
	{"workers.min", "0", "0"},
	{"priority.nice", "-20", "-20"},
	{"priority.nice", "19", "19"},
	{"priority.nice", "-0", "0"},
	{"queue.timeout", "0", "0s"},
	{"queue.timeout", "1500ms", "1500ms"},
	{"queue.timeout", "60s", "1m"},
	{"queue.timeout", "365d", "365d"},
	{"queue.timeout", "90m", "90m"},
	{"queue.timeout", "00010s", "10s"},
	{"restart.delay", "1ms", "1ms"},
	{"limits.as", "4096", "4K"},
	{"limits.as", "1025", "1025"},
	{"limits.as", "2G", "2G"},
	{"limits.as", "1048576T", "1048576T"},
	{"limits.nofile", "2147483647", "2147483647"},
	{"limits.as", "0", "0"},
	{"socket.mode", "0660", "\"0660\""},
	{"socket.mode", "660", "\"0660\""},
	{"umask", "0", "\"0000\""},
	{"umask", "777", "\"0777\""},
	{"stop.signal", "SIGQUIT", "QUIT"},
	{"stop.signal", "TERM", "TERM"},
	{"stop.signal", "15", "TERM"},
	{"stop.signal", "9", "KILL"},
	{"stop.busy_signal", "none", "none"},
	{"socket.private", "true", "true"},
	{"socket.private", "false", "false"},
	{"workers.start", "exec", "exec"},
	{"output", "null", "\"null\""},
	{"output", "/var/log/a.log", "/var/log/a.log"},
	{"log.target", "stderr", "stderr"},
	{"log.format", "json", "json"},
	{"chroot", "", "\"\""},
	{"chroot", "/", "/"},
	{"chroot", "/srv/a b", "\"/srv/a b\""},
	{"listen", "/run/php.sock", "/run/php.sock"},
	{"listen", "/" X60 X10 X10 X10 "/" X10 "xxxxx", "/" X60 X10 X10 X10 "/" X10 "xxxxx"}, /* 107 bytes */
	{"listen", "127.0.0.1:9000", "\"127.0.0.1:9000\""},
	{"listen", "[::1]:9000", "\"[::1]:9000\""},
	{"user", "alice", "alice"},
	{"user", "1000", "1000"},
	{"user", "alice@example.com", "\"alice@example.com\""},
	{"group", "domain users@example.com", "\"domain users@example.com\""},
	{"user", "EXAMPLE\\alice", "\"EXAMPLE\\\\alice\""},
	{"user", "a.b-c_d$", "\"a.b-c_d$\""},
	{"user", "m\xc3\xbcller", "\"m\xc3\xbcller\""},
	/* Not yet there, but their defaults may be written. */
	{"environment_file", "", "\"\""},
	{"workers.max_requests", "0", "0"},
	{"workers.max_memory", "0", "0"},
	{"request.timeout", "0s", "0s"},
	{"request.timeout", "0", "0s"},
};

static void test_taken(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
		const struct settings_table *t;
		const struct settings_row *row = find(taken[i].key, &t);
		struct fp_err err = {.text = ""};
		char buf[300] = "";
		struct fp_text value = FP_TEXT(buf);
		union any s = {0};

		settings_set(&s, row, taken[i].written, &err);
		assert_string_equal(err.text, "");
		assert_int_equal(settings_set(&s, row, taken[i].written, NULL), 0); /* once more, over the value */
		add_value(&value, row, &s);
		assert_string_equal(buf, taken[i].value);
		settings_clear(&s, row);
	}
}

/* One of each C type, in its own member. */
static void test_members(void **state)
{
	struct pool_settings s;
	const struct {
		const char *key, *written;
	} set[] = {
		{"workers.max", "12"},   {"priority.nice", "-3"},    {"queue.timeout", "2s"},   {"limits.as", "1G"},    {"socket.mode", "0600"},
		{"stop.signal", "USR2"}, {"socket.private", "true"}, {"workers.start", "exec"}, {"listen", "[::1]:80"},
	};
	struct fp_err err = {0};

	(void)state;
	memset(&s, 0, sizeof(s));
	for (size_t i = 0; i < sizeof(set) / sizeof(set[0]); i++)
		assert_int_equal(settings_set(&s, settings_find(&settings_pool_table, set[i].key), set[i].written, &err), 0);
	assert_int_equal(s.workers_max, 12);
	assert_int_equal(s.priority_nice, -3);
	assert_int_equal(s.queue_timeout, 2000);
	assert_true(s.limits_as == UINT64_C(1) << 30);
	assert_int_equal(s.socket_mode, 0600);
	assert_int_equal(s.stop_signal, SIGUSR2);
	assert_true(s.socket_private);
	assert_string_equal(s.workers_start, "exec");
	assert_string_equal(s.listen, "[::1]:80");
	/* And nothing beside them. */
	assert_int_equal(s.workers_min, 0);
	assert_int_equal(s.queue_limit, 0);
	assert_null(s.output);
	settings_pool_free(&s);
	assert_null(s.listen);
	assert_int_equal(s.workers_max, 0);
}

struct refused {
	const char *key, *written;
	int code;
	const char *text;
};

static const struct refused numbers[] = {
	{"workers.max", "", EINVAL, "\"\" is no whole number (1 to 4096)"},
	{"workers.max", "many", EINVAL, "\"many\" is no whole number (1 to 4096)"},
	{"workers.max", "1.5", EINVAL, "\"1.5\" is no whole number (1 to 4096)"},
	{"workers.max", " 1", EINVAL, "\" 1\" is no whole number (1 to 4096)"},
	{"workers.max", "-1", EINVAL, "\"-1\" is no whole number (1 to 4096)"},
	{"workers.max", "0x10", EINVAL, "\"0x10\" is no whole number (1 to 4096)"},
	{"workers.max", "0", ERANGE, "0 is below 1 (1 to 4096)"},
	{"workers.max", "4097", ERANGE, "4097 exceeds 4096 (1 to 4096)"},
	{"workers.max", "4294967297", ERANGE, "4294967297 exceeds 4096 (1 to 4096)"}, /* 1, in 32 bits */
	{"workers.max", "18446744073709551617", ERANGE, "18446744073709551617 exceeds 4096 (1 to 4096)"}, /* 1, in 64 */
	{"priority.nice", "-21", ERANGE, "-21 is below -20 (-20 to 19)"},
	{"priority.nice", "20", ERANGE, "20 exceeds 19 (-20 to 19)"},
	{"priority.nice", "--1", EINVAL, "\"--1\" is no whole number (-20 to 19)"},
	{"priority.nice", "+1", EINVAL, "\"+1\" is no whole number (-20 to 19)"},
	{"priority.nice", "-", EINVAL, "\"-\" is no whole number (-20 to 19)"},
	{"priority.nice", "-99999999999999999999", ERANGE, "-99999999999999999999 is below -20 (-20 to 19)"},
	{"queue.timeout", "10", EINVAL, "\"10\" is no duration (such as 250ms, 10s, 5m, 1h)"},
	{"queue.timeout", "-1s", EINVAL, "\"-1s\" is no duration (such as 250ms, 10s, 5m, 1h)"},
	{"queue.timeout", "1 s", EINVAL, "\"1 s\" is no duration (such as 250ms, 10s, 5m, 1h)"},
	{"queue.timeout", "8761h", ERANGE, "8761h exceeds 365d (0s to 365d)"},
	{"queue.timeout", "999999999999999999d", ERANGE, "999999999999999999d exceeds 365d (0s to 365d)"},
	{"restart.delay", "0", ERANGE, "0 is below 1ms (1ms to 365d)"},
	{"limits.as", "1k", EINVAL, "\"1k\" is no size (such as 64K, 256M, 2G)"},
	{"limits.as", "-1", EINVAL, "\"-1\" is no size (such as 64K, 256M, 2G)"},
	{"limits.as", "1048577T", ERANGE, "1048577T exceeds 1048576T (0 to 1048576T)"},
	{"limits.as", "99999999999999T", ERANGE, "99999999999999T exceeds 1048576T (0 to 1048576T)"},
	{"umask", "8", EINVAL, "\"8\" is no mode (octal digits, such as \"0027\")"},
	{"umask", "rwx", EINVAL, "\"rwx\" is no mode (octal digits, such as \"0027\")"},
	{"umask", "1000", ERANGE, "1000 exceeds 0777 (0000 to 0777)"},
	{"umask", "77777", ERANGE, "77777 exceeds 0777 (0000 to 0777)"},
	{"stop.signal", "STOP", EINVAL, "\"STOP\" is not known here (TERM, INT, QUIT, HUP, USR1, USR2, WINCH or KILL)"},
	{"stop.signal", "none", EINVAL, "\"none\" is not known here (TERM, INT, QUIT, HUP, USR1, USR2, WINCH or KILL)"},
	{"stop.signal", "term", EINVAL, "\"term\" is not known here (TERM, INT, QUIT, HUP, USR1, USR2, WINCH or KILL)"},
	{"stop.signal", "99", EINVAL, "\"99\" is not known here (TERM, INT, QUIT, HUP, USR1, USR2, WINCH or KILL)"},
	{"stop.busy_signal", "KILL", EINVAL, "\"KILL\" is not known here (none, USR1 or TERM)"},
	{"stop.busy_signal", "0", EINVAL, "\"0\" is not known here (none, USR1 or TERM)"},
	{"stop.busy_signal", "SIGnone", EINVAL, "\"SIGnone\" is not known here (none, USR1 or TERM)"},
	{"socket.private", "yes", EINVAL, "\"yes\" is no switch (true or false)"},
	{"socket.private", "1", EINVAL, "\"1\" is no switch (true or false)"},
	/* What people write who know other programs. */
	{"workers.max", "1_000", EINVAL, "\"1_000\" is no whole number (1 to 4096)"},
	{"workers.max", "1e3", EINVAL, "\"1e3\" is no whole number (1 to 4096)"},
	{"workers.max", "1.0", EINVAL, "\"1.0\" is no whole number (1 to 4096)"},
	{"workers.max", "+1", EINVAL, "\"+1\" is no whole number (1 to 4096)"},
	{"workers.max", "0o10", EINVAL, "\"0o10\" is no whole number (1 to 4096)"},
	{"workers.max", "true", EINVAL, "\"true\" is no whole number (1 to 4096)"},
	{"workers.max", "null", EINVAL, "\"null\" is no whole number (1 to 4096)"},
	{"workers.max", "\xd9\xa1", EINVAL, "\"\xd9\xa1\" is no whole number (1 to 4096)"},
	{"queue.timeout", "1.5s", EINVAL, "\"1.5s\" is no duration (such as 250ms, 10s, 5m, 1h)"},
	{"queue.timeout", "1h30m", EINVAL, "\"1h30m\" is no duration (such as 250ms, 10s, 5m, 1h)"},
	{"queue.timeout", "10sec", EINVAL, "\"10sec\" is no duration (such as 250ms, 10s, 5m, 1h)"},
	{"queue.timeout", "10S", EINVAL, "\"10S\" is no duration (such as 250ms, 10s, 5m, 1h)"},
	{"queue.timeout", "infinity", EINVAL, "\"infinity\" is no duration (such as 250ms, 10s, 5m, 1h)"},
	{"queue.timeout", "off", EINVAL, "\"off\" is no duration (such as 250ms, 10s, 5m, 1h)"},
	{"queue.timeout", "1w", EINVAL, "\"1w\" is no duration (such as 250ms, 10s, 5m, 1h)"},
	{"limits.as", "1.5G", EINVAL, "\"1.5G\" is no size (such as 64K, 256M, 2G)"},
	{"limits.as", "64KB", EINVAL, "\"64KB\" is no size (such as 64K, 256M, 2G)"},
	{"limits.as", "64KiB", EINVAL, "\"64KiB\" is no size (such as 64K, 256M, 2G)"},
	{"limits.as", "512m", EINVAL, "\"512m\" is no size (such as 64K, 256M, 2G)"},
	{"limits.as", "64 K", EINVAL, "\"64 K\" is no size (such as 64K, 256M, 2G)"},
	{"limits.as", "unlimited", EINVAL, "\"unlimited\" is no size (such as 64K, 256M, 2G)"},
	{"limits.as", "0x10", EINVAL, "\"0x10\" is no size (such as 64K, 256M, 2G)"},
	{"socket.mode", "0o660", EINVAL, "\"0o660\" is no mode (octal digits, such as \"0660\")"},
	{"socket.mode", "888", EINVAL, "\"888\" is no mode (octal digits, such as \"0660\")"},
	{"socket.mode", "u=rw", EINVAL, "\"u=rw\" is no mode (octal digits, such as \"0660\")"},
	{"socket.mode", "-660", EINVAL, "\"-660\" is no mode (octal digits, such as \"0660\")"},
	{"socket.mode", "0x1b0", EINVAL, "\"0x1b0\" is no mode (octal digits, such as \"0660\")"},
	{"socket.private", "no", EINVAL, "\"no\" is no switch (true or false)"},
	{"socket.private", "on", EINVAL, "\"on\" is no switch (true or false)"},
	{"socket.private", "off", EINVAL, "\"off\" is no switch (true or false)"},
	{"socket.private", "y", EINVAL, "\"y\" is no switch (true or false)"},
	{"socket.private", "True", EINVAL, "\"True\" is no switch (true or false)"},
	{"socket.private", "TRUE", EINVAL, "\"TRUE\" is no switch (true or false)"},
	{"socket.private", "0", EINVAL, "\"0\" is no switch (true or false)"},
	{"stop.signal", "sigterm", EINVAL, "\"sigterm\" is not known here (TERM, INT, QUIT, HUP, USR1, USR2, WINCH or KILL)"},
	{"stop.signal", "RTMIN+3", EINVAL, "\"RTMIN+3\" is not known here (TERM, INT, QUIT, HUP, USR1, USR2, WINCH or KILL)"},
	{"stop.signal", "0", EINVAL, "\"0\" is not known here (TERM, INT, QUIT, HUP, USR1, USR2, WINCH or KILL)"},
	{"stop.signal", "-15", EINVAL, "\"-15\" is not known here (TERM, INT, QUIT, HUP, USR1, USR2, WINCH or KILL)"},
	{"stop.signal", "65", EINVAL, "\"65\" is not known here (TERM, INT, QUIT, HUP, USR1, USR2, WINCH or KILL)"},
	{"stop.signal", "SIG", EINVAL, "\"SIG\" is not known here (TERM, INT, QUIT, HUP, USR1, USR2, WINCH or KILL)"},
	{"stop.signal", "SIGSIGTERM", EINVAL, "\"SIGSIGTERM\" is not known here (TERM, INT, QUIT, HUP, USR1, USR2, WINCH or KILL)"},
	{"cgroup.pids_max", "10", ENOSYS, "\"10\" is not possible yet (leave it out)"},
	{"workers.max_requests", "x", EINVAL, "\"x\" is no whole number (0 to 4294967295)"},
	{"cgroup.memory_max", "1G", ENOSYS, "\"1G\" is not possible yet (leave it out)"},
};

static const struct refused texts[] = {
	{"workers.start", "fork", EINVAL, "\"fork\" is not known here (auto, exec or prefork)"},
	{"workers.start", "", EINVAL, "\"\" is not known here (auto, exec or prefork)"},
	{"workers.start", "EXEC", EINVAL, "\"EXEC\" is not known here (auto, exec or prefork)"},
	{"workers.start", "auto|exec", EINVAL, "\"auto|exec\" is not known here (auto, exec or prefork)"},
	{"workers.start", "prefork*", EINVAL, "\"prefork*\" is not known here (auto, exec or prefork)"},
	{"output", "stderr", EINVAL, "\"stderr\" is not known here (log, null or an absolute path)"},
	{"output", "a.log", EINVAL, "\"a.log\" is not known here (log, null or an absolute path)"},
	{"output", "/var//log", EINVAL,
	 "\"/var//log\" is no plain path (no \".\", \"..\" or empty parts, no control characters; such as /var/log/fcgipm/blog.log)"},
	{"log.target", "journald", EINVAL, "\"journald\" is not known here (stderr, syslog, journal or an absolute path)"},
	{"log.level", "loud", EINVAL, "\"loud\" is not known here (error, warn, info or debug)"},
	{"chroot", "srv", EINVAL, "\"srv\" is no absolute path (such as /srv/alice)"},
	{"chroot", "/srv/..", EINVAL, "\"/srv/..\" is no plain path (no \".\", \"..\" or empty parts, no control characters; such as /srv/alice)"},
	{"chroot", "/\x1b[m", EINVAL, "\"/\\u001b[m\" is no plain path (no \".\", \"..\" or empty parts, no control characters; such as /srv/alice)"},
	{"directory", "", EINVAL, "\"\" is no absolute path (such as /srv/alice)"},
	{"listen", "9000", EINVAL, "\"9000\" is no address (an absolute path, 127.0.0.1:9000 or \"[::1]:9000\")"},
	{"listen", "localhost:9000", EINVAL, "\"localhost:9000\" is no address (an absolute path, 127.0.0.1:9000 or \"[::1]:9000\")"},
	{"listen", "", EINVAL, "\"\" is no address (an absolute path, 127.0.0.1:9000 or \"[::1]:9000\")"},
	{"listen", "/" X107, EINVAL, "\"/" X60 "xxx...\" is too long for a socket (107 bytes at most)"},
	{"listen", "/a/", EINVAL, "\"/a/\" is no plain path (no \".\", \"..\" or empty parts, no control characters; such as /run/fcgipm/pools/blog.sock)"},
	{"user", "", EINVAL, "\"\" is no account (a name or a number)"},
	{"user", "-1", EINVAL, "\"-1\" is no account (a name or a number)"},
	{"user", " a", EINVAL, "\" a\" is no account (a name or a number)"},
	{"user", "a ", EINVAL, "\"a \" is no account (a name or a number)"},
	{"user", "a,b", EINVAL, "\"a,b\" is no account (a name or a number)"},
	{"user", "a:b", EINVAL, "\"a:b\" is no account (a name or a number)"},
	{"user", "@adm", EINVAL, "\"@adm\" is no account (a name or a number)"},
	{"user", "a\n", EINVAL, "\"a\\n\" is no account (a name or a number)"},
	{"environment_file", "env", EINVAL, "\"env\" is no absolute path (such as /srv/alice)"},
	{"command", "/bin/x", EINVAL, "\"/bin/x\" is no list (such as [a, b])"},
	{"environment", "A=b", EINVAL, "\"A=b\" is no list (such as [a, b])"},
	/* What is shown is not too long, and never half an escape. */
	{"user", X64 ":", EINVAL, "\"" X64 "...\" is no account (a name or a number)"},
	{"user", X60 "xxx:", EINVAL, "\"" X60 "xxx:\" is no account (a name or a number)"},
	{"user", "\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1", EINVAL,
	 "\"\\u0001\\u0001\\u0001\\u0001\\u0001\\u0001\\u0001\\u0001\\u0001\\u0001\\u0001\\u0001\\u0001\\u0001\\u0001\\u0001\\u0001\\u0001\\u0001\\u0001"
	 "\\u0001\\u0001\\u0001\\u0001\\u0001...\" is no account (a name or a number)"},
};

/* Refused with this text, and what was there before stays. */
static void check_refused(const struct refused *r, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct settings_table *t;
		const struct settings_row *row = find(r[i].key, &t);
		struct fp_err err = {.text = "taken"};
		char before[64] = "", after[64] = "";
		struct fp_text b = FP_TEXT(before), a = FP_TEXT(after);
		union any s = {0};

		assert_int_equal(settings_preset(&s, row, NULL), 0);
		add_value(&b, row, &s);
		settings_set(&s, row, r[i].written, &err);
		assert_string_equal(err.text, r[i].text);
		assert_int_equal(err.code, r[i].code);
		assert_int_equal(settings_set(&s, row, r[i].written, NULL), -r[i].code);
		add_value(&a, row, &s);
		assert_string_equal(after, before);
		settings_clear(&s, row);
	}
}

static void test_refused_numbers(void **state)
{
	(void)state;
	check_refused(numbers, sizeof(numbers) / sizeof(numbers[0]));
}

static void test_refused_texts(void **state)
{
	(void)state;
	check_refused(texts, sizeof(texts) / sizeof(texts[0]));
}

/* All items but the last are taken; wrong: what is said of the last, NULL: it is taken too, and value is the list. */
static const struct {
	const char *key, *items[5], *wrong, *value;
} lists[] = {
	{"command", {"/bin/x", "-a", "", "b c"}, NULL, "[/bin/x, \"-a\", \"\", \"b c\"]"},
	{"command", {"x"}, "\"x\" is no absolute path (such as /usr/bin/php-cgi)", NULL},
	{"command", {""}, "\"\" is no absolute path (such as /usr/bin/php-cgi)", NULL},
	{"groups", {"adm", "1000"}, NULL, "[adm, 1000]"},
	{"groups", {"adm", "@adm"}, "\"@adm\" is no account (a name or a number)", NULL},
	{"groups", {""}, "\"\" is no account (a name or a number)", NULL},
	{"frontends", {"www-data", "@hosting"}, NULL, "[www-data, \"@hosting\"]"},
	{"frontends", {"@domain users", "alice@example.com"}, NULL, "[\"@domain users\", \"alice@example.com\"]"},
	{"frontends", {"@ a"}, "\"@ a\" is nobody (a user, or a group as \"@group\")", NULL},
	{"frontends", {"@"}, "\"@\" is nobody (a user, or a group as \"@group\")", NULL},
	{"frontends", {"@@a"}, "\"@@a\" is nobody (a user, or a group as \"@group\")", NULL},
	{"control.operators", {"root", "a:b"}, "\"a:b\" is nobody (a user, or a group as \"@group\")", NULL},
	{"inherit_environment", {"TZ", "LANG"}, NULL, "[TZ, LANG]"},
	{"inherit_environment", {"TZ=x"}, "\"TZ=x\" is no name of a variable (no blanks, no \"=\"; such as APP_ENV)", NULL},
	{"inherit_environment", {""}, "\"\" is no name of a variable (no blanks, no \"=\"; such as APP_ENV)", NULL},
	{"environment", {"B=2", "A=1", "C="}, NULL, "\n  \"A\": \"1\"\n  \"B\": \"2\"\n  \"C\": \"\""},
	{"environment", {"AB=1", "A=1", "A.B=2", "A=3"}, NULL, "\n  \"A\": \"3\"\n  \"A.B\": \"2\"\n  \"AB\": \"1\""}, /* the last of a name */
	{"environment", {"A==\n"}, NULL, "\n  \"A\": \"=\\n\""},
	{"environment", {"A"}, "\"A\" is no name of a variable (no blanks, no \"=\"; such as APP_ENV)", NULL},
	{"environment", {"=1"}, "\"\" is no name of a variable (no blanks, no \"=\"; such as APP_ENV)", NULL},
	{"environment", {"A B=1"}, "\"A B\" is no name of a variable (no blanks, no \"=\"; such as APP_ENV)", NULL},
	{"sandbox.capabilities", {"CAP_NET_RAW", "net_admin", "cap_lease"}, NULL, "[CAP_NET_RAW, net_admin, cap_lease]"},
	{"sandbox.capabilities", {"CAP_FLY"}, "\"CAP_FLY\" is no capability (such as CAP_NET_BIND_SERVICE)", NULL},
	{"sandbox.capabilities", {"CAP_"}, "\"CAP_\" is no capability (such as CAP_NET_BIND_SERVICE)", NULL},
	{"sandbox.capabilities", {"net_raw", "SYS_ADMIN"}, "\"SYS_ADMIN\" amounts to root (such as CAP_NET_BIND_SERVICE)", NULL},
};

static void test_lists(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		const struct settings_table *t;
		const struct settings_row *row = find(lists[i].key, &t);
		struct fp_err err = {.text = ""};
		char buf[128] = "";
		struct fp_text value = FP_TEXT(buf);
		union any s = {0};
		int r = 0;

		for (unsigned k = 0; lists[i].items[k] != NULL; k++) {
			assert_int_equal(r, 0);
			r = settings_add(&s, row, lists[i].items[k], &err);
		}
		assert_string_equal(err.text, lists[i].wrong != NULL ? lists[i].wrong : "");
		assert_int_equal(r, lists[i].wrong != NULL ? -EINVAL : 0);
		add_value(&value, row, &s);
		if (lists[i].wrong == NULL)
			assert_string_equal(buf, lists[i].value);
		settings_clear(&s, row);
	}
}

static void test_longest_lists(void **state)
{
	enum { LONGEST = 128 << 10 };
	static char text[LONGEST + 1] = "/";
	struct pool_settings s = {0};
	const struct settings_row *command = settings_find(&settings_pool_table, "command"), *groups = settings_find(&settings_pool_table, "groups");
	struct fp_err long_item = {0}, many = {0}, many_groups = {0};

	(void)state;
	memset(text + 1, 'x', LONGEST - 1);
	assert_int_equal(settings_add(&s, command, text, &long_item), -E2BIG);
	assert_string_equal(long_item.text, "\"/" X60 "xxx...\" is too long (131071 bytes at most)");
	text[LONGEST - 1] = '\0';
	for (int i = 0; i < SPEC_ARGS_MAX; i++)
		assert_int_equal(settings_add(&s, command, i == 0 ? text : "x", NULL), 0);
	assert_int_equal(settings_add(&s, command, "x", &many), -E2BIG);
	assert_string_equal(many.text, "too many arguments (1024 at most)");
	for (int i = 0; i < 4096; i++)
		assert_int_equal(settings_add(&s, groups, "adm", NULL), 0);
	assert_int_equal(settings_add(&s, groups, "adm", &many_groups), -E2BIG);
	assert_string_equal(many_groups.text, "too many of them (4096 at most)");
	assert_int_equal(s.command.count, SPEC_ARGS_MAX);
	assert_int_equal(s.groups.count, 4096);
	settings_pool_free(&s);
}

static void test_capability_bits(void **state)
{
	struct pool_settings s = {0};
	const struct settings_row *row = settings_find(&settings_pool_table, "sandbox.capabilities");

	(void)state;
	assert_true(settings_capability_bits(&s.sandbox_capabilities) == 0);
	settings_add(&s, row, "CAP_NET_BIND_SERVICE", NULL);
	settings_add(&s, row, "net_raw", NULL);
	assert_true(settings_capability_bits(&s.sandbox_capabilities) == ((1u << 10) | (1u << 13)));
	settings_pool_free(&s);
	assert_int_equal(settings_capability("CAP_CHOWN"), 0);
	assert_int_equal(settings_capability("checkpoint_restore"), 40);
	assert_int_equal(settings_capability("CAP_CAP_CHOWN"), -EINVAL);
	assert_int_equal(settings_capability("CHOW"), -EINVAL);
	assert_int_equal(settings_capability(""), -EINVAL);
}

static void test_find(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < settings_pool_table.count; i++)
		assert_ptr_equal(settings_find(&settings_pool_table, settings_pool_table.rows[i].key), &settings_pool_table.rows[i]);
	for (uint32_t i = 0; i < settings_manager_table.count; i++)
		assert_ptr_equal(settings_find(&settings_manager_table, settings_manager_table.rows[i].key), &settings_manager_table.rows[i]);
	assert_null(settings_find(&settings_pool_table, ""));
	assert_null(settings_find(&settings_pool_table, "workers"));
	assert_null(settings_find(&settings_pool_table, "workers.maxx"));
	assert_null(settings_find(&settings_manager_table, "workers.max"));
}

/* Every default is what the table says, whatever was there before, and one that an administrator may write. */
static void test_presets(void **state)
{
	struct pool_settings s = {0};
	struct manager_settings m = {0};
	struct fp_err err = {.text = ""};

	(void)state;
	for (int twice = 0; twice < 2; twice++) {
		settings_preset_all(&s, &settings_pool_table, &err);
		settings_preset_all(&m, &settings_manager_table, &err);
		assert_string_equal(err.text, "");
		assert_true(s.workers_min == 1 && s.workers_max == 16 && s.queue_limit == 511);
		assert_true(s.queue_timeout == 30000 && s.restart_delay == 100 && s.workers_max_lifetime == 0);
		assert_true(s.umask == 027 && s.socket_mode == 0660 && s.stop_signal == SIGTERM && s.stop_busy_signal == 0);
		assert_true(s.sandbox_no_new_privileges && !s.socket_private);
		assert_string_equal(s.workers_start, "auto");
		assert_string_equal(s.user, ""); /* must be given */
		assert_string_equal(s.chroot, "");
		assert_true(s.command.count == 0 && s.environment.count == 0);
		assert_int_equal(m.max_workers, 512);
		assert_int_equal(m.control_observers.count, 1);
		assert_string_equal(m.control_observers.items[0], "@adm");
		assert_string_equal(m.log_target, "stderr");
		settings_add(&m, settings_find(&settings_manager_table, "control.observers"), "alice", NULL);
		settings_add(&s, settings_find(&settings_pool_table, "environment"), "A=1", NULL);
		settings_set(&s, settings_find(&settings_pool_table, "chroot"), "/srv", NULL);
		settings_set(&s, settings_find(&settings_pool_table, "workers.max"), "7", NULL);
		assert_int_equal(s.workers_max, 7);
	}
	settings_pool_free(&s);
	settings_manager_free(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_taken),           cmocka_unit_test(test_members), cmocka_unit_test(test_refused_numbers),
		cmocka_unit_test(test_refused_texts),   cmocka_unit_test(test_lists),   cmocka_unit_test(test_longest_lists),
		cmocka_unit_test(test_capability_bits), cmocka_unit_test(test_find),    cmocka_unit_test(test_presets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
