/* Sockets handed over by a supervisor (launcher process).  Its word is as good as root's: it started us. */
#include "fcgipm/launcher/handed.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "fcgipm/base/fd.h"
#include "fcgipm/base/log.h"
#include "fcgipm/launcher/launcher.h"

enum { FIRST_FD = 3, HANDED_MAX = 8192 };

/* ---- taking ---- */

static long number_of(const char *variable)
{
	const char *text = getenv(variable);
	char *end = NULL;
	long n = text != NULL ? strtol(text, &end, 10) : -1;

	return end != NULL && end != text && *end == '\0' ? n : -1;
}

static int option_of(int fd, int option)
{
	int v = 0;
	socklen_t len = sizeof(v);

	return getsockopt(fd, SOL_SOCKET, option, &v, &len) == 0 ? v : -1;
}

union address {
	struct sockaddr any;
	struct sockaddr_un un;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

/* As listen: spells it; -EAFNOSUPPORT for abstract sockets and others that no pool can name. */
static int spell(const union address *a, socklen_t len, char *buf, size_t cap)
{
	char host[INET6_ADDRSTRLEN];
	int n = -1;

	if (a->any.sa_family == AF_UNIX && len > offsetof(struct sockaddr_un, sun_path) && a->un.sun_path[0] == '/')
		n = snprintf(buf, cap, "%.*s", (int)(len - offsetof(struct sockaddr_un, sun_path)), a->un.sun_path);
	else if (a->any.sa_family == AF_INET)
		n = snprintf(buf, cap, "%s:%u", inet_ntop(AF_INET, &a->in.sin_addr, host, sizeof(host)), ntohs(a->in.sin_port));
	else if (a->any.sa_family == AF_INET6)
		n = snprintf(buf, cap, "[%s]:%u", inet_ntop(AF_INET6, &a->in6.sin6_addr, host, sizeof(host)), ntohs(a->in6.sin6_port));
	return n > 0 && (size_t)n < cap ? 0 : -EAFNOSUPPORT;
}

static int take_one(struct handed *h, int fd, const char *name, size_t len)
{
	union address a;
	socklen_t a_len = sizeof(a);

	if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		return -errno;
	if (option_of(fd, SO_TYPE) != SOCK_STREAM || option_of(fd, SO_ACCEPTCONN) != 1)
		return -ENOTSOCK;
	if (getsockname(fd, &a.any, &a_len) < 0)
		return -errno;
	fp_set_nonblock(fd, false); /* workers want a blocking accept */
	h->fd = fd;
	snprintf(h->name, sizeof(h->name), "%.*s", (int)len, name);
	return spell(&a, a_len, h->address, sizeof(h->address));
}

static int take_all(struct launcher *l, long count, struct fp_err *err)
{
	const char *names = getenv("LISTEN_FDNAMES");

	l->handed = calloc((size_t)count, sizeof(*l->handed));
	if (l->handed == NULL)
		return fp_fail(err, ENOMEM, "no memory");
	if (names == NULL)
		names = "";
	for (; l->handed_count < (unsigned)count; l->handed_count++) {
		size_t len = strcspn(names, ":");
		int fd = FIRST_FD + (int)l->handed_count;
		int r = take_one(&l->handed[l->handed_count], fd, names, len);

		if (r < 0)
			return fp_fail(err, -r, "descriptor %d of LISTEN_FDS (%.*s): no listening stream socket with a path or a TCP address", fd, (int)len,
				       names);
		names += len + (names[len] == ':');
	}
	return 0;
}

int handed_take(struct launcher *l, struct fp_err *err)
{
	long count = number_of("LISTEN_PID") == getpid() ? number_of("LISTEN_FDS") : 0;
	int r = 0;

	if (count < 0 || count > HANDED_MAX)
		return fp_fail(err, EINVAL, "LISTEN_FDS: not a number up to %d", HANDED_MAX);
	fp_close_from(FIRST_FD + (int)count);
	if (count > 0)
		r = take_all(l, count, err);
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	return r;
}

/* ---- matching ---- */

static bool same_address(const char *a, const char *b)
{
	struct spec_tcp x, y;

	if (strcmp(a, b) == 0)
		return true;
	return spec_tcp_parse(a, &x) == 0 && spec_tcp_parse(b, &y) == 0 && x.family == y.family && x.port == y.port &&
	       memcmp(x.host, y.host, x.family == AF_INET ? 4 : 16) == 0;
}

/* Where a pool listens that says nothing of it: such a one takes what it is handed. */
static bool is_default_place(const struct launcher *l, const struct spec_pool *spec)
{
	char own[SPEC_UNIX_PATH_MAX + 1];
	int n = snprintf(own, sizeof(own), "%s/pools/%s.sock", l->runtime, spec->name);

	return n > 0 && (size_t)n < sizeof(own) && strcmp(own, spec->address) == 0;
}

int handed_find(struct launcher *l, const struct spec_pool *spec, struct handed **ret, struct fp_err *err)
{
	struct handed *by_name = NULL, *by_address = NULL;

	for (unsigned i = 0; i < l->handed_count; i++) {
		if (strcmp(l->handed[i].name, spec->name) == 0)
			by_name = &l->handed[i];
		if (same_address(l->handed[i].address, spec->address))
			by_address = &l->handed[i];
	}
	if (by_address == NULL && by_name != NULL && !is_default_place(l, spec))
		return fp_fail(err, EADDRNOTAVAIL, "the socket that was handed over for it is %s, but listen says %s (make them the same)", by_name->address,
			       spec->address);
	*ret = by_address != NULL ? by_address : by_name;
	if (*ret != NULL)
		(*ret)->taken = true;
	return 0;
}

void handed_report(const struct launcher *l)
{
	for (unsigned i = 0; i < l->handed_count; i++)
		if (!l->handed[i].taken)
			log_warn("listener.unclaimed", KS("name", l->handed[i].name), KS("address", l->handed[i].address));
}

void handed_close(struct launcher *l)
{
	for (unsigned i = 0; i < l->handed_count; i++)
		fp_close(&l->handed[i].fd);
	free(l->handed);
	l->handed = NULL;
	l->handed_count = 0;
}
