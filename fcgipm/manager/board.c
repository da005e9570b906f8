/* Scoreboards (manager process). */
#include "fcgipm/manager/board.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "fcgipm/base/clock.h"
#include "fcgipm/base/fd.h"
#include "fcgipm/base/log.h"
#include "fcgipm/manager/crew.h"
#include "fcgipm/manager/manager.h"
#include "fcgipm/probe/process.h"
#include "fcgipm/wire/dgram.h"
#include "include/fcgipm/board.h"

enum {
	BELL_PAUSE_MS = 2,
	BELL_READS = 64,
	TICK_LEAST_MS = 20,
	DEAF_MS = 1000,
	CUT_CALM = 10,
	CUT_MOST_MS = 60000,
	MEMORY_MS = 1000,
	MEMORY_AGE_MS = 10000,
	KEPT_MS = 1000
};

#define GET(field)        __atomic_load_n(&(field), __ATOMIC_ACQUIRE)
#define PUT(field, value) __atomic_store_n(&(field), (value), __ATOMIC_RELEASE)

static struct board_slot *slot_of(const struct worker *w)
{
	struct board *b = w->pool->board.map;

	return b != NULL && w->slot < BOARD_SLOTS ? &b->slots[w->slot] : NULL;
}

static uint32_t state_of(const struct worker *w)
{
	const struct board_slot *s = slot_of(w);

	return s != NULL ? GET(s->state) : BOARD_EMPTY;
}

/* ---- the bell ---- */

/* Whoever rings without end is heard every BELL_PAUSE_MS. */
static void bell_listen(struct pool *p)
{
	if (!p->board.listening && !p->board.deaf && p->board.map != NULL && !evtimer_pending(&p->board.pause, NULL))
		p->board.listening = event_add(&p->board.rung, NULL) == 0;
}

/* A worker has shut it down, or has nothing to say: all are looked at from outside. */
static void bell_ends(struct pool *p)
{
	p->board.deaf = true; /* and it is not armed: board_arm() */
	log_warn("pool.deaf", KS("pool", p->name));
	board_scan(p);
	pool_touch(p);
}

static void bell_rung(evutil_socket_t fd, short what, void *ctx)
{
	static struct wire_dgram in; /* too large for the stack of a deep call */
	struct pool *p = ctx;
	int r = 1;

	(void)what;
	p->board.listening = false;
	p->board.wakes++;
	for (int i = 0; i < BELL_READS && r != 0 && r != -EAGAIN; i++) {
		r = wire_recv(fd, &in); /* a byte is no message; descriptors that come along, before Linux 6.16, are closed with it, and do not linger */
		wire_dgram_close(&in);
	}
	if (r == 0) {
		bell_ends(p);
		return;
	}
	timer_arm(&p->board.pause, BELL_PAUSE_MS);
	board_scan(p);
	queue_sample_soon(p);
}

static void bell_paused(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	bell_listen(ctx);
}

static void board_tick(evutil_socket_t fd, short what, void *ctx)
{
	struct pool *p = ctx;

	(void)fd;
	(void)what;
	board_scan(p);
}

