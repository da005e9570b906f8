/* Episodes of a pool (manager process). */
#include "fcgipm/manager/episode.h"

#include "fcgipm/base/clock.h"
#include "fcgipm/base/log.h"
#include "fcgipm/manager/manager.h"

#define EPISODE_ROW(NAME, member, begin, end, lasts, name) [EPISODE_##NAME] = {offsetof(struct pool_counters, member), lasts, begin, end, name},
static const struct {
	size_t counter;
	int64_t lasts_ms;
	const char *begin, *end, *name;
} rows[] = {EPISODES(EPISODE_ROW)};

static uint64_t *counter_of(struct pool *p, enum episode_kind kind)
{
	return (uint64_t *)(void *)((char *)&p->counters + rows[kind].counter);
}

static void over(struct pool *p, enum episode_kind kind, struct episode *e)
{
	if (e->logged)
		log_info(rows[kind].end, KS("pool", p->name), KI("in_all_ms", *counter_of(p, kind)));
	*e = (struct episode){.logged_ms = e->logged_ms, .times = e->times};
}

static void begins(struct pool *p, enum episode_kind kind, struct episode *e, int64_t now)
{
	e->times += !e->said;
	e->said = true;
	if (e->logged_ms != 0 && now - e->logged_ms < EPISODE_AGAIN_MS)
		return;
	log_warn(rows[kind].begin, KS("pool", p->name), KI("queued", p->queue.depth), KI("wanted", p->wanted), KI("max", pool_max(p)), KI("times", e->times));
	e->logged = true;
	e->logged_ms = now;
	e->times = 0;
}

static void count_up(struct pool *p, enum episode_kind kind, int64_t now)
{
	struct episode *e = &p->episodes[kind];

	if (e->since_ms != 0)
		*counter_of(p, kind) += (uint64_t)(now - e->counted_ms);
	e->counted_ms = now;
}

/* Said when it is seen for the second time at least: one sample is no episode. */
void episode_note(struct pool *p, enum episode_kind kind, bool there)
{
	struct episode *e = &p->episodes[kind];
	int64_t now = fp_now_ms();

	count_up(p, kind, now);
	if (!there) {
		if (e->since_ms != 0)
			over(p, kind, e);
		return;
	}
	if (e->since_ms == 0) {
		e->since_ms = now;
	} else if (!e->logged && now - e->since_ms >= rows[kind].lasts_ms) {
		begins(p, kind, e, now);
	}
}

void episodes_settle(struct pool *p)
{
	int64_t now = fp_now_ms();
	uint64_t any = 0;

	for (unsigned k = 0; k < EPISODE_COUNT; k++) {
		count_up(p, (enum episode_kind)k, now);
		any |= *counter_of(p, (enum episode_kind)k);
	}
	if (any != 0 || p->counters.served != 0 || p->counters.abandoned != 0)
		state_save(p);
}

const char *episode_name(enum episode_kind kind)
{
	return rows[kind].name;
}
