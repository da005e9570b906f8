/* Leases and connections, by the public API: paths, doors, TCP, refusals, a full queue. */
#include "tests/unit/client/fake_manager.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/stat.h>

#include "include/fcgipm/client.h"

static struct wire_dgram script_got;
static struct wire_c_leased leased; /* what the script answers */
static int leased_fds[2];
static unsigned leased_nfds;

static void script_lease(int fd)
{
	uint32_t seq = fake_asked(fd, &script_got, WIRE_C_LEASE);

	fake_leased(fd, seq, &leased, leased_fds, leased_nfds);
	fake_done(fd, seq, 0, "", -1);
}

static void script_refuse(int fd)
{
	fake_done(fd, fake_asked(fd, &script_got, WIRE_C_LEASE), 1, "pool blog: you may not lease it", -1);
}

static void script_nothing(int fd)
{
	fake_done(fd, fake_asked(fd, &script_got, WIRE_C_LEASE), 0, "", -1);
}

static void script_twice(int fd)
{
	uint32_t seq = fake_asked(fd, &script_got, WIRE_C_LEASE);

	fake_leased(fd, seq, &leased, leased_fds, leased_nfds);
	fake_leased(fd, seq, &leased, leased_fds, leased_nfds);
}

static void script_changes(int fd)
{
	uint32_t seq = fake_asked(fd, &script_got, WIRE_C_LEASE);
	struct wire_dgram d;
	struct wire_wr w;

	fake_leased(fd, seq, &leased, leased_fds, leased_nfds);
	fake_done(fd, seq, 0, "", -1);
	wire_begin(&d, &w, WIRE_C_CHANGED, 0);
	wire_put_c_changed(&w, &(struct wire_c_changed){.generation = 2});
	if (wire_end(&d, &w) < 0 || wire_send(fd, &d, NULL, 0) < 0)
		_exit(1);
}

static int lease(fake_script *script, struct fcgipm_lease *ret, struct fcgipm_error *err)
{
	struct fake f;
	struct fcgipm_client *c = NULL;
	int r;

	fake_start(&f, script);
	assert_int_equal(fcgipm_open(f.path, &c, NULL), 0);
	r = fcgipm_lease(c, "blog", 5000, ret, err);
	fcgipm_close(c);
	fake_stop(&f);
	return r;
}

static void set_leased(const char *address, uint8_t kind, unsigned nfds)
{
	leased = (struct wire_c_leased){
		.pool = "blog", .kind = kind, .address = address, .queue_timeout_ms = 30000, .queue_limit = 511, .concurrency = 4, .chroot = "/srv/blog"};
	leased_nfds = nfds;
}

