/* Arguments and environment of a run, as a client sends them, and what a profile makes of them.  Pure but for memory. */
#ifndef FCGIPM_BROKER_WORDS_H
#define FCGIPM_BROKER_WORDS_H

#include "fcgipm/spec/spec.h"
#include "fcgipm/wire/cursor.h"
#include "include/fcgipm/refusal.h"

/* Arguments or variables; bytes of an argument that a pattern is held against. */
enum { BROKER_WORDS_MAX = 2048, BROKER_MATCHED_MAX = 4096 };

struct broker_words {
	const char **argv; /* NULL-terminated; argv[0] is the program */
	const char **envp; /* NULL-terminated: what the profile sets, then what it lets through of the client's */
	uint32_t argc;
	void *arena;
};

/* bytes (u32 count and texts, twice) must outlive *ret.  FCGIPM_REFUSED_MALFORMED, TOO_LARGE, RESOURCES, ARGUMENTS or PATH. */
enum fcgipm_refusal broker_words_read(struct wire_blob bytes, const struct spec_profile *p, struct broker_words *ret);
void broker_words_free(struct broker_words *w);

/* True: the profile lets a variable of that name through. */
bool broker_allows(const struct spec_profile *p, const char *name, size_t len);

#endif