bool board_open(struct pool *p, int memory, int bell)
{
	struct stat st;
	void *map = MAP_FAILED;
	int seals = fcntl(memory, F_GET_SEALS);

	if (p->board.map == NULL && seals >= 0 && (seals & F_SEAL_SHRINK) != 0 && fstat(memory, &st) == 0 && st.st_size == (off_t)sizeof(struct board))
		map = mmap(NULL, sizeof(struct board), PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
	fp_close(&memory);
	if (map == MAP_FAILED) {
		fp_close(&bell);
		return false;
	}
	p->board = (struct board_watch){.map = map, .bell = bell, .known = p->board.known};
	event_assign(&p->board.rung, p->m->base, bell, EV_READ, bell_rung, p);
	evtimer_assign(&p->board.pause, p->m->base, bell_paused, p);
	evtimer_assign(&p->board.tick, p->m->base, board_tick, p);
	bell_listen(p);
	board_settle(p);
	return true;
}

void board_close(struct pool *p)
{
	if (p->board.map == NULL)
		return;
	event_del(&p->board.rung);
	event_del(&p->board.pause);
	event_del(&p->board.tick);
	fp_close(&p->board.bell);
	munmap(p->board.map, sizeof(struct board));
	p->board.map = NULL;
}

/* ---- lines ---- */

uint32_t board_free_slot(const struct pool *p)
{
	for (uint32_t i = 0; i < BOARD_WORDS; i++)
		if (p->slots[i] != UINT64_MAX)
			return i * BOARD_WORD_BITS + (uint32_t)__builtin_ctzll(~p->slots[i]);
	return BOARD_SLOTS;
}

void board_take_slot(struct worker *w, uint32_t slot)
{
	w->slot = slot;
	if (slot < BOARD_SLOTS)
		w->pool->slots[slot / BOARD_WORD_BITS] |= 1ULL << slot % BOARD_WORD_BITS;
}

void board_give_slot(const struct worker *w)
{
	if (w->slot < BOARD_SLOTS)
		w->pool->slots[w->slot / BOARD_WORD_BITS] &= ~(1ULL << w->slot % BOARD_WORD_BITS);
}

bool board_is_silent(const struct worker *w)
{
	uint32_t state = state_of(w);

	return slot_of(w) != NULL && (state < BOARD_IDLE || state > BOARD_LEAVING);
}

bool board_is_loaded(const struct worker *w)
{
	return state_of(w) != BOARD_EMPTY;
}

void board_stop(const struct worker *w, int signal)
{
	struct board_slot *s = slot_of(w);

	if (s != NULL)
		PUT(s->stop, (uint32_t)signal);
}

struct board_census board_census(const struct pool *p)
{
	struct board_census c = {.exact = p->board.map != NULL};

	for (const struct worker *w = p->workers; w != NULL; w = w->next) {
		uint32_t state = state_of(w);

		if (w->state != WORKER_READY && w->state != WORKER_RETIRING)
			continue;
		c.idle += state == BOARD_IDLE;
		c.busy += state == BOARD_BUSY;
		c.serving += state == BOARD_BUSY && w->state == WORKER_READY;
		c.kept += state == BOARD_KEPT;
		c.going += (state == BOARD_BUSY || state == BOARD_KEPT) && w->state == WORKER_RETIRING;
		c.blind += state == BOARD_BLIND;
		c.silent += w->state == WORKER_READY && board_is_silent(w);
		c.exact = c.exact && state >= BOARD_IDLE && state != BOARD_BLIND && state <= BOARD_LEAVING;
	}
	return c;
}

/* ---- what follows ---- */

static void add(uint64_t *sum, uint64_t more)
{
	*sum = more < UINT64_MAX - *sum ? *sum + more : UINT64_MAX;
}

/* The most that was read of a line counts: a worker may write what it likes, and may be read while it writes; what is told never goes back. */
static void take_number(uint64_t now, uint64_t *had, uint64_t *known, uint64_t *live, uint64_t *total)
{
	uint64_t more = now > *had ? now - *had : 0, again = more < *known ? more : *known;

	if (more == 0)
		return;
	*known -= again;
	add(live, more);
	add(total, more - again);
	*had = now;
}

/* What has ended, and of the request that is under way as much as has passed. */
static uint64_t busy_ns(const struct board_slot *s)
{
	int64_t since = GET(s->since_ns), now = fp_now_ms() * 1000000;
	uint64_t ended = GET(s->busy_ns);
	bool still = GET(s->state) == BOARD_BUSY && since > 0 && since < now;

	return still ? ended + (uint64_t)(now - since) : ended;
}

static void take_numbers(struct worker *w, const struct board_slot *s)
{
	struct pool_counters *c = &w->pool->counters;
	struct board_known *k = &w->pool->board.known;

	take_number(GET(s->requests), &w->requests, &k->served, &c->live_served, &c->served);
	take_number(GET(s->abandoned), &w->abandoned, &k->abandoned, &c->live_abandoned, &c->abandoned);
	take_number(busy_ns(s) / 1000, &w->busy_us, &k->busy_us, &c->live_busy_us, &c->busy_us);
}

static uint64_t less(uint64_t all, uint64_t part)
{
	return part < all ? all - part : 0;
}

static void forget_numbers(struct worker *w)
{
	struct pool_counters *c = &w->pool->counters;

	c->live_served = less(c->live_served, w->requests);
	c->live_abandoned = less(c->live_abandoned, w->abandoned);
	c->live_busy_us = less(c->live_busy_us, w->busy_us);
}

void board_count(struct pool *p)
{
	for (struct worker *w = p->workers; w != NULL; w = w->next)
		if (slot_of(w) != NULL && w->id != 0)
			take_numbers(w, slot_of(w));
}

/* What is left on a line is of one whose end no manager has seen: the end that one sees clears it. */
static void clear_line(struct board_slot *s)
{
	PUT(s->state, BOARD_EMPTY);
	PUT(s->requests, 0);
	PUT(s->abandoned, 0);
	PUT(s->busy_ns, 0);
}

/* Low lines are given first, to what the launcher permits: twice workers.max, two templates and one that takes an old one's place.  To touch pages of those that were
 * never used would take memory for them. */
static uint32_t lines_used(const struct pool *p)
{
	uint32_t most = p->board.map == NULL || pool_wanted(p) == NULL ? 0 : 2 * pool_wanted(p)->set.workers_max + 3;

	return most < BOARD_SLOTS ? most : BOARD_SLOTS;
}

static void count_the_dead(struct pool *p)
{
	uint32_t count = lines_used(p);

	for (uint32_t i = 0; i < count; i++) {
		struct worker gone = {.pool = p, .slot = i};

		if ((p->slots[i / BOARD_WORD_BITS] & 1ULL << i % BOARD_WORD_BITS) != 0)
			continue;
		PUT(slot_of(&gone)->state, BOARD_EMPTY); /* its request has ended with it */
		take_numbers(&gone, slot_of(&gone));
		forget_numbers(&gone);
		clear_line(slot_of(&gone));
	}
}

void board_known(struct pool *p)
{
	board_count(p);
	count_the_dead(p);
	p->board.known = (struct board_known){0};
}

/* In the words of the kernel, as far as it tells us. */
static void stack_of(pid_t pid, char *text, size_t size)
{
	char path[32], raw[512];
	ssize_t n;
	int fd;
	size_t len = 0;

	snprintf(path, sizeof(path), "/proc/%d/stack", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd >= 0 ? read(fd, raw, sizeof(raw)) : -1;
	fp_close(&fd);
	for (ssize_t i = 0; i < n && len + 1 < size; i++)
		text[len++] = raw[i] == '\n' ? ' ' : raw[i];
	text[len] = '\0';
}

/* It was in another request by then, or says so: what it writes shall not keep the launcher busy, so it is asked about less and less. */
static void cut_missed(struct worker *w)
{
	int64_t now = fp_now_ms(), wait = now - w->cut_missed_ms > CUT_CALM * w->cut_wait_ms ? 0 : 2 * w->cut_wait_ms;

	w->cut_missed_ms = now;
	w->cut_wait_ms = wait < TICK_LEAST_MS ? TICK_LEAST_MS : wait < CUT_MOST_MS ? wait : CUT_MOST_MS;
}

static void cut_done(struct worker *w)
{
	if (output_may_log(w->pool))
		log_warn("request.timeout", KS("pool", w->pool->name), KI("pid", w->pid), KI("ms", w->cut_ms));
	w->timed_out = w->over_time = true;
	worker_happened(w, WORKER_ON_KILL);
	board_scan(w->pool); /* it may not be the only one */
}

/* The worker may have gone meanwhile, so it is known by its id alone. */
static void cut_answered(void *ctx, const struct wire_answer *a, struct wire_dgram *d)
{
	struct manager *m = ctx;
	struct worker *w = manager_worker(m, m->cut_asked);

	(void)d;
	m->cut_asked = 0;
	if (w == NULL || !worker_accepts(w->state))
		return;
	if (a->code == 0 && a->number == WIRE_LOOK_SIGNALLED)
		cut_done(w);
	else
		cut_missed(w);
}

/* One at a time, of all pools: the launcher stands still with it. */
static void cut(struct worker *w, int64_t since_ns, int64_t age)
{
	struct manager *m = w->pool->m;

	if (m->cut_asked != 0 || !worker_accepts(w->state) || fp_now_ms() - w->cut_missed_ms < w->cut_wait_ms)
		return;
	m->cut_asked = w->id;
	w->cut_ms = age;
	link_cut(&m->link, w->id, since_ns, cut_answered, m);
}

static void watch_request(struct worker *w, const struct board_slot *s, int64_t *due_ms)
{
	const struct pool_settings *set = &pool_wanted(w->pool)->set;
	int64_t since = GET(s->since_ns), now = fp_now_ms(), age = now - since / 1000000, slow = set->request_slow, limit = set->request_timeout;
	char stack[256];

	if (age > now - w->spawned_ms)
		age = now - w->spawned_ms; /* none is older than its worker, whatever that writes: it would be ended without end */
	if (age < 0)
		return;
	if (slow > 0 && age >= slow && w->slow_request != w->requests) {
		w->slow_request = w->requests;
		w->pool->counters.slow++;
		if (output_may_log(w->pool)) { /* as its output: it may say so without end */
			stack_of(w->pid, stack, sizeof(stack));
			log_warn("request.slow", KS("pool", w->pool->name), KI("pid", w->pid), KI("ms", age), KS("stack", stack));
		}
	}
	if (limit > 0 && age >= limit) {
		cut(w, since, age);
		*due_ms = 0; /* looked at again soon, whatever becomes of it */
	}
	if (slow > 0 && age < slow && slow - age < *due_ms)
		*due_ms = slow - age;
	if (limit > 0 && age < limit && limit - age < *due_ms)
		*due_ms = limit - age;
}

static void watch_kept(struct worker *w, const struct board_slot *s)
{
	int64_t age = fp_now_ms() - GET(s->since_ns) / 1000000;

	if (w->said_pinned || age < KEPT_MS || w->pool->queue.depth == 0)
		return;
	w->said_pinned = true;
	log_warn("worker.pinned", KS("pool", w->pool->name), KI("pid", w->pid), KI("ms", age), KI("queued", w->pool->queue.depth));
}

/* It has served nothing, or as far as can be known it may have: it was as large when it came, and another would be, too. */
static bool is_as_it_came(const struct worker *w, int64_t now)
{
	uint32_t state = state_of(w);

	if (state >= BOARD_IDLE && state != BOARD_BLIND)
		return w->requests == 0;
	return now - w->spawned_ms < MEMORY_AGE_MS;
}

static void watch_size(struct worker *w)
{
	uint64_t most = pool_wanted(w->pool)->set.workers_max_memory;
	int64_t now = fp_now_ms(), have;

	if (most == 0 || w->overdue || now - w->measured_ms < MEMORY_MS || is_as_it_came(w, now))
		return;
	w->measured_ms = now;
	have = probe_memory(w->pid);
	if (have <= 0 || (uint64_t)have < most)
		return;
	log_info("worker.max_memory", KS("pool", w->pool->name), KI("pid", w->pid), KI("bytes", have));
	w->overdue = true;
	pool_touch(w->pool);
}

static void note_last(struct worker *w, bool at_last)
{
	if (at_last == (w->at_last_ms != 0))
		return;
	w->at_last_ms = at_last ? fp_now_ms() : 0;
	pool_touch(w->pool);
}

static void scan_one(struct worker *w, int64_t *due_ms)
{
	const struct board_slot *s = slot_of(w);
	uint32_t state = GET(s->state), most = pool_wanted(w->pool)->set.workers_max_requests;

	take_numbers(w, s);
	if (w->state == WORKER_BOOTING && state >= BOARD_IDLE)
		worker_happened(w, WORKER_ON_SEEN_READY);
	if (w->state != WORKER_READY && w->state != WORKER_RETIRING)
		return;
	if (state == BOARD_IDLE && w->requests > 0 && !w->proven) {
		w->proven = true;
		template_proven(w->pool, w->parent);
	}
	if (state == BOARD_BUSY)
		watch_request(w, s, due_ms);
	if (state == BOARD_BUSY && pool_wanted(w->pool)->set.workers_max_memory > 0 && *due_ms > MEMORY_MS)
		*due_ms = MEMORY_MS;
	if (state == BOARD_KEPT)
		watch_kept(w, s);
	if (w->state != WORKER_READY)
		return;
	watch_size(w);
	if (state == BOARD_LEAVING)
		retire_worker(w, RETIRE_REQUESTS);
	else
		note_last(w, most != 0 && w->requests > 0 && w->requests + 1 >= most && state != BOARD_BLIND);
}

/* A worker that was killed while it was idle is still counted by the others. */
static void correct_idle(struct pool *p, const struct board_census *c)
{
	struct board_head *h = &p->board.map->head;
	int32_t off = (int32_t)((uint32_t)GET(h->idle) - c->idle); /* a worker may have written any number there */

	if (off != 0 && off == p->board.idle_off) { /* twice the same: not one that is on its way */
		__atomic_sub_fetch(&h->idle, off, __ATOMIC_RELAXED);
		off = 0;
	}
	p->board.idle_off = off;
}

/* What is written to the workers is there before their lines are read: who does not see it yet is seen. */
static void between_write_and_read(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static bool has_limits(const struct pool *p)
{
	const struct pool_settings *set = &pool_wanted(p)->set;

	return set->request_timeout > 0 || set->request_slow > 0 || set->workers_max_memory > 0;
}

/* All lines; when the next look is due, in ms. */
static int64_t scan_lines(struct pool *p)
{
	int64_t due = p->board.deaf && has_limits(p) ? DEAF_MS : INT64_MAX;

	for (struct worker *w = p->workers; w != NULL; w = w->next)
		if (slot_of(w) != NULL && w->id != 0)
			scan_one(w, &due);
	return due;
}

void board_scan(struct pool *p)
{
	struct board_census c;
	int64_t due;

	if (p->board.map == NULL || pool_wanted(p) == NULL)
		return;
	event_del(&p->board.tick); /* it may have been for limits that hold no longer */
	due = scan_lines(p);
	p->board.ticking = due != INT64_MAX;
	board_settle(p);
	if (!p->board.ticking && has_limits(p)) { /* from here on who begins rings; who began a moment ago is there */
		between_write_and_read();
		due = scan_lines(p);
		p->board.ticking = due != INT64_MAX;
	}
	c = board_census(p);
	p->untold |= c.blind > 0 || c.silent > 0;
	correct_idle(p, &c);
	if (p->board.ticking)
		timer_arm(&p->board.tick, due < TICK_LEAST_MS ? TICK_LEAST_MS : due);
}

/* ---- what workers are told ---- */

void board_settle(struct pool *p)
{
	const struct pool_spec *s = pool_wanted(p);
	struct board_head *h = p->board.map != NULL ? &p->board.map->head : NULL;

	if (h == NULL || s == NULL)
		return;
	PUT(h->max_requests, s->set.workers_max_requests);
	PUT(h->stop, (uint32_t)s->set.stop_signal);
	PUT(h->keep_ms, (uint32_t)(s->set.request_keep_timeout < UINT32_MAX ? s->set.request_keep_timeout : UINT32_MAX));
	if (!p->board.ticking)
		PUT(h->watch, has_limits(p));
}

bool board_arm(struct pool *p, uint32_t low)
{
	struct board_head *h = &p->board.map->head;

	if (p->board.deaf)
		return false;
	PUT(h->low, (int32_t)low);
	PUT(h->armed, 1);
	bell_listen(p);
	between_write_and_read();
	return GET(h->idle) >= (int32_t)low;
}

void board_signalled(struct worker *w)
{
	if (w->uncounted || state_of(w) != BOARD_IDLE)
		return;
	w->uncounted = true;
	__atomic_sub_fetch(&w->pool->board.map->head.idle, 1, __ATOMIC_RELAXED);
}

bool board_left(struct worker *w)
{
	struct board_slot *s = slot_of(w);
	uint32_t state = state_of(w);

	if (s == NULL)
		return false;
	take_numbers(w, s);
	forget_numbers(w);
	board_signalled(w);
	clear_line(s);
	return state == BOARD_LEAVING && (w->was_ready || w->requests > 0); /* it may have served all of its requests before we looked */
}
