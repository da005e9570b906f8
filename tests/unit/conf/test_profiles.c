/* Profiles of the exec broker: every error and warning that one can have, with its whole text, and what becomes of a good one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/conf/world.h"

struct fault {
	const char *yaml, *text;
};

/* A profile that is right, for what is to be wrong in it. */
#define CGI   "exec:\n  cgi:\n    roots: [/srv/cgi]\n"
#define ALICE CGI "    user: alice\n"

static const struct fault keys[] = {
	{CGI, ""},
	{ALICE, ""},
	{"exec: {}\n", ""},
	{"exec:\npools: {}\n", ""},
	{"pools: {}\n" CGI, ""},
	{"exec: [a]\n", "p.yaml:1:7: exec: not a mapping (NAME: and its keys)\n"},
	{"exec: {cgi: b}\n", "p.yaml:1:8: exec.cgi: no roots (where the programs are, such as roots: [/usr/lib/cgi-bin])\n"
			     "p.yaml:1:13: exec.cgi: not a mapping (KEY: VALUE lines)\n"},
	{"exec: {cgi: {}}\n", "p.yaml:1:8: exec.cgi: no roots (where the programs are, such as roots: [/usr/lib/cgi-bin])\n"},
	{"exec: {cgi: {roots: []}}\n", "p.yaml:1:21: exec.cgi.roots: an empty list (such as [/usr/lib/cgi-bin])\n"},
	{"exec: {cgi: {roots: }}\n", "p.yaml:1:14: exec.cgi.roots: an empty list (such as [/usr/lib/cgi-bin])\n"},
	{"exec: {cgi: {roots: /srv}}\n", "p.yaml:1:21: exec.cgi.roots: not a list (such as [\"/srv\"])\n"},
	{"exec: {local: {roots: [/srv]}}\n", "p.yaml:1:8: exec.local: reserved: a web server that is told so runs the program itself (another name)\n"},
	{"exec: {a@b: {}}\n", "p.yaml:1:8: exec: \"a@b\" is no name for a profile (a-z, 0-9, \".\", \"_\", \"-\", at most 63, a letter or digit first)\n"},
	{"exec: {CGI: {}}\n", "p.yaml:1:8: exec: \"CGI\" is no name for a profile (a-z, 0-9, \".\", \"_\", \"-\", at most 63, a letter or digit first)\n"},
	{CGI "  cgi: {}\n", "p.yaml:4:3: exec.cgi: given twice (first in line 2; keep one)\n"},
	{CGI "    rots: []\n", "p.yaml:4:5: exec.cgi.rots: unknown key (did you mean \"roots\"?)\n"},
	{CGI "    zebra: []\n", "p.yaml:4:5: exec.cgi.zebra: unknown key (fcgipm.yaml(5) lists those that there are)\n"},
	{CGI "    arguments: {mx: 3}\n", "p.yaml:4:17: exec.cgi.arguments.mx: unknown key (did you mean \"max\"?)\n"},
	{CGI "    arguments: {zebra: 3}\n", "p.yaml:4:17: exec.cgi.arguments.zebra: unknown key (max or allow)\n"},
	{CGI "    arguments.max: 3\n", "p.yaml:4:5: exec.cgi.arguments.max: unknown key (write it as arguments: {max: ...})\n"},
	{CGI "    queue: 3\n", "p.yaml:4:12: exec.cgi.queue: not a mapping (KEY: VALUE lines)\n"},
	{"defaults: {roots: [/srv]}\n", "p.yaml:1:12: defaults.roots: unknown key (fcgipm.yaml(5) lists those that there are)\n"},
	{"exec: {cgi: {roots: [/srv], command: [/x]}}\n", "p.yaml:1:29: exec.cgi.command: unknown key (fcgipm.yaml(5) lists those that there are)\n"},
	{"exce: {}\n", "p.yaml:1:1: exce: unknown key (did you mean \"exec\"?)\n"},
};

