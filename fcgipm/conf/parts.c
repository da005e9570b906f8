/* Names over all files of a configuration (conf process). */
#include "fcgipm/conf/parts.h"

#include <stdlib.h>
#include <string.h>

static const struct conf_node *part_of(const struct conf_job *j, uint32_t file, const struct conf_kind *kind)
{
	const struct conf_node *root = j->roots[file], *n = root != NULL && root->shape == CONF_MAP ? root->first : NULL;

	while (n != NULL && strcmp(n->key, kind->key) != 0)
		n = n->next;
	return n;
}

static uint32_t count_all(const struct conf_job *j, const struct conf_kind *kind)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < j->report->file_count; i++) {
		const struct conf_node *part = part_of(j, i, kind);

		for (const struct conf_node *n = part != NULL ? part->first : NULL; n != NULL; n = n->next)
			count++;
	}
	return count;
}

static uint32_t collect(struct conf_job *j, const struct conf_kind *kind, const struct conf_node *part, struct conf_part *to)
{
	uint32_t count = 0;

	if (part == NULL || conf_node_is_empty(part))
		return 0;
	if (part->shape != CONF_MAP) {
		conf_error(j->report, part->place, "%s: not a mapping (NAME: and its keys)", kind->key);
		return 0;
	}
	for (const struct conf_node *n = part->first; n != NULL; n = n->next) {
		if (kind->is_name(n->key))
			to[count++] = (struct conf_part){n->key, n};
		else
			kind->refuse_name(j, n);
	}
	return count;
}

static int by_name(const void *va, const void *vb)
{
	const struct conf_part *a = va, *b = vb;
	int order = strcmp(a->name, b->name);

	/* One file holds a name once: the parser saw to that. */
	return order != 0 ? order : (a->node->key_place.file > b->node->key_place.file) - (a->node->key_place.file < b->node->key_place.file);
}

static uint32_t leave_out_twins(struct conf_job *j, const struct conf_kind *kind, struct conf_part *parts, uint32_t count)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < count; i++) {
		const struct conf_part *p = &parts[i], *first = kept > 0 ? &parts[kept - 1] : NULL;

		if (first == NULL || strcmp(first->name, p->name) != 0)
			parts[kept++] = *p;
		else
			conf_error(j->report, p->node->key_place, "%s.%s: given twice (first in %s line %u; keep one)", kind->key, p->name,
				   j->report->files[first->node->key_place.file], first->node->key_place.line);
	}
	return kept;
}

uint32_t conf_parts_collect(struct conf_job *j, const struct conf_kind *kind, struct conf_part **ret)
{
	struct conf_part *parts = fp_arena_alloc(&j->arena, (count_all(j, kind) + 1) * sizeof(*parts));
	uint32_t count = 0;

	*ret = parts;
	if (parts == NULL) {
		conf_error(j->report, (struct spec_place){0, 1, 1}, "out of memory");
		return 0;
	}
	for (uint32_t i = 0; i < j->report->file_count; i++)
		count += collect(j, kind, part_of(j, i, kind), parts + count);
	if (count > 0)
		qsort(parts, count, sizeof(*parts), by_name);
	return leave_out_twins(j, kind, parts, count);
}
