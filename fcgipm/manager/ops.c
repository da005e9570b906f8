/* Operators' wishes (manager process). */
#include "fcgipm/manager/ops.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "fcgipm/base/log.h"
#include "fcgipm/manager/manager.h"

static const char *const kind_names[] = {
	[OP_RESTART] = "restart", [OP_SCALE] = "scale", [OP_STOP] = "stop", [OP_START] = "start", [OP_RELOAD] = "reload", [OP_SHUTDOWN] = "shutdown",
};

struct op *op_begin(struct manager *m, enum op_kind kind, struct pool *p, struct client *c, uint32_t seq)
{
	struct op *op = calloc(1, sizeof(*op));

	if (op == NULL)
		return NULL;
	*op = (struct op){.next = m->ops.first, .kind = kind, .client = c, .seq = seq, .pool = p};
	m->ops.first = op;
	if (c != NULL)
		control_pending(c, 1);
	return op;
}

static void op_end(struct manager *m, struct op *op, unsigned code, const char *text)
{
	struct op **at = &m->ops.first;

	while (*at != op)
		at = &(*at)->next;
	*at = op->next;
	log_info("op.done", KS("op", kind_names[op->kind]), KS("pool", op->pool != NULL ? op->pool->name : ""), KI("code", code), KS("text", text));
	if (op->client != NULL) {
		control_pending(op->client, -1);
		control_done(op->client, op->seq, code, text);
	}
	fp_doc_fini(&op->text);
	free(op);
}

static bool waits_for_workers(const struct op *op)
{
	return op->kind == OP_RESTART || op->kind == OP_SCALE || op->kind == OP_START;
}

static bool is_restarted(const struct op *op, const struct pool *p, const struct pool_census *c)
{
	return p->transition.stage == TRANSITION_NONE && p->stable_tag >= op->tag && c->old_accepting == 0 && c->ready + c->overdue >= pool_min(p);
}

static bool is_fulfilled(const struct op *op, const struct pool *p, const struct pool_census *c)
{
	switch (op->kind) {
	case OP_RESTART:
		return is_restarted(op, p, c);
	case OP_SCALE:
	case OP_START:
		return c->ready + c->overdue >= pool_min(p) && p->transition.stage == TRANSITION_NONE && c->ready <= pool_max(p);
	case OP_STOP:
		return c->total == 0 && p->templates == NULL;
	default:
		return false;
	}
}

void ops_review(struct pool *p)
{
	struct pool_census c;

	if (p->m->ops.first == NULL || pool_wanted(p) == NULL)
		return;
	c = pool_census(p);
	for (struct op *op = p->m->ops.first, *next; op != NULL; op = next) {
		next = op->next;
		if (op->pool != p)
			continue;
		if (p->failed && waits_for_workers(op))
			op_end(p->m, op, 1, p->last_error != NULL ? p->last_error : "the pool is failed");
		else if (p->stopped && op->kind == OP_SCALE)
			op_end(p->m, op, 0, "the pool is stopped: this holds when it is started");
		else if (p->stopped && waits_for_workers(op))
			op_end(p->m, op, 1, "the pool was stopped");
		else if (is_fulfilled(op, p, &c))
			op_end(p->m, op, 0, "");
	}
}

void ops_fail(struct pool *p, const char *reason)
{
	for (struct op *op = p->m->ops.first, *next; op != NULL; op = next) {
		next = op->next;
		if (op->pool == p && waits_for_workers(op))
			op_end(p->m, op, 1, reason);
	}
}

void ops_note(struct pool *p, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	for (struct op *op = p->m->ops.first; op != NULL; op = op->next)
		if (op->client != NULL && (op->pool == p || op->pool == NULL))
			control_note(op->client, op->seq, text);
}

void ops_forget_client(struct manager *m, const struct client *c)
{
	for (struct op *op = m->ops.first; op != NULL; op = op->next)
		if (op->client == c)
			op->client = NULL;
}

void ops_forget_pool(struct pool *p)
{
	for (struct op *op = p->m->ops.first, *next; op != NULL; op = next) {
		next = op->next;
		if (op->pool == p)
			op_end(p->m, op, op->kind == OP_STOP ? 0 : 1, "the pool was removed");
	}
}

void ops_stopped(struct manager *m)
{
	while (m->ops.first != NULL) {
		struct op *op = m->ops.first;
		bool wanted = op->kind == OP_SHUTDOWN || op->kind == OP_STOP;

		op_end(m, op, wanted ? 0 : 1, wanted ? "" : "fcgipm stops");
	}
}

void ops_fini(struct manager *m)
{
	while (m->ops.first != NULL) {
		struct op *op = m->ops.first;

		m->ops.first = op->next;
		fp_doc_fini(&op->text);
		free(op);
	}
}

/* ---- reloads ---- */

void ops_reload_refused(struct manager *m, uint32_t round, unsigned code, const char *text)
{
	for (struct op *op = m->ops.first, *next; op != NULL; op = next) {
		next = op->next;
		if (op->kind == OP_RELOAD && op->round == round)
			op_end(m, op, code, text);
	}
}

void ops_reload_note(struct manager *m, uint32_t round, const char *text)
{
	for (struct op *op = m->ops.first; op != NULL; op = op->next)
		if (op->kind == OP_RELOAD && op->round == round && op->client != NULL)
			control_note(op->client, op->seq, text);
}

void ops_reload_failure(struct manager *m, uint32_t round, const char *pool, const char *reason)
{
	log_error("reload.pool_failed", KS("pool", pool), KS("error", reason));
	for (struct op *op = m->ops.first; op != NULL; op = op->next) {
		if (op->kind != OP_RELOAD || op->round != round)
			continue;
		op->failed = true;
		fp_doc_add(&op->text, "%spool %s: %s", op->text.len > 0 ? "\n" : "", pool, reason);
	}
}

bool ops_has_reload(const struct manager *m)
{
	for (const struct op *op = m->ops.first; op != NULL; op = op->next)
		if (op->kind == OP_RELOAD)
			return true;
	return false;
}

void ops_reload_done(struct manager *m, uint32_t asked, uint32_t oldest)
{
	for (struct op *op = m->ops.first, *next; op != NULL; op = next) {
		next = op->next;
		if (op->kind == OP_RELOAD && op->round <= asked && op->round < oldest)
			op_end(m, op, op->failed ? 1 : 0, op->text.at != NULL ? op->text.at : "");
	}
}
