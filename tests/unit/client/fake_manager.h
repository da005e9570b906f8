/* A manager for tests: a real seqpacket socket, served by a child process that follows the test's script. */
#ifndef TESTS_FAKE_MANAGER_H
#define TESTS_FAKE_MANAGER_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* before cmocka.h */
#include <cmocka.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fcgipm/wire/control.h"
#include "fcgipm/wire/dgram.h"

typedef void fake_script(int fd);

struct fake {
	char dir[64], path[96];
	pid_t pid;
};

static inline int fake_listen(const char *path, int type)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&sun, sizeof(sun)), 0);
	assert_int_equal(listen(fd, 1), 0);
	return fd;
}

static inline void fake_start(struct fake *f, fake_script *script)
{
	int listener;

	snprintf(f->dir, sizeof(f->dir), "/tmp/fcgipm-test-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/control.sock", f->dir);
	listener = fake_listen(f->path, SOCK_SEQPACKET);
	f->pid = fork();
	assert_true(f->pid >= 0);
	if (f->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		script(accept(listener, NULL, NULL));
		_exit(0);
	}
	close(listener);
}

/* The script came to its end. */
static inline void fake_stop(struct fake *f)
{
	int status = -1;

	assert_int_equal(waitpid(f->pid, &status, 0), f->pid);
	assert_int_equal(status, 0);
	unlink(f->path);
	assert_int_equal(rmdir(f->dir), 0);
}

/* In the script: the next request, which must be of that type.  Its sequence number. */
static inline uint32_t fake_asked(int fd, struct wire_dgram *d, uint16_t type)
{
	if (wire_recv(fd, d) != 1 || d->type != type)
		_exit(1);
	return d->seq;
}

static inline void fake_note(int fd, uint32_t seq, const char *text)
{
	static struct wire_dgram d;
	struct wire_wr w;

	wire_begin(&d, &w, WIRE_C_NOTE, seq);
	wire_put_c_note(&w, &(const struct wire_c_note){.text = text});
	if (wire_end(&d, &w) != 0 || wire_send(fd, &d, NULL, 0) != 0)
		_exit(2);
}

/* A client that has heard enough may be gone already. */
static inline bool fake_sent(int fd, const struct wire_dgram *d, const int *fds, unsigned nfds)
{
	int r = wire_send(fd, d, fds, nfds);

	return r == 0 || r == -EPIPE || r == -ECONNRESET;
}

static inline void fake_done(int fd, uint32_t seq, uint32_t code, const char *text, int snapshot)
{
	static struct wire_dgram d;
	struct wire_wr w;

	wire_begin(&d, &w, WIRE_C_DONE, seq);
	wire_put_c_done(&w, &(const struct wire_c_done){.code = code, .text = text});
	if (wire_end(&d, &w) != 0 || !fake_sent(fd, &d, &snapshot, snapshot >= 0))
		_exit(3);
}

static inline void fake_leased(int fd, uint32_t seq, const struct wire_c_leased *m, const int *fds, unsigned nfds)
{
	static struct wire_dgram d;
	struct wire_wr w;

	wire_begin(&d, &w, WIRE_C_LEASED, seq);
	wire_put_c_leased(&w, m);
	if (wire_end(&d, &w) != 0 || !fake_sent(fd, &d, fds, nfds))
		_exit(4);
}

#endif
