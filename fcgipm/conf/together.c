/* What pools do to each other: one address for two, more workers than there may be (conf process). */
#include "fcgipm/conf/judge.h"

#include <stdlib.h>
#include <string.h>

static int by_place(const struct spec_place *a, const struct spec_place *b)
{
	if (a->file != b->file)
		return a->file < b->file ? -1 : 1;
	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	return (a->column > b->column) - (a->column < b->column);
}

static int by_address(const void *va, const void *vb)
{
	const struct conf_pool *const *a = va, *const *b = vb;
	int order = strcmp((*a)->address, (*b)->address);

	return order != 0 ? order : by_place(&(*a)->address_place, &(*b)->address_place);
}

/* "tcp 9000 4 00000000": all the addresses of its port and family are its own, too. */
static bool is_wildcard(const char *address)
{
	const char *host = strrchr(address, ' ') + 1;

	return strncmp(address, "tcp ", 4) == 0 && strspn(host, "0") == strlen(host);
}

static bool same_port(const char *a, const char *b)
{
	size_t len = (size_t)(strrchr(a, ' ') - a);

	return strncmp(a, b, len) == 0 && b[len] == ' ' && strchr(b + len + 1, ' ') == NULL;
}

/* Said of the later one, and both places are named. */
static void say_taken(struct conf_job *j, const struct conf_pool *a, const struct conf_pool *b)
{
	int order = by_place(&a->address_place, &b->address_place);
	const struct conf_pool *p = order > 0 ? a : b, *other = order > 0 ? b : a;
	const struct spec_place at = other->address_place;

	if (order == 0)
		conf_error_once(j->report, at, "defaults.listen: one address for many pools (leave it out, and each has a socket of its own)");
	else if (p->address_place.file == at.file)
		conf_error(j->report, p->address_place, "pools.%s.listen: taken by pool %s in line %u (an address of its own)", p->name, other->name, at.line);
	else
		conf_error(j->report, p->address_place, "pools.%s.listen: taken by pool %s in %s line %u (an address of its own)", p->name, other->name,
			   j->report->files[at.file], at.line);
}

static void check_addresses(struct conf_job *j, struct conf_pool **pools, size_t count)
{
	const struct conf_pool *first = NULL;

	qsort(pools, count, sizeof(struct conf_pool *), by_address);
	for (size_t i = 0; i < count; i++) {
		const struct conf_pool *p = pools[i];
		bool taken =
			first != NULL && (strcmp(first->address, p->address) == 0 || (is_wildcard(first->address) && same_port(first->address, p->address)));

		if (taken)
			say_taken(j, p, first);
		else
			first = p;
	}
}

static void check_total(struct conf_job *j)
{
	const struct spec_place at = j->manager_places[SETTINGS_AT_MANAGER_max_workers];
	uint64_t sum = 0;

	for (uint32_t i = 0; i < j->pool_count; i++)
		sum += j->pools[i].workers_min;
	if (sum > j->manager.max_workers)
		conf_warn(j->report, at.line != 0 ? at : (struct spec_place){0, 1, 1},
			  "manager.max_workers: %u, but the pools' workers.min come to %llu (not all of them will run)", j->manager.max_workers,
			  (unsigned long long)sum);
}

void conf_judge_together(struct conf_job *j)
{
	struct conf_pool **pools = calloc(j->pool_count + 1, sizeof(*pools));
	size_t count = 0;

	if (pools == NULL) {
		conf_error(j->report, (struct spec_place){0, 1, 1}, "out of memory");
		return;
	}
	for (uint32_t i = 0; i < j->pool_count; i++)
		if (j->pools[i].address != NULL)
			pools[count++] = &j->pools[i];
	check_addresses(j, pools, count);
	check_total(j);
	free(pools);
}
