/* The exec broker's ledger (launcher process). */
#include "fcgipm/launcher/ledger.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fcgipm/base/fd.h"
#include "fcgipm/base/log.h"
#include "fcgipm/launcher/launcher.h"
#include "fcgipm/launcher/link.h"
#include "fcgipm/launcher/profile.h"

/* Nobody else may ever write it: not the manager, which gets the descriptor. */
enum { SEALS = F_SEAL_FUTURE_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL };

void ledger_tell(struct profile *p)
{
	struct wire_ledger_line *f = &p->figures;

	f->running = p->running;
	f->max_running = p->spec.max_running;
	f->queue_depth = p->waiting;
	f->queue_limit = p->spec.queue_limit;
	f->queue_peak = p->waiting > f->queue_peak ? p->waiting : f->queue_peak;
	f->cpu_ms = p->cpu_us / 1000;
	if (p->line == NULL)
		return;
#define TELL(type, name) __atomic_store_n(&p->line->name, f->name, __ATOMIC_RELAXED);
	WIRE_STATUS_PROFILE_FIGURES(TELL)
}

void ledger_end(struct launcher *l)
{
	struct ledger *g = &l->exec.ledger;

	for (struct profile *p = l->exec.profiles; p != NULL; p = p->next)
		p->line = NULL;
	if (g->lines == NULL)
		return;
	munmap(g->lines, g->count * sizeof(*g->lines));
	fp_close(&g->fd);
	*g = (struct ledger){.fd = -1};
}

static bool make(struct ledger *g, size_t count)
{
	size_t size = count * sizeof(*g->lines);
	int fd = memfd_create("fcgipm-ledger", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	void *at = fd >= 0 && ftruncate(fd, (off_t)size) == 0 ? mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) : MAP_FAILED;

	if (at != MAP_FAILED && fcntl(fd, F_ADD_SEALS, SEALS) == 0) {
		*g = (struct ledger){.fd = fd, .lines = at, .count = count};
		return true;
	}
	if (at != MAP_FAILED)
		munmap(at, size);
	fp_close(&fd);
	return false;
}

void ledger_begin(struct launcher *l)
{
	struct ledger *g = &l->exec.ledger;
	size_t count = 0, i = 0;

	ledger_end(l);
	for (const struct profile *p = l->exec.profiles; p != NULL; p = p->next)
		count += !p->gone;
	if (count > 0 && !make(g, count))
		log_error("exec.no_memory", KI("profiles", count));
	for (struct profile *p = l->exec.profiles; p != NULL && g->lines != NULL; p = p->next) {
		if (p->gone)
			continue;
		p->line = &g->lines[i++];
		snprintf(p->line->name, sizeof(p->line->name), "%s", p->spec.name);
		ledger_tell(p);
	}
	link_ledger(l);
}
