/* What the kernel says of queues, against queues that we filled: unix, TCP over IPv4 and IPv6. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "fcgipm/probe/queue.h"

enum { BACKLOG = 5, TAKEN = 2 };

static char dir[] = "/tmp/fcgipm-unit.XXXXXX";
static int diag;

union address {
	struct sockaddr any;
	struct sockaddr_un un;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

static socklen_t address_of(int family, union address *a)
{
	memset(a, 0, sizeof(*a));
	a->any.sa_family = (sa_family_t)family;
	if (family == AF_UNIX) {
		snprintf(a->un.sun_path, sizeof(a->un.sun_path), "%s/s", dir);
		return sizeof(a->un);
	}
	if (family == AF_INET)
		a->in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else
		a->in6.sin6_addr = in6addr_loopback;
	return family == AF_INET ? sizeof(a->in) : sizeof(a->in6);
}

static int listening(int family, union address *a, socklen_t *len)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	*len = address_of(family, a);
	assert_int_equal(bind(fd, &a->any, *len), 0);
	assert_int_equal(listen(fd, BACKLOG), 0);
	assert_int_equal(getsockname(fd, &a->any, len), 0);
	return fd;
}

static int connected(const union address *a, socklen_t len)
{
	int fd = socket(a->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, &a->any, len), 0);
	return fd;
}

static void count_one(void *ctx, size_t index, uint32_t inode)
{
	unsigned *counts = ctx;

	assert_true(inode > 0);
	counts[index]++;
}

static void depth_is(const struct probe_listener *id, int fd, uint32_t wanted)
{
	uint32_t depth = 99, limit = 99;

	assert_int_equal(probe_queue_depth(diag, id, fd, &depth, &limit), 0);
	assert_int_equal(depth, wanted);
	assert_int_equal(limit, BACKLOG);
}

static void fill_and_take(int family)
{
	union address a;
	socklen_t len;
	struct probe_listener ids[2];
	int other_fd, fd = listening(family, &a, &len), peers[BACKLOG], taken[TAKEN];
	unsigned counts[2] = {0};
	union address b;
	socklen_t b_len;

	assert_int_equal(probe_listener_init(diag, fd, &ids[0]), 0);
	assert_int_equal(ids[0].family, family);
	depth_is(&ids[0], fd, 0);
	for (unsigned i = 0; i < BACKLOG; i++) {
		peers[i] = connected(&a, len);
		depth_is(&ids[0], fd, i + 1);
	}
	for (unsigned i = 0; i < TAKEN; i++) {
		taken[i] = accept(fd, NULL, NULL);
		depth_is(&ids[0], fd, BACKLOG - i - 1);
	}
	other_fd = listening(AF_INET, &b, &b_len); /* nobody's */
	assert_int_equal(probe_listener_init(diag, other_fd, &ids[1]), 0);
	assert_int_equal(probe_connections(diag, ids, 2, count_one, counts), 0);
	assert_int_equal(counts[0], TAKEN);
	assert_int_equal(counts[1], 0);
	close(taken[0]);
	shutdown(taken[1], SHUT_WR); /* half closed it is being served */
	counts[0] = 0;
	assert_int_equal(probe_connections(diag, ids, 2, count_one, counts), 0);
	assert_int_equal(counts[0], 1);
	for (unsigned i = 0; i < BACKLOG; i++)
		close(peers[i]);
	close(taken[1]);
	close(fd);
	close(other_fd);
	if (family == AF_UNIX)
		unlink(a.un.sun_path);
}

static void test_unix(void **state)
{
	(void)state;
	fill_and_take(AF_UNIX);
}

static void test_tcp(void **state)
{
	(void)state;
	fill_and_take(AF_INET);
	fill_and_take(AF_INET6);
}

/* After its name was taken away the connections still bear it. */
static void test_a_name_that_went(void **state)
{
	union address a;
	socklen_t len;
	struct probe_listener id;
	struct stat st;
	int fd = listening(AF_UNIX, &a, &len), peer = connected(&a, len), taken = accept(fd, NULL, NULL);

	(void)state;
	assert_int_equal(probe_listener_init(diag, fd, &id), 0);
	unlink(a.un.sun_path);
	assert_int_equal(fstat(taken, &st), 0);
	assert_int_equal(probe_is_connection(diag, &id, (uint32_t)st.st_ino), 1);
	assert_int_equal(fstat(peer, &st), 0);
	assert_int_equal(probe_is_connection(diag, &id, (uint32_t)st.st_ino), 0);
	assert_int_equal(probe_is_connection(diag, &id, 1), -ENOENT);
	close(peer);
	close(taken);
	close(fd);
}

static void test_without_a_name(void **state)
{
	struct probe_listener id;
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(probe_listener_init(diag, pair[0], &id), -EADDRNOTAVAIL);
	assert_int_equal(probe_listener_init(diag, STDIN_FILENO + 1000, &id), -EBADF);
	close(pair[0]);
	close(pair[1]);
}

static int setup(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(dir));
	diag = probe_diag_open();
	return diag < 0 ? diag : 0;
}

static int teardown(void **state)
{
	(void)state;
	close(diag);
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unix),
		cmocka_unit_test(test_tcp),
		cmocka_unit_test(test_a_name_that_went),
		cmocka_unit_test(test_without_a_name),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
