/* The worker's line of the scoreboard.  It alone writes it, but for the order to stop; the manager reads. */

#include "fcgipm/prefork/prefork.h"

#define PUT(field, value) __atomic_store_n(&(field), (value), __ATOMIC_RELEASE)
#define GET(field)        __atomic_load_n(&(field), __ATOMIC_ACQUIRE)
/* True if it was so: another thread may have changed it.  Else `was` is what it is now. */
#define CHANGE(field, was, to) __atomic_compare_exchange_n(&(field), &(was), (to), false, __ATOMIC_SEQ_CST, __ATOMIC_ACQUIRE)
/* The manager arms, for one who says so. */
#define DISARM(field) (GET(field) != 0 && __atomic_exchange_n(&(field), 0, __ATOMIC_RELAXED) != 0)

static void wake(void)
{
	if (cookie_of(BOARD_WAKE_FD) == prefork.bell)
		call(SYS_sendto, BOARD_WAKE_FD, (long)"", 1, MSG_DONTWAIT | MSG_NOSIGNAL); /* no function of the C library's: hook.c */
}

/* Who leaves too few behind, or begins where nobody was watched, says so, once. */
static void begun(bool accepted)
{
	int32_t idle = __atomic_sub_fetch(&prefork.board->head.idle, accepted, __ATOMIC_SEQ_CST); /* and its state, before the manager's words are read */
	bool few = idle < GET(prefork.board->head.low) && DISARM(prefork.board->head.armed), watched = DISARM(prefork.board->head.watch);

	PUT(prefork.slot->requests, prefork.slot->requests + 1);
	if (few || watched ||
	    (accepted && prefork.slot->requests >= prefork.board->head.max_requests - 1u)) /* one more, and it goes: time for another to come */
		wake();
}

/* The coarse clock costs a tenth.  It goes in steps of a few ms, which even out: over many requests the sum is that of the fine one.  False: another thread has
 * made it blind meanwhile. */
static HOT bool go_to(uint32_t was, enum board_state to)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	int64_t now = (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
	if (was == BOARD_BUSY && now > prefork.slot->since_ns)
		PUT(prefork.slot->busy_ns, prefork.slot->busy_ns + (uint64_t)(now - prefork.slot->since_ns));
	PUT(prefork.slot->since_ns, now);
	return CHANGE(prefork.slot->state, was, to);
}

HOT void board_step(enum board_step step)
{
	uint32_t was = prefork.slot->state;

	if (was == BOARD_BLIND)
		return;
	if (step == STEP_WAITS && was != BOARD_IDLE && was != BOARD_LEAVING && go_to(was, BOARD_IDLE)) {
		__atomic_add_fetch(&prefork.board->head.idle, 1, __ATOMIC_RELAXED);
		if (was < BOARD_IDLE)
			wake(); /* it has booted */
	} else if ((step == STEP_ACCEPTED ? was != BOARD_BUSY : step == STEP_GOES_ON && was == BOARD_KEPT) && go_to(was, BOARD_BUSY)) {
		begun(step == STEP_ACCEPTED);
	} else if (step == STEP_KEEPS && was == BOARD_BUSY) {
		go_to(was, BOARD_KEPT);
	}
}

/* One that goes stays so: nobody in it is to accept. */
void board_blind(void)
{
	for (uint32_t was = GET(prefork.slot->state); was != BOARD_BLIND && was != BOARD_LEAVING;)
		if (CHANGE(prefork.slot->state, was, BOARD_BLIND)) {
			__atomic_sub_fetch(&prefork.board->head.idle, was == BOARD_IDLE, __ATOMIC_RELAXED);
			return wake();
		}
}

/* One whose handler does not end it is not left to spin.  One that lets the signal in only where it polls would never come to that, as poll(2) looks for signals last:
 * to its handler it is let in here. */
HOT bool board_leaves(bool accepts)
{
	uint32_t stop = GET(prefork.slot->stop), most = GET(prefork.board->head.max_requests), was = GET(prefork.slot->state);
	struct sigaction act;

	if (stop == 0 && most != 0 && prefork.slot->requests >= most)
		stop = GET(prefork.board->head.stop);
	if (stop == 0 || stop > 64 || was == BOARD_BLIND || (was == BOARD_LEAVING ? !accepts : !go_to(was, BOARD_LEAVING)))
		return false;
	__atomic_sub_fetch(&prefork.board->head.idle, was == BOARD_IDLE, __ATOMIC_RELAXED);
	bool heard = sigaction((int)stop, NULL, &act) == 0 && act.sa_handler != SIG_DFL;
	uint64_t mask = ~(1ULL << (stop - 1));
	if (was != BOARD_LEAVING)
		wake();
	else
		syscall(SYS_ppoll, NULL, 0, &(struct timespec){.tv_nsec = 100000000}, heard ? &mask : NULL, sizeof(mask));
	syscall(SYS_kill, prefork.pid, stop);
	errno = EINTR;
	return true;
}
