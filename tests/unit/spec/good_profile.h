/* A profile with which nothing is wrong; what is to be wrong in it follows: GOOD_PROFILE(.uid = 0). */
#ifndef TESTS_UNIT_SPEC_GOOD_PROFILE_H
#define TESTS_UNIT_SPEC_GOOD_PROFILE_H

#include "fcgipm/spec/spec.h"

static const char *good_roots[] = {"/usr/lib/cgi-bin", "/home/*/public_html/cgi-bin", NULL};
static const char *good_arguments[] = {"--*", "", NULL};
static const char *good_allow[] = {"TZ", "SSL_*", NULL};
static const char *good_setting[] = {"PATH=/bin", "EMPTY=", NULL};
static const uint32_t good_groups[] = {33, 2000}, good_uids[] = {33}, good_gids[] = {100, 4, UINT32_MAX};

/* clang-format off */

/* The later initializer counts: that is what these are for. */
#pragma GCC diagnostic ignored "-Woverride-init"
#define GOOD_PROFILE(...)                                                                                     \
	{                                                                                                     \
		.name = "cgi", .roots = good_roots, .max_arguments = 64, .arguments = good_arguments, .allow = good_allow, .envp = good_setting, \
		.uid = 1000, .gid = 1001, .groups = {2, good_groups}, .file_owner = SPEC_FILE_OF_RUN_OR_ROOT, .file_group = true, \
		.min_uid = 1000, .min_gid = 100, .client_uids = {1, good_uids}, .client_gids = {3, good_gids}, \
		.chroot = "/srv/alice", .directory = "/www", .umask = 022, .limits = {1024, SPEC_LIMIT_INHERIT, 0, UINT64_C(1) << 40, 60}, .nice = 5, \
		.capabilities = UINT64_C(1) << 10, /* CAP_NET_BIND_SERVICE */                                 \
		.no_new_privileges = true, .timeout_ms = 60000, .stop_timeout_ms = 3000, .max_running = 64, .queue_limit = 511, __VA_ARGS__ \
	}

/* clang-format on */

#endif
