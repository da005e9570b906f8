/* Waiting without a thread (runs in httpd).
 *
 *   handler         park_request(): notes the talk at its connection, returns SUSPENDED
 *   process hook    wraps all others, since only what is returned from there reaches the MPM: swaps the descriptors, ASYNC_WAITIO
 *   MPM             waits in its own pollset, holds no thread; an event: the process hook again, in any thread
 *   process hook    swaps back, moves bytes; over: ends the request as httpd would have; else hands back again
 *
 * After an internal redirect the handler's return value does not reach the connection: httpd would end the request.  There the handler returns OK with the end of
 * the answer marked as sent, and a filter of the connection holds the bucket by which httpd would free the request.
 */
#include "mod_fcgipm/park.h"

#include <ap_mpm.h>
#include <apr_portable.h>
#include <errno.h>
#include <http_config.h>
#include <http_connection.h>
#include <http_core.h>
#include <http_log.h>
#include <http_protocol.h>
#include <http_request.h>
#include <mpm_common.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include <util_filter.h>

#include "fcgipm/base/clock.h"
#include "mod_fcgipm/http_client.h"
#include "mod_fcgipm/counters.h"
#include "mod_fcgipm/module.h"
#include "mod_fcgipm/talk.h"
#include "mod_fcgipm/wait.h"

APLOG_USE_MODULE(fcgipm);

#define CAN_PARK AP_MODULE_MAGIC_AT_LEAST(20120211, 137)

#if CAN_PARK

enum watched { WATCH_APPLICATION, WATCH_CLIENT, WATCH_TIME, WATCH_COUNT };

/* Of a connection. */
struct place {
	conn_rec *c;
	bool inside; /* the other modules' hooks run */
	struct talk *talk; /* parked; NULL: none */
	int client; /* its own descriptor, while another is in its place; else -1 */
	int set, timer; /* the epoll set and its clock; -1 */
	int64_t deadline_ms; /* what the talk waits for at most */
	bool for_client; /* handed back until the client takes more */
	bool redirected;
	ap_filter_t *holder;
	apr_bucket_brigade *held; /* what would free the request */
};

static ap_filter_rec_t *hold_filter;
static int possible;

static struct place *place_of(conn_rec *c)
{
	return ap_get_module_config(c->conn_config, &fcgipm_module);
}

/* ---- the client's descriptor ---- */

static void swap(struct place *p, int fd)
{
	apr_socket_t *s = ap_get_conn_socket(p->c);
	apr_os_sock_t os = fd;

	apr_os_sock_put(&s, &os, p->c->pool);
}

static void swap_back(struct place *p)
{
	if (p->client >= 0)
		swap(p, p->client);
	p->client = -1;
}

static apr_status_t close_set(void *place)
{
	struct place *p = place;

	if (p->set >= 0)
		close(p->set);
	if (p->timer >= 0)
		close(p->timer);
	p->set = p->timer = -1;
	return APR_SUCCESS;
}

/* ---- the set ---- */

static bool watch(struct place *p, int fd, enum watched what, uint32_t events)
{
	struct epoll_event e = {.events = events, .data.u32 = what};

	return epoll_ctl(p->set, EPOLL_CTL_MOD, fd, &e) == 0 || (errno == ENOENT && epoll_ctl(p->set, EPOLL_CTL_ADD, fd, &e) == 0);
}

static bool open_set(struct place *p)
{
	if (p->set < 0)
		p->set = epoll_create1(EPOLL_CLOEXEC);
	if (p->timer < 0)
		p->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	return p->set >= 0 && p->timer >= 0;
}

/* The MPM ends what is silent for as long as Timeout: we come before it, if only to wait on. */
static bool set_timer(struct place *p, int64_t deadline_ms)
{
	int64_t now = fp_now_ms(), most = now + apr_time_as_msec(p->talk->r->server->timeout) * 3 / 4, left;
	struct itimerspec at;

	left = (deadline_ms < most ? deadline_ms : most) - now;
	if (left < 1)
		left = 1;
	at = (struct itimerspec){.it_value = {.tv_sec = left / 1000, .tv_nsec = left % 1000 * 1000000}};
	return timerfd_settime(p->timer, 0, &at, NULL) == 0;
}