#define EXPECT_NAME "is no name of a variable (no blanks, no \"=\", \"*\" at the end alone; such as TZ or LC_*)\n"
static const struct fault values[] = {
	{"exec: {cgi: {roots: [srv]}}\n", "p.yaml:1:22: exec.cgi.roots: \"srv\" is no absolute path (such as /usr/lib/cgi-bin)\n"},
	{"exec: {cgi: {roots: [/srv, /]}}\n", "p.yaml:1:28: exec.cgi.roots: \"/\" would be every program (such as /usr/lib/cgi-bin)\n"},
	{"exec: {cgi: {roots: [\"/srv/[a\"]}}\n",
	 "p.yaml:1:22: exec.cgi.roots: \"/srv/[a\" is no pattern (a \"[\" without its \"]\", or a backslash; *, ? and [...] within one component)\n"},
	{CGI "    environment_allow: [A=b]\n", "p.yaml:4:25: exec.cgi.environment_allow: \"A=b\" " EXPECT_NAME},
	{CGI "    environment_allow: [LD_PRELOAD]\n", "p.yaml:4:25: exec.cgi.environment_allow: \"LD_PRELOAD\" is the loader's (no client may give that)\n"},
	{CGI "    environment: {A: x, LD_PRELOAD: /x.so}\n", "p.yaml:4:25: exec.cgi.environment.LD_PRELOAD: the loader's (no profile may set that)\n"},
	{CGI "    environment: {\"a b\": c}\n", "p.yaml:4:19: exec.cgi.environment: \"a b\" is no name of a variable (no blanks, no \"=\"; such as APP_ENV)\n"},
	{CGI "    arguments: {allow: [\"\"]}\n", "p.yaml:4:25: exec.cgi.arguments.allow: \"\" is no pattern (1 to 4095 bytes, such as --*)\n"},
	{CGI "    arguments: {max: 1024}\n", "p.yaml:4:22: exec.cgi.arguments.max: 1024 exceeds 1023 (0 to 1023)\n"},
	{CGI "    file_owner: me\n", "p.yaml:4:17: exec.cgi.file_owner: \"me\" is not known here (run, root, run_or_root or any)\n"},
	{CGI "    file_group: root\n", "p.yaml:4:17: exec.cgi.file_group: \"root\" is not known here (any or run)\n"},
	{CGI "    worker_clients: yes\n", "p.yaml:4:21: exec.cgi.worker_clients: \"yes\" is no switch (true or false)\n"},
	{CGI "    min_uid: 0\n", "p.yaml:4:14: exec.cgi.min_uid: 0 is below 1 (1 to 2147483647)\n"},
	{CGI "    min_gid: 0\n", "p.yaml:4:14: exec.cgi.min_gid: 0 is below 1 (1 to 2147483647)\n"},
	{CGI "    chroot: srv\n", "p.yaml:4:13: exec.cgi.chroot: \"srv\" is no absolute path (such as /srv/alice)\n"},
	{CGI "    timeout: 10\n", "p.yaml:4:14: exec.cgi.timeout: \"10\" is no duration (such as 250ms, 10s, 5m, 1h)\n"},
	{CGI "    max_running: 0\n", "p.yaml:4:18: exec.cgi.max_running: 0 is below 1 (1 to 4096)\n"},
	{CGI "    queue: {limit: 65536}\n", "p.yaml:4:20: exec.cgi.queue.limit: 65536 exceeds 65535 (0 to 65535)\n"},
	{CGI "    sandbox: {capabilities: [SYS_ADMIN]}\n",
	 "p.yaml:4:30: exec.cgi.sandbox.capabilities: \"SYS_ADMIN\" amounts to root (such as CAP_NET_BIND_SERVICE)\n"},
	{CGI "    user: \"a:b\"\n    group: bob\n", "p.yaml:4:11: exec.cgi.user: \"a:b\" is no account (a name or a number)\n"}, /* and nothing of group */
	{CGI "    user: [alice]\n    groups: [bob]\n", "p.yaml:4:11: exec.cgi.user: a list (one value belongs here)\n"},
};

