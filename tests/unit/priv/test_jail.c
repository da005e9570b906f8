/* From fork to exec, seen from inside: every line that the kernel says about the program that was started. */
#include "tests/unit/priv/jailed.h"

#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sys/capability.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

static struct jailed result;
static char dir[] = "/tmp/fcgipm-jail-XXXXXX";

static const char *const cat_status[] = {"/bin/cat", "/proc/self/status", NULL};
static const char *const list_fds[] = {"/bin/ls", "/proc/self/fd", NULL};

static void be_strange(struct priv_jail *j)
{
	sigset_t all;

	(void)j;
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGRTMAX, SIG_IGN);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	umask(0);
}

static void test_every_line(void **state)
{
	static const uint32_t groups[] = {OTHER, 64104};
	struct priv_jail j = jail_for(cat_status);

	(void)state;
	NEED_ROOT();
	j.groups = groups;
	j.group_count = 2;
	run_jailed(&j, be_strange, &result);
	expect_ran(&result);
	expect_line(result.out, "Uid:\t64101\t64101\t64101\t64101");
	expect_line(result.out, "Gid:\t64102\t64102\t64102\t64102");
	expect_line(result.out, "Groups:\t64103 64104 ");
	expect_line(result.out, "Umask:\t0027");
	expect_line(result.out, "NoNewPrivs:\t1");
	expect_line(result.out, "SigBlk:\t0000000000000000");
	expect_line(result.out, "SigIgn:\t0000000000000000");
	expect_line(result.out, "SigCgt:\t0000000000000000");
	expect_line(result.out, "CapInh:\t0000000000000000");
	expect_line(result.out, "CapPrm:\t0000000000000000");
	expect_line(result.out, "CapEff:\t0000000000000000");
	expect_line(result.out, "CapBnd:\t0000000000000000");
	expect_line(result.out, "CapAmb:\t0000000000000000");
}

static void test_no_groups(void **state)
{
	struct priv_jail j = jail_for(cat_status);

	(void)state;
	NEED_ROOT();
	run_jailed(&j, NULL, &result);
	expect_ran(&result);
	expect_line(result.out, "Groups:\t ");
}

