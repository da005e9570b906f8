/* From the bytes of a YAML file to a tree with places. */
#ifndef FCGIPM_CONF_YAML_H
#define FCGIPM_CONF_YAML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fcgipm/base/arena.h"
#include "fcgipm/conf/report.h"

enum { CONF_DEPTH_MAX = 32, CONF_NODES_MAX = 1 << 20, CONF_FILE_MAX = 16 << 20, CONF_TOTAL_MAX = 64 << 20 };

enum conf_shape { CONF_SCALAR, CONF_LIST, CONF_MAP };

struct conf_node {
	enum conf_shape shape;
	bool plain; /* a scalar without quotes */
	struct spec_place place;
	const char *text; /* of a scalar */
	const char *key; /* of a mapping's value */
	struct spec_place key_place;
	struct conf_node *first, *next; /* children; siblings */
};

struct conf_yaml {
	struct fp_arena *arena;
	struct conf_report *report;
	uint32_t file;
	uint32_t nodes; /* so far, over all files */
	struct conf_node *partial; /* of the last file: what was read before the first error */
};

/* The root of the one document in bytes; NULL when there is none, or after an error, which is in the report. Keys are unique in their mapping. */
struct conf_node *conf_yaml_parse(struct conf_yaml *y, const char *bytes, size_t len);

/* A scalar that says nothing: "key:" and no more. */
static inline bool conf_node_is_empty(const struct conf_node *n)
{
	return n->shape == CONF_SCALAR && n->plain && n->text[0] == '\0';
}

#endif
