/* Profiles of the exec broker (launcher process). */
#include "fcgipm/launcher/profile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fcgipm/launcher/launcher.h"
#include "fcgipm/probe/peer.h"

/* One that has gone stays for as long as something runs by it. */
static struct profile *find(const struct launcher *l, const char *name)
{
	struct profile *p = l->exec.profiles;

	while (p != NULL && strcmp(p->spec.name, name) != 0)
		p = p->next;
	return p;
}

struct profile *profile_find(const struct launcher *l, const char *name)
{
	struct profile *p = find(l, name);

	return p != NULL && !p->gone ? p : NULL;
}

static void let_go(struct profile *p)
{
	spec_profile_free(&p->spec);
	free(p->bytes);
	free(p);
}

void profile_settle(struct launcher *l, struct profile *p)
{
	struct profile **at = &l->exec.profiles;

	if (!p->gone || p->running > 0 || p->waiting > 0)
		return;
	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	let_go(p);
}

static struct profile *profile_new(struct launcher *l)
{
	struct profile *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	p->last = &p->first;
	p->next = l->exec.profiles;
	l->exec.profiles = p;
	return p;
}

/* The spec of that name, new or in place of the one before, which counts what still runs also where it had gone meanwhile. */
static int take(struct launcher *l, struct wire_blob blob)
{
	struct wire_blob copy = {.at = malloc(blob.len + 1), .len = blob.len};
	struct spec_profile spec = {0};
	struct profile *p;
	int r = copy.at == NULL ? -ENOMEM : 0;

	if (r == 0) {
		memcpy((void *)(uintptr_t)copy.at, blob.at, blob.len);
		r = spec_profile_decode(copy, &spec, NULL);
	}
	p = r == 0 ? find(l, spec.name) : NULL;
	if (r == 0 && p == NULL && (p = profile_new(l)) == NULL)
		r = -ENOMEM;
	if (r < 0) {
		spec_profile_free(&spec);
		free((void *)(uintptr_t)copy.at);
		return r;
	}
	spec_profile_free(&p->spec);
	free(p->bytes);
	p->spec = spec;
	p->gone = false;
	p->bytes = (void *)(uintptr_t)copy.at;
	p->len = copy.len;
	return 0;
}

/* As take() would, by the name that its bytes begin with. */
static bool is_in(const struct profile *p, const struct spec_file *f)
{
	for (uint32_t i = 0; i < f->profile_count; i++) {
		struct wire_rd r = {.at = f->profiles[i].at, .len = f->profiles[i].len};

		if (strcmp(wire_get_str(&r), p->spec.name) == 0)
			return true;
	}
	return false;
}

int profiles_take(struct launcher *l, const struct spec_file *f)
{
	int r = 0;

	for (struct profile *p = l->exec.profiles, *next; p != NULL; p = next) {
		next = p->next;
		p->gone = p->gone || !is_in(p, f);
		profile_settle(l, p);
	}
	for (uint32_t i = 0; i < f->profile_count && r == 0; i++)
		r = take(l, f->profiles[i]);
	ledger_begin(l);
	return r;
}

void profiles_clear(struct launcher *l)
{
	while (l->exec.profiles != NULL) {
		struct profile *p = l->exec.profiles;

		l->exec.profiles = p->next;
		let_go(p);
	}
	ledger_end(l);
}

static bool has(struct spec_ids ids, uint32_t id)
{
	for (uint32_t i = 0; i < ids.count; i++)
		if (ids.ids[i] == id)
			return true;
	return false;
}

bool profile_permits(const struct profile *p, const struct probe_peer *peer)
{
	if (has(p->spec.client_uids, peer->uid) || has(p->spec.client_gids, peer->gid))
		return true;
	for (uint32_t i = 0; i < peer->count; i++)
		if (has(p->spec.client_gids, peer->groups[i]))
			return true;
	return false;
}

bool profiles_permit(const struct launcher *l, const struct probe_peer *peer)
{
	for (const struct profile *p = l->exec.profiles; p != NULL; p = p->next)
		if (!p->gone && profile_permits(p, peer))
			return true;
	return false;
}
