/* Leases of this process (runs in httpd).
 *
 * One mutex guards the table, and is never held while somebody waits; another guards the connection to the manager.  Who has a lease, even an old one, does
 * not wait for the second: one thread renews, the others go on with what they have.
 */
#include "mod_fcgipm/lessor.h"

#include <http_log.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fcgipm/base/clock.h"
#include "mod_fcgipm/counters.h"
#include "mod_fcgipm/module.h"

APLOG_USE_MODULE(fcgipm);

enum {
	BUCKETS = 1024,
	PLACES = 4096, /* names may come from requests (FcgipmPool with an expression) */
	ASK_MS = 2000, /* for an answer of the manager */
	AGAIN_MS = 1000, /* between two attempts at what failed */
	LISTEN_MS = 100, /* between two looks at what the manager says unasked */
	KEEP_MS = 10000, /* how long a lease is taken for good where no connection is kept */
	PATIENCE_MS = 25, /* to begin with */
};

/* A pool that somebody asked for. */
struct place {
	struct place *next;
	struct lease *lease; /* NULL: refused, or nobody there */
	int64_t tried_ms;
	bool complained;
	bool held; /* by the parent, for the configuration names it */
	bool inherited; /* leased by the parent, who may lease more than this process */
	char name[FCGIPM_POOL_NAME_MAX + 1];
};

struct lessor {
	char control[108];
	struct counters *counters;
	bool keeps; /* its connection; else one a lease */

	pthread_mutex_t table;
	struct place *places[BUCKETS];
	unsigned count;
	uint64_t epoch; /* rises whenever leases may have changed */
	int64_t listened_ms;

	pthread_mutex_t connection;
	struct fcgipm_client *client;
	int64_t opened_ms; /* when that was tried last */
	bool complained;
};

struct lessor *lessor_new(const char *control, struct counters *counters)
{
	struct lessor *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return NULL;
	snprintf(l->control, sizeof(l->control), "%s", control);
	l->counters = counters;
	l->keeps = true;
	l->epoch = 1;
	l->opened_ms = -AGAIN_MS;
	pthread_mutex_init(&l->table, NULL);
	pthread_mutex_init(&l->connection, NULL);
	return l;
}

const char *lessor_control(const struct lessor *l)
{
	return l->control;
}

void lessor_child(struct lessor *l, bool threaded)
{
	pthread_mutex_init(&l->table, NULL);
	pthread_mutex_init(&l->connection, NULL);
	fcgipm_close(l->client);
	l->client = NULL;
	l->opened_ms = -AGAIN_MS;
	for (unsigned i = 0; i < BUCKETS; i++)
		for (struct place *p = l->places[i]; p != NULL; p = p->next)
			p->inherited = p->lease != NULL;
	l->keeps = threaded; /* hundreds of children of one thread each would take all places of the control socket */
}

/* ---- leases ---- */

struct lease *lease_hold(struct lease *l)
{
	__atomic_fetch_add(&l->refs, 1, __ATOMIC_RELAXED);
	return l;
}

