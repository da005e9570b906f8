/* The log to a socket: what arrives, and what becomes of lines while nobody is there, nobody reads, or somebody else has come. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* before cmocka.h */
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "fcgipm/base/clock.h"
#include "fcgipm/base/fd.h"
#include "fcgipm/base/log.h"
#include "tests/unit/base/journal_entry.h"

static char dir[64], address[80];
static int daemon_fd = -1, log_fd = -1, stderr_kept = -1, stderr_pipe[2];
static char got[64 << 10];
static struct entry entry;

/* ---- a daemon ---- */

static void daemon_start(int type)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	unlink(address);
	strcpy(a.sun_path, address);
	daemon_fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(daemon_fd, (struct sockaddr *)&a, sizeof(a)), 0);
}

/* One datagram; "" when there is none. */
static const char *take(void)
{
	ssize_t n = recv(daemon_fd, got, sizeof(got) - 1, 0);

	got[n > 0 ? n : 0] = '\0';
	return got;
}

static unsigned take_all(void)
{
	unsigned count = 0;

	while (take()[0] != '\0')
		count++;
	return count;
}

static const char *said_on_stderr(void)
{
	ssize_t n = read(stderr_pipe[0], got, sizeof(got) - 1);

	got[n > 0 ? n : 0] = '\0';
	return got;
}

static void log_to(enum fp_log_sink sink)
{
	fp_log_setup_to(&(struct fp_log_to){.fd = log_fd, .sink = sink, .level = FP_LOG_INFO, .address = address});
}

static int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/fcgipm-log.XXXXXX");
	if (mkdtemp(dir) == NULL || pipe2(stderr_pipe, O_CLOEXEC | O_NONBLOCK) < 0)
		return -1;
	snprintf(address, sizeof(address), "%s/log", dir);
	stderr_kept = fcntl(2, F_DUPFD_CLOEXEC, 3);
	log_fd = fp_log_socket();
	return log_fd < 0 || dup2(stderr_pipe[1], 2) < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	fp_autoclose int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	(void)state;
	dup2(stderr_kept, 2);
	fp_close(&stderr_kept);
	fp_close(&stderr_pipe[0]);
	fp_close(&stderr_pipe[1]);
	fp_close(&log_fd);
	fp_close(&daemon_fd);
	unlink(address);
	rmdir(dir);
	/* what was lost in this test is not the next one's */
	fp_log_setup(null, FP_LOG_INFO, FP_LOG_LOGFMT);
	log_info("forget");
	fp_log_setup(2, FP_LOG_INFO, FP_LOG_LOGFMT);
	return 0;
}

/* ---- tests ---- */

static void test_where_the_system_has_them(void **state)
{
	(void)state;
	assert_string_equal(fp_log_address(FP_LOG_SYSLOG), "/dev/log");
	assert_string_equal(fp_log_address(FP_LOG_JOURNAL), "/run/systemd/journal/socket");
	assert_null(fp_log_address(FP_LOG_LINES));
}

static void test_syslog(void **state)
{
	char tail[80];

	(void)state;
	daemon_start(SOCK_DGRAM);
	log_to(FP_LOG_SYSLOG);
	log_warn("worker.exit", KS("pool", "blog"));
	snprintf(tail, sizeof(tail), " fcgipm[%d]: level=warn event=worker.exit pool=\"blog\"", (int)getpid());
	assert_int_equal(strncmp(take(), "<28>", 4), 0);
	assert_string_equal(strstr(got, " fcgipm["), tail);
}

static void test_journal(void **state)
{
	ssize_t n;

	(void)state;
	daemon_start(SOCK_DGRAM);
	log_to(FP_LOG_JOURNAL);
	log_warn("worker.exit", KS("pool", "blog"));
	n = recv(daemon_fd, got, sizeof(got), 0);
	assert_true(n > 0 && entry_read(got, (size_t)n, &entry));
	assert_true(entry_is(&entry, "FCGIPM_EVENT", "worker.exit", 11));
	assert_true(entry_is(&entry, "FCGIPM_POOL", "blog", 4));
}

/* One message whose payload is empty and that has one descriptor. */
static int take_memfd(void)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec iov = {got, sizeof(got)};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
	struct cmsghdr *c;
	int fd = -1;

	assert_int_equal(recvmsg(daemon_fd, &m, MSG_CMSG_CLOEXEC), 0);
	c = CMSG_FIRSTHDR(&m);
	assert_non_null(c);
	assert_int_equal(c->cmsg_type, SCM_RIGHTS);
	memcpy(&fd, CMSG_DATA(c), sizeof(int));
	return fd;
}

