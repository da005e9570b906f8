/* The time slice (any process). */
#include "fcgipm/base/slice.h"

#include <sched.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { SHORTEST_NS = 100000 };

/* As sched_setattr(2) has it; the C library knows it not before 2.41. */
struct attributes {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
};

static void ask(uint64_t slice_ns)
{
	struct attributes a = {
		.size = sizeof(a),
		.policy = SCHED_OTHER,
		.nice = getpriority(PRIO_PROCESS, 0),
		.runtime = slice_ns,
	};

	(void)syscall(SYS_sched_setattr, 0, &a, 0U);
}

void fp_ask_short_slice(void)
{
	ask(SHORTEST_NS);
}

void fp_ordinary_slice(void)
{
	ask(0);
}
