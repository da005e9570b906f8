/* fcgipm-conf: judges a configuration for the launcher, which starts it under an account of its own with a socket on descriptor 3.
 *
 *   fcgipm-conf --find-control FILE    prints the path of the control socket that FILE names
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "fcgipm/conf/file.h"
#include "fcgipm/conf/link.h"
#include "fcgipm/wire/conf.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#endif

/* What reads foreign text gets little: a gigabyte, ten seconds, a few descriptors, no child, no core. */
static int harden(void)
{
	static const struct {
		int resource;
		rlim_t value;
	} limits[] = {
#ifndef SANITIZED /* its shadow is terabytes of address space */
		{RLIMIT_AS, (rlim_t)1 << 30},
#endif
		{RLIMIT_CPU, 10},
		{RLIMIT_FSIZE, WIRE_CONF_SPEC_MAX},
		{RLIMIT_NOFILE, 64},
		{RLIMIT_NPROC, 0},
		{RLIMIT_CORE, 0},
	};

	for (unsigned i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		struct rlimit l = {limits[i].value, limits[i].value};
		struct rlimit now;

		if (getrlimit(limits[i].resource, &now) < 0)
			return -errno;
		if (now.rlim_max < l.rlim_max)
			l.rlim_cur = l.rlim_max = now.rlim_max;
		if (setrlimit(limits[i].resource, &l) < 0)
			return -errno;
	}
	return prctl(PR_SET_DUMPABLE, 0) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;
}

static int usage(void)
{
	fputs("usage: fcgipm-conf --find-control FILE\n(otherwise it is started by fcgipm-launcher)\n", stderr);
	return 2;
}

static int find_control(const char *file)
{
	char path[4096];
	int r = conf_find_control(file, path, sizeof(path));

	if (r < 0) {
		fprintf(stderr, "fcgipm-conf: %s: %s\n", file, strerror(-r));
		return 1;
	}
	puts(path);
	return 0;
}

int main(int argc, char **argv)
{
	int r = harden();

	if (r < 0) {
		fprintf(stderr, "fcgipm-conf: cannot limit itself: %s\n", strerror(-r));
		return 1;
	}
	if (argc == 3 && strcmp(argv[1], "--find-control") == 0)
		return find_control(argv[2]);
	if (argc != 1)
		return usage();
	r = conf_serve(WIRE_CONF_FD, environ);
	if (r == -ENOTSOCK || r == -EBADF)
		return usage();
	return r < 0 ? 1 : 0;
}
