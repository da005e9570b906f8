/* The worker's line of the scoreboard.  It alone writes it, but for the order to stop; the manager reads. */

#include "fcgipm/prefork/prefork.h"

#define PUT(field, value) __atomic_store_n(&(field), (value), __ATOMIC_RELEASE)
#define GET(field)        __atomic_load_n(&(field), __ATOMIC_ACQUIRE)
/* True if it was so: another thread may have changed it.  Else `was` is what it is now. */
#define CHANGE(field, was, to) __atomic_compare_exchange_n(&(field), &(was), (to), false, __ATOMIC_SEQ_CST, __ATOMIC_ACQUIRE)
/* The manager arms, for one who says so. */
#define DISARM(field) (GET(field) != 0 && __atomic_exchange_n(&(field), 0, __ATOMIC_RELAXED) != 0)

void board_wake(void)
{
	if (cookie_of(BOARD_WAKE_FD) == prefork.bell)
		call(SYS_sendto, BOARD_WAKE_FD, (long)"", 1, MSG_DONTWAIT | MSG_NOSIGNAL); /* no function of the C library's: hook.c */
}

/* Who leaves too few behind, or begins where nobody was watched, says so, once. */
static void begun(struct board_head *h, struct board_slot *s)
{
	int32_t idle = __atomic_sub_fetch(&h->idle, 1, __ATOMIC_RELAXED);
	bool few = idle < GET(h->low) && DISARM(h->armed), watched = DISARM(h->watch);

	PUT(s->requests, s->requests + 1);
	if (few || watched || s->requests + 1 == h->max_requests) /* one more, and it goes: time for another to come */
		board_wake();
}

/* The coarse clock costs a tenth.  It goes in steps of a few ms, which even out: over many requests the sum is that of the fine one.  False: another thread has
 * made it blind meanwhile. */
static HOT bool go_to(struct board_slot *s, uint32_t was, enum board_state to)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	int64_t now = (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
	if (was == BOARD_BUSY && now > s->since_ns)
		PUT(s->busy_ns, s->busy_ns + (uint64_t)(now - s->since_ns));
	PUT(s->since_ns, now);
	return CHANGE(s->state, was, to);
}

HOT void board_step(enum board_step step)
{
	struct board_head *h = &prefork.board->head;
	struct board_slot *s = &prefork.board->slots[prefork.slot];
	uint32_t was = s->state;

	if (was == BOARD_BLIND)
		return;
	if (step == STEP_WAITS && was != BOARD_IDLE && was != BOARD_LEAVING && go_to(s, was, BOARD_IDLE)) {
		__atomic_add_fetch(&h->idle, 1, __ATOMIC_RELAXED);
		if (was < BOARD_IDLE)
			board_wake(); /* it has booted */
	} else if (step == STEP_ACCEPTED && was != BOARD_BUSY && go_to(s, was, BOARD_BUSY)) {
		begun(h, s);
	} else if (step == STEP_KEEPS && was == BOARD_BUSY) {
		go_to(s, was, BOARD_KEPT);
	} else if (step == STEP_GOES_ON && was == BOARD_KEPT && go_to(s, was, BOARD_BUSY)) {
		PUT(s->requests, s->requests + 1);
	}
}

/* One that goes stays so: nobody in it is to accept. */
void board_blind(void)
{
	struct board_slot *s = &prefork.board->slots[prefork.slot];

	for (uint32_t was = GET(s->state); was != BOARD_BLIND && was != BOARD_LEAVING;)
		if (CHANGE(s->state, was, BOARD_BLIND)) {
			__atomic_sub_fetch(&prefork.board->head.idle, was == BOARD_IDLE, __ATOMIC_RELAXED);
			return board_wake();
		}
}

/* One whose handler does not end it is not left to spin. */
HOT bool board_leaves(void)
{
	static bool asked;
	struct board_head *h = &prefork.board->head;
	struct board_slot *s = &prefork.board->slots[prefork.slot];
	uint32_t stop = GET(s->stop), most = GET(h->max_requests), was = GET(s->state);

	if (stop == 0 && most != 0 && s->requests >= most)
		stop = GET(h->stop);
	if (stop == 0 || stop > 64 || was == BOARD_BLIND || (was != BOARD_LEAVING && !go_to(s, was, BOARD_LEAVING)))
		return false;
	__atomic_sub_fetch(&h->idle, was == BOARD_IDLE, __ATOMIC_RELAXED);
	if (was != BOARD_LEAVING)
		board_wake();
	if (asked)
		syscall(SYS_ppoll, NULL, 0, &(struct timespec){.tv_nsec = 100000000}, NULL, 0);
	asked = true;
	syscall(SYS_kill, prefork.pid, stop);
	errno = EINTR;
	return true;
}
