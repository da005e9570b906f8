/* All that is wrong with a configuration, with places, in order. */
#ifndef FCGIPM_CONF_REPORT_H
#define FCGIPM_CONF_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "fcgipm/base/text.h"
#include "fcgipm/base/arena.h"
#include "fcgipm/spec/spec.h"

enum { CONF_TEXT_MAX = 1024, CONF_REPORT_MAX = 1000, CONF_FILES_MAX = 4096 };

struct conf_finding {
	bool warning;
	struct spec_place place;
	uint32_t order;
	const char *text;
};

struct conf_report {
	struct fp_arena arena;
	const char *files[CONF_FILES_MAX];
	uint32_t file_count;
	struct conf_finding findings[2 * CONF_REPORT_MAX];
	uint32_t kept;
	uint32_t errors, warnings; /* all of them, kept or not */
	uint32_t raised; /* errors, those that were said before counted again: tells whether anything is wrong with a part */
};

struct conf_report *conf_report_new(void);
void conf_report_free(struct conf_report *r);
/* The number of a file for places; -1: too many. */
int conf_report_file(struct conf_report *r, const char *name);
void conf_error(struct conf_report *r, struct spec_place place, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void conf_warn(struct conf_report *r, struct spec_place place, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* What is the same for many, and stands in one place for all of them: said once. */
void conf_error_once(struct conf_report *r, struct spec_place place, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void conf_warn_once(struct conf_report *r, struct spec_place place, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* One line a finding, "FILE:LINE:COLUMN: TEXT": the errors in order of place, then the warnings.  Beyond CONF_REPORT_MAX of a kind one line says how
 * many more there are.  The counts are those of the lines. */
void conf_report_print(struct conf_report *r, struct fp_doc *d, uint32_t *ret_errors, uint32_t *ret_warnings);

#endif
