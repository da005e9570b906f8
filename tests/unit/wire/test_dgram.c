/* Datagrams over a real seqpacket pair: what arrives, what is refused, and that no descriptor is left behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* before cmocka.h */
#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "fcgipm/wire/dgram.h"

enum { HERE, THERE };

struct pair {
	int sock[2], file, open_fds;
};

static struct wire_dgram sent, got;

static int count_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = -1; /* its own */

	assert_non_null(d);
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

static int setup(void **state)
{
	static struct pair p;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, p.sock) < 0)
		return -1;
	p.file = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (p.file < 0)
		return -1;
	p.open_fds = count_fds();
	memset(&got, 0x55, sizeof(got));
	*state = &p;
	return 0;
}

/* Whatever a test received must be closed by then. */
static int teardown(void **state)
{
	struct pair *p = *state;
	int leaked = count_fds() - p->open_fds;

	close(p->sock[HERE]);
	if (p->sock[THERE] >= 0)
		close(p->sock[THERE]);
	else
		leaked++;
	close(p->file);
	return leaked;
}

/* A message with one text as its body, sent by wire_send with so many copies of file. */
static void send_text(const struct pair *p, uint16_t type, uint32_t seq, const char *text, unsigned nfds)
{
	int fds[WIRE_FDS_MAX] = {p->file, p->file, p->file, p->file};
	struct wire_wr w;

	wire_begin(&sent, &w, type, seq);
	wire_put_str(&w, text);
	assert_int_equal(wire_end(&sent, &w), 0);
	assert_int_equal(wire_send(p->sock[HERE], &sent, fds, nfds), 0);
}

/* Bytes and descriptors as an enemy would send them, past wire_send. */
static void send_raw(const struct pair *p, const void *bytes, size_t len, unsigned nfds)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int) * 32)];
		struct cmsghdr align;
	} control = {0};
	struct iovec iov = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = len};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};

	if (nfds > 0) {
		control.align = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int) * nfds)};
		for (unsigned i = 0; i < nfds; i++)
			memcpy(CMSG_DATA(&control.align) + i * sizeof(int), &p->file, sizeof(int));
		m.msg_control = &control;
		m.msg_controllen = CMSG_SPACE(sizeof(int) * nfds);
	}
	assert_int_equal(sendmsg(p->sock[HERE], &m, 0), len);
}

static void test_round_trip(void **state)
{
	struct pair *p = *state;
	struct wire_rd r;

	send_text(p, 513, 0x89abcdef, "hello", 0);
	assert_int_equal(wire_recv(p->sock[THERE], &got), 1);
	assert_int_equal(got.type, 513);
	assert_int_equal(got.seq, 0x89abcdef);
	assert_int_equal(got.nfds, 0);
	assert_int_equal(got.len, WIRE_HEADER_LEN + 4 + 5 + 1);
	r = wire_body(&got);
	assert_string_equal(wire_get_str(&r), "hello");
	assert_true(wire_done(&r));
	assert_int_equal(wire_recv(p->sock[THERE], &got), -EAGAIN);
}

static void test_header_alone(void **state)
{
	struct pair *p = *state;
	struct wire_wr w;
	struct wire_rd r;

	wire_begin(&sent, &w, 7, 0);
	assert_int_equal(wire_end(&sent, &w), 0);
	assert_int_equal(wire_send(p->sock[HERE], &sent, NULL, 0), 0);
	assert_int_equal(wire_recv(p->sock[THERE], &got), 1);
	assert_int_equal(got.len, WIRE_HEADER_LEN);
	r = wire_body(&got);
	assert_true(wire_done(&r));
}

static void test_body_of_nothing_is_bad(void **state)
{
	struct wire_rd r;

	(void)state;
	got.len = WIRE_HEADER_LEN - 1;
	r = wire_body(&got);
	assert_int_equal(wire_get_u8(&r), 0);
	assert_false(wire_done(&r));
}

static void test_longest(void **state)
{
	struct pair *p = *state;
	struct wire_wr w;

	wire_begin(&sent, &w, 1, 2);
	while (w.len < WIRE_DGRAM_MAX)
		wire_put_u8(&w, (uint8_t)w.len);
	assert_int_equal(wire_end(&sent, &w), 0);
	assert_int_equal(wire_send(p->sock[HERE], &sent, NULL, 0), 0);
	assert_int_equal(wire_recv(p->sock[THERE], &got), 1);
	assert_int_equal(got.len, WIRE_DGRAM_MAX);
	assert_memory_equal(got.bytes, sent.bytes, WIRE_DGRAM_MAX);
	wire_put_u8(&w, 0);
	assert_int_equal(wire_end(&sent, &w), -EMSGSIZE);
}

