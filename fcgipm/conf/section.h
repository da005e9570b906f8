/* A mapping of the file into a struct of settings, by the rows of its table. */
#ifndef FCGIPM_CONF_SECTION_H
#define FCGIPM_CONF_SECTION_H

#include "fcgipm/conf/report.h"
#include "fcgipm/conf/yaml.h"
#include "fcgipm/settings/settings.h"

enum { CONF_PATH_MAX = 256 };

struct conf_section {
	struct conf_report *report;
	const struct settings_table *table;
	void *settings; /* the struct of that table */
	struct spec_place *places; /* by row: where the file gives it; line 0: it does not */
	const char *path; /* "pools.blog", for messages */
	const struct conf_node **nodes; /* by row: what the file gives; NULL: nobody asks */
};

/* Sets what the mapping gives and leaves the rest.  A list is replaced, a mapping (the sections, environment) is merged key by key. Everything
 * that is wrong goes into the report. */
void conf_section_apply(const struct conf_section *c, const struct conf_node *map);

/* Where an item of a list stands, or a name of a mapping; else where the value itself does. */
struct spec_place conf_item_place(const struct conf_node *value, const char *item, struct spec_place otherwise);

/* "did you mean": the word among words that is nearest, NULL when none is near. */
const char *conf_nearest(const char *word, const char *const *words, size_t count);

#endif
