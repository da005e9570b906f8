/* Every cell of the worker's matrix: the table below is written by hand, a second time, from the design; the rest are empty cells. */
#include "fcgipm/pool/worker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct cell {
	enum worker_state from;
	enum worker_event event;
	enum worker_state to;
	enum worker_action action;
};

#define CELL(from, event, to, action)                                                                                                                          \
	{                                                                                                                                                      \
		WORKER_##from, WORKER_ON_##event, WORKER_##to, WORKER_DO_##action                                                                              \
	}
static const struct cell cells[] = {
	CELL(STARTING, EXECED, BOOTING, WATCH_BOOT),
	CELL(STARTING, BOOT_TIMEOUT, KILLING, KILL),
	CELL(STARTING, RETIRE, RETIRING, LOOK_TO_RETIRE),
	CELL(STARTING, SIGNALLED, STOPPING, ARM_STOP_TIMEOUT),
	CELL(STARTING, KILL, KILLING, KILL),
	CELL(STARTING, EXITED, GONE, BURY),

	CELL(BOOTING, SEEN_READY, READY, READY),
	CELL(BOOTING, BOOT_TIMEOUT, KILLING, KILL),
	CELL(BOOTING, RETIRE, RETIRING, LOOK_TO_RETIRE),
	CELL(BOOTING, SIGNALLED, STOPPING, ARM_STOP_TIMEOUT),
	CELL(BOOTING, KILL, KILLING, KILL),
	CELL(BOOTING, EXITED, GONE, BURY),

	CELL(READY, SEEN_READY, READY, NONE),
	CELL(READY, RETIRE, RETIRING, LOOK_TO_RETIRE),
	CELL(READY, SIGNALLED, STOPPING, ARM_STOP_TIMEOUT),
	CELL(READY, KILL, KILLING, KILL),
	CELL(READY, EXITED, GONE, BURY),

	CELL(RETIRING, EXECED, RETIRING, NONE),
	CELL(RETIRING, SEEN_READY, RETIRING, NONE),
	CELL(RETIRING, RETIRE, RETIRING, NONE),
	CELL(RETIRING, SIGNALLED, STOPPING, ARM_STOP_TIMEOUT),
	CELL(RETIRING, KILL, KILLING, KILL),
	CELL(RETIRING, EXITED, GONE, BURY),

	CELL(STOPPING, EXECED, STOPPING, NONE),
	CELL(STOPPING, SEEN_READY, STOPPING, NONE),
	CELL(STOPPING, RETIRE, STOPPING, NONE),
	CELL(STOPPING, SIGNALLED, STOPPING, NONE),
	CELL(STOPPING, STOP_TIMEOUT, KILLING, KILL),
	CELL(STOPPING, KILL, KILLING, KILL),
	CELL(STOPPING, EXITED, GONE, BURY),

	CELL(KILLING, EXECED, KILLING, NONE),
	CELL(KILLING, SEEN_READY, KILLING, NONE),
	CELL(KILLING, RETIRE, KILLING, NONE),
	CELL(KILLING, SIGNALLED, KILLING, NONE),
	CELL(KILLING, STOP_TIMEOUT, KILLING, KILL),
	CELL(KILLING, KILL, KILLING, NONE),
	CELL(KILLING, EXITED, GONE, BURY),
};

static const struct cell *expected(enum worker_state from, enum worker_event event)
{
	for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]); i++)
		if (cells[i].from == from && cells[i].event == event)
			return &cells[i];
	return NULL;
}

static void every_cell(void **state)
{
	(void)state;
	for (int from = 0; from < WORKER_STATE_COUNT; from++) {
		for (int event = 0; event < WORKER_EVENT_COUNT; event++) {
			const struct cell *c = expected((enum worker_state)from, (enum worker_event)event);
			enum worker_state s = (enum worker_state)from;
			int action = worker_move(&s, (enum worker_event)event);

			assert_int_equal(action, c == NULL ? -1 : (int)c->action);
			assert_int_equal(s, c == NULL ? from : (int)c->to);
		}
	}
}

static void every_living_state_ends(void **state)
{
	(void)state;
	for (int from = 0; from < WORKER_GONE; from++) {
		enum worker_state s = (enum worker_state)from;

		assert_int_equal(worker_move(&s, WORKER_ON_EXITED), WORKER_DO_BURY);
		assert_int_equal(s, WORKER_GONE);
		s = (enum worker_state)from;
		assert_true(worker_move(&s, WORKER_ON_KILL) >= 0);
		assert_int_equal(s, WORKER_KILLING);
	}
}

/* A worker that was told to go is never counted as one that serves again. */
static void no_way_back(void **state)
{
	(void)state;
	for (int from = WORKER_RETIRING; from < WORKER_STATE_COUNT; from++) {
		for (int event = 0; event < WORKER_EVENT_COUNT; event++) {
			enum worker_state s = (enum worker_state)from;

			worker_move(&s, (enum worker_event)event);
			assert_true((int)s >= from);
		}
	}
}

static void outside_of_the_matrix(void **state)
{
	enum worker_state s = WORKER_STATE_COUNT;

	(void)state;
	assert_int_equal(worker_move(&s, WORKER_ON_EXITED), -1);
	assert_int_equal(s, WORKER_STATE_COUNT);
	s = WORKER_READY;
	assert_int_equal(worker_move(&s, WORKER_EVENT_COUNT), -1);
	assert_int_equal(s, WORKER_READY);
	assert_string_equal(worker_state_name(WORKER_STATE_COUNT), "?");
	assert_string_equal(worker_event_name(WORKER_EVENT_COUNT), "?");
	assert_string_equal(worker_action_name(WORKER_ACTION_COUNT), "?");
	assert_int_equal(worker_accepts(WORKER_STATE_COUNT), 0);
}

static void names(void **state)
{
	(void)state;
	assert_string_equal(worker_state_name(WORKER_STARTING), "starting");
	assert_string_equal(worker_state_name(WORKER_GONE), "gone");
	assert_string_equal(worker_event_name(WORKER_ON_SEEN_READY), "SEEN_READY");
	assert_string_equal(worker_action_name(WORKER_DO_LOOK_TO_RETIRE), "LOOK_TO_RETIRE");
	for (int s = 0; s < WORKER_STATE_COUNT; s++)
		assert_int_equal(worker_accepts((enum worker_state)s), s <= WORKER_RETIRING);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_cell), cmocka_unit_test(every_living_state_ends), cmocka_unit_test(no_way_back), cmocka_unit_test(outside_of_the_matrix),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
