/* Patterns over what a client sends, in bounded time.  Pure. */
#ifndef FCGIPM_BROKER_GLOB_H
#define FCGIPM_BROKER_GLOB_H

#include <stdbool.h>

/* As fnmatch(3) with FNM_NOESCAPE: "*" is any text, also "/" and a leading period, "?" one byte, "[...]" one byte of a set.  In at most strlen(pattern) times strlen(text) steps, where fnmatch(3)
 * takes that to the power of the stars. */
bool broker_glob(const char *pattern, const char *text);

#endif