static void test_ambient(void **state)
{
	struct priv_jail j = jail_for(cat_status);
	static const char *const sets[] = {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"};

	(void)state;
	NEED_ROOT();
	j.capabilities = 1ull << CAP_NET_BIND_SERVICE;
	run_jailed(&j, NULL, &result);
	expect_ran(&result);
	for (size_t i = 0; i < 5; i++) {
		char line[64];

		snprintf(line, sizeof(line), "%s:\t0000000000000400", sets[i]);
		expect_line(result.out, line);
	}
}

/* Process group, session and nice value are fields of one line. */
static void test_session_and_nice(void **state)
{
	static const char *const argv[] = {"/bin/cat", "/proc/self/stat", NULL};
	struct priv_jail j = jail_for(argv);
	int pid, pgrp, session;
	long nice;

	(void)state;
	NEED_ROOT();
	j.nice = 7;
	run_jailed(&j, NULL, &result);
	expect_ran(&result);
	assert_int_equal(sscanf(result.out, "%d (cat) R %*d %d %d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %ld", &pid, &pgrp, &session, &nice), 4);
	assert_int_equal(pgrp, pid);
	assert_int_equal(session, pid);
	assert_int_equal(nice, 7);
}

static void test_limits(void **state)
{
	static const char *const argv[] = {"/bin/sh", "-c", "ulimit -S -n; ulimit -H -n; ulimit -S -c; ulimit -H -c; ulimit -S -t", NULL};
	struct priv_jail j = jail_for(argv);

	(void)state;
	NEED_ROOT();
	j.limits[0].resource = RLIMIT_NOFILE;
	j.limits[0].value = 77;
	j.limits[1].resource = RLIMIT_CORE;
	j.limits[1].value = 0;
	j.limits[2].resource = RLIMIT_CPU;
	j.limits[2].value = 5;
	j.limit_count = 3;
	run_jailed(&j, NULL, &result);
	expect_ran(&result);
	assert_string_equal(result.out, "77\n77\n0\n0\n5\n");
}

/* The environment is what the field says, and argv[0] need not be the path. */
static void test_environment_and_argv(void **state)
{
	static const char *const argv[] = {"own-name", "/proc/self/environ", "/proc/self/cmdline", NULL};
	static const char *const envp[] = {"A=1", "B=two words", NULL};
	static const char expected[] = "A=1\0B=two words\0own-name\0/proc/self/environ\0/proc/self/cmdline";
	struct priv_jail j = jail_for(argv);

	(void)state;
	NEED_ROOT();
	j.path = "/bin/cat";
	j.envp = envp;
	run_jailed(&j, NULL, &result);
	expect_ran(&result);
	assert_memory_equal(result.out, expected, sizeof(expected));
}

/* Descriptors that nobody made close-on-exec, below, between and above those that are given. */
static void leak(struct priv_jail *j)
{
	static const int numbers[] = {3, 9, 17, 18, 19, 20, 21, 90};

	/* The jail's own first, out of the way of what is leaked. */
	for (unsigned i = 0; i < 3; i++)
		j->stdio[i] = fcntl(j->stdio[i], F_DUPFD, 100);
	j->report_fd = fcntl(j->report_fd, F_DUPFD_CLOEXEC, 100);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		dup2(j->stdio[1], numbers[i]);
}

static void test_no_other_descriptor(void **state)
{
	struct priv_jail j = jail_for(list_fds);

	(void)state;
	NEED_ROOT();
	run_jailed(&j, leak, &result);
	expect_ran(&result);
	assert_string_equal(result.out, "0\n1\n2\n3\n"); /* 3 is the directory that ls reads */
}

static int memfd_at(const char *name, int number)
{
	int fd = memfd_create(name, MFD_CLOEXEC);

	assert_true(fd >= 0);
	if (fd != number) {
		dup3(fd, number, O_CLOEXEC);
		close(fd);
	}
	return number;
}

/* Each one lies where another one is to go: 0 and 3 swapped, the report at 1, the program at 2. */
static void overlap(struct priv_jail *j)
{
	int out = fcntl(j->stdio[1], F_DUPFD_CLOEXEC, 100);
	int report = fcntl(j->report_fd, F_DUPFD_CLOEXEC, 100);

	dup3(out, 18, O_CLOEXEC);
	dup3(report, 1, O_CLOEXEC);
	j->stdio[0] = memfd_at("standard-input", 3);
	j->stdio[1] = j->stdio[2] = 18;
	j->keep[0] = memfd_at("kept", 0);
	j->keep_count = 1;
	j->keep_as = 3;
	j->report_fd = 1;
	j->exec_fd = 2;
	close(2);
	assert_int_equal(open("/bin/ls", O_RDONLY | O_CLOEXEC), 2);
}

static void test_overlapping_descriptors(void **state)
{
	static const char *const argv[] = {"ls", "-l", "/proc/self/fd/0", "/proc/self/fd/3", NULL};
	struct priv_jail j = jail_for(argv);

	(void)state;
	NEED_ROOT();
	run_jailed(&j, overlap, &result);
	expect_ran(&result);
	assert_non_null(strstr(result.out, "/proc/self/fd/0 -> /memfd:standard-input"));
	assert_non_null(strstr(result.out, "/proc/self/fd/3 -> /memfd:kept"));
}

static void overlap_and_fail(struct priv_jail *j)
{
	overlap(j);
	j->directory = "/nowhere";
}

/* The report arrives although its number was given away. */
static void test_report_survives_overlap(void **state)
{
	struct priv_jail j = jail_for(list_fds);

	(void)state;
	NEED_ROOT();
	run_jailed(&j, overlap_and_fail, &result);
	expect_step(&result, PRIV_STEP_DIRECTORY, ENOENT);
	assert_string_equal(result.out, "");
}

static void close_stdin_source(struct priv_jail *j)
{
	close(j->stdio[0]);
}

static void test_bad_descriptor(void **state)
{
	struct priv_jail j = jail_for(cat_status);

	(void)state;
	NEED_ROOT();
	run_jailed(&j, close_stdin_source, &result);
	expect_step(&result, PRIV_STEP_START, EBADF);
}

/* What root keeps in its session keyring is not the workers' to possess. */
static void test_keyring(void **state)
{
	static const char *const argv[] = {"/bin/cat", "/proc/keys", NULL};
	struct priv_jail j = jail_for(argv);
	long key;

	(void)state;
	NEED_ROOT();
	key = syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0
		      ? -1
		      : syscall(SYS_add_key, "user", "fcgipm-test-secret", "x", 1UL, KEY_SPEC_SESSION_KEYRING);
	if (key < 0) {
		print_message("skipped: no session keyrings here (%s)\n", strerror(errno));
		skip();
	}
	run_jailed(&j, NULL, &result);
	expect_ran(&result);
	assert_null(strstr(result.out, "fcgipm-test-secret"));
	syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL);
}

