/* What becomes of a judged configuration (launcher process): floors, looks, and the table of pools.  A reload is all or nothing: until the last look
 * has come back clean, nothing that runs knows of it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fcgipm/base/log.h"
#include "fcgipm/launcher/launcher.h"
#include "fcgipm/launcher/link.h"
#include "fcgipm/launcher/load_state.h"
#include "fcgipm/launcher/log_target.h"
#include "fcgipm/launcher/manager.h"
#include "fcgipm/launcher/places.h"
#include "fcgipm/launcher/profile.h"
#include "fcgipm/launcher/runtime.h"
#include "fcgipm/priv/caps.h"

/* ---- floors ---- */

static struct spec_floors floors_of(const struct load *ld)
{
	const struct launcher *l = ld->launcher;

	return (struct spec_floors){
		.manager_uid = ld->spec.manager.uid,
		.manager_gid = ld->spec.manager.gid,
		.conf_uid = l->conf.uid,
		.conf_gid = l->conf.gid,
		.ordinary_uid = l->ordinary ? l->self.uid : UINT32_MAX,
		.runtime_directory = ld->spec.manager.runtime_directory,
	};
}

/* One that was given up at start does not come back. */
static bool is_given_up(const struct load *ld, uint64_t capabilities)
{
	return ld->kind == LOAD_RELOAD && (capabilities & ~ld->launcher->caps) != 0;
}
static const char given_up_text[] = "sandbox.capabilities names one that was given up at start (restart fcgipm)";

static bool check_entry(struct load *ld, const struct spec_entry *e, uint64_t *caps)
{
	struct launcher *l = ld->launcher;
	const struct spec_floors floors = floors_of(ld);
	struct spec_pool p = {0};
	struct fp_err err = {0};
	int r = spec_pool_decode(e->pool, &p, &err);

	if (r == 0)
		r = spec_check_floors(&p, &floors, &err);
	if (r == 0) {
		*caps |= p.capabilities;
		if (is_given_up(ld, p.capabilities))
			looks_add_finding(ld, e, SPEC_ORIGIN_POOL, given_up_text);
	}
	spec_pool_free(&p);
	if (r == 0)
		return true;
	log_warn("conf.refused", KS("reason", err.text), KS("message", "spec"), KS("pool", e->name), KI("count", ++l->refused));
	load_fail(ld, "%s: pools.%s: below the floor: %s", l->config, e->name, err.text);
	return false;
}

static bool check_profile(struct load *ld, struct wire_blob blob, uint64_t *caps)
{
	struct launcher *l = ld->launcher;
	const struct spec_floors floors = floors_of(ld);
	struct wire_rd rd = {.at = blob.at, .len = blob.len};
	const char *name = wire_get_str(&rd); /* it begins with that: the reader of the spec has seen to it */
	struct spec_profile p = {0};
	struct fp_err err = {0};
	int r = spec_profile_decode(blob, &p, &err);
	bool given_up;

	if (r == 0)
		r = spec_check_profile_floors(&p, &floors, &err);
	if (r < 0) {
		log_warn("conf.refused", KS("reason", err.text), KS("message", "spec"), KS("profile", name), KI("count", ++l->refused));
		load_fail(ld, "%s: exec.%s: below the floor: %s", l->config, name, err.text);
		spec_profile_free(&p);
		return false;
	}
	*caps |= p.capabilities;
	given_up = is_given_up(ld, p.capabilities);
	if (given_up)
		load_fail(ld, "%s: exec.%s: %s", l->config, name, given_up_text);
	spec_profile_free(&p);
	return !given_up;
}

static bool check_manager(struct load *ld)
{
	const struct spec_manager *m = &ld->spec.manager;
	struct launcher *l = ld->launcher;

	if (!l->ordinary && (m->uid == 0 || m->gid == 0 || m->uid == l->conf.uid)) {
		log_warn("conf.refused", KS("reason", "manager.user may not be root or fcgipm-conf"), KS("message", "spec"), KI("count", ++l->refused));
		load_fail(ld, "%s: manager.user: may not be root or fcgipm-conf", l->config);
		return false;
	}
	if (l->runtime == NULL)
		return true;
	if (strcmp(l->runtime, m->runtime_directory) != 0 || (!l->ordinary && m->uid != l->manager.uid))
		fp_doc_add(&ld->text, "%s: warning: manager.runtime_directory and manager.user change when fcgipm is restarted\n", l->config);
	return true;
}

/* ---- into the table ---- */

static char *copy_text(const char *text)
{
	return text != NULL ? strdup(text) : NULL;
}

