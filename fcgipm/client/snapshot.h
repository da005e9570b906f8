/* The status snapshot, read.  It comes from a process without privilege and may be read by root: nothing in it is
 * believed but its form. */
#ifndef FCGIPM_CLIENT_SNAPSHOT_H
#define FCGIPM_CLIENT_SNAPSHOT_H

#include <stddef.h>
#include <stdint.h>

#include "fcgipm/base/err.h"
#include "fcgipm/wire/status.h"

enum { SNAPSHOT_MAX = 256 << 20, SNAPSHOT_PIDS_MAX = 65536, SNAPSHOT_TEXTS_MAX = 64 };

/* Elements that are still encoded: read count of them from a copy of rest. */
struct snapshot_list {
	uint32_t count;
	struct wire_rd rest;
};

struct snapshot_pool {
	struct wire_status_pool figures;
	struct snapshot_list pids; /* i32 each */
	struct snapshot_list notes; /* str each: what else is to be known just now */
	struct snapshot_list alarms; /* str each: at_max, held, ... while it lasts */
	struct snapshot_list decisions; /* str each: of the scaler, the newest first */
};

struct snapshot {
	struct wire_status_manager manager;
	uint32_t count, profile_count;
	struct snapshot_pool *pools;
	struct wire_status_profile *profiles; /* of the exec broker; none where one pool was asked for */
	const void *map; /* NULL: the bytes are the caller's */
	size_t map_len;
};

/* Texts and lists point into bytes, which must outlive *ret.  0, -EBADMSG, -ENOMEM; nothing to free then. */
int snapshot_decode(const void *bytes, size_t len, struct snapshot *ret, struct fp_err *err);
/* The same from a sealed memfd, which stays the caller's. */
int snapshot_open(int fd, struct snapshot *ret, struct fp_err *err);
void snapshot_free(struct snapshot *s);

#endif
