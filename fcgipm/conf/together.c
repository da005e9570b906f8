/* What pools do to each other: one address for two, more workers than there may be (conf process). */
#include "fcgipm/conf/judge.h"

#include <stdlib.h>
#include <string.h>

static int by_address(const void *va, const void *vb)
{
	const struct conf_pool *const *a = va, *const *b = vb;
	int order = strcmp((*a)->address, (*b)->address);
	const struct spec_place *pa = &(*a)->address_place, *pb = &(*b)->address_place;

	if (order != 0)
		return order;
	if (pa->file != pb->file)
		return pa->file < pb->file ? -1 : 1;
	return (pa->line > pb->line) - (pa->line < pb->line);
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

static void check_addresses(struct conf_job *j, struct conf_pool **pools, size_t count)
{
	const struct conf_pool *first = NULL;

	qsort(pools, count, sizeof(struct conf_pool *), by_address);
	for (size_t i = 0; i < count; i++) {
		const struct conf_pool *p = pools[i];
		bool taken =
			first != NULL && (strcmp(first->address, p->address) == 0 || (is_wildcard(first->address) && same_port(first->address, p->address)));

		if (taken)
			conf_error(j->report, p->address_place, "pools.%s.listen: the address of pool %s (one of its own)", p->name, first->name);
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