static int keep_settings(struct launcher *l, const struct spec_file *f)
{
	uint8_t *copy = malloc(f->manager.settings.len + 1);

	if (copy == NULL)
		return -ENOMEM;
	memcpy(copy, f->manager.settings.at, f->manager.settings.len);
	free((void *)(uintptr_t)l->manager_settings.at);
	l->manager_settings = (struct wire_blob){copy, f->manager.settings.len};
	l->max_workers = f->manager.max_workers;
	l->log_level = f->manager.log_level;
	l->log_format = f->manager.log_format;
	return 0;
}

/* The log goes where the new file says, or everything stays.  True: it has moved. */
static bool move_log(struct load *ld)
{
	struct launcher *l = ld->launcher;
	char *old = l->log_target, *new = copy_text(ld->spec.manager.log_target);
	struct fp_err err = {.text = "no memory"};

	if (new != NULL && strcmp(old, new) == 0) {
		free(new);
		return false;
	}
	l->log_target = new;
	if (new != NULL && log_target_open(l, &err) == 0) {
		free(old);
		return true;
	}
	l->log_target = old;
	free(new);
	load_fail(ld, "%s: %s", l->config, err.text);
	return false;
}

static int enter_pools(struct load *ld)
{
	struct launcher *l = ld->launcher;

	for (uint32_t i = 0; i < ld->spec.pool_count; i++) {
		const struct spec_entry *e = &ld->spec.pools[i];
		struct pool *p = pool_intern(&l->pools, e->name);

		if (p == NULL || p->current != NULL)
			return -ENOMEM;
		p->current = pool_entry_new(e, l->generation);
		if (p->current == NULL)
			return -ENOMEM;
	}
	return 0;
}

/* The first spec: directories, lock and log, then only the capabilities that are needed, then a manager. */
static int begin_serving(struct load *ld, uint64_t caps, struct fp_err *err)
{
	struct launcher *l = ld->launcher;
	uint64_t missing = 0;
	int r;

	l->manager = (struct account){.uid = ld->spec.manager.uid, .gid = ld->spec.manager.gid};
	l->runtime = copy_text(ld->spec.manager.runtime_directory);
	l->log_target = copy_text(ld->spec.manager.log_target);
	l->generation = 1;
	l->caps = caps;
	if (l->runtime == NULL || l->log_target == NULL || keep_settings(l, &ld->spec) < 0 || enter_pools(ld) < 0 || profiles_take(l, &ld->spec) < 0)
		return fp_fail(err, ENOMEM, "no memory");
	r = runtime_open(l, err);
	if (r == 0)
		r = log_target_open(l, err);
	if (r == 0 && exec_open(l) < 0)
		r = fp_fail(err, ENOMEM, "no memory");
	if (r == 0)
		cgroups_open(&l->exec.cgroups);
	if (r == 0 && !l->ordinary)
		r = priv_caps_keep(caps, &missing, err);
	l->bounding = priv_caps_bounding();
	l->permitted = priv_caps_permitted();
	if (r < 0)
		return r;
	for (size_t i = 0; i < priv_cap_count; i++)
		if ((missing >> priv_caps[i].cap & 1) != 0)
			log_warn("launcher.capability_missing", KS("capability", priv_caps[i].name), KS("without", priv_caps[i].without));
	l->phase = PHASE_SERVING;
	l->spawn_tokens = INT64_MAX / 4096; /* filled to the brim at the first use */
	manager_start(l);
	return 0;
}

static void mark_wanted(struct load *ld)
{
	for (uint32_t i = 0; i < ld->spec.pool_count; i++) {
		const struct pool *p = ld->kind == LOAD_RELOAD ? pool_find(&ld->launcher->pools, ld->spec.pools[i].name) : NULL;

		ld->wanted[i] = p == NULL || p->current == NULL || p->current->failure != NULL || !pool_entry_same(p->current, &ld->spec.pools[i]);
	}
}

/* Back to the current spec: a candidate that was never taken up is dropped. */
static void reload_same(struct launcher *l, struct pool *p)
{
	bool told = p->candidate != NULL || p->removed || p->current->failure != NULL;

	pool_entry_unref(l, p->candidate);
	p->candidate = NULL;
	p->removed = false;
	p->current->last = l->generation;
	free(p->current->failure);
	p->current->failure = NULL;
	if (told)
		link_pool(l, p, p->current);
}

static void reload_differs(struct launcher *l, struct pool *p, const struct spec_entry *e)
{
	struct pool_entry *n = pool_entry_new(e, l->generation);

	if (n == NULL)
		return;
	pool_entry_unref(l, p->candidate);
	p->candidate = n;
	p->removed = false;
	link_pool(l, p, n);
}

static void mark_removed(struct launcher *l, struct pool *p, void *ctx)
{
	const struct load *ld = ctx;

	for (uint32_t low = 0, high = ld->spec.pool_count; low < high;) {
		uint32_t mid = low + (high - low) / 2;
		int order = strcmp(p->name, ld->spec.pools[mid].name);

		if (order == 0)
			return;
		if (order < 0)
			high = mid;
		else
			low = mid + 1;
	}
	if (p->removed)
		return;
	p->removed = true;
	link_gone_pool(l, p);
}

