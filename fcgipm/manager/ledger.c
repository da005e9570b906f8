/* The exec broker's ledger (manager process). */
#include "fcgipm/manager/ledger.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "fcgipm/base/fd.h"
#include "fcgipm/wire/ledger.h"

void ledger_close(struct ledger *g)
{
	if (g->lines != NULL)
		munmap((void *)(uintptr_t)g->lines, g->count * sizeof(*g->lines));
	*g = (struct ledger){.lines = NULL};
}

int ledger_open(struct ledger *g, int fd)
{
	struct stat st = {.st_size = 0};
	void *at = NULL;

	ledger_close(g);
	if (fd < 0)
		return 0;
	if (fstat(fd, &st) < 0 || st.st_size == 0 || st.st_size % (off_t)sizeof(*g->lines) != 0)
		errno = EPROTO;
	else
		at = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	fp_close(&fd);
	if (at == NULL || at == MAP_FAILED)
		return -errno;
	*g = (struct ledger){.lines = at, .count = (size_t)st.st_size / sizeof(*g->lines)};
	return 0;
}

static int by_name(const void *a, const void *b)
{
	const struct wire_ledger_line *const *pa = a, *const *pb = b;

	return strcmp((*pa)->name, (*pb)->name);
}

static void put_line(struct wire_wr *w, const struct wire_ledger_line *line)
{
	struct wire_status_profile o = {.name = line->name};

#define TAKE(type, name) o.name = __atomic_load_n(&line->name, __ATOMIC_RELAXED);
	WIRE_STATUS_PROFILE_FIGURES(TAKE)
	wire_put_status_profile(w, &o);
}

void ledger_put(const struct ledger *g, struct wire_wr *w)
{
	const struct wire_ledger_line **order = calloc(g->count + 1, sizeof(*order));
	size_t count = order != NULL ? g->count : 0;

	for (size_t i = 0; i < count; i++)
		order[i] = &g->lines[i];
	if (count > 1)
		qsort(order, count, sizeof(*order), by_name);
	wire_put_u32(w, (uint32_t)count);
	for (size_t i = 0; i < count; i++)
		put_line(w, order[i]);
	free(order);
}
