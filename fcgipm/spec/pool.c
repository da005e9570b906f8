/* One pool's spec as bytes, both ways.  The reader runs in the launcher, as root, on bytes of a conf that may have been taken over: it holds
 * every number against its bounds, allocates once, for what the bytes can really hold, and must never use a value before it is checked. */
#include "fcgipm/spec/spec.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum { ENVIRONMENT_MAX = 4096, STRING_MAX = 128 << 10, UMASK_MAX = 0777 };
#define STOP_TIMEOUT_MAX_MS (366ULL * 24 * 3600 * 1000)

static void put_texts(struct wire_wr *w, const char **texts)
{
	uint32_t count = 0;

	while (texts[count] != NULL)
		count++;
	wire_put_u32(w, count);
	for (uint32_t i = 0; i < count; i++)
		wire_put_str(w, texts[i]);
}

void spec_pool_encode(struct wire_wr *w, const struct spec_pool *p)
{
	wire_put_str(w, p->name);
	wire_put_u32(w, p->uid);
	wire_put_u32(w, p->gid);
	wire_put_u32(w, p->group_count);
	for (uint32_t i = 0; i < p->group_count; i++)
		wire_put_u32(w, p->groups[i]);
	put_texts(w, p->argv);
	put_texts(w, p->envp);
	wire_put_str(w, p->environment_file);
	wire_put_str(w, p->chroot);
	wire_put_str(w, p->directory);
	wire_put_u32(w, p->umask);
	for (int i = 0; i < SPEC_LIMITS; i++)
		wire_put_u64(w, p->limits[i]);
	wire_put_i32(w, p->nice);
	wire_put_u64(w, p->capabilities);
	wire_put_u8(w, p->no_new_privileges);
	wire_put_u8(w, p->listen);
	wire_put_str(w, p->address);
	wire_put_u8(w, p->private_socket);
	wire_put_u32(w, p->socket_uid);
	wire_put_u32(w, p->socket_gid);
	wire_put_u32(w, p->socket_mode);
	wire_put_u32(w, p->backlog);
	wire_put_u32(w, p->max_workers);
	wire_put_i32(w, p->stop_signal);
	wire_put_i32(w, p->busy_signal);
	wire_put_u8(w, p->output);
	wire_put_str(w, p->output_path);
	wire_put_u64(w, p->stop_timeout_ms);
}

/* The state of a reading: the first thing that is wrong stays.  Behind it the bytes may be out of step, and what they end with says nothing. */
struct reading {
	struct wire_rd rd;
	const char *wrong;
};

static void demand(struct reading *in, bool holds, const char *what)
{
	if (!holds && in->wrong == NULL && !in->rd.bad)
		in->wrong = what;
}

static uint32_t get_u32(struct reading *in, uint32_t least, uint32_t greatest, const char *what)
{
	uint32_t v = wire_get_u32(&in->rd);

	demand(in, v >= least && v <= greatest, what);
	return v;
}

static int32_t get_i32(struct reading *in, int32_t least, int32_t greatest, const char *what)
{
	int32_t v = wire_get_i32(&in->rd);

	demand(in, v >= least && v <= greatest, what);
	return v;
}

static uint8_t get_u8(struct reading *in, uint8_t greatest, const char *what)
{
	uint8_t v = wire_get_u8(&in->rd);

	demand(in, v <= greatest, what);
	return v;
}

static const char *get_text(struct reading *in, size_t most, const char *what)
{
	const char *text = wire_get_str(&in->rd);

	demand(in, strlen(text) <= most, what);
	return text;
}

/* A list of texts is read twice: to know that it is whole and how many there are, then into the place made for it.  A length and a NUL: 5 bytes. */
static uint32_t skip_texts(struct reading *in, uint32_t greatest, const char *what)
{
	uint32_t count = wire_get_count(&in->rd, 5);

	demand(in, count <= greatest, what);
	for (uint32_t i = 0; i < count && !in->rd.bad && in->wrong == NULL; i++)
		(void)get_text(in, STRING_MAX, what);
	return count;
}

static void fill_texts(struct wire_rd rd, const char **to)
{
	uint32_t count = wire_get_u32(&rd);

	for (uint32_t i = 0; i < count; i++)
		to[i] = wire_get_str(&rd);
	to[count] = NULL;
}

