/* The manager with a scoreboard that hostile workers write: any bytes anywhere in it, at any moment, while the launcher (a well-behaved fake) answers.
 *
 * The input is a row of steps: a byte that says which, a byte with a length, that many bytes.
 *   0x00 to 0x3f   the bytes are written over the line of that slot
 *   0x40           they are written over the head
 *   0x50           a worker ends, with the first byte as its exit status
 *   0x60           the bell is rung, once for each byte
 *   0x70           the manager counts, as for a successor
 *   0x80           the settings of the pool's scaler look at the census, and arm the bell for as many as the first byte says
 */
#include "tests/unit/manager/fake_launcher.h"

#include <sys/mman.h>

#include "fcgipm/manager/crew.h"
#include "include/fcgipm/board.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { STEP_HEAD = 4, STEP_END, STEP_RING, STEP_COUNT, STEP_ARM, SLOTS_REACHED = 8, MOST_STEPS = 64 };

static struct fake *f;
static struct pool *pool;
static struct board *board;
static int bell;

static void watched(struct pool_settings *s)
{
	s->workers_max_requests = 100;
	s->request_slow = 1;
	s->request_timeout = 1000;
	s->workers_max_memory = UINT64_C(1) << 40;
	s->workers_max = 4;
}

static void give_board(void)
{
	int pair[2], memory = memfd_create("board", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (memory < 0 || ftruncate(memory, sizeof(struct board)) < 0 || fcntl(memory, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) < 0 ||
	    socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
		abort();
	board = mmap(NULL, sizeof(struct board), PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
	bell = pair[0];
	if (board == MAP_FAILED || !board_open(pool, memory, pair[1]))
		abort();
}

static void start(void)
{
	void *state = NULL;

	if (fake_setup(&state) != 0)
		abort();
	f = state;
	fake_hello(f, -1);
	fake_settings(f, 100);
	fake_pool(f, "blog", 1, 0, watched);
	fake_go(f);
	fake_until(f, f->m->running && fake_asked(f, "NOTICE 0\n"));
	pool = manager_pool(f->m, "blog");
	if (pool == NULL)
		abort();
	give_board();
}

static void put(void *where, size_t room, const uint8_t *bytes, size_t len)
{
	memcpy(where, bytes, len < room ? len : room);
}

static void take_step(uint8_t step, const uint8_t *bytes, size_t len)
{
	struct fake_worker *w = fake_nth(f, 0, 0, 0);

	switch (step >> 4) {
	case STEP_HEAD:
		put(&board->head, sizeof(board->head), bytes, len);
		break;
	case STEP_END:
		if (w != NULL)
			fake_exit(f, w, len > 0 ? bytes[0] << 8 : 0);
		break;
	case STEP_RING:
		for (size_t i = 0; i < len; i++)
			(void)!send(bell, bytes + i, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
		break;
	case STEP_COUNT:
		board_known(pool);
		break;
	case STEP_ARM:
		board_arm(pool, len > 0 ? bytes[0] : 0);
		break;
	default:
		if (step >> 4 < STEP_HEAD)
			put(&board->slots[step % SLOTS_REACHED], sizeof(board->slots[0]), bytes, len);
	}
	board_scan(pool);
}

/* What must hold whatever was written: only workers that there are count, and what was told never goes back. */
static void check(uint64_t served_before)
{
	struct board_census c = board_census(pool);
	unsigned workers = 0;

	for (const struct worker *w = pool->workers; w != NULL; w = w->next)
		workers++;
	if (c.idle + c.busy + c.kept > workers || c.serving > c.busy || pool->counters.served < served_before)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (f == NULL)
		start();
	for (unsigned i = 0; i < MOST_STEPS && size >= 2; i++) {
		size_t len = data[1] < size - 2 ? data[1] : size - 2;
		uint64_t served = pool->counters.served;

		take_step(data[0], data + 2, len);
		fake_turn(f);
		check(served);
		data += 2 + len;
		size -= 2 + len;
	}
	memset(board->slots, 0, sizeof(board->slots[0]) * SLOTS_REACHED);
	fake_turn(f);
	fake_forget(f);
	if (f->m->exit_code != 0 || f->m->link.is_lost)
		abort(); /* no worker ends a manager */
	return 0;
}
