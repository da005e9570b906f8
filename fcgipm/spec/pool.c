/* One pool's spec as bytes, both ways.  The reader runs in the launcher, as root, on bytes of a conf that may have been taken over: it holds
 * every number against its bounds, allocates once, for what the bytes can really hold, and must never use a value before it is checked. */
#include "fcgipm/spec/spec.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "fcgipm/spec/reading.h"

void spec_pool_encode(struct wire_wr *w, const struct spec_pool *p)
{
	wire_put_str(w, p->name);
	wire_put_u32(w, p->uid);
	wire_put_u32(w, p->gid);
	wire_put_u32(w, p->group_count);
	for (uint32_t i = 0; i < p->group_count; i++)
		wire_put_u32(w, p->groups[i]);
	spec_put_texts(w, p->argv);
	spec_put_texts(w, p->envp);
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

static void get_groups(struct spec_reading *in, struct spec_pool *p)
{
	uint32_t count = wire_get_count(&in->rd, 4);

	spec_demand(in, count <= SPEC_GROUPS_MAX, "too many groups");
	if (in->wrong != NULL)
		return;
	for (uint32_t i = 0; i < count; i++)
		p->groups[i] = wire_get_u32(&in->rd);
	p->group_count = count;
}

static void get_process(struct spec_reading *in, struct spec_pool *p)
{
	p->environment_file = spec_get_text(in, SPEC_PATH_MAX, "environment_file too long");
	p->chroot = spec_get_text(in, SPEC_PATH_MAX, "chroot too long");
	p->directory = spec_get_text(in, SPEC_PATH_MAX, "directory too long");
	p->umask = spec_get_u32(in, 0, SPEC_UMASK_MAX, "umask out of range");
	for (int i = 0; i < SPEC_LIMITS; i++)
		p->limits[i] = wire_get_u64(&in->rd);
	p->nice = spec_get_i32(in, -20, 19, "nice value out of range");
	p->capabilities = wire_get_u64(&in->rd);
	p->no_new_privileges = spec_get_u8(in, 1, "no_new_privileges is no switch");
}

static void get_socket(struct spec_reading *in, struct spec_pool *p)
{
	p->listen = spec_get_u8(in, SPEC_LISTEN_TCP, "unknown kind of address");
	p->address = spec_get_text(in, SPEC_UNIX_PATH_MAX, "address too long");
	p->private_socket = spec_get_u8(in, 1, "private is no switch");
	p->socket_uid = wire_get_u32(&in->rd);
	p->socket_gid = wire_get_u32(&in->rd);
	p->socket_mode = spec_get_u32(in, 0, 0777, "socket mode out of range");
	p->backlog = spec_get_u32(in, 1, UINT16_MAX, "backlog out of range");
}

static void get_life(struct spec_reading *in, struct spec_pool *p)
{
	p->max_workers = spec_get_u32(in, 1, UINT16_MAX, "max_workers out of range");
	p->stop_signal = spec_get_i32(in, 1, SIGRTMAX, "stop signal out of range");
	p->busy_signal = spec_get_i32(in, 0, SIGRTMAX, "busy signal out of range");
	p->output = spec_get_u8(in, SPEC_OUTPUT_FILE, "unknown kind of output");
	p->output_path = spec_get_text(in, SPEC_PATH_MAX, "output path too long");
	p->stop_timeout_ms = wire_get_u64(&in->rd);
	spec_demand(in, p->stop_timeout_ms <= SPEC_TIMEOUT_MAX_MS, "stop timeout out of range");
}

static int refuse(const struct spec_reading *in, struct fp_err *err)
{
	return fp_fail(err, EBADMSG, "a pool's spec: %s", in->wrong != NULL ? in->wrong : "truncated or malformed");
}

int spec_pool_decode(struct wire_blob bytes, struct spec_pool *ret, struct fp_err *err)
{
	struct spec_reading in = {.rd = {.at = bytes.at, .len = bytes.len}};
	struct spec_pool p = {0};
	struct wire_rd argv, envp;
	uint32_t argc, envc;

	p.name = spec_get_text(&in, SPEC_NAME_MAX, "name too long");
	spec_demand(&in, spec_name_ok(p.name), "a name that no pool may have");
	p.uid = wire_get_u32(&in.rd);
	p.gid = wire_get_u32(&in.rd);
	get_groups(&in, &p);
	argv = in.rd;
	argc = spec_skip_texts(&in, SPEC_ARGS_MAX, "arguments too many or too long");
	spec_demand(&in, argc > 0, "no command");
	envp = in.rd;
	envc = spec_skip_texts(&in, SPEC_ENVIRONMENT_MAX, "environment too large");
	get_process(&in, &p);
	get_socket(&in, &p);
	get_life(&in, &p);
	if (in.wrong != NULL || !wire_done(&in.rd))
		return refuse(&in, err);
	p.argv = calloc((size_t)argc + envc + 2, sizeof(*p.argv));
	if (p.argv == NULL)
		return fp_fail(err, ENOMEM, "a pool's spec: %m");
	p.envp = p.argv + argc + 1;
	spec_fill_texts(argv, p.argv);
	spec_fill_texts(envp, p.envp);
	*ret = p;
	return 0;
}

void spec_pool_free(struct spec_pool *p)
{
	free((void *)p->argv);
	p->argv = p->envp = NULL;
}