/* That a connection made by the lease arrives at listener. */
static void arrives(const struct fcgipm_lease *l, int listener)
{
	struct pollfd p = {.fd = listener, .events = POLLIN};
	int fd = -1, peer;
	char c = 0;

	assert_int_equal(fcgipm_connect(l, 1000, &fd, NULL), 0);
	assert_true((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
	assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
	assert_int_equal(poll(&p, 1, 5000), 1);
	peer = accept(listener, NULL, NULL);
	assert_int_equal(write(peer, "x", 1), 1);
	assert_int_equal(poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 5000), 1);
	assert_int_equal(read(fd, &c, 1), 1);
	assert_int_equal(c, 'x');
	close(peer);
	close(fd);
}

static void test_path_and_listener(void **state)
{
	char dir[] = "/tmp/fcgipm-test-XXXXXX", path[64];
	struct fcgipm_lease l;
	struct stat a, b;
	int listener;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/blog.sock", dir);
	listener = fake_listen(path, SOCK_STREAM);
	set_leased(path, 0, 1);
	leased_fds[0] = listener;
	assert_int_equal(lease(script_lease, &l, NULL), 0);
	assert_string_equal(l.pool, "blog");
	assert_string_equal(l.address, path);
	assert_string_equal(l.chroot, "/srv/blog");
	assert_int_equal(l.queue_timeout_ms, 30000);
	assert_int_equal(l.queue_limit, 511);
	assert_int_equal(l.concurrency, 4);
	assert_int_equal(l.door, -1);
	assert_int_equal(fstat(l.listener, &a), 0);
	assert_int_equal(fstat(listener, &b), 0);
	assert_int_equal(a.st_ino, b.st_ino);
	arrives(&l, listener);
	fcgipm_release(&l);
	assert_int_equal(l.listener, -1);
	close(listener);
	unlink(path);
	rmdir(dir);
}

static void test_door(void **state)
{
	char dir[] = "/tmp/fcgipm-test-XXXXXX", path[64];
	struct fcgipm_lease l;
	int listener;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/blog.sock", dir);
	listener = fake_listen(path, SOCK_STREAM);
	leased_fds[0] = open(path, O_PATH | O_CLOEXEC);
	leased_fds[1] = listener;
	set_leased("/where/nobody/finds/it.sock", 1, 2);
	assert_int_equal(lease(script_lease, &l, NULL), 0);
	assert_true(l.door >= 0);
	assert_true(l.listener >= 0);
	arrives(&l, listener);
	fcgipm_release(&l);
	close(leased_fds[0]);
	close(listener);
	unlink(path);
	rmdir(dir);
}

static void over_tcp(const struct sockaddr *sa, socklen_t len, const char *form)
{
	int listener = socket(sa->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in6 bound; /* the port is at the same place in both families */
	socklen_t bound_len = sizeof(bound);
	char address[64];
	struct fcgipm_lease l;
	struct fcgipm_error err;
	int fd = 77;

	assert_int_equal(bind(listener, sa, len), 0);
	assert_int_equal(listen(listener, 4), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&bound, &bound_len), 0);
	snprintf(address, sizeof(address), form, ntohs(bound.sin6_port));
	set_leased(address, 0, 0);
	assert_int_equal(lease(script_lease, &l, NULL), 0);
	arrives(&l, listener);
	close(listener);
	assert_int_equal(fcgipm_connect(&l, 1000, &fd, &err), -ECONNREFUSED);
	assert_int_equal(fd, 77);
	assert_int_equal(err.code, ECONNREFUSED);
	assert_non_null(strstr(err.text, address));
	fcgipm_release(&l);
}

static void test_tcp(void **state)
{
	const struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	const struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	int probe = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool have6 = probe >= 0 && bind(probe, (const struct sockaddr *)&in6, sizeof(in6)) == 0;

	(void)state;
	close(probe);
	over_tcp((const struct sockaddr *)&in, sizeof(in), "127.0.0.1:%d");
	if (!have6)
		print_message("no IPv6 loopback here: [::1] not tried\n");
	else
		over_tcp((const struct sockaddr *)&in6, sizeof(in6), "[::1]:%d");
}

static void test_full_queue(void **state)
{
	char dir[] = "/tmp/fcgipm-test-XXXXXX", path[64];
	struct fcgipm_lease l = {.pool = "blog", .door = -1, .listener = -1};
	struct fcgipm_error err;
	int listener, r = 0, made = 0, fds[8];

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/blog.sock", dir);
	snprintf(l.address, sizeof(l.address), "%s", path);
	listener = fake_listen(path, SOCK_STREAM);
	while (made < 8 && (r = fcgipm_connect(&l, -1, &fds[made], &err)) == 0)
		made++;
	assert_int_equal(r, -EAGAIN);
	assert_string_equal(err.text, "pool blog: its queue is full");
	while (made > 0)
		close(fds[--made]);
	close(listener);
	unlink(path);
	rmdir(dir);
}

static void test_bad_addresses(void **state)
{
	static const char *const bad[] = {"", "localhost:80", "127.0.0.1", "127.0.0.1:70000", "::1:80", "[::1:80", "[]:80", ":80", "[127.0.0.1]:80"};
	int fd = 77;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct fcgipm_lease l = {.pool = "blog", .door = -1, .listener = -1};

		snprintf(l.address, sizeof(l.address), "%s", bad[i]);
		assert_int_equal(fcgipm_connect(&l, 100, &fd, NULL), -EINVAL);
	}
	assert_int_equal(fd, 77);
}

static void test_refused(void **state)
{
	struct fcgipm_lease l = {.door = 5};
	struct fcgipm_error err;

	(void)state;
	assert_int_equal(lease(script_refuse, &l, &err), -EACCES);
	assert_string_equal(err.text, "pool blog: you may not lease it");
	assert_int_equal(lease(script_nothing, &l, &err), -EPROTO);
	assert_int_equal(l.door, 5);
}

static void test_nonsense(void **state)
{
	char name[200];
	struct fcgipm_lease l = {.door = 5};

	(void)state;
	set_leased("/x", 1, 0); /* a door without a descriptor */
	assert_int_equal(lease(script_lease, &l, NULL), -EPROTO);
	set_leased("/x", 2, 0);
	assert_int_equal(lease(script_lease, &l, NULL), -EPROTO);
	set_leased("/x", 0, 0);
	assert_int_equal(lease(script_twice, &l, NULL), -EPROTO);
	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	leased.pool = name;
	assert_int_equal(lease(script_lease, &l, NULL), -EPROTO);
	set_leased(name, 0, 0);
	assert_int_equal(lease(script_lease, &l, NULL), -EPROTO);
	assert_int_equal(l.door, 5);
}

static void test_changed(void **state)
{
	struct fcgipm_client *c = NULL;
	struct fcgipm_lease l;
	struct fake f;
	int r;

	(void)state;
	set_leased("/tmp/x.sock", 0, 0);
	fake_start(&f, script_changes);
	assert_int_equal(fcgipm_open(f.path, &c, NULL), 0);
	assert_int_equal(fcgipm_changed(c), 0);
	assert_int_equal(fcgipm_lease(c, "blog", 5000, &l, NULL), 0);
	fake_stop(&f);
	r = fcgipm_changed(c);
	assert_int_equal(r == 1 ? fcgipm_changed(c) : r, -ECONNRESET); /* what was said last is not lost by the end, nor is the end */
	fcgipm_release(&l);
	fcgipm_close(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_path_and_listener), cmocka_unit_test(test_door),    cmocka_unit_test(test_tcp),      cmocka_unit_test(test_full_queue),
		cmocka_unit_test(test_bad_addresses),     cmocka_unit_test(test_refused), cmocka_unit_test(test_nonsense), cmocka_unit_test(test_changed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