/* ---- where its memory lies ---- */

/* As most are started; the tests may not be. */
static void as_most_are_started(struct priv_jail *j)
{
	(void)personality(PER_LINUX);
	j->personality = priv_personality();
}

/* What personality(2) may be called with: 0 alone, as by LockPersonality= of systemd; 0 and the question, as in containers. */
static void let_personality_be(struct priv_jail *j, bool may_ask)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_personality, 0, 4),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, may_ask ? 0xffffffff : 0, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {.len = 7, .filter = code};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
		_exit(97);
	j->personality = priv_personality();
}

static void locked_personality(struct priv_jail *j)
{
	as_most_are_started(j);
	let_personality_be(j, false);
}

static void in_a_container(struct priv_jail *j)
{
	as_most_are_started(j);
	let_personality_be(j, true);
}

static void at_fixed_addresses(struct priv_jail *j)
{
	(void)personality(ADDR_NO_RANDOMIZE);
	j->personality = priv_personality();
}

static void at_fixed_addresses_in_a_container(struct priv_jail *j)
{
	at_fixed_addresses(j);
	let_personality_be(j, true);
}

/* Not where the tests themselves run in a container that forbids it. */
static bool may_lie_at_fixed_addresses(void)
{
	int own = priv_personality();
	bool may = personality(ADDR_NO_RANDOMIZE) >= 0;

	if (may)
		(void)personality((unsigned long)own);
	return may;
}

static bool strewn_at_random(void)
{
	char how = '0';
	int fd = open("/proc/sys/kernel/randomize_va_space", O_RDONLY | O_CLOEXEC);
	bool known = fd >= 0 && read(fd, &how, 1) == 1;

	close(fd);
	return known && how == '2';
}

/* fcgipm-start lies at fixed addresses where that is allowed, and for itself alone. */
static void test_a_programs_memory_is_as_the_launcher_had_it(void **state)
{
	static const char *const argv[] = {"/bin/sh", "-c", "cat /proc/self/personality; exec grep -F '[stack]' /proc/self/maps", NULL};
	static before_jail *const cases[] = {as_most_are_started, locked_personality, in_a_container};
	static before_jail *const fixed[] = {at_fixed_addresses, at_fixed_addresses_in_a_container};
	static char first[sizeof(result.out)];
	struct priv_jail j = jail_for(argv);

	(void)state;
	NEED_ROOT();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		run_jailed(&j, cases[i], &result);
		expect_ran(&result);
		assert_memory_equal(result.out, "00000000\n", 9);
		strcpy(first, result.out);
		run_jailed(&j, cases[i], &result);
		if (strewn_at_random())
			assert_string_not_equal(result.out, first);
	}
	for (size_t i = 0; may_lie_at_fixed_addresses() && i < sizeof(fixed) / sizeof(fixed[0]); i++) {
		run_jailed(&j, fixed[i], &result);
		expect_ran(&result);
		assert_memory_equal(result.out, "00040000\n", 9);
	}
}

/* ---- chroot and directory ---- */

static void copy_file(const char *from, const char *root)
{
	char command[4096];

	snprintf(command, sizeof(command), "mkdir -p \"%s$(dirname %s)\" && cp -L %s %s%s", root, from, from, root, from);
	assert_int_equal(system(command), 0);
}

/* /bin/sh with its libraries, in a home that only the account may enter. */
static void make_home(const char *home)
{
	char line[4096];
	FILE *ldd = popen("ldd /bin/sh | grep -o '/[^ ]*'", "r");

	assert_int_equal(mkdir(home, 0755), 0);
	copy_file("/bin/sh", home);
	while (ldd != NULL && fgets(line, sizeof(line), ldd) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		copy_file(line, home);
	}
	assert_int_equal(pclose(ldd), 0);
	assert_int_equal(chmod(home, 0700), 0);
	assert_int_equal(chown(home, ACCOUNT, GROUP), 0);
}

/* What the launcher has: no CAP_DAC_OVERRIDE, no CAP_DAC_READ_SEARCH, no CAP_FOWNER. */
static void keep_few(struct priv_jail *j)
{
	cap_t few = cap_from_text("cap_setuid,cap_setgid,cap_setpcap,cap_sys_chroot,cap_kill,cap_chown,cap_net_bind_service=ep");

	(void)j;
	if (few == NULL || cap_set_proc(few) < 0)
		_exit(99);
	cap_free(few);
}

