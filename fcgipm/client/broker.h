/* A connection to the exec broker, in steps: see include/fcgipm/client.h, whose functions these are with an error struct of their own. */
#ifndef FCGIPM_CLIENT_BROKER_H
#define FCGIPM_CLIENT_BROKER_H

#include <stdbool.h>
#include <stdint.h>

#include "fcgipm/base/err.h"
#include "include/fcgipm/client.h"

/* deadline_ms: fp_now_ms() at which to give up, INT64_MAX: never. */
int broker_open(const char *path, int64_t deadline_ms, struct fcgipm_broker **ret, struct fp_err *err);
void broker_close(struct fcgipm_broker **b);
int broker_fd(const struct fcgipm_broker *b);
int broker_ask(struct fcgipm_broker *b, const struct fcgipm_program *what, struct fp_err *err);
int broker_next(struct fcgipm_broker *b, struct fcgipm_run *run, struct fcgipm_end *end, struct fp_err *err);
/* Waits for news. */
int broker_await(struct fcgipm_broker *b, int64_t deadline_ms, struct fcgipm_run *run, struct fcgipm_end *end, struct fp_err *err);
int broker_cancel(struct fcgipm_broker *b, bool at_once);
int broker_refusal(const struct fcgipm_broker *b);

#endif