static bool fill_set(struct place *p, int client)
{
	struct talk_wants w = talk_wants(p->talk);
	uint32_t events = EPOLLIN | ((w.events & POLLOUT) != 0 ? EPOLLOUT : 0);

	p->deadline_ms = w.deadline_ms;
	return open_set(p) && watch(p, w.fd, WATCH_APPLICATION, events) && watch(p, client, WATCH_CLIENT, w.body ? EPOLLIN | EPOLLRDHUP : EPOLLRDHUP) &&
	       watch(p, p->timer, WATCH_TIME, EPOLLIN) && set_timer(p, w.deadline_ms);
}

/* ---- handing back ---- */

/* False: it cannot be done, for want of descriptors. */
static bool hand_back(struct place *p)
{
	conn_rec *c = p->c;
	int client = http_client_fd(p->talk->r);

	p->for_client = c->data_in_output_filters;
	if (!p->for_client && !fill_set(p, client))
		return false;
	body_settle(&p->talk->body);
	if (!p->for_client) {
		p->client = client;
		swap(p, p->set);
	}
	c->cs->sense = p->for_client ? CONN_SENSE_WANT_WRITE : CONN_SENSE_WANT_READ;
	c->cs->state = CONN_STATE_ASYNC_WAITIO;
	return true;
}

static bool is_writable(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};

	return poll(&p, 1, 0) == 1;
}

/* What the application has said so far, on its way, as far as that does not hold this thread. */
static void flush(struct place *p)
{
	if (p->talk->answer.unflushed && !p->c->data_in_output_filters && is_writable(http_client_fd(p->talk->r)))
		talk_flush(p->talk);
}

/* ---- the end of a parked request ---- */

static void mark_sent(request_rec *r, int sent)
{
	for (; r != NULL; r = r->prev)
		r->eos_sent = sent;
}

static void release_held(struct place *p)
{
	conn_rec *c = p->c;

	ap_remove_output_filter(p->holder);
	p->holder = NULL;
	ap_pass_brigade(c->output_filters, p->held); /* the request is freed, and logged, on its way */
	apr_brigade_cleanup(p->held);
	c->cs->state = c->aborted ? CONN_STATE_LINGER : CONN_STATE_WRITE_COMPLETION;
}

static void finish(struct place *p)
{
	struct talk *t = p->talk;
	request_rec *r = t->r;

	gauges_add(t->lease->counters, GAUGE_SUSPENDED, -1);
	p->talk = NULL;
	p->c->cs->sense = CONN_SENSE_DEFAULT;
	if (p->redirected)
		mark_sent(r, 0);
	ap_die(talk_end(t), r);
	if (p->talk != NULL)
		return; /* the application's redirect is parked by now */
	if (p->redirected)
		release_held(p);
	else
		ap_process_request_after_handler(r);
	p->redirected = false;
}

/* ---- coming back ---- */

struct seen {
	bool application, client, time;
};

static struct seen look(struct place *p)
{
	struct epoll_event e[WATCH_COUNT];
	struct seen s = {.application = false};
	int n = p->set >= 0 ? epoll_wait(p->set, e, WATCH_COUNT, 0) : 0;

