/* One profile of the exec broker as bytes, both ways.  The reader runs in the launcher, as root, on bytes of a conf that may have been taken over: it
 * holds every number against its bounds, allocates once, for what the bytes can really hold, and must never use a value before it is checked. */
#include "fcgipm/spec/spec.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fcgipm/spec/reading.h"

static void put_ids(struct wire_wr *w, const struct spec_ids *l)
{
	wire_put_u32(w, l->count);
	for (uint32_t i = 0; i < l->count; i++)
		wire_put_u32(w, l->ids[i]);
}

void spec_profile_encode(struct wire_wr *w, const struct spec_profile *p)
{
	wire_put_str(w, p->name);
	spec_put_texts(w, p->roots);
	wire_put_u32(w, p->max_arguments);
	spec_put_texts(w, p->arguments);
	spec_put_texts(w, p->allow);
	spec_put_texts(w, p->envp);
	wire_put_u8(w, p->owner);
	wire_put_u32(w, p->uid);
	wire_put_u32(w, p->gid);
	put_ids(w, &p->groups);
	wire_put_u8(w, p->file_owner);
	wire_put_u8(w, p->file_group);
	wire_put_u32(w, p->min_uid);
	wire_put_u32(w, p->min_gid);
	put_ids(w, &p->client_uids);
	put_ids(w, &p->client_gids);
	wire_put_u8(w, p->worker_clients);
	wire_put_u8(w, p->outlives_client);
	wire_put_u8(w, p->leaves_descendants);
	wire_put_str(w, p->chroot);
	wire_put_str(w, p->directory);
	wire_put_u32(w, p->umask);
	for (int i = 0; i < SPEC_LIMITS; i++)
		wire_put_u64(w, p->limits[i]);
	wire_put_i32(w, p->nice);
	wire_put_u64(w, p->capabilities);
	wire_put_u8(w, p->no_new_privileges);
	wire_put_u64(w, p->timeout_ms);
	wire_put_u64(w, p->stop_timeout_ms);
	wire_put_u32(w, p->max_running);
	wire_put_u32(w, p->queue_limit);
}

/* A list where it stands in the bytes, until there is a place for it. */
struct list {
	struct wire_rd at;
	uint32_t count;
};
struct lists {
	struct list roots, arguments, allow, envp; /* texts */
	struct list groups, client_uids, client_gids; /* ids */
};

static struct list skip_texts(struct spec_reading *in, uint32_t greatest, const char *what)
{
	struct list l = {.at = in->rd};

	l.count = spec_skip_texts(in, greatest, what);
	return l;
}

static struct list skip_ids(struct spec_reading *in, uint32_t greatest, const char *what)
{
	struct list l = {.at = in->rd};

	l.count = wire_get_count(&in->rd, 4);
	spec_demand(in, l.count <= greatest, what);
	for (uint32_t i = 0; i < l.count && in->wrong == NULL; i++)
		(void)wire_get_u32(&in->rd);
	return l;
}

static void get_program(struct spec_reading *in, struct spec_profile *p, struct lists *l)
{
	p->name = spec_get_text(in, SPEC_NAME_MAX, "name too long");
	spec_demand(in, spec_profile_name_ok(p->name), "a name that no profile may have");
	l->roots = skip_texts(in, SPEC_ROOTS_MAX, "roots too many or too long");
	p->max_arguments = spec_get_u32(in, 0, SPEC_ARGS_MAX - 1, "max_arguments out of range");
	l->arguments = skip_texts(in, SPEC_WORDS_MAX, "patterns of arguments too many or too long");
	l->allow = skip_texts(in, SPEC_WORDS_MAX, "names of variables too many or too long");
	l->envp = skip_texts(in, SPEC_ENVIRONMENT_MAX, "environment too large");
}