static const struct fault accounts[] = {
	{CGI "    user: zebra\n", "p.yaml:4:11: exec.cgi.user: user \"zebra\" does not exist (useradd makes it; or another name or number)\n"},
	{CGI "    user: 4294967295\n", "p.yaml:4:11: exec.cgi.user: user \"4294967295\" is no number of an account (0 to 4294967294)\n"},
	{CGI "    user: 4711\n", "p.yaml:4:11: exec.cgi.user: a number without an account has no primary group (give group as well)\n"},
	{CGI "    user: 4711\n    group: alice\n", ""},
	{CGI "    user: root\n", "p.yaml:4:11: exec.cgi.user: root (an account without privileges)\n"},
	{CGI "    user: carol\n", "p.yaml:4:11: exec.cgi.user: group 0 (a group without privileges)\n"},
	{CGI "    user: fcgipm\n", "p.yaml:4:11: exec.cgi.user: fcgipm's own account (an account of the programs' own)\n"},
	{CGI "    user: \"991\"\n", "p.yaml:4:11: exec.cgi.user: fcgipm's own account (an account of the programs' own)\n"},
	{ALICE "    group: zebra\n", "p.yaml:5:12: exec.cgi.group: group \"zebra\" does not exist (groupadd makes it; or another name or number)\n"},
	{ALICE "    group: root\n", "p.yaml:5:12: exec.cgi.group: group 0 (a group without privileges)\n"},
	{ALICE "    group: fcgipm-conf\n", "p.yaml:5:12: exec.cgi.group: fcgipm's own group (a group of the programs' own)\n"},
	{ALICE "    groups: [bob, root]\n", "p.yaml:5:19: exec.cgi.groups: group 0 (a group without privileges)\n"},
	{ALICE "    groups: [fcgipm]\n", "p.yaml:5:14: exec.cgi.groups: fcgipm's own group (a group of the programs' own)\n"},
	{ALICE "    groups: [zebra]\n", "p.yaml:5:14: exec.cgi.groups: group \"zebra\" does not exist (groupadd makes it; or another name or number)\n"},
	{CGI "    group: alice\n", "p.yaml:4:12: exec.cgi.group: not with user: owner: a program runs in the group that it belongs to (leave it out, or name a "
				   "user)\n"},
	{CGI "    user: owner\n    groups: [alice]\n", "p.yaml:5:13: exec.cgi.groups: not with user: owner (leave it out, or name a user)\n"},
	{CGI "    user: owner\n    group: \"\"\n    groups: []\n", ""}, /* as a dump has it */
	{CGI "    clients: [zebra]\n", "p.yaml:4:15: exec.cgi.clients: user \"zebra\" does not exist (useradd makes it; or another name or number)\n"},
	{CGI "    clients: [alice, \"@zebra\"]\n",
	 "p.yaml:4:22: exec.cgi.clients: group \"zebra\" does not exist (groupadd makes it; or another name or number)\n"},
	/* A default gives way to the account that is named; what is given does not. */
	{CGI "    user: www-data\n    clients: [bob]\n",
	 "p.yaml:4:11: warning: exec.cgi.user: www-data is also in manager.control.frontends: its programs may connect "
	 "to every pool\n"},
	{ALICE "    min_uid: 1001\n", "p.yaml:4:11: exec.cgi.user: alice has uid 1000, below min_uid, 1001 (another account, or a lower min_uid)\n"},
	{ALICE "    min_uid: 1000\n    min_gid: 1000\n", ""},
	{ALICE "    min_gid: 1001\n", "p.yaml:4:11: exec.cgi.user: alice has gid 1000, below min_gid, 1001 (another account, or a lower min_gid)\n"},
	{ALICE "    group: adm\n", ""},
	{ALICE "    group: adm\n    min_gid: 100\n", "p.yaml:5:12: exec.cgi.group: adm has gid 4, below min_gid, 100 (another account, or a lower min_gid)\n"},
};

