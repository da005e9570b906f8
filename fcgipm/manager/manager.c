/* The whole of the manager: made, set, ended (manager process). */
#include "fcgipm/manager/manager.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fcgipm/base/fd.h"
#include "fcgipm/base/log.h"
#include "fcgipm/manager/events.h"
#include "fcgipm/manager/lease.h"
#include "fcgipm/manager/steer.h"

enum { WORKERS_BEFORE_SETTINGS = 1 };

void timer_arm(struct event *timer, int64_t ms)
{
	struct timeval tv;

	if (ms < 0)
		ms = 0;
	tv.tv_sec = (time_t)(ms / 1000);
	tv.tv_usec = (suseconds_t)(ms % 1000 * 1000);
	event_add(timer, &tv);
}

void manager_fail(struct manager *m, const char *why)
{
	if (why != NULL)
		log_error("manager.fatal", KS("why", why));
	m->exit_code = why != NULL ? 1 : 0;
	m->link.is_lost = true;
	event_base_loopbreak(m->base);
}

void manager_log_setup(const struct manager *m)
{
	int level = m->settings != NULL ? fp_log_level_of(m->settings->log_level) : -1;
	int format = m->settings != NULL ? fp_log_format_of(m->settings->log_format) : -1;

	fp_log_setup_to(&(struct fp_log_to){
		.fd = m->log_fd,
		.sink = m->log_sink,
		.level = level < 0 ? FP_LOG_INFO : (enum fp_log_level)level,
		.format = format < 0 ? FP_LOG_LOGFMT : (enum fp_log_format)format,
	});
}

void manager_apply_settings(struct manager *m, struct manager_settings *taken)
{
	if (m->settings != NULL) {
		settings_manager_free(m->settings);
		free(m->settings);
	}
	m->settings = taken;
	lease_changed(m);
	manager_log_setup(m);
	steer_all(m);
}

uint32_t manager_max_workers(const struct manager *m)
{
	return m->settings != NULL ? m->settings->max_workers : WORKERS_BEFORE_SETTINGS;
}

/* 1 ms is a long time here, so timers are precise. */
static struct event_base *base_new(void)
{
	struct event_config *cfg = event_config_new();
	struct event_base *base;

	if (cfg == NULL)
		return NULL;
	event_config_set_flag(cfg, EVENT_BASE_FLAG_PRECISE_TIMER);
	base = event_base_new_with_config(cfg);
	event_config_free(cfg);
	return base;
}

struct manager *manager_new(int link_fd)
{
	struct manager *m = calloc(1, sizeof(*m));

	if (m == NULL || (m->base = base_new()) == NULL) {
		free(m);
		return NULL;
	}
	m->log_fd = m->control.fd = m->state.fd = -1;
	m->diag_fd = probe_diag_open();
	steer_init(m);
	sampler_init(m);
	shares_init(m);
	retire_line_init(m);
	events_init(m);
	if (m->diag_fd < 0 || link_init(&m->link, m->base, link_fd) < 0) {
		event_base_free(m->base);
		free(m);
		return NULL;
	}
	return m;
}

int manager_run(struct manager *m)
{
	event_base_dispatch(m->base);
	return m->exit_code;
}

void manager_free(struct manager *m)
{
	m->running = false;
	control_fini(m);
	ops_fini(m);
	while (m->first_pool != NULL)
		pool_free(m->first_pool);
	sampler_fini(m);
	shares_fini(m);
	steer_fini(m);
	link_fini(&m->link);
	state_fini(&m->state);
	ledger_close(&m->ledger);
	if (m->settings != NULL)
		settings_manager_free(m->settings);
	free(m->settings);
	free(m->version);
	fp_close(&m->diag_fd);
	fp_close(&m->log_fd);
	event_base_free(m->base);
	free(m);
}