static void test_chroot_into_a_private_home(void **state)
{
	static const char *const argv[] = {"/bin/sh", "-c", "pwd; echo /*; test -r /etc/passwd || echo jailed", NULL};
	struct priv_jail j = jail_for(argv);
	char home[128];

	(void)state;
	NEED_ROOT();
	snprintf(home, sizeof(home), "%s/home", dir);
	make_home(home);
	j.chroot = home;
	run_jailed(&j, keep_few, &result);
	expect_ran(&result);
	assert_memory_equal(result.out, "/\n/bin /lib", 11);
	assert_non_null(strstr(result.out, "\njailed\n"));
	j.directory = "/bin";
	run_jailed(&j, keep_few, &result);
	expect_ran(&result);
	assert_memory_equal(result.out, "/bin\n", 5);
}

/* Root could enter it with CAP_DAC_OVERRIDE; the account's rights decide. */
static void test_chroot_into_anothers_home(void **state)
{
	struct priv_jail j = jail_for(cat_status);
	char home[128];

	(void)state;
	NEED_ROOT();
	snprintf(home, sizeof(home), "%s/others", dir);
	assert_int_equal(mkdir(home, 0700), 0);
	assert_int_equal(chown(home, OTHER, OTHER), 0);
	j.chroot = home;
	run_jailed(&j, NULL, &result);
	expect_step(&result, PRIV_STEP_CHROOT, EACCES);
	j.chroot = "";
	j.directory = home;
	run_jailed(&j, NULL, &result);
	expect_step(&result, PRIV_STEP_DIRECTORY, EACCES);
}

/* ---- steps that fail, by name ---- */

static void test_exec_errors(void **state)
{
	static const char *const nothing[] = {"/nonexistent", NULL}, *const text[] = {"/etc/passwd", NULL};
	struct priv_jail j = jail_for(nothing);

	(void)state;
	NEED_ROOT();
	run_jailed(&j, NULL, &result);
	expect_step(&result, PRIV_STEP_EXEC, ENOENT);
	j = jail_for(text);
	run_jailed(&j, NULL, &result);
	expect_step(&result, PRIV_STEP_EXEC, EACCES);
}

static void lower_the_hard_limit(struct priv_jail *j)
{
	struct rlimit l = {.rlim_cur = 50, .rlim_max = 50};

	setrlimit(RLIMIT_CORE, &l);
	keep_few(j);
}

static void test_limit_above_the_hard_one(void **state)
{
	struct priv_jail j = jail_for(cat_status);

	(void)state;
	NEED_ROOT();
	j.limits[0].resource = RLIMIT_CORE;
	j.limits[0].value = 51;
	j.limit_count = 1;
	run_jailed(&j, lower_the_hard_limit, &result);
	expect_step(&result, PRIV_STEP_LIMITS, EPERM);
}

static void test_nice_without_the_capability(void **state)
{
	struct priv_jail j = jail_for(cat_status);

	(void)state;
	NEED_ROOT();
	j.nice = -20;
	run_jailed(&j, keep_few, &result);
	expect_step(&result, PRIV_STEP_PRIORITY, EACCES);
}

static void test_capability_that_is_not_ours(void **state)
{
	struct priv_jail j = jail_for(cat_status);

	(void)state;
	NEED_ROOT();
	j.capabilities = 1ull << CAP_NET_RAW;
	run_jailed(&j, keep_few, &result);
	expect_step(&result, PRIV_STEP_CAPABILITIES, EPERM);
}

static void withhold(const char *cap)
{
	char text[256];
	cap_t few;

	snprintf(text, sizeof(text), "cap_setuid,cap_setgid,cap_setpcap,cap_sys_chroot=ep %s-ep", cap);
	few = cap_from_text(text);
	if (few == NULL || cap_set_proc(few) < 0)
		_exit(99);
}

static void withhold_setpcap(struct priv_jail *j)
{
	(void)j;
	withhold("cap_setpcap");
}

static void withhold_chroot(struct priv_jail *j)
{
	(void)j;
	withhold("cap_sys_chroot");
}

static void withhold_setuid(struct priv_jail *j)
{
	(void)j;
	withhold("cap_setuid");
}