void lease_put(struct lease *l)
{
	if (l == NULL || __atomic_sub_fetch(&l->refs, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	fcgipm_release(&l->to);
	free(l);
}

static struct lease *lease_new(struct lessor *l, const struct fcgipm_lease *taken, uint64_t epoch)
{
	struct lease *n = calloc(1, sizeof(*n));

	if (n == NULL)
		return NULL;
	n->to = *taken;
	n->refs = 1;
	n->epoch = epoch;
	n->patience_ms = PATIENCE_MS;
	n->errors = (struct stderr_source){.kind = "pool", .name = n->to.pool};
	n->counters = counters_of(l->counters, taken->pool);
	return n;
}

/* ---- the table; its mutex is held ---- */

static struct place **bucket_of(struct lessor *l, const char *pool)
{
	uint32_t hash = 2166136261u; /* FNV-1a */

	for (const char *s = pool; *s != '\0'; s++)
		hash = (hash ^ (unsigned char)*s) * 16777619u;
	return &l->places[hash % BUCKETS];
}

static struct place *place_find(struct lessor *l, const char *pool)
{
	struct place *p = *bucket_of(l, pool);

	while (p != NULL && strcmp(p->name, pool) != 0)
		p = p->next;
	return p;
}

/* Names that are no pool's are forgotten when there are too many. */
static void forget_refused(struct lessor *l)
{
	for (unsigned i = 0; i < BUCKETS; i++) {
		struct place **at = &l->places[i];

		while (*at != NULL) {
			struct place *p = *at;

			if (p->lease != NULL || p->held) {
				at = &p->next;
				continue;
			}
			*at = p->next;
			free(p);
			l->count--;
		}
	}
}

static struct place *place_of(struct lessor *l, const char *pool)
{
	struct place *p = place_find(l, pool), **bucket = bucket_of(l, pool);

	if (p != NULL)
		return p;
	if (l->count >= PLACES)
		forget_refused(l);
	p = l->count < PLACES ? calloc(1, sizeof(*p)) : NULL;
	if (p == NULL)
		return NULL;
	snprintf(p->name, sizeof(p->name), "%s", pool);
	p->tried_ms = -AGAIN_MS;
	p->next = *bucket;
	*bucket = p;
	l->count++;
	return p;
}

static bool is_good(const struct lessor *l, const struct place *p, int64_t now)
{
	if (p->lease == NULL)
		return false;
	return p->lease->epoch == l->epoch && (l->keeps || now - p->tried_ms < KEEP_MS);
}

/* ---- the connection; its mutex is held ---- */

static void drop_connection(struct lessor *l)
{
	fcgipm_close(l->client);
	l->client = NULL;
}

static bool open_connection(struct lessor *l, struct fcgipm_error *err)
{
	int64_t now = fp_now_ms();

	if (l->client != NULL)
		return true;
	if (now - l->opened_ms < AGAIN_MS && l->opened_ms > 0 && l->complained) {
		snprintf(err->text, sizeof(err->text), "no manager at %s", l->control);
		return false;
	}
	l->opened_ms = now;
	l->complained = fcgipm_open(l->control, &l->client, err) < 0;
	if (!l->complained)
		__atomic_fetch_add(&l->epoch, 1, __ATOMIC_RELAXED); /* another manager may give other leases */
	return !l->complained;
}

/* What the manager says unasked. */
static void listen_to_manager(struct lessor *l)
{
	int r = l->client != NULL ? fcgipm_changed(l->client) : 0;

	if (r != 0)
		__atomic_fetch_add(&l->epoch, 1, __ATOMIC_RELAXED);
	if (r < 0)
		drop_connection(l);
}

/* -EACCES: there is a manager, and it refused. */
static int ask(struct lessor *l, const char *pool, struct fcgipm_lease *ret, struct fcgipm_error *err)
{
	int r;

	err->code = 0;
	if (!open_connection(l, err))
		return -ENOENT;
	r = fcgipm_lease(l->client, pool, ASK_MS, ret, err);
	if (r == -ECONNRESET) { /* it was replaced meanwhile: once more */
		drop_connection(l);
		if (!open_connection(l, err))
			return -ENOENT;
		r = fcgipm_lease(l->client, pool, ASK_MS, ret, err);
	}
	if ((r < 0 && r != -EACCES) || !l->keeps)
		drop_connection(l);
	return r;
}

/* ---- together ---- */

/* What the manager said. */
struct said {
	int r; /* of fcgipm_lease() */
	struct lease *taken;
	struct fcgipm_error err;
};

/* Notes it.  An old lease stands when nobody is there to say anything else; one that is refused now goes. */
static void settle(struct lessor *l, struct place *p, const struct said *said, server_rec *s)
{
	if (said->r == 0) {
		if (p->complained)
			ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, s, "FP0002: pool %s: leased", p->name);
		p->complained = false;
		lease_put(p->lease);
		p->lease = said->taken;
		return;
	}
	if (said->r == -EACCES) {
		lease_put(p->lease);
		p->lease = NULL;
	} else if (p->lease != NULL) {
		p->lease->epoch = l->epoch; /* until there is a manager again */
	}
	if (!p->complained)
		ap_log_error(APLOG_MARK, APLOG_ERR, 0, s, "FP0001: pool %s: %s%s", p->name, said->err.text,
			     p->lease != NULL ? "; what was leased before is used" : "; requests for it are answered with 503 until it can be leased");
	p->complained = true;
}

/* The connection's mutex is held. */
static void renew(struct lessor *l, const char *pool, server_rec *s)
{
	struct said said = {.err = {.code = 0}};
	struct fcgipm_lease to;
	struct place *p;

	said.r = ask(l, pool, &to, &said.err);
	if (said.r == 0 && (said.taken = lease_new(l, &to, l->epoch)) == NULL) {
		fcgipm_release(&to);
		said.r = -ENOMEM;
	}
	pthread_mutex_lock(&l->table);
	p = place_of(l, pool);
	if (p != NULL) {
		p->tried_ms = fp_now_ms();
		p->inherited = false;
		settle(l, p, &said, s);
	} else {
		lease_put(said.taken);
	}
	pthread_mutex_unlock(&l->table);
}

/* Notices from the manager are looked for by whoever comes by. */
static void maybe_listen(struct lessor *l, int64_t now)
{
	if (now - __atomic_load_n(&l->listened_ms, __ATOMIC_RELAXED) < LISTEN_MS || pthread_mutex_trylock(&l->connection) != 0)
		return;
	__atomic_store_n(&l->listened_ms, now, __ATOMIC_RELAXED);
	listen_to_manager(l);
	pthread_mutex_unlock(&l->connection);
}

/* TO_PARENT: root may lease every pool.  Whether this account may is asked once, before the lease is used; without a manager it stands. */
enum known { KNOWN_GOOD, KNOWN_OLD, KNOWN_BAD, KNOWN_TO_PARENT, UNKNOWN };

static enum known look_up(struct lessor *l, const char *pool, int64_t now, struct lease **ret)
{
	struct place *p;
	enum known k = UNKNOWN;

	*ret = NULL;
	pthread_mutex_lock(&l->table);
	p = place_find(l, pool);
	if (p != NULL && p->lease != NULL) {
		*ret = lease_hold(p->lease);
		k = p->inherited ? KNOWN_TO_PARENT : (is_good(l, p, now) || now - p->tried_ms < LISTEN_MS) ? KNOWN_GOOD : KNOWN_OLD;
	} else if (p != NULL && now - p->tried_ms < AGAIN_MS) {
		k = KNOWN_BAD;
	}
	pthread_mutex_unlock(&l->table);
	return k;
}

struct lease *lessor_lease(struct lessor *l, const char *pool, server_rec *s)
{
	int64_t now = fp_now_ms();
	struct lease *lease;
	enum known k;

	maybe_listen(l, now);
	k = look_up(l, pool, now, &lease);
	if (k == KNOWN_GOOD || k == KNOWN_BAD)
		return lease;
	if (k == UNKNOWN || k == KNOWN_TO_PARENT)
		pthread_mutex_lock(&l->connection);
	else if (pthread_mutex_trylock(&l->connection) != 0)
		return lease;
	lease_put(lease);
	k = look_up(l, pool, fp_now_ms(), &lease); /* another thread may have been faster */
	if (k == KNOWN_OLD || k == KNOWN_TO_PARENT || k == UNKNOWN) {
		lease_put(lease);
		renew(l, pool, s);
		look_up(l, pool, fp_now_ms(), &lease);
	}
	pthread_mutex_unlock(&l->connection);
	return lease;
}

static bool is_same(const struct lease *a, const struct lease *b)
{
	return strcmp(a->to.address, b->to.address) == 0 && (a->to.door >= 0) == (b->to.door >= 0) && a->to.door < 0;
}

struct lease *lessor_renew(struct lessor *l, struct lease *old, server_rec *s)
{
	struct lease *lease = NULL;

	pthread_mutex_lock(&l->connection);
	look_up(l, old->to.pool, fp_now_ms(), &lease);
	if (lease == NULL || lease == old) {
		lease_put(lease);
		renew(l, old->to.pool, s);
		look_up(l, old->to.pool, fp_now_ms(), &lease);
	}
	pthread_mutex_unlock(&l->connection);
	if (lease != NULL && (lease == old || is_same(lease, old))) {
		lease_put(lease);
		lease = NULL;
	}
	lease_put(old);
	return lease;
}

/* ---- the parent: one thread ---- */

static void hold_each(struct lessor *l, server_rec *s)
{
	pthread_mutex_lock(&l->connection);
	for (unsigned i = 0; i < BUCKETS; i++)
		for (struct place *p = l->places[i]; p != NULL; p = p->next)
			if (p->held && !is_good(l, p, 0))
				renew(l, p->name, s);
	pthread_mutex_unlock(&l->connection);
}

void lessor_hold(struct lessor *l, const apr_array_header_t *pools, server_rec *s)
{
	for (unsigned i = 0; i < BUCKETS; i++)
		for (struct place *p = l->places[i]; p != NULL; p = p->next)
			p->held = false;
	for (int i = 0; i < pools->nelts; i++) {
		struct place *p = place_of(l, APR_ARRAY_IDX(pools, i, const char *));

		if (p != NULL)
			p->held = true;
	}
	for (unsigned i = 0; i < BUCKETS; i++)
		for (struct place *p = l->places[i]; p != NULL; p = p->next) {
			if (p->held)
				continue;
			lease_put(p->lease);
			p->lease = NULL;
		}
	forget_refused(l);
	hold_each(l, s);
}

void lessor_hold_again(struct lessor *l, server_rec *s)
{
	pthread_mutex_lock(&l->connection);
	listen_to_manager(l);
	pthread_mutex_unlock(&l->connection);
	hold_each(l, s);
}

void lessor_each(struct lessor *l, void (*tell)(void *ctx, const struct lease *lease), void *ctx)
{
	pthread_mutex_lock(&l->table);
	for (unsigned i = 0; i < BUCKETS; i++)
		for (const struct place *p = l->places[i]; p != NULL; p = p->next)
			if (p->lease != NULL)
				tell(ctx, p->lease);
	pthread_mutex_unlock(&l->table);
}