	for (int i = 0; i < n; i++) {
		if (e[i].data.u32 == WATCH_APPLICATION)
			s.application = (e[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0;
		else if (e[i].data.u32 == WATCH_CLIENT)
			s.client = !talk_wants(p->talk).body && (e[i].events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
		else
			s.time = true;
	}
	return s;
}

static void go_on(struct place *p)
{
	struct talk *t = p->talk;
	struct seen s = look(p);

	if (p->for_client)
		http_client_write(p->c);
	p->for_client = false;
	if (s.client || p->c->aborted)
		talk_abort(t);
	else if (s.time && !s.application && fp_now_ms() >= p->deadline_ms)
		talk_tick(t);
	if (p->c->data_in_output_filters && !t->over)
		return; /* the client comes first: what the application has can wait */
	if (!talk_step(t, s.application || !s.time))
		flush(p);
}

static int come_back(struct place *p)
{
	struct talk *t = p->talk;

	swap_back(p);
	go_on(p);
	if (!t->over && hand_back(p))
		return OK;
	if (!t->over)
		wait_here(t, INT64_MAX);
	finish(p);
	return p->talk == NULL || hand_back(p) ? OK : DONE;
}

/* ---- hooks ---- */

static struct place *place_make(conn_rec *c)
{
	struct place *p = apr_pcalloc(c->pool, sizeof(*p));

	p->c = c;
	p->client = p->set = p->timer = -1;
	ap_set_module_config(c->conn_config, &fcgipm_module, p);
	apr_pool_cleanup_register(c->pool, p, close_set, apr_pool_cleanup_null); /* the next request of the connection may need it again */
	return p;
}

static int process(conn_rec *c)
{
	struct place *p = place_of(c);
	int status;

	if (!possible || c->cs == NULL || c->master != NULL)
		return DECLINED;
	if (p == NULL)
		p = place_make(c);
	if (p->inside)
		return DECLINED;
	if (p->talk != NULL)
		return come_back(p);
	p->inside = true;
	status = ap_run_process_connection(c);
	p->inside = false;
	if (p->talk == NULL)
		return status;
	flush(p);
	if (hand_back(p))
		return OK;
	wait_here(p->talk, INT64_MAX);
	finish(p);
	return OK;
}

/* The MPM gives up on the connection (Timeout, the child's end): it must have its own descriptor by then. */
static void resume(conn_rec *c, request_rec *r)
{
	struct place *p = possible ? place_of(c) : NULL;

	(void)r;
	if (p == NULL || p->talk == NULL || (c->sbh != NULL && c->cs->state != CONN_STATE_LINGER))
		return;
	swap_back(p);
	if (c->sbh == NULL) {
		gauges_add(p->talk->lease->counters, GAUGE_SUSPENDED, -1);
		p->talk = NULL; /* its pool goes with the connection */
		return;
	}
	talk_abort(p->talk);
	finish(p);
	c->keepalive = AP_CONN_CLOSE;
	c->cs->state = CONN_STATE_LINGER;
}

static apr_status_t hold(ap_filter_t *f, apr_bucket_brigade *bb)
{
	struct place *p = f->ctx;

	APR_BRIGADE_CONCAT(p->held, bb);
	return APR_SUCCESS;
}

/* ---- a request ---- */

static bool may_park(const struct talk *t)
{
	const request_rec *r = t->r;
	const conn_rec *c = r->connection;

	if (!possible || c->cs == NULL || c->master != NULL || r->main != NULL || c->clogging_input_filters)
		return false;
	return r->prev == NULL || t->body.ended; /* the rest of the body would be taken for the next request */
}

bool park_request(struct talk *t, int *ret_status)
{
	request_rec *r = t->r;
	conn_rec *c = r->connection;
	struct place *p = place_of(c);

	if (!may_park(t) || p == NULL || p->talk != NULL || (!p->inside && !p->redirected))
		return false;
	p->talk = t;
	gauges_add(t->lease->counters, GAUGE_SUSPENDED, 1);
	*ret_status = SUSPENDED;
	if (r->prev == NULL)
		return true;
	*ret_status = OK;
	mark_sent(r, 1);
	if (p->redirected)
		return true; /* it is held already */
	p->redirected = true;
	if (p->held == NULL)
		p->held = apr_brigade_create(c->pool, c->bucket_alloc);
	p->holder = ap_add_output_filter_handle(hold_filter, p, NULL, c);
	return true;
}

void park_init(void)
{
	possible = 0;
	if (ap_mpm_query(AP_MPMQ_CAN_WAITIO, &possible) != APR_SUCCESS)
		possible = 0;
}

bool park_is_possible(void)
{
	return possible != 0;
}

void park_register(apr_pool_t *p)
{
	(void)p;
	ap_hook_process_connection(process, NULL, NULL, APR_HOOK_REALLY_FIRST);
	ap_hook_resume_connection(resume, NULL, NULL, APR_HOOK_MIDDLE);
	hold_filter = ap_register_output_filter("FCGIPM_HOLD", hold, NULL, AP_FTYPE_CONNECTION);
}

#else

void park_register(apr_pool_t *p)
{
	(void)p;
}

void park_init(void)
{
}

bool park_is_possible(void)
{
	return false;
}

bool park_request(struct talk *t, int *ret_status)
{
	(void)t;
	(void)ret_status;
	return false;
}

#endif