#define POOL "pools:\n  blog:\n    command: [/bin/x]\n    user: alice\n"
static const struct fault warnings[] = {
	{CGI "    clients: []\n", "p.yaml:4:14: warning: exec.cgi.clients: nobody may have a program run (a user, or a group as \"@group\")\n"},
	{CGI "    environment: {A-B: x}\n",
	 "p.yaml:4:19: warning: exec.cgi.environment.A-B: a name that shells and most languages cannot read (letters, digits and _, no digit first)\n"},
	{CGI "    environment: {PATH: \"bin:/bin\"}\n",
	 "p.yaml:4:19: warning: exec.cgi.environment.PATH: a part is not absolute, so programs are looked for in the working directory, too (absolute "
	 "directories alone)\n"},
	{"manager: {control: {operators: [root, alice]}}\n" ALICE,
	 "p.yaml:5:11: warning: exec.cgi.user: alice is also in manager.control.operators: its programs may change every pool\n"},
	{POOL CGI "    clients: [alice]\n", "p.yaml:4:11: warning: pools.blog.user: alice is also in exec.cgi.clients: only that they descend from fcgipm "
					    "keeps its workers from running programs of "
					    "that profile\n"},
	{POOL CGI "    clients: [\"@alice\"]\n    worker_clients: true\n",
	 "p.yaml:4:11: warning: pools.blog.user: alice is also in exec.cgi.clients, with worker_clients: its workers may run programs of that profile\n"},
	{POOL "    groups: [hosting]\n" CGI "    clients: [\"@hosting\"]\n", "p.yaml:4:11: warning: pools.blog.user: alice is also in exec.cgi.clients: only "
									     "that they descend from fcgipm keeps its workers from running programs of "
									     "that profile\n"},
	{POOL CGI "    clients: [bob]\n", ""},
};

