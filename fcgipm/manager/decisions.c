/* Decisions of the scaler, remembered (manager process).  Pure. */
#include "fcgipm/manager/decisions.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { TOGETHER_MS = 250 };

static bool goes_on(const struct decision *a, const struct decision *b)
{
	bool same_way = (a->to > a->from) == (b->to > b->from) && (a->to < a->from) == (b->to < b->from);

	return same_way && strcmp(a->reason, b->reason) == 0 && b->at_ms - a->at_ms <= TOGETHER_MS;
}

void decisions_add(struct decisions *d, const struct decision *what)
{
	struct decision *newest = &d->ring[d->last];

	if (d->count > 0 && goes_on(newest, what)) {
		newest->to = what->to;
		newest->queued = what->queued > newest->queued ? what->queued : newest->queued;
		newest->busy = what->busy > newest->busy ? what->busy : newest->busy;
		return;
	}
	d->last = d->count == 0 ? 0 : (d->last + 1) % DECISIONS_KEPT;
	d->count += d->count < DECISIONS_KEPT;
	d->ring[d->last] = *what;
}

const struct decision *decisions_get(const struct decisions *d, unsigned i)
{
	return i < d->count ? &d->ring[(d->last + DECISIONS_KEPT - i) % DECISIONS_KEPT] : NULL;
}

void decision_text(const struct decision *d, int64_t now_ms, char *buf, unsigned cap)
{
	long long ago = (long long)(now_ms - d->at_ms);
	char change[48] = "";

	if (d->to != d->from)
		snprintf(change, sizeof(change), "%u %s, %u to ", d->to > d->from ? d->to - d->from : d->from - d->to, d->to > d->from ? "more" : "less",
			 d->from);
	snprintf(buf, cap, "%lld.%lld s ago: %s%u workers: %s (%u waited, %u were served)", ago / 1000, ago % 1000 / 100, change, d->to, d->reason, d->queued,
		 d->busy);
}