static void apply_reload(struct load *ld)
{
	struct launcher *l = ld->launcher;
	bool moved;

	moved = move_log(ld);
	if (ld->failed)
		return;
	l->generation++;
	if (keep_settings(l, &ld->spec) == 0) {
		log_target_settle(l);
		link_settings(l);
	}
	if (moved)
		link_reopen(l);
	for (uint32_t i = 0; i < ld->spec.pool_count; i++) {
		const struct spec_entry *e = &ld->spec.pools[i];
		struct pool *p = pool_intern(&l->pools, e->name);

		if (p == NULL)
			continue;
		if (p->current != NULL && pool_entry_same(p->current, e))
			reload_same(l, p);
		else
			reload_differs(l, p, e);
	}
	pool_each(l, mark_removed, ld);
	if (profiles_take(l, &ld->spec) < 0)
		log_error("exec.no_memory", KI("profiles", ld->spec.profile_count));
	runs_go_on(l);
}

void apply_judged(struct load *ld)
{
	struct launcher *l = ld->launcher;
	struct fp_err err = {0};
	uint64_t caps = 0;
	bool good = ld->errors == 0 && check_manager(ld);

	for (uint32_t i = 0; good && i < ld->spec.pool_count; i++)
		good = check_entry(ld, &ld->spec.pools[i], &caps);
	for (uint32_t i = 0; good && i < ld->spec.profile_count; i++)
		good = check_profile(ld, ld->spec.profiles[i], &caps);
	ld->failed = !good;
	ld->wanted = good ? calloc(ld->spec.pool_count + 1, sizeof(bool)) : NULL;
	if (ld->wanted == NULL) {
		ld->failed = true;
		return;
	}
	mark_wanted(ld);
	if (ld->kind != LOAD_START)
		places_check(ld);
	if (ld->kind == LOAD_START && begin_serving(ld, caps, &err) < 0) {
		load_fail(ld, "%s: %s", l->config, err.text);
		return;
	}
	ld->looks_wait = ld->kind == LOAD_START;
	if (!ld->looks_wait)
		looks_go_on(ld);
}

void apply_looked(struct load *ld)
{
	if (ld->kind == LOAD_RELOAD && ld->errors > 0)
		ld->failed = true;
	if (ld->kind == LOAD_RELOAD && !ld->failed)
		apply_reload(ld);
	ld->applied = !ld->failed;
}

/* ---- the end of a load ---- */

static void say_good(const struct launcher *l, const struct spec_file *f, unsigned warnings)
{
	printf("%s: good: %u pools, ", l->config, f->pool_count);
	if (f->profile_count > 0)
		printf("%u exec profiles, ", f->profile_count);
	printf("%u warnings\n", warnings);
}

static void end_check(struct load *ld)
{
	struct launcher *l = ld->launcher;
	bool bad = ld->failed || ld->errors > 0;
	struct fp_doc found = {0};

	fputs(ld->text.at != NULL ? ld->text.at : "", stderr);
	ld->warnings -= findings_print(&ld->findings, &found);
	fputs(found.at != NULL ? found.at : "", stderr);
	fp_doc_fini(&found);
	if (!bad && l->dump)
		fputs(ld->dump.at != NULL ? ld->dump.at : "", stdout);
	else if (!bad)
		say_good(l, &ld->spec, ld->warnings);
	l->exit_code = bad ? 78 : 0;
	l->loop.stop = true;
}

static void end_start(struct load *ld)
{
	struct launcher *l = ld->launcher;

	findings_print(&ld->findings, &ld->text);
	if (!ld->failed || l->manager_starts > 0)
		return; /* it serves: what the looks found has been said, pool by pool */
	l->loop.stop = true;
	if (l->phase == PHASE_ENDING)
		return; /* asked to end before it had begun: no fault of the file */
	fputs(ld->text.at != NULL ? ld->text.at : "", stderr);
	l->exit_code = 78;
}

static void end_reload(struct load *ld)
{
	struct launcher *l = ld->launcher;
	uint32_t seq = l->reload_seq;

	findings_print(&ld->findings, &ld->text);
	l->reload_seq = 0;
	if (seq != 0)
		link_answer_reload(l, seq, ld->failed ? 78 : 0, ld->text.at != NULL ? ld->text.at : "");
}

void apply_end(struct load *ld)
{
	static void (*const end[])(struct load * ld) = {[LOAD_CHECK] = end_check, [LOAD_START] = end_start, [LOAD_RELOAD] = end_reload};

	end[ld->kind](ld);
}