static void get_groups(struct reading *in, struct spec_pool *p)
{
	uint32_t count = wire_get_count(&in->rd, 4);

	demand(in, count <= SPEC_GROUPS_MAX, "too many groups");
	if (in->wrong != NULL)
		return;
	for (uint32_t i = 0; i < count; i++)
		p->groups[i] = wire_get_u32(&in->rd);
	p->group_count = count;
}

static void get_process(struct reading *in, struct spec_pool *p)
{
	p->environment_file = get_text(in, SPEC_PATH_MAX, "environment_file too long");
	p->chroot = get_text(in, SPEC_PATH_MAX, "chroot too long");
	p->directory = get_text(in, SPEC_PATH_MAX, "directory too long");
	p->umask = get_u32(in, 0, UMASK_MAX, "umask out of range");
	for (int i = 0; i < SPEC_LIMITS; i++)
		p->limits[i] = wire_get_u64(&in->rd);
	p->nice = get_i32(in, -20, 19, "nice value out of range");
	p->capabilities = wire_get_u64(&in->rd);
	p->no_new_privileges = get_u8(in, 1, "no_new_privileges is no switch");
}

static void get_socket(struct reading *in, struct spec_pool *p)
{
	p->listen = get_u8(in, SPEC_LISTEN_TCP, "unknown kind of address");
	p->address = get_text(in, SPEC_UNIX_PATH_MAX, "address too long");
	p->private_socket = get_u8(in, 1, "private is no switch");
	p->socket_uid = wire_get_u32(&in->rd);
	p->socket_gid = wire_get_u32(&in->rd);
	p->socket_mode = get_u32(in, 0, 0777, "socket mode out of range");
	p->backlog = get_u32(in, 1, UINT16_MAX, "backlog out of range");
}

static void get_life(struct reading *in, struct spec_pool *p)
{
	p->max_workers = get_u32(in, 1, UINT16_MAX, "max_workers out of range");
	p->stop_signal = get_i32(in, 1, SIGRTMAX, "stop signal out of range");
	p->busy_signal = get_i32(in, 0, SIGRTMAX, "busy signal out of range");
	p->output = get_u8(in, SPEC_OUTPUT_FILE, "unknown kind of output");
	p->output_path = get_text(in, SPEC_PATH_MAX, "output path too long");
	p->stop_timeout_ms = wire_get_u64(&in->rd);
	demand(in, p->stop_timeout_ms <= STOP_TIMEOUT_MAX_MS, "stop timeout out of range");
}

static int refuse(const struct reading *in, struct fp_err *err)
{
	return fp_fail(err, EBADMSG, "a pool's spec: %s", in->wrong != NULL ? in->wrong : "truncated or malformed");
}

int spec_pool_decode(struct wire_blob bytes, struct spec_pool *ret, struct fp_err *err)
{
	struct reading in = {.rd = {.at = bytes.at, .len = bytes.len}};
	struct spec_pool p = {0};
	struct wire_rd argv, envp;
	uint32_t argc, envc;

	p.name = get_text(&in, SPEC_NAME_MAX, "name too long");
	demand(&in, spec_name_ok(p.name), "a name that no pool may have");
	p.uid = wire_get_u32(&in.rd);
	p.gid = wire_get_u32(&in.rd);
	get_groups(&in, &p);
	argv = in.rd;
	argc = skip_texts(&in, SPEC_ARGS_MAX, "arguments too many or too long");
	demand(&in, argc > 0, "no command");
	envp = in.rd;
	envc = skip_texts(&in, ENVIRONMENT_MAX, "environment too large");
	get_process(&in, &p);
	get_socket(&in, &p);
	get_life(&in, &p);
	if (in.wrong != NULL || !wire_done(&in.rd))
		return refuse(&in, err);
	p.argv = calloc((size_t)argc + envc + 2, sizeof(*p.argv));
	if (p.argv == NULL)
		return fp_fail(err, ENOMEM, "a pool's spec: %m");
	p.envp = p.argv + argc + 1;
	fill_texts(argv, p.argv);
	fill_texts(envp, p.envp);
	*ret = p;
	return 0;
}

void spec_pool_free(struct spec_pool *p)
{
	free((void *)p->argv);
	p->argv = p->envp = NULL;
}
