/* What the status tells, one row a figure (runs in a frontend or in the command line). */
#include "fcgipm/client/figures.h"

#include <string.h>

/* The type of a row follows from the field's own. */
#define FIELD_TYPE(type, member)                                                                                                                               \
	_Generic(((const type *)NULL)->member, const char *: FIGURE_TEXT, int32_t: FIGURE_I32, uint32_t: FIGURE_U32, \
		 int64_t: FIGURE_I64, uint64_t: FIGURE_U64)
#define OF_MANAGER(member) FIELD_TYPE(struct wire_status_manager, member), offsetof(struct wire_status_manager, member)
#define OF_POOL(member)    FIELD_TYPE(struct wire_status_pool, member), offsetof(struct snapshot_pool, figures.member)
#define OF_PROFILE(member) FIELD_TYPE(struct wire_status_profile, member), offsetof(struct wire_status_profile, member)

const struct figure figures_manager[] = {
	{"version", OF_MANAGER(version), "version of fcgipm"},
	{"pid", OF_MANAGER(pid), "the manager's process"},
	{"launcher_pid", OF_MANAGER(launcher_pid), "the launcher's process: the one to signal"},
	{"uptime_ms", OF_MANAGER(uptime_ms), "since the launcher started"},
	{"generation", OF_MANAGER(generation), "number of the configuration in force: the first is 1, every reload adds one"},
	{"workers", OF_MANAGER(workers), "workers that run, over all pools"},
	{"max_workers", OF_MANAGER(max_workers), "workers that may run, over all pools"},
	{"manager_starts", OF_MANAGER(manager_starts), "managers before this one: each of them died"},
	{"refused", OF_MANAGER(refused), "requests that were refused on the control socket"},
};
const size_t figures_manager_count = sizeof(figures_manager) / sizeof(figures_manager[0]);

const struct figure figures_pool[] = {
	{"name", OF_POOL(name), "name of the pool"},
	{"state", OF_POOL(state), "starting, ready, sleeping, at_max, held, failed, stopped or removing"},
	{"start", OF_POOL(start), "how workers come to be: exec or prefork"},
	{"start_reason", OF_POOL(start_reason), "why they start so"},
	{"listen", OF_POOL(listen), "path, or host and port, of the socket"},
	{"queue.depth", OF_POOL(queue_depth), "connections that wait now"},
	{"queue.limit", OF_POOL(queue_limit), "connections that may wait"},
	{"queue.peak", OF_POOL(queue_peak), "most connections that waited at once"},
	{"queue.full_ms", OF_POOL(queue_full_ms), "time with the queue at its limit: frontends were turned away"},
	{"workers.idle", OF_POOL(idle), "workers that wait for a request"},
	{"workers.busy", OF_POOL(busy), "workers that serve"},
	{"workers.booting", OF_POOL(booting), "workers that have not come to their first accept"},
	{"workers.retiring", OF_POOL(retiring), "workers that are to end"},
	{"workers.total", OF_POOL(total), "idle, busy, booting and retiring"},
	{"workers.min", OF_POOL(min), "least workers"},
	{"workers.max", OF_POOL(max), "most workers"},
	{"workers.pids", FIGURE_PIDS, offsetof(struct snapshot_pool, pids), "workers that can accept"},
	{"served", OF_POOL(served), "requests served"},
	{"restarts.exit", OF_POOL(restarts_exit), "workers that exited by themselves, whatever their status"},
	{"restarts.signal", OF_POOL(restarts_signal), "workers that a signal ended"},
	{"restarts.timeout", OF_POOL(restarts_timeout), "workers that were ended because a request, or their boot, took too long"},
	{"restarts.boot", OF_POOL(restarts_boot), "workers that could not be started, or exited with status 0 before their first accept"},
	{"restarts.lifetime", OF_POOL(restarts_lifetime), "workers that had come to workers.max_lifetime or workers.max_memory"},
	{"restarts.replaced", OF_POOL(restarts_replaced), "workers that a restart or a reload replaced"},
	{"restarts.requests", OF_POOL(restarts_requests), "workers that had served workers.max_requests"},
	{"restarts.template", OF_POOL(restarts_template), "templates that ended unasked: they are no workers"},
	{"at_max_ms", OF_POOL(at_max_ms), "time spent at the most workers with connections waiting"},
	{"held_ms", OF_POOL(held_ms), "time in which manager.max_workers left no room for workers that were wanted"},
	{"slow_boot_ms", OF_POOL(slow_boot_ms), "time in which connections waited for workers that booted"},
	{"crashing_ms", OF_POOL(crashing_ms), "time in which connections waited and no worker lived, as each that was started had crashed"},
	{"abandoned", OF_POOL(abandoned), "connections whose client had gone before they were accepted"},
	{"slow", OF_POOL(slow), "requests that ran for longer than request.slow"},
	{"busy_ms", OF_POOL(busy_ms), "time that workers have served in, of all together"},
	{"memory_bytes", OF_POOL(memory_bytes), "resident memory of its workers"},
	{"template.pid", OF_POOL(template_pid), "the process that workers are forked from"},
	{"template.age_ms", OF_POOL(template_age_ms), "since it came to its first accept"},
	{"template.memory_bytes", OF_POOL(template_memory_bytes), "its resident memory, shared with workers as far as neither has changed it"},
	{"last_error", OF_POOL(last_error), "what went wrong last"},
	{"user", OF_POOL(user), "account of the workers"},
	{"generation", OF_POOL(generation), "number of the configuration that it runs by"},
	{"notes", FIGURE_TEXTS, offsetof(struct snapshot_pool, notes), "what else is to be known just now"},
	{"alarms", FIGURE_TEXTS, offsetof(struct snapshot_pool, alarms), "what it suffers from now: at_max, held, queue_full, slow_boot, crashing"},
	{"decisions", FIGURE_TEXTS, offsetof(struct snapshot_pool, decisions), "the last decisions of the scaler, the newest first"},
};
const size_t figures_pool_count = sizeof(figures_pool) / sizeof(figures_pool[0]);

