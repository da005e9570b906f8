/* A snapshot for people and for machines.  Each appends to a document, whose failed says that memory ran out. */
#ifndef FCGIPM_CLIENT_RENDER_H
#define FCGIPM_CLIENT_RENDER_H

#include <stdint.h>

#include "fcgipm/base/text.h"
#include "fcgipm/client/snapshot.h"

/* One object: {"manager": {...}, "pools": [...], "exec": [...]}.  Unknown numbers and empty texts are null. */
void render_json(struct fp_doc *d, const struct snapshot *s);
/* A line about the manager. */
void render_manager(struct fp_doc *d, const struct wire_status_manager *m);
/* Everything about each pool, or one, with the meaning of each number. */
void render_detail_pool(struct fp_doc *d, const struct snapshot_pool *p);
void render_detail(struct fp_doc *d, const struct snapshot *s);

/* "3d 4h", "4h 5m", "5m 6s", "6s": the two greatest units; buf is returned. */
const char *render_age(int64_t ms, char *buf, size_t cap);

#endif