static void test_descriptors(void **state)
{
	struct pair *p = *state;
	struct stat want, is;
	int fd;

	assert_int_equal(fstat(p->file, &want), 0);
	send_text(p, 1, 1, "", WIRE_FDS_MAX);
	assert_int_equal(wire_recv(p->sock[THERE], &got), 1);
	assert_int_equal(got.nfds, WIRE_FDS_MAX);
	assert_int_equal(count_fds(), p->open_fds + WIRE_FDS_MAX);
	fd = wire_take_fd(&got, 2);
	assert_int_equal(fstat(fd, &is), 0);
	assert_true(is.st_rdev == want.st_rdev && is.st_ino == want.st_ino);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(wire_take_fd(&got, 2), -1); /* taken once */
	assert_int_equal(wire_take_fd(&got, WIRE_FDS_MAX), -1);
	wire_dgram_close(&got);
	assert_int_equal(count_fds(), p->open_fds + 1); /* the one taken is ours */
	assert_int_equal(fstat(fd, &is), 0);
	close(fd);
	wire_dgram_close(&got); /* closes nothing twice */
	assert_int_equal(wire_take_fd(&got, 0), -1);
}

static void test_too_many_to_send(void **state)
{
	struct pair *p = *state;
	int fds[WIRE_FDS_MAX + 1] = {0};
	struct wire_wr w;

	wire_begin(&sent, &w, 1, 1);
	assert_int_equal(wire_end(&sent, &w), 0);
	assert_int_equal(wire_send(p->sock[HERE], &sent, fds, WIRE_FDS_MAX + 1), -EINVAL);
	assert_int_equal(wire_recv(p->sock[THERE], &got), -EAGAIN); /* nothing was sent */
}

static const struct {
	const char *bytes;
	size_t len;
	unsigned nfds;
	int want;
} strange[] = {
	{"\1\0\0\0\2\0\0\0", 8, 0, 1}, /* the one that is right */
	{"\1\0\0\0\2\0\0", 7, 0, -EPROTO}, /* no whole header */
	{"\1", 1, 1, -EPROTO},
	{"\1\0\1\0\2\0\0\0", 8, 0, -EPROTO}, /* what must be zero is not */
	{"\1\0\0\200\2\0\0\0", 8, 2, -EPROTO},
	{"", 0, 2, -EPROTO}, /* descriptors without a message */
	{"\1\0\0\0\2\0\0\0", 8, WIRE_FDS_MAX, 1},
	{"\1\0\0\0\2\0\0\0", 8, WIRE_FDS_MAX + 1, -EPROTO},
	{"\1\0\0\0\2\0\0\0", 8, WIRE_FDS_MAX + 2, -EPROTO},
	{"\1\0\0\0\2\0\0\0", 8, 32, -EPROTO}, /* more than the kernel could hand over */
};

static void test_strange(void **state)
{
	struct pair *p = *state;

	for (size_t i = 0; i < sizeof(strange) / sizeof(strange[0]); i++) {
		send_raw(p, strange[i].bytes, strange[i].len, strange[i].nfds);
		assert_int_equal(wire_recv(p->sock[THERE], &got), strange[i].want);
		assert_int_equal(got.nfds, strange[i].want == 1 ? strange[i].nfds : 0);
		assert_int_equal(count_fds(), p->open_fds + (int)got.nfds);
		wire_dgram_close(&got);
	}
	/* Whatever came before, the next good one is read. */
	send_text(p, 3, 4, "x", 0);
	assert_int_equal(wire_recv(p->sock[THERE], &got), 1);
	assert_int_equal(got.type, 3);
}

static void test_longer_than_the_cap(void **state)
{
	static const uint8_t bytes[WIRE_DGRAM_MAX + 1] = {1};
	struct pair *p = *state;

	send_raw(p, bytes, sizeof(bytes), 1);
	assert_int_equal(wire_recv(p->sock[THERE], &got), -EMSGSIZE);
	assert_int_equal(got.nfds, 0);
	assert_int_equal(count_fds(), p->open_fds);
}