static const struct fault ordinary[] = {
	{CGI, ""},
	{CGI "    user: bob\n    group: bob\n", ""},
	{CGI "    user: alice\n", "p.yaml:4:11: warning: exec.cgi.user: alice is not you (without root every program runs as you)\n"},
	{CGI "    user: bob\n    group: alice\n", "p.yaml:5:12: warning: exec.cgi.group: alice is not your group (without root it is)\n"},
	{CGI "    user: bob\n    groups: [hosting]\n", "p.yaml:5:13: warning: exec.cgi.groups: needs root (left as yours are)\n"},
	{CGI "    chroot: /srv\n", "p.yaml:4:13: warning: exec.cgi.chroot: needs root (no program will run)\n"},
	{CGI "    sandbox: {capabilities: [net_raw]}\n", "p.yaml:4:29: warning: exec.cgi.sandbox.capabilities: needs root (no program will run)\n"},
	{CGI "    min_uid: 2000\n", "p.yaml:2:3: exec.cgi.user: bob has uid 1001, below min_uid, 2000 (another account, or a lower min_uid)\n"},
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

static void test_keys(void **state)
{
	(void)state;
	CHECK(keys, world_of_root());
}

static void test_values(void **state)
{
	(void)state;
	CHECK(values, world_of_root());
}

static void test_accounts(void **state)
{
	(void)state;
	CHECK(accounts, world_of_root());
}

static void test_warnings(void **state)
{
	(void)state;
	CHECK(warnings, world_of_root());
}

static void test_ordinary_user(void **state)
{
	(void)state;
	CHECK(ordinary, world_of_bob());
}

/* One name in two files. */
static void test_given_twice(void **state)
{
	static const char first[] = CGI, second[] = "exec: {git: {roots: [/srv]}, cgi: {roots: [/srv]}}\npools: {}\n";
	struct judged g;

	(void)state;
	judged_begin(&g, world_of_root());
	conf_job_add(g.job, "p.yaml", first, strlen(first));
	conf_job_add(g.job, "q.yaml", second, strlen(second));
	judged_end(&g);
	assert_string_equal(g.text.at, "q.yaml:1:30: exec.cgi: given twice (first in p.yaml line 2; keep one)\n");
	judged_free(&g);
}

/* A variable that no program could get. */
static void test_too_long(void **state)
{
	static char yaml[150000];
	struct fp_text t = FP_TEXT(yaml);
	struct judged g;

	(void)state;
	fp_text_add(&t, CGI "    environment: {A: ");
	memset(yaml + t.len, 'x', 140000);
	strcpy(yaml + t.len + 140000, "}\n");
	judge_text(&g, world_of_root(), yaml, strlen(yaml));
	assert_string_equal(g.text.at, "p.yaml:2:3: exec.cgi: a profile's spec: environment too large\n");
	judged_free(&g);
}

/* ---- what comes out ---- */

struct made {
	struct judged g;
	struct spec_file f;
	void *bytes;
};

static void make(struct made *m, struct conf_world world, const char *yaml)
{
	size_t len;

	judge_text(&m->g, world, yaml, strlen(yaml));
	assert_int_equal(m->g.errors, 0);
	assert_int_equal(conf_job_spec(m->g.job, &m->bytes, &len), 0);
	assert_int_equal(spec_file_decode(m->bytes, len, &m->f, NULL), 0);
}

static void made_free(struct made *m)
{
	spec_file_free(&m->f);
	free(m->bytes);
	judged_free(&m->g);
}

static void test_defaults(void **state)
{
	struct made m;
	struct spec_profile p;

	(void)state;
	make(&m, world_of_root(),
	     "exec: {git: {roots: [/usr/lib/git-core/git-http-backend], user: www-data, clients: [bob]}, cgi: {roots: [/srv/cgi, /home/*/cgi]}}\n");
	assert_int_equal(m.f.profile_count, 2);
	assert_int_equal(m.f.pool_count, 0);
	assert_int_equal(spec_profile_decode(m.f.profiles[0], &p, NULL), 0);
	assert_string_equal(p.name, "cgi");
	assert_string_equal(p.roots[1], "/home/*/cgi");
	assert_null(p.roots[2]);
	assert_true(p.owner && p.groups.count == 0 && p.min_uid == 1000 && p.min_gid == 100);
	assert_true(p.max_arguments == 64 && p.arguments[0] == NULL && p.allow[0] == NULL);
	assert_string_equal(p.envp[0], "PATH=/usr/local/bin:/usr/bin:/bin");
	assert_null(p.envp[1]);
	assert_true(p.file_owner == SPEC_FILE_OF_RUN_OR_ROOT && !p.file_group);
	assert_true(p.client_uids.count == 1 && p.client_uids.ids[0] == 33 && p.client_gids.count == 0);
	assert_true(!p.worker_clients && !p.outlives_client && !p.leaves_descendants && p.no_new_privileges);
	assert_true(p.chroot[0] == '\0' && p.directory[0] == '\0' && p.umask == 022 && p.nice == 0 && p.capabilities == 0);
	assert_true(p.limits[SPEC_LIMIT_NOFILE] == 1024 && p.limits[SPEC_LIMIT_NPROC] == SPEC_LIMIT_INHERIT && p.limits[SPEC_LIMIT_CORE] == 0);
	assert_true(p.limits[SPEC_LIMIT_AS] == SPEC_LIMIT_INHERIT && p.limits[SPEC_LIMIT_CPU] == SPEC_LIMIT_INHERIT);
	assert_true(p.timeout_ms == 60000 && p.stop_timeout_ms == 3000 && p.max_running == 64 && p.queue_limit == 511);
	spec_profile_free(&p);
	assert_int_equal(spec_profile_decode(m.f.profiles[1], &p, NULL), 0);
	assert_string_equal(p.name, "git");
	assert_true(!p.owner && p.uid == 33 && p.gid == 33 && p.min_uid == 33 && p.min_gid == 33);
	assert_true(p.client_uids.ids[0] == 1001);
	spec_profile_free(&p);
	made_free(&m);
}

static void test_every_key(void **state)
{
	struct made m;
	struct spec_profile p;

	(void)state;
	make(&m, world_of_root(),
	     ALICE "    group: hosting\n    groups: [bob, \"4\"]\n    clients: [bob, \"@adm\"]\n    worker_clients: true\n    outlives_client: true\n"
		   "    leaves_descendants: true\n    file_owner: any\n    file_group: run\n    min_uid: 500\n    min_gid: 3\n    chroot: /srv\n"
		   "    directory: /www\n    umask: \"0077\"\n    environment: {B: x, PATH: /bin}\n    environment_allow: [TZ, LC_*]\n"
		   "    arguments: {max: 3, allow: [\"--*\"]}\n    limits: {nofile: 0, nproc: 7, core: 1K, as: 1G, cpu: 1500ms}\n    priority: {nice: 5}\n"
		   "    sandbox: {no_new_privileges: false, capabilities: [net_bind_service]}\n    timeout: 0\n    stop: {timeout: 0}\n    max_running: 9\n"
		   "    queue: {limit: 0}\n");
	assert_int_equal(spec_profile_decode(m.f.profiles[0], &p, NULL), 0);
	assert_true(!p.owner && p.uid == 1000 && p.gid == 2000 && p.groups.count == 2 && p.groups.ids[0] == 1001 && p.groups.ids[1] == 4);
	assert_true(p.client_uids.count == 1 && p.client_uids.ids[0] == 1001 && p.client_gids.count == 1 && p.client_gids.ids[0] == 4);
	assert_true(p.worker_clients && p.outlives_client && p.leaves_descendants && !p.no_new_privileges);
	assert_true(p.file_owner == SPEC_FILE_OF_ANY && p.file_group && p.min_uid == 500 && p.min_gid == 3 && p.umask == 077);
	assert_string_equal(p.chroot, "/srv");
	assert_string_equal(p.directory, "/www");
	assert_string_equal(p.envp[0], "B=x");
	assert_string_equal(p.envp[1], "PATH=/bin");
	assert_null(p.envp[2]);
	assert_string_equal(p.allow[1], "LC_*");
	assert_string_equal(p.arguments[0], "--*");
	assert_int_equal(p.max_arguments, 3);
	assert_true(p.limits[0] == SPEC_LIMIT_INHERIT && p.limits[1] == 7 && p.limits[2] == 1024 && p.limits[3] == UINT64_C(1) << 30 && p.limits[4] == 2);
	assert_true(p.nice == 5 && p.capabilities == UINT64_C(1) << 10 && p.timeout_ms == 0 && p.stop_timeout_ms == 0);
	assert_true(p.max_running == 9 && p.queue_limit == 0);
	spec_profile_free(&p);
	made_free(&m);
}

static void test_spec_of_an_ordinary_user(void **state)
{
	struct conf_world low = world_of_bob();
	struct made m;
	struct spec_profile p;

	(void)state;
	low.uid = low.gid = 33;
	make(&m, world_of_bob(), CGI);
	assert_int_equal(spec_profile_decode(m.f.profiles[0], &p, NULL), 0);
	assert_true(p.owner && p.client_uids.count == 1 && p.client_uids.ids[0] == 1001 && p.min_uid == 1000 && p.min_gid == 100);
	spec_profile_free(&p);
	made_free(&m);
	make(&m, low, CGI);
	assert_int_equal(spec_profile_decode(m.f.profiles[0], &p, NULL), 0);
	assert_true(p.owner && p.client_uids.ids[0] == 33 && p.min_uid == 33 && p.min_gid == 33);
	spec_profile_free(&p);
	made_free(&m);
}

/* Read again and dumped again, as root and as bob; what would change by that, the defaults that follow from an account, stands in it. */
static void test_dump_of_a_dump(void **state)
{
	static const char *const yamls[] = {
		CGI,
		ALICE,
		CGI "    user: www-data\n    clients: [bob]\n    environment: {TOKEN: Xyzzy42}\n",
		"exec: {b: {roots: [/srv]}, a: {roots: [\"/home/*/[a-c]\"], arguments: {allow: [\"*\", \"-\"]}, environment_allow: [LC_*]}}\n",
		"pools: {}\n",
	};

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(yamls) / sizeof(yamls[0]); i++) {
		struct conf_world world = i % 2 == 0 ? world_of_root() : world_of_bob();
		struct fp_doc first = {.at = NULL}, second = {.at = NULL};
		struct judged g, again;

		judge_text(&g, world, yamls[i / 2], strlen(yamls[i / 2]));
		conf_job_dump(g.job, &first);
		assert_null(strstr(first.at, "Xyzzy42"));
		assert_non_null(strstr(first.at, i / 2 == 4 ? "\nexec: {}\n" : "\nexec:\n  "));
		judge_text(&again, world, first.at, first.len);
		assert_int_equal(again.errors, 0);
		conf_job_dump(again.job, &second);
		assert_string_equal(second.at, first.at);
		fp_doc_fini(&first);
		fp_doc_fini(&second);
		judged_free(&g);
		judged_free(&again);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys),           cmocka_unit_test(test_values),
		cmocka_unit_test(test_accounts),       cmocka_unit_test(test_warnings),
		cmocka_unit_test(test_ordinary_user),  cmocka_unit_test(test_given_twice),
		cmocka_unit_test(test_too_long),       cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_every_key),      cmocka_unit_test(test_spec_of_an_ordinary_user),
		cmocka_unit_test(test_dump_of_a_dump),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
