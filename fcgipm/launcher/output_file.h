/* A pool's output file: opened by root where nobody else can meddle with the way there, else by a child with the account's own rights. */
#ifndef FCGIPM_LAUNCHER_OUTPUT_FILE_H
#define FCGIPM_LAUNCHER_OUTPUT_FILE_H

#include <stdbool.h>

#include "fcgipm/base/err.h"
#include "fcgipm/spec/spec.h"

struct launcher;
struct pool_entry;

/* Opened with the launcher's own rights, if nobody else can meddle with the way there. */
bool output_file_is_ours(const struct launcher *l, const struct spec_pool *p);

/* fd: close-on-exec, closed after the call; -1 with error (-errno) and its text. */
typedef void output_file_done(int fd, int error, const struct fp_err *err, void *ctx);

/* Opens (or creates) it for appending; done is called once, at once or later. */
void output_file_open(struct launcher *l, const struct pool_entry *e, output_file_done *done, void *ctx);

#endif
