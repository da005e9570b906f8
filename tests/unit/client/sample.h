/* A snapshot for tests: two pools, one with everything, one of which little is known. */
#ifndef TESTS_SAMPLE_H
#define TESTS_SAMPLE_H

#include "fcgipm/wire/status.h"

static inline struct wire_status_pool sample_blog(void)
{
	return (struct wire_status_pool){
		.name = "blog",
		.state = "ready",
		.start = "exec",
		.start_reason = "start: exec",
		.listen = "/run/fcgipm/pools/blog.sock",
		.user = "alice",
		.queue_depth = 3,
		.queue_limit = 511,
		.queue_peak = 40,
		.idle = 1,
		.busy = 2,
		.booting = 0,
		.retiring = 0,
		.total = 3,
		.min = 1,
		.max = 16,
		.served = WIRE_UNKNOWN,
		.restarts_exit = 1,
		.restarts_signal = 2,
		.restarts_timeout = 3,
		.restarts_boot = 4,
		.restarts_lifetime = 5,
		.restarts_replaced = 6,
		.at_max_ms = 7,
		.held_ms = 8,
		.queue_full_ms = 9,
		.slow_boot_ms = 10,
		.restarts_requests = 11,
		.slow = 12,
		.busy_ms = 13500,
		.abandoned = WIRE_UNKNOWN,
		.memory_bytes = 8388608,
		.template_pid = 20,
		.template_age_ms = 12,
		.template_memory_bytes = 4096,
		.generation = 2,
		.last_error = "",
	};
}

static inline struct wire_status_pool sample_bad(void)
{
	return (struct wire_status_pool){
		.name = "bad",
		.state = "failed",
		.start = "exec",
		.start_reason = "",
		.listen = "127.0.0.1:9000",
		.user = "bob",
		.queue_depth = WIRE_UNKNOWN,
		.queue_limit = 5,
		.queue_peak = 0,
		.served = 0,
		.at_max_ms = 0,
		.slow = WIRE_UNKNOWN,
		.busy_ms = WIRE_UNKNOWN,
		.abandoned = WIRE_UNKNOWN,
		.memory_bytes = WIRE_UNKNOWN,
		.template_pid = WIRE_UNKNOWN,
		.template_age_ms = WIRE_UNKNOWN,
		.template_memory_bytes = WIRE_UNKNOWN,
		.generation = 1,
		.last_error = "exec \"/x\": \x1b[31mno\xff\nsuch file",
		.max = 1,
	};
}

static inline struct wire_status_profile sample_profile(void)
{
	return (struct wire_status_profile){.name = "c\"gi",
					    .running = 2,
					    .max_running = 64,
					    .queue_depth = 1,
					    .queue_limit = 256,
					    .queue_peak = 9,
					    .started = 1234567,
					    .failed = 3,
					    .timeouts = 4,
					    .busy = 5,
					    .refused = 6,
					    .cpu_ms = 93500};
}

/* Returns the length. */
static inline size_t sample_encode(uint8_t *buf, size_t cap)
{
	struct wire_wr w = {.at = buf, .cap = cap};
	struct wire_status_pool blog = sample_blog(), bad = sample_bad();
	struct wire_status_profile profile = sample_profile();

	wire_put_u32(&w, WIRE_STATUS_MAGIC);
	wire_put_status_manager(&w, &(const struct wire_status_manager){.version = "0.1.0",
									.pid = 12,
									.launcher_pid = 11,
									.uptime_ms = 93784000,
									.generation = 2,
									.workers = 3,
									.max_workers = 512,
									.manager_starts = 1});
	wire_put_u32(&w, 2);
	wire_put_status_pool(&w, &blog);
	wire_put_u32(&w, 3);
	wire_put_i32(&w, 21);
	wire_put_i32(&w, 22);
	wire_put_i32(&w, 23);
	wire_put_u32(&w, 0);
	wire_put_u32(&w, 1);
	wire_put_str(&w, "at_max");
	wire_put_u32(&w, 1);
	wire_put_str(&w, "2.4 s ago: 1 more, 2 to 3 workers: load (2 waited, 2 were served)");
	wire_put_status_pool(&w, &bad);
	wire_put_u32(&w, 0);
	wire_put_u32(&w, 1);
	wire_put_str(&w, "3 \"crashes\" in a row");
	wire_put_u32(&w, 0);
	wire_put_u32(&w, 0);
	wire_put_u32(&w, 1);
	wire_put_status_profile(&w, &profile);
	return w.bad ? 0 : w.len;
}

#endif