/* The least buffer that the kernel gives is 4608 bytes; the text alone is longer. */
static void test_a_long_entry_is_a_sealed_memfd(void **state)
{
	enum { LONG = 20000 };
	static char text[LONG];
	fp_autoclose int fd = -1;
	const void *at;
	size_t len;

	(void)state;
	memset(text, 'x', sizeof(text));
	text[LONG - 1] = '\n';
	daemon_start(SOCK_DGRAM);
	assert_int_equal(setsockopt(log_fd, SOL_SOCKET, SO_SNDBUF, &(int){1}, sizeof(int)), 0);
	log_to(FP_LOG_JOURNAL);
	log_info("short");
	assert_non_null(strstr(take(), "FCGIPM_EVENT=short\n"));
	log_info("long", KB("text", text, LONG));
	fd = take_memfd();
	assert_int_equal(fp_memfd_map(fd, sizeof(got), &at, &len), 0);
	assert_true(entry_read(at, len, &entry));
	assert_true(entry_is(&entry, "FCGIPM_TEXT", text, LONG));
	munmap((void *)(uintptr_t)at, len);
	assert_string_equal(take(), "");
}

/* Absent, there, gone, there again: every line arrives or is counted, and standard error has one word of it each time. */
static void test_a_daemon_that_comes_and_goes(void **state)
{
	(void)state;
	log_to(FP_LOG_SYSLOG);
	errno = EXDEV;
	for (int i = 0; i < 5; i++)
		log_info("lost");
	assert_int_equal(errno, EXDEV);
	assert_non_null(strstr(said_on_stderr(), " level=warn event=log.unreachable target=\""));
	assert_non_null(strstr(got, " error=\"No such file or directory\"\n"));
	assert_ptr_equal(strchr(got, '\n'), got + strlen(got) - 1);
	daemon_start(SOCK_DGRAM);
	log_info("here");
	assert_non_null(strstr(take(), "event=log.dropped lines=5"));
	assert_non_null(strstr(take(), "event=here"));
	fp_close(&daemon_fd);
	log_info("lost");
	assert_non_null(strstr(said_on_stderr(), " error=\"Connection refused\"\n"));
	daemon_start(SOCK_DGRAM);
	log_info("again");
	assert_non_null(strstr(take(), "event=log.dropped lines=1"));
	assert_non_null(strstr(take(), "event=again"));
	log_info("more");
	assert_non_null(strstr(take(), "event=more"));
	assert_string_equal(said_on_stderr(), "");
}

/* Between two lines: nothing is lost. */
static void test_a_daemon_that_restarts(void **state)
{
	(void)state;
	daemon_start(SOCK_DGRAM);
	log_to(FP_LOG_SYSLOG);
	log_info("one");
	assert_non_null(strstr(take(), "event=one"));
	fp_close(&daemon_fd);
	daemon_start(SOCK_DGRAM);
	log_info("two");
	assert_non_null(strstr(take(), "event=two"));
}

static void test_what_is_no_datagram_socket(void **state)
{
	(void)state;
	daemon_start(SOCK_STREAM);
	log_to(FP_LOG_SYSLOG);
	log_info("lost");
	assert_non_null(strstr(said_on_stderr(), "event=log.unreachable"));
	assert_non_null(strstr(got, "Protocol wrong type for socket"));
}

/* A daemon that hangs: a moment for the first line, none for the others; when it goes on it learns how many it missed. */
static void test_a_daemon_that_hangs(void **state)
{
	enum { LINES = 20000 };
	unsigned arrived;
	char dropped[64];
	int64_t start;

	(void)state;
	daemon_start(SOCK_DGRAM);
	log_to(FP_LOG_SYSLOG);
	start = fp_now_ms();
	for (int i = 0; i < LINES; i++)
		log_info("flood", KI("i", i));
	assert_true(fp_now_ms() - start < 10000); /* not a moment each, which would be half an hour */
	arrived = take_all();
	assert_in_range(arrived, 1, LINES - 1);
	log_info("end");
	snprintf(dropped, sizeof(dropped), "event=log.dropped lines=%u", LINES - arrived);
	assert_non_null(strstr(take(), dropped));
	assert_non_null(strstr(take(), "event=end"));
	assert_string_equal(said_on_stderr(), "");
}

/* One that takes a line, hangs, takes a line: what is waited for it comes to a second, not to a moment a line. */
static void test_a_daemon_that_trickles(void **state)
{
	enum { LINES = 200 };
	int64_t start = 0, waited = 0;

	(void)state;
	daemon_start(SOCK_DGRAM);
	log_to(FP_LOG_SYSLOG);
	for (int i = 0; i < 5000; i++)
		log_info("fill");
	for (int i = 0; i < LINES; i++) {
		/* room for log.dropped and one line, so that the next line is waited for again */
		take();
		take();
		log_info("fits");
		start = fp_now_ms();
		log_info("does not");
		waited += fp_now_ms() - start;
	}
	assert_true(waited < 10000); /* 20 s, were each waited for */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_where_the_system_has_them),
		cmocka_unit_test_setup_teardown(test_syslog, setup, teardown),
		cmocka_unit_test_setup_teardown(test_journal, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_long_entry_is_a_sealed_memfd, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_daemon_that_comes_and_goes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_daemon_that_restarts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_is_no_datagram_socket, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_daemon_that_hangs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_daemon_that_trickles, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
