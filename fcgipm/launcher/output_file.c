/* Opening output files (launcher process).  Root creates and opens them below /var/log alone: what a pool's spec says of them comes from conf, and a conf
 * that was taken over must not make root append to /etc/cron.d.  Everywhere else a child that became the account opens it; the descriptor comes back
 * over a socket pair, so that a link or a FIFO placed there gains nothing that the account did not have. */
#include "fcgipm/launcher/output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "fcgipm/base/fd.h"
#include "fcgipm/launcher/launcher.h"
#include "fcgipm/priv/files.h"
#include "fcgipm/wire/dgram.h"

#define ROOTS_OWN "/var/log/"

struct opening {
	struct child child;
	output_file_done *done;
	void *ctx;
	int dir, ours, theirs;
	const char *base; /* inside spec.output_path, below dir */
	struct spec_pool spec;
};

bool output_file_is_ours(const struct launcher *l, const struct spec_pool *p)
{
	return l->ordinary || strncmp(p->output_path, ROOTS_OWN, sizeof(ROOTS_OWN) - 1) == 0;
}

static void opening_free(struct opening *o)
{
	fp_close(&o->dir);
	fp_close(&o->ours);
	fp_close(&o->theirs);
	spec_pool_free(&o->spec);
	free(o);
}

static void finish(struct opening *o, int fd, int r, const struct fp_err *err)
{
	o->done(fd, r, err, o->ctx);
	fp_close(&fd);
	opening_free(o);
}

static int act_open(const void *arg, struct priv_report *ret)
{
	const struct opening *o = arg;
	int fd = -1, r = priv_jail_become(o->spec.uid, o->spec.gid, o->spec.groups, o->spec.group_count, ret);

	if (r < 0)
		return r;
	r = priv_open_output_at(o->dir, o->base, &fd, NULL);
	if (r == 0)
		r = fp_send_fd(o->theirs, fd);
	if (r < 0)
		*ret = (struct priv_report){.step = PRIV_STEP_OPEN, .error = -r};
	return r;
}

/* What came from the child is looked at again, here: a regular file with one name, and nothing else. */
static int check_file(int fd)
{
	struct stat st;

	return fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_nlink != 1 ? -EINVAL : 0;
}

static void opener_exited(struct child *c, int status)
{
	struct opening *o = (struct opening *)c;
	struct fp_err err = {0};
	int fd = -1, r = status == 0 ? 0 : -(c->failure.error != 0 ? c->failure.error : EIO);

	if (r == 0) {
		fd = fp_receive_fd(o->ours);
		r = fd < 0 ? fd : check_file(fd);
	}
	if (r == -EINVAL)
		fp_fail(&err, -r, "output %s is no regular file with one name (a FIFO, a device, a link?)", o->spec.output_path);
	else if (r < 0)
		fp_fail(&err, -r, "output %s, opened with the account's own rights: %m", o->spec.output_path);
	if (r < 0)
		fp_close(&fd);
	finish(o, fd, r, &err);
}
static const struct child_ops opener_ops = {.what = "output", .exited = opener_exited};

static int open_by_child(struct launcher *l, struct opening *o)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	o->ours = pair[0];
	o->theirs = pair[1];
	return child_call(l, &o->child, &opener_ops, act_open, o);
}

void output_file_open(struct launcher *l, const struct pool_entry *e, output_file_done *done, void *ctx)
{
	struct opening *o = calloc(1, sizeof(*o));
	struct priv_place at = {.dir = -1};
	struct fp_err err = {0};
	int fd = -1, r;

	if (o == NULL) {
		done(-1, -ENOMEM, &(struct fp_err){.text = "no memory"}, ctx);
		return;
	}
	o->done = done;
	o->ctx = ctx;
	o->dir = o->ours = o->theirs = -1;
	r = spec_pool_decode(e->spec, &o->spec, &err);
	if (r == 0 && o->spec.output != SPEC_OUTPUT_FILE)
		r = fp_fail(&err, EINVAL, "the pool has no output file");
	if (r == 0)
		r = priv_walk(o->spec.output_path, o->spec.uid, &at, &err);
	o->dir = at.dir;
	o->base = at.base;
	if (r == 0 && !l->ordinary && (at.way == PRIV_WAY_ACCOUNT || !output_file_is_ours(l, &o->spec)) && (r = open_by_child(l, o)) == 0)
		return;
	if (r == 0)
		r = priv_open_output_at(o->dir, o->base, &fd, &err);
	finish(o, fd, r, &err);
}
