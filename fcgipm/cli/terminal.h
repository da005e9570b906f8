/* The terminal, if there is one, and waiting beside it. */
#ifndef FCGIPM_CLI_TERMINAL_H
#define FCGIPM_CLI_TERMINAL_H

#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "fcgipm/base/err.h"
#include "fcgipm/cli/feed.h"

/* A file that is a terminal on which a cursor can be moved: not with TERM unset or dumb. */
bool terminal_is(FILE *f);
/* Its kind is known to terminfo, which says how to clear it and to put the cursor anywhere. */
bool terminal_can_draw(FILE *f);
/* A terminal, and the environment has no NO_COLOR (no-color.org). */
bool terminal_has_colour(FILE *f);
/* 80 by 24 where it does not say. */
void terminal_size(FILE *f, size_t *ret_columns, size_t *ret_lines);
/* Texts are measured by the user's locale from here on. */
void terminal_locale(void);

/* A descriptor that tells of these signals (ended by 0), which come no other way then; those that were ignored stay so.  0 or -errno. */
int terminal_signals(const int *signals, int *ret_fd, struct fp_err *err);

enum { TERMINAL_TIME, TERMINAL_HUNG_UP = 1, TERMINAL_INPUT = 2 };

/* Waits for the feed, a signal, input (or that the other side of a file has gone, with events 0).  Bits of the above; *ret_signal is a signal or 0. */
unsigned terminal_wait(const struct feed *f, int signals, struct pollfd input, int *ret_signal);

#endif
