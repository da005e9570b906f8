/* The worker's line of the scoreboard.  It alone writes it, but for the order to stop; the manager reads. */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>

#include "fcgipm/prefork/prefork.h"
#include "fcgipm/prefork/sys.h"

#define PUT(field, value) __atomic_store_n(&(field), (value), __ATOMIC_RELEASE)
#define GET(field)        __atomic_load_n(&(field), __ATOMIC_ACQUIRE)

enum { NAP_MS = 100 };

/* In libc since glibc 2.17, from the vDSO; elsewhere a system call. */
extern int clock_gettime(clockid_t clock, struct timespec *ret) __attribute__((weak));

int64_t board_now_ns(void)
{
	struct timespec t = {0};

	if (clock_gettime != NULL)
		clock_gettime(CLOCK_MONOTONIC, &t);
	else
		SYS(clock_gettime, CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

void board_wake(void)
{
	if (cookie_of(BOARD_WAKE_FD) == prefork.bell)
		SYS(sendto, BOARD_WAKE_FD, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL, NULL, 0);
}

static struct board_slot *slot(void)
{
	return &prefork.board->slots[prefork.slot];
}

/* Who leaves too few behind, or begins where nobody was watched, says so, once. */
static void begun(struct board_head *h, struct board_slot *s)
{
	int32_t idle = __atomic_sub_fetch(&h->idle, 1, __ATOMIC_RELAXED);
	bool wake = idle < GET(h->low) && GET(h->armed) != 0 && __atomic_exchange_n(&h->armed, 0, __ATOMIC_RELAXED) != 0;

	PUT(s->requests, s->requests + 1);
	if (GET(h->watch) != 0 && __atomic_exchange_n(&h->watch, 0, __ATOMIC_RELAXED) != 0)
		wake = true;
	if (h->max_requests != 0 && s->requests + 1 == h->max_requests)
		wake = true; /* one more, and it goes: time for another to come */
	if (wake)
		board_wake();
}

static void go_to(struct board_slot *s, enum board_state to)
{
	int64_t now = board_now_ns();

	if (s->state == BOARD_BUSY && now > s->since_ns)
		PUT(s->busy_ns, s->busy_ns + (uint64_t)(now - s->since_ns));
	PUT(s->since_ns, now);
	PUT(s->state, to);
}

void board_step(enum board_step step)
{
	struct board_head *h = &prefork.board->head;
	struct board_slot *s = slot();
	uint32_t was = s->state;

	if (prefork.threaded)
		return;
	if (step == STEP_WAITS && was != BOARD_IDLE && was != BOARD_LEAVING) {
		go_to(s, BOARD_IDLE);
		__atomic_add_fetch(&h->idle, 1, __ATOMIC_RELAXED);
	} else if (step == STEP_ACCEPTED && was != BOARD_BUSY) {
		go_to(s, BOARD_BUSY);
		begun(h, s);
	} else if (step == STEP_KEEPS && was == BOARD_BUSY) {
		go_to(s, BOARD_KEPT);
	} else if (step == STEP_GOES_ON && was == BOARD_KEPT) {
		go_to(s, BOARD_BUSY);
		PUT(s->requests, s->requests + 1);
	}
}

void board_abandoned(void)
{
	PUT(slot()->abandoned, slot()->abandoned + 1);
}

/* One whose handler does not end it is not left to spin. */
bool board_leaves(void)
{
	static unsigned times;
	struct board_head *h = &prefork.board->head;
	struct board_slot *s = slot();
	uint32_t stop = GET(s->stop), most = GET(h->max_requests);

	if (stop == 0 && most != 0 && s->requests >= most)
		stop = GET(h->stop);
	if (stop == 0 || stop > 64)
		return false;
	if (s->state == BOARD_IDLE)
		__atomic_sub_fetch(&h->idle, 1, __ATOMIC_RELAXED);
	if (s->state != BOARD_LEAVING) {
		go_to(s, BOARD_LEAVING);
		board_wake();
	}
	if (times++ > 0)
		SYS(ppoll, NULL, 0, (&(struct timespec){.tv_nsec = NAP_MS * 1000000}), NULL, 0);
	SYS(kill, prefork.pid, stop);
	return true;
}
