/* A spec with which nothing is wrong; what is to be wrong in it follows: GOOD_POOL(.uid = 0). */
#ifndef TESTS_UNIT_SPEC_GOOD_H
#define TESTS_UNIT_SPEC_GOOD_H

#include <signal.h>

#include "fcgipm/spec/spec.h"

static const char *good_argv[] = {"/usr/bin/php-cgi", "-d", "", NULL};
static const char *good_envp[] = {"PATH=/bin", "EMPTY=", NULL};

/* clang-format off */

/* The later initializer counts: that is what these are for. */
#pragma GCC diagnostic ignored "-Woverride-init"
#define GOOD_POOL(...)                                                                                        \
	{                                                                                                     \
		.name = "blog", .uid = 1000, .gid = 1001, .group_count = 2, .groups = {33, 2000},             \
		.argv = good_argv, .envp = good_envp, .environment_file = "/srv/alice/env", .chroot = "/srv/alice", .directory = "/www", \
		.umask = 027, .limits = {1024, SPEC_LIMIT_INHERIT, 0, UINT64_C(1) << 40, 60}, .nice = -5,     \
		.capabilities = UINT64_C(1) << 10, /* CAP_NET_BIND_SERVICE */                                 \
		.no_new_privileges = true, .listen = SPEC_LISTEN_UNIX, .address = "/run/fcgipm/pools/blog.sock", \
		.socket_uid = 1000, .socket_gid = 33, .socket_mode = 0660, .backlog = 511, .max_workers = 16, \
		.stop_signal = SIGTERM, .busy_signal = SIGUSR1, .stop_timeout_ms = 10000,                     \
		.output = SPEC_OUTPUT_FILE, .output_path = "/var/log/fcgipm/blog.log", __VA_ARGS__            \
	}

#endif