/* What the system withholds is missed by the step that needs it, and by no other. */
static void test_withheld_capabilities(void **state)
{
	struct priv_jail j = jail_for(cat_status);

	(void)state;
	NEED_ROOT();
	run_jailed(&j, withhold_setuid, &result);
	expect_step(&result, PRIV_STEP_UID, EPERM);
	run_jailed(&j, withhold_chroot, &result);
	expect_ran(&result);
	run_jailed(&j, withhold_setpcap, &result);
	expect_ran(&result);
	expect_line(result.out, "CapEff:\t0000000000000000");
	expect_line(result.out, "CapPrm:\t0000000000000000");
	j.no_new_privs = false;
	run_jailed(&j, withhold_setpcap, &result);
	expect_step(&result, PRIV_STEP_CAPABILITIES, EPERM);
	j.chroot = "/tmp";
	run_jailed(&j, withhold_chroot, &result);
	expect_step(&result, PRIV_STEP_CHROOT, EPERM);
}

/* ---- without exec ---- */

static void be_ordinary(struct priv_jail *j)
{
	(void)j;
	if (setresgid(GROUP, GROUP, GROUP) < 0 || setresuid(ACCOUNT, ACCOUNT, ACCOUNT) < 0)
		_exit(99);
}

static void test_ordinary_user(void **state)
{
	struct priv_jail j = jail_for(cat_status);

	(void)state;
	NEED_ROOT();
	j.change_account = false;
	run_jailed(&j, be_ordinary, &result);
	expect_ran(&result);
	expect_line(result.out, "Uid:\t64101\t64101\t64101\t64101");
	expect_line(result.out, "CapPrm:\t0000000000000000");
	expect_line(result.out, "NoNewPrivs:\t1");
}

static void copy_status(int fd)
{
	char buf[8192];
	int status = open("/proc/self/status", O_RDONLY);
	ssize_t n = read(status, buf, sizeof(buf));

	dprintf(fd, "\nDumpable:\t%d\n%.*s", prctl(PR_GET_DUMPABLE), (int)n, buf);
	_exit(0);
}

static void become_account(struct priv_jail *j)
{
	static const uint32_t groups[] = {OTHER};
	struct priv_report r;

	if (priv_jail_become(ACCOUNT, GROUP, groups, 1, &r) < 0)
		priv_jail_fail(j->report_fd, &r);
	copy_status(j->stdio[1]);
}

static void test_become(void **state)
{
	struct priv_jail j = jail_for(cat_status);

	(void)state;
	NEED_ROOT();
	run_jailed(&j, become_account, &result);
	expect_ran(&result);
	expect_line(result.out, "Dumpable:\t0");
	expect_line(result.out, "Uid:\t64101\t64101\t64101\t64101");
	expect_line(result.out, "Groups:\t64103 ");
	expect_line(result.out, "CapPrm:\t0000000000000000");
	expect_line(result.out, "CapBnd:\t0000000000000000");
	expect_line(result.out, "NoNewPrivs:\t1");
}

/* ---- fork ---- */

static void check_fork(void)
{
	int pidfd = -1, status, pid = priv_fork(&pidfd);
	struct pollfd p;

	if (pid == 0)
		_exit(getpid() == (int)syscall(SYS_gettid) ? 42 : 1);
	assert_true(pid > 0);
	assert_int_equal(fcntl(pidfd, F_GETFD), FD_CLOEXEC);
	p = (struct pollfd){.fd = pidfd, .events = POLLIN};
	assert_int_equal(poll(&p, 1, 10000), 1);
	assert_int_equal(waitpid(pid, &status, 0), pid); /* its end is a SIGCHLD: no __WALL */
	assert_int_equal(WEXITSTATUS(status), 42);
	close(pidfd);
}

static void test_fork(void **state)
{
	(void)state;
	check_fork();
}

/* As the launcher does: the child shares its memory until it is fcgipm-start. */
static void check_start(void)
{
	static const char *const argv[] = {"/bin/sh", "-c", "exit 42", NULL};
	struct priv_jail j = jail_for(argv);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), starter = open_starter(), report = -1, pidfd = -1, status, pid;
	struct priv_report r;

	j.change_account = false;
	j.stdio[0] = j.stdio[1] = j.stdio[2] = null;
	errno = EXDEV;
	pid = priv_start(starter, &j, &report, &pidfd);
	assert_int_equal(errno, EXDEV);
	assert_true(pid > 0);
	assert_int_equal(fcntl(pidfd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fcntl(report, F_GETFD), FD_CLOEXEC);
	assert_int_equal(waitpid(pid, &status, 0), pid); /* its end is a SIGCHLD: no __WALL */
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 42);
	assert_int_equal(read(report, &r, sizeof(r)), 0);
	close(report);
	close(pidfd);
	close(starter);
	close(null);
}

