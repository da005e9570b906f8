/* Where an application that fcgipm pre-forks is forked.
 *
 * Without a word from the application that is its first accept.  An application that has something to do in each worker before it serves (open a connection to a
 * database, start a thread) calls fcgipm_prefork_here() when all that may be shared is there: what stands before the call happens once, in the template, what
 * stands behind it in every worker.  Where nothing is pre-forked (workers.start: exec, another process manager) the call does nothing.
 *
 * It asks, without waiting, whether descriptor 0 has a connection; the preloaded library takes that for the first accept.  So it works in any language that has
 * select or poll; the files beside this one have it for Ruby, Python, Perl and Common Lisp.  docs/examples/ has a program for each.
 */
#ifndef FCGIPM_PREFORK_H
#define FCGIPM_PREFORK_H

#include <poll.h>

/* Returns in every worker.  The process must have one thread (in Ruby it may have more). */
static inline void fcgipm_prefork_here(void)
{
	struct pollfd listener = {.fd = 0, .events = POLLIN, .revents = 0};

	poll(&listener, 1, 0);
}

#endif
