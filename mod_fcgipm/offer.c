/* Programs for other modules (runs in httpd's children). */
#include "mod_fcgipm/offer.h"

#include <apr_strings.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>

#include "fcgipm/base/clock.h"
#include "include/fcgipm/httpd.h"
#include "include/fcgipm/refusal.h"
#include "mod_fcgipm/config.h"
#include "mod_fcgipm/program.h"

struct offered {
	struct fcgipm_httpd_run run; /* first: what the caller has */
	struct program program; /* its descriptors are the caller's copy's */
};

static apr_status_t give_up(const char **ret_why, const char *why, apr_status_t status)
{
	if (ret_why != NULL)
		*ret_why = why;
	return status;
}

static apr_status_t offered_cleanup(void *ctx)
{
	struct offered *o = ctx;

	memcpy(o->program.stdio, o->run.stdio, sizeof(o->run.stdio));
	program_end(&o->program, false);
	memset(o->run.stdio, -1, sizeof(o->run.stdio));
	return APR_SUCCESS;
}

/* Until it is no longer in that state; false: time is up. */
static bool await(struct program *p, enum program_state state, apr_interval_time_t timeout)
{
	int64_t end = timeout < 0 ? INT64_MAX : fp_now_ms() + apr_time_as_msec(timeout);

	for (program_look(p); p->state == state; program_look(p)) {
		struct pollfd fd = {.fd = program_fd(p), .events = POLLIN};
		int64_t left = end == INT64_MAX ? -1 : end - fp_now_ms();

		if (end != INT64_MAX && left <= 0)
			return false;
		(void)poll(&fd, 1, left > INT_MAX ? INT_MAX : (int)left);
	}
	return true;
}

static const char *profile_of(request_rec *r, const char *asked)
{
	const struct exec_profile *own = config_of(r)->exec;

	return asked == NULL && own != NULL ? own->name : asked;
}

/* APR_SUCCESS: what->profile is what program_begin() wants. */
static apr_status_t choose(request_rec *r, struct fcgipm_program *what, const char **ret_why)
{
	what->profile = profile_of(r, what->profile);
	if (what->profile == NULL)
		return give_up(ret_why, "no profile is named, and FcgipmExecProfile is not set", APR_ENOTIMPL);
	if (strcmp(what->profile, "local") != 0)
		return APR_SUCCESS;
	if (!config_of_server(r->server)->local_permitted)
		return give_up(ret_why, "local: httpd has threads and a manager (FcgipmControl), and is not to fork", APR_ENOTIMPL);
	what->profile = NULL;
	return APR_SUCCESS;
}

static apr_status_t judge(const struct program *p, const char **ret_why)
{
	switch (p->state) {
	case PROGRAM_REFUSED:
		return give_up(ret_why, p->why, p->refusal == FCGIPM_REFUSED_BUSY ? APR_EAGAIN : APR_EACCES);
	case PROGRAM_LOST:
		return give_up(ret_why, p->why, APR_ECONNRESET);
	case PROGRAM_ASKED:
		return give_up(ret_why, "its turn did not come in time", APR_TIMEUP);
	case PROGRAM_STARTED:
	case PROGRAM_ENDED:
		break;
	}
	return APR_SUCCESS;
}

static apr_status_t offer_exec(request_rec *r, const struct fcgipm_program *asked, apr_interval_time_t timeout, struct fcgipm_httpd_run **ret,
			       const char **ret_why)
{
	struct offered *o = apr_pcalloc(r->pool, sizeof(*o));
	struct fcgipm_program what = *asked;
	struct fcgipm_error err = {.code = 0};
	apr_status_t status = choose(r, &what, ret_why);
	int n;

	if (status != APR_SUCCESS)
		return status;
	n = program_begin(&o->program, r, config_of_server(r->server)->brokers, &what, &err);
	if (n < 0)
		return give_up(ret_why, apr_pstrdup(r->pool, err.text), -n);
	memcpy(o->run.stdio, o->program.stdio, sizeof(o->run.stdio));
	apr_pool_cleanup_register(r->pool, o, offered_cleanup, apr_pool_cleanup_null);
	await(&o->program, PROGRAM_ASKED, timeout);
	status = judge(&o->program, ret_why);
	if (status != APR_SUCCESS) {
		apr_pool_cleanup_run(r->pool, o, offered_cleanup);
		return status;
	}
	o->run.pid = o->program.pid;
	*ret = &o->run;
	return APR_SUCCESS;
}

static apr_status_t offer_wait(struct fcgipm_httpd_run *run, apr_interval_time_t timeout, struct fcgipm_end *ret)
{
	struct offered *o = (struct offered *)run;

	if (!await(&o->program, PROGRAM_STARTED, timeout))
		return APR_TIMEUP;
	if (o->program.state != PROGRAM_ENDED)
		return APR_ECONNRESET;
	*ret = o->program.end;
	return APR_SUCCESS;
}

static void offer_cancel(struct fcgipm_httpd_run *run)
{
	program_cancel(&((struct offered *)run)->program);
}

/* By name: fcgipm_exec() itself is the client library's. */
void offer_register(void)
{
	static APR_OPTIONAL_FN_TYPE(fcgipm_exec) *const exec = offer_exec;
	static APR_OPTIONAL_FN_TYPE(fcgipm_exec_wait) *const wait = offer_wait;
	static APR_OPTIONAL_FN_TYPE(fcgipm_exec_cancel) *const cancel = offer_cancel;

	apr_dynamic_fn_register("fcgipm_exec", (apr_opt_fn_t *)exec);
	apr_dynamic_fn_register("fcgipm_exec_wait", (apr_opt_fn_t *)wait);
	apr_dynamic_fn_register("fcgipm_exec_cancel", (apr_opt_fn_t *)cancel);
}
