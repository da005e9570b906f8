/* What /proc says of real processes: waiting, serving, booting; frozen; the tree of a session; signals that pass one by. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fcgipm/base/clock.h"
#include "fcgipm/probe/process.h"

static char dir[] = "/tmp/fcgipm-unit.XXXXXX", path[64];
static int listener, diag;
static struct probe_listener id;

static int setup(void **state)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/s", dir);
	strcpy(a.sun_path, path);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(listener, 8), 0);
	diag = probe_diag_open();
	return probe_listener_init(diag, listener, &id);
}

static int teardown(void **state)
{
	(void)state;
	close(listener);
	close(diag);
	unlink(path);
	return rmdir(dir);
}

static int connected(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(a.sun_path, path);
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

/* A worker: its listener is descriptor 0, it leads a session, and ends with us. */
static pid_t worker(void (*life)(void))
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setsid();
	dup2(listener, 0);
	life();
	_exit(0);
}

static void end(pid_t pid)
{
	kill(-pid, SIGKILL);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static enum probe_work work_of(pid_t pid, bool may_peek)
{
	pid_t pids[PROBE_TREE_MAX];

	return probe_work_of(diag, &id, pids, probe_tree(pid, pids, PROBE_TREE_MAX), may_peek);
}

static void becomes(pid_t pid, enum probe_work wanted, bool may_peek)
{
	int64_t until = fp_now_ms() + 5000;

	while (work_of(pid, may_peek) != wanted && fp_now_ms() < until)
		usleep(1000);
	assert_int_equal(work_of(pid, may_peek), wanted);
}

/* ---- waiting ---- */

static void life_accept(void)
{
	for (;;) {
		int c = accept(0, NULL, NULL);
		char byte;

		while (read(c, &byte, 1) > 0)
			;
		close(c);
	}
}

static void life_select_one(void)
{
	fd_set set;

	FD_ZERO(&set);
	FD_SET(0, &set);
	select(1, &set, NULL, NULL, NULL);
}

static void life_select_more(void)
{
	fd_set set;
	int other[2];

	FD_ZERO(&set);
	FD_SET(0, &set);
	if (pipe(other) == 0)
		FD_SET(other[0], &set);
	select(other[0] + 1, &set, NULL, NULL, NULL);
}

static void life_poll(void)
{
	struct pollfd p = {.fd = 0, .events = POLLIN};

	poll(&p, 1, -1);
}

static void life_epoll(void)
{
	struct epoll_event e = {.events = EPOLLIN};
	int fd = epoll_create1(0);

	epoll_ctl(fd, EPOLL_CTL_ADD, 0, &e);
	epoll_wait(fd, &e, 1, -1);
}

static void life_sleep(void)
{
	for (;;)
		pause();
}

static void test_waiting(void **state)
{
	static const struct {
		void (*life)(void);
		bool needs_peek;
	} cases[] = {{life_accept, false}, {life_select_one, false}, {life_epoll, false}, {life_select_more, true}, {life_poll, true}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		pid_t pid = worker(cases[i].life);

		becomes(pid, PROBE_WAITING, true);
		assert_int_equal(work_of(pid, false), cases[i].needs_peek ? PROBE_BOOTING : PROBE_WAITING);
		end(pid);
	}
}

static void test_booting(void **state)
{
	pid_t pid = worker(life_sleep);

	(void)state;
	usleep(20000);
	assert_int_equal(work_of(pid, true), PROBE_BOOTING);
	end(pid);
}

static void test_serving(void **state)
{
	pid_t pid = worker(life_accept), pids[1] = {pid};
	int c;

	(void)state;
	becomes(pid, PROBE_WAITING, true);
	assert_int_equal(probe_holds_connection(diag, &id, pids, 1), 0);
	c = connected();
	becomes(pid, PROBE_SERVING, true);
	assert_int_equal(probe_holds_connection(diag, &id, pids, 1), 1);
	close(c);
	becomes(pid, PROBE_WAITING, true);
	end(pid);
}

/* ---- the tree ---- */

enum { MANY = PROBE_TREE_MAX + 6 };

static int grown[2]; /* a pipe: its end says that the tree below stands */

/* Children in sessions of their own first, so many that their numbers fill more than a page, then one that stays.
 * Each holds the pipe until it has left the session, this process until the last is there: nobody who has read the
 * pipe to its end sees a child that is still on its way out. */
static void life_many(void)
{
	for (unsigned i = 0; i < 700; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			setsid();
			close(grown[1]);
			life_sleep();
		}
	}
	if (fork() == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(grown[1]);
		life_accept();
	}
	close(grown[1]);
	life_sleep();
}