static void test_other_control_data(void **state)
{
	struct pair *p = *state;
	int on = 1;

	assert_int_equal(setsockopt(p->sock[THERE], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)), 0);
	send_text(p, 1, 1, "with credentials", 0);
	assert_int_equal(wire_recv(p->sock[THERE], &got), -EPROTO);
	send_text(p, 1, 1, "and a descriptor", 1);
	assert_int_equal(wire_recv(p->sock[THERE], &got), -EPROTO);
	assert_int_equal(count_fds(), p->open_fds);
}

static void test_gone(void **state)
{
	struct pair *p = *state;

	send_text(p, 9, 1, "last words", 1);
	close(p->sock[HERE]);
	assert_int_equal(wire_recv(p->sock[THERE], &got), 1); /* they are read first */
	wire_dgram_close(&got);
	assert_int_equal(wire_recv(p->sock[THERE], &got), 0);
	assert_int_equal(wire_recv(p->sock[THERE], &got), 0);
	assert_int_equal(wire_send(p->sock[THERE], &sent, NULL, 0), -EPIPE);
	p->sock[HERE] = p->sock[THERE];
	p->sock[THERE] = -1;
}

/* A peer that ends with our messages unread makes the kernel say ECONNRESET once. */
static void test_gone_with_unread(void **state)
{
	struct pair *p = *state;

	send_text(p, 9, 1, "never read", 1);
	close(p->sock[THERE]);
	assert_int_equal(wire_recv(p->sock[HERE], &got), 0);
	p->sock[THERE] = -1;
}

static void test_full(void **state)
{
	struct pair *p = *state;
	struct wire_wr w;
	int r = 0, n = 0;

	wire_begin(&sent, &w, 1, 1);
	assert_int_equal(wire_end(&sent, &w), 0);
	for (; r == 0 && n < 100000; n++)
		r = wire_send(p->sock[HERE], &sent, NULL, 0);
	assert_int_equal(r, -EAGAIN);
	assert_int_equal(wire_recv(p->sock[THERE], &got), 1);
	assert_true(n > 1);
}

/* Or who sends a socket decides how long our close() takes. */
static void test_a_socket_is_told_not_to_linger(void **state)
{
	struct pair *p = *state;
	struct linger l = {.l_onoff = 1, .l_linger = 60};
	socklen_t len = sizeof(l);
	int tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct wire_wr w;

	assert_true(tcp >= 0);
	assert_int_equal(setsockopt(tcp, SOL_SOCKET, SO_LINGER, &l, sizeof(l)), 0);
	wire_begin(&sent, &w, 1, 1);
	assert_int_equal(wire_end(&sent, &w), 0);
	assert_int_equal(wire_send(p->sock[HERE], &sent, &tcp, 1), 0);
	assert_int_equal(wire_recv(p->sock[THERE], &got), 1);
	assert_int_equal(getsockopt(tcp, SOL_SOCKET, SO_LINGER, &l, &len), 0);
	assert_int_equal(l.l_onoff, 0);
	wire_dgram_close(&got);
	close(tcp);
}

static void test_who_wants_no_descriptors_is_sent_none(void **state)
{
	struct pair *p = *state;
	struct wire_wr w;
	int r;

	wire_let_fds(p->sock[THERE], false);
	wire_begin(&sent, &w, 1, 1);
	assert_int_equal(wire_end(&sent, &w), 0);
	r = wire_send(p->sock[HERE], &sent, &p->file, 1);
	if (r == 0)
		skip(); /* before Linux 6.16 */
	assert_int_equal(r, -EPERM);
	assert_int_equal(wire_send(p->sock[HERE], &sent, NULL, 0), 0);
	wire_let_fds(p->sock[THERE], true);
	assert_int_equal(wire_send(p->sock[HERE], &sent, &p->file, 1), 0);
	assert_int_equal(wire_recv(p->sock[THERE], &got), 1);
	assert_int_equal(got.nfds, 0);
	assert_int_equal(wire_recv(p->sock[THERE], &got), 1);
	assert_int_equal(got.nfds, 1);
	wire_dgram_close(&got);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_round_trip),
		TEST(test_header_alone),
		TEST(test_body_of_nothing_is_bad),
		TEST(test_longest),
		TEST(test_descriptors),
		TEST(test_too_many_to_send),
		TEST(test_strange),
		TEST(test_longer_than_the_cap),
		TEST(test_other_control_data),
		TEST(test_gone),
		TEST(test_gone_with_unread),
		TEST(test_full),
		TEST(test_a_socket_is_told_not_to_linger),
		TEST(test_who_wants_no_descriptors_is_sent_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