static void get_accounts(struct spec_reading *in, struct spec_profile *p, struct lists *l)
{
	p->owner = spec_get_u8(in, 1, "owner is no switch");
	p->uid = wire_get_u32(&in->rd);
	p->gid = wire_get_u32(&in->rd);
	l->groups = skip_ids(in, SPEC_GROUPS_MAX, "too many groups");
	p->file_owner = spec_get_u8(in, SPEC_FILE_OF_ANY, "unknown kind of file_owner");
	p->file_group = spec_get_u8(in, 1, "file_group is no switch");
	p->min_uid = wire_get_u32(&in->rd);
	p->min_gid = wire_get_u32(&in->rd);
	l->client_uids = skip_ids(in, SPEC_CLIENTS_MAX, "too many clients");
	l->client_gids = skip_ids(in, SPEC_CLIENTS_MAX, "too many clients");
	p->worker_clients = spec_get_u8(in, 1, "worker_clients is no switch");
	p->outlives_client = spec_get_u8(in, 1, "outlives_client is no switch");
	p->leaves_descendants = spec_get_u8(in, 1, "leaves_descendants is no switch");
}

static uint64_t get_timeout(struct spec_reading *in, const char *what)
{
	uint64_t ms = wire_get_u64(&in->rd);

	spec_demand(in, ms <= SPEC_TIMEOUT_MAX_MS, what);
	return ms;
}

static void get_run(struct spec_reading *in, struct spec_profile *p)
{
	p->chroot = spec_get_text(in, SPEC_PATH_MAX, "chroot too long");
	p->directory = spec_get_text(in, SPEC_PATH_MAX, "directory too long");
	p->umask = spec_get_u32(in, 0, SPEC_UMASK_MAX, "umask out of range");
	for (int i = 0; i < SPEC_LIMITS; i++)
		p->limits[i] = wire_get_u64(&in->rd);
	p->nice = spec_get_i32(in, -20, 19, "nice value out of range");
	p->capabilities = wire_get_u64(&in->rd);
	p->no_new_privileges = spec_get_u8(in, 1, "no_new_privileges is no switch");
	p->timeout_ms = get_timeout(in, "timeout out of range");
	p->stop_timeout_ms = get_timeout(in, "stop timeout out of range");
	p->max_running = spec_get_u32(in, 1, SPEC_RUNNING_MAX, "max_running out of range");
	p->queue_limit = spec_get_u32(in, 0, UINT16_MAX, "queue_limit out of range");
}

static const char **fill_texts(const struct list *l, const char ***place)
{
	const char **at = *place;

	spec_fill_texts(l->at, at);
	*place += l->count + 1;
	return at;
}

static struct spec_ids fill_ids(const struct list *l, uint32_t **place)
{
	struct wire_rd rd = l->at;
	uint32_t *at = *place;

	(void)wire_get_u32(&rd);
	for (uint32_t i = 0; i < l->count; i++)
		at[i] = wire_get_u32(&rd);
	*place += l->count;
	return (struct spec_ids){l->count, at};
}

/* Pointers to the texts, a NULL behind each list, then the ids. */
static int fill(struct spec_profile *p, const struct lists *l)
{
	size_t texts = (size_t)l->roots.count + l->arguments.count + l->allow.count + l->envp.count + 4;
	size_t ids = (size_t)l->groups.count + l->client_uids.count + l->client_gids.count;
	const char **text = calloc(1, texts * sizeof(*text) + ids * sizeof(uint32_t));
	uint32_t *id;

	if (text == NULL)
		return -ENOMEM;
	p->arena = text;
	id = (void *)(text + texts);
	p->roots = fill_texts(&l->roots, &text);
	p->arguments = fill_texts(&l->arguments, &text);
	p->allow = fill_texts(&l->allow, &text);
	p->envp = fill_texts(&l->envp, &text);
	p->groups = fill_ids(&l->groups, &id);
	p->client_uids = fill_ids(&l->client_uids, &id);
	p->client_gids = fill_ids(&l->client_gids, &id);
	return 0;
}

int spec_profile_decode(struct wire_blob bytes, struct spec_profile *ret, struct fp_err *err)
{
	struct spec_reading in = {.rd = {.at = bytes.at, .len = bytes.len}};
	struct spec_profile p = {0};
	struct lists l;

	get_program(&in, &p, &l);
	get_accounts(&in, &p, &l);
	get_run(&in, &p);
	if (in.wrong != NULL || !wire_done(&in.rd))
		return fp_fail(err, EBADMSG, "a profile's spec: %s", in.wrong != NULL ? in.wrong : "truncated or malformed");
	if (fill(&p, &l) < 0)
		return fp_fail(err, ENOMEM, "a profile's spec: %m");
	*ret = p;
	return 0;
}

void spec_profile_free(struct spec_profile *p)
{
	free(p->arena);
	*p = (struct spec_profile){0};
}