static void test_a_tree_is_read_to_its_end(void **state)
{
	pid_t pid, pids[PROBE_TREE_MAX];
	char byte;
	int c;

	(void)state;
	assert_int_equal(pipe(grown), 0);
	pid = worker(life_many);
	close(grown[1]);
	assert_int_equal(read(grown[0], &byte, 1), 0);
	close(grown[0]);
	assert_int_equal(probe_tree(pid, pids, PROBE_TREE_MAX), 2);
	c = connected();
	becomes(pid, PROBE_SERVING, true);
	close(c);
	end(pid);
}

static void life_family(void)
{
	for (unsigned i = 0; i < MANY; i++) {
		if (fork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			life_sleep();
		}
	}
	life_sleep();
}

/* There may be more of them, and one of those may serve. */
static void test_a_tree_that_is_too_large_is_not_held_for_idle(void **state)
{
	pid_t pid = worker(life_family), pids[PROBE_TREE_MAX];
	int64_t until = fp_now_ms() + 5000;
	unsigned count;

	(void)state;
	while (probe_tree(pid, pids, PROBE_TREE_MAX) < PROBE_TREE_MAX && fp_now_ms() < until)
		usleep(1000);
	assert_int_equal(probe_freeze(pid, pids, &count, 100000), -E2BIG);
	probe_thaw(pids, count);
	end(pid);
}

static char state_letter(pid_t pid)
{
	char name[64], line[256] = "";
	FILE *f;

	snprintf(name, sizeof(name), "/proc/%d/stat", (int)pid);
	f = fopen(name, "re");
	if (f == NULL || fgets(line, sizeof(line), f) == NULL)
		line[0] = '\0';
	if (f != NULL)
		fclose(f);
	return strrchr(line, ')') != NULL ? strrchr(line, ')')[2] : '?';
}

static void test_frozen_it_stands_still_until_it_is_thawed(void **state)
{
	pid_t pid = worker(life_accept), pids[PROBE_TREE_MAX];
	unsigned count;
	int c;

	(void)state;
	becomes(pid, PROBE_WAITING, true);
	assert_int_equal(probe_freeze(pid, pids, &count, 1000000), 0);
	assert_int_equal(count, 1);
	assert_int_equal(state_letter(pid), 'T');
	c = connected();
	usleep(20000);
	assert_int_equal(probe_holds_connection(diag, &id, pids, count), 0);
	probe_thaw(pids, count);
	becomes(pid, PROBE_SERVING, true);
	close(c);
	end(pid);
	assert_int_equal(probe_freeze(pid, pids, &count, 1000), -ESRCH);
}

/* ---- signals ---- */

static void caught(int signal)
{
	(void)signal;
}

static void life_signals(void)
{
	sigset_t set;

	signal(SIGTERM, SIG_IGN);
	signal(SIGWINCH, caught);
	sigemptyset(&set);
	sigaddset(&set, SIGURG);
	sigprocmask(SIG_BLOCK, &set, NULL);
	life_accept();
}

static void *sleep_on(void *ctx)
{
	pause();
	return ctx;
}

static void life_threads(void)
{
	pthread_t t;

	signal(SIGUSR1, caught);
	pthread_create(&t, NULL, sleep_on, NULL);
	life_accept();
}

static void test_which_signal_stops_it(void **state)
{
	pid_t plain = worker(life_accept), own = worker(life_signals), threads = worker(life_threads);

	(void)state;
	becomes(plain, PROBE_WAITING, true);
	becomes(own, PROBE_WAITING, true);
	becomes(threads, PROBE_WAITING, true);
	assert_int_equal(probe_stop_signal(plain, SIGWINCH), SIGKILL); /* passes it by by default */
	assert_int_equal(probe_stop_signal(plain, SIGTERM), SIGTERM);
	assert_int_equal(probe_stop_signal(plain, SIGUSR1), SIGUSR1);
	assert_int_equal(probe_stop_signal(own, SIGTERM), SIGKILL); /* passes it by by its wish */
	assert_int_equal(probe_stop_signal(own, SIGWINCH), SIGWINCH); /* it has a handler */
	assert_int_equal(probe_stop_signal(own, SIGURG), SIGURG); /* blocked: it may be waited for */
	assert_int_equal(probe_stop_signal(threads, SIGTERM), SIGKILL); /* would end it one thread after the other */
	assert_int_equal(probe_stop_signal(threads, SIGUSR1), SIGUSR1);
	end(plain);
	end(own);
	end(threads);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_waiting),
		cmocka_unit_test(test_booting),
		cmocka_unit_test(test_serving),
		cmocka_unit_test(test_a_tree_is_read_to_its_end),
		cmocka_unit_test(test_a_tree_that_is_too_large_is_not_held_for_idle),
		cmocka_unit_test(test_frozen_it_stands_still_until_it_is_thawed),
		cmocka_unit_test(test_which_signal_stops_it),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, setup, teardown);
}