static void test_start(void **state)
{
	(void)state;
	check_start();
}

/* What fails before fcgipm-start is there is reported as well, and leaves the launcher as it was. */
static void test_start_that_fails(void **state)
{
	static const char *const argv[] = {"/bin/true", NULL};
	struct priv_jail j = jail_for(argv);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), report = -1, pidfd = -1, status, pid;
	struct priv_report r;

	(void)state;
	j.stdio[0] = j.stdio[1] = j.stdio[2] = null;
	pid = priv_start(null, &j, &report, &pidfd);
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(read(report, &r, sizeof(r)), sizeof(r));
	assert_string_equal(priv_step_name(r.step), "start");
	assert_int_equal(r.error, EACCES);
	close(report);
	close(pidfd);
	close(null);
}

/* All that a jail points to comes through, whatever its length. */
static void test_job(void **state)
{
	static struct priv_job job;
	uint32_t groups[256];
	char text[4096];
	const uint64_t search[3] = {1, 2, 3};
	struct priv_jail j, got;
	int pair[2];

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	for (unsigned i = 0; i < 256; i++)
		groups[i] = i;
	j = (struct priv_jail){.uid = ACCOUNT,
			       .groups = groups,
			       .group_count = 256,
			       .chroot = text,
			       .directory = "",
			       .path = text,
			       .search = search,
			       .search_size = sizeof(search)};
	j.environment_file = text;
	j.preload = (struct priv_preload){"needs", text, "A=1"};
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(priv_job_send(pair[0], &j), 0);
	assert_int_equal(priv_job_receive(pair[1], &job, &got), 0);
	assert_int_equal(got.uid, ACCOUNT);
	assert_memory_equal(got.groups, groups, sizeof(groups));
	assert_memory_equal(got.search, search, sizeof(search));
	assert_string_equal(got.chroot, text);
	assert_string_equal(got.directory, "");
	assert_string_equal(got.environment_file, text);
	assert_string_equal(got.path, text);
	assert_string_equal(got.preload.needs, "needs");
	assert_string_equal(got.preload.library, text);
	assert_string_equal(got.preload.variable, "A=1");
	assert_int_equal(write(pair[0], text, 1000), 1000); /* no job: its size is not one */
	assert_int_equal(priv_job_receive(pair[1], &job, &got), -EPROTO);
	close(pair[0]);
	assert_int_equal(priv_job_receive(pair[1], &job, &got), -EPROTO);
	close(pair[1]);
}

/* As in containers whose filter answers ENOSYS.  The filter stays, so this test is the last. */
static void test_without_clone3(void **state)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {.len = 4, .filter = code};

	(void)state;
	assert_int_equal(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	assert_int_equal(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
	assert_int_equal(syscall(SYS_clone3, NULL, 0), -1);
	assert_int_equal(errno, ENOSYS);
	check_fork();
	check_start();
}

static int make_dir(void **state)
{
	(void)state;
	if (geteuid() == 0)
		(void)setpriority(PRIO_PROCESS, 0, 0); /* whatever it was started with: what follows counts from there */
	return mkdtemp(dir) == NULL || chmod(dir, 0755) < 0;
}

static int remove_dir(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_line),
		cmocka_unit_test(test_no_groups),
		cmocka_unit_test(test_ambient),
		cmocka_unit_test(test_session_and_nice),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_environment_and_argv),
		cmocka_unit_test(test_no_other_descriptor),
		cmocka_unit_test(test_overlapping_descriptors),
		cmocka_unit_test(test_report_survives_overlap),
		cmocka_unit_test(test_bad_descriptor),
		cmocka_unit_test(test_keyring),
		cmocka_unit_test(test_a_programs_memory_is_as_the_launcher_had_it),
		cmocka_unit_test(test_chroot_into_a_private_home),
		cmocka_unit_test(test_chroot_into_anothers_home),
		cmocka_unit_test(test_exec_errors),
		cmocka_unit_test(test_limit_above_the_hard_one),
		cmocka_unit_test(test_nice_without_the_capability),
		cmocka_unit_test(test_capability_that_is_not_ours),
		cmocka_unit_test(test_withheld_capabilities),
		cmocka_unit_test(test_ordinary_user),
		cmocka_unit_test(test_become),
		cmocka_unit_test(test_fork),
		cmocka_unit_test(test_start),
		cmocka_unit_test(test_start_that_fails),
		cmocka_unit_test(test_job),
		cmocka_unit_test(test_without_clone3),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