const struct figure figures_profile[] = {
	{"name", OF_PROFILE(name), "name of the profile"},
	{"running", OF_PROFILE(running), "programs that run now"},
	{"max_running", OF_PROFILE(max_running), "programs that may run"},
	{"queue.depth", OF_PROFILE(queue_depth), "requests that wait for their turn"},
	{"queue.limit", OF_PROFILE(queue_limit), "requests that may wait"},
	{"queue.peak", OF_PROFILE(queue_peak), "most requests that waited at once"},
	{"started", OF_PROFILE(started), "programs that were started"},
	{"failed", OF_PROFILE(failed), "programs that ended by themselves with a status other than 0, or by a signal"},
	{"timeouts", OF_PROFILE(timeouts), "programs that were ended because they took too long"},
	{"busy", OF_PROFILE(busy), "requests that were turned away because too many waited"},
	{"refused", OF_PROFILE(refused), "requests that were refused for another reason: events exec.refused have it"},
	{"cpu_ms", OF_PROFILE(cpu_ms), "processor time of the programs that have ended"},
};
const size_t figures_profile_count = sizeof(figures_profile) / sizeof(figures_profile[0]);

static const void *at(const struct figure *f, const void *base)
{
	return (const uint8_t *)base + f->offset;
}

bool figure_number(const struct figure *f, const void *base, int64_t *ret)
{
	const void *p = at(f, base);
	int64_t value = WIRE_UNKNOWN;

	if (f->type == FIGURE_I32)
		value = *(const int32_t *)p;
	else if (f->type == FIGURE_U32)
		value = *(const uint32_t *)p;
	else if (f->type == FIGURE_I64)
		value = *(const int64_t *)p;
	else if (f->type == FIGURE_U64)
		value = *(const uint64_t *)p > INT64_MAX ? INT64_MAX : (int64_t) * (const uint64_t *)p;
	if (value == WIRE_UNKNOWN)
		return false;
	*ret = value;
	return true;
}

const char *figure_text(const struct figure *f, const void *base)
{
	const char *text;

	if (f->type != FIGURE_TEXT)
		return NULL;
	text = *(const char *const *)at(f, base);
	return text[0] != '\0' ? text : NULL;
}

const struct snapshot_list *figure_list(const struct figure *f, const void *base)
{
	return f->type == FIGURE_PIDS || f->type == FIGURE_TEXTS ? at(f, base) : NULL;
}
