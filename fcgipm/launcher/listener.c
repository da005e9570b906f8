/* Listening sockets (launcher process).  Binding is root's work only where nobody else can meddle with the way there; below an account's own
 * directories a child with the account's rights does it, on a socket that we made, and we check what it bound. */
#include "fcgipm/launcher/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fcgipm/base/fd.h"
#include "fcgipm/base/log.h"
#include "fcgipm/launcher/holder.h"
#include "fcgipm/launcher/launcher.h"
#include "fcgipm/priv/files.h"

struct listener *listener_ref(struct listener *li)
{
	li->refs++;
	return li;
}

static void listener_unlist(struct launcher *l, struct listener *li)
{
	if (!li->listed)
		return;
	for (struct listener **p = &l->listeners.first; *p != NULL; p = &(*p)->next) {
		if (*p != li)
			continue;
		*p = li->next;
		break;
	}
	li->listed = false;
}

/* A child that removes a name below the account's own directories; nobody waits for it. */
struct unlinker {
	struct child child;
	struct priv_listen how;
	struct priv_bound bound;
};

static void unlinker_exited(struct child *c, int status)
{
	struct unlinker *u = (struct unlinker *)((char *)c - offsetof(struct unlinker, child));

	if (status != 0)
		log_warn("listener.unlink", KS("address", u->how.address), KI("error", c->failure.error));
	free((void *)(uintptr_t)u->how.address);
	free(u);
}
static const struct child_ops unlinker_ops = {.what = "unlink", .exited = unlinker_exited};

static int act_unlink(const void *arg, struct priv_report *ret)
{
	const struct unlinker *u = arg;
	int r = priv_jail_become(u->how.account_uid, u->how.account_gid, u->how.groups, u->how.group_count, ret);

	if (r == 0)
		r = priv_listen_unlink(&u->how, &u->bound, NULL);
	if (r < 0 && ret->step == PRIV_STEP_NONE)
		*ret = (struct priv_report){.step = PRIV_STEP_BIND, .error = -r};
	return r;
}

static int unlink_as_account(struct launcher *l, struct listener *li)
{
	struct unlinker *u = calloc(1, sizeof(*u));

	if (u == NULL)
		return -ENOMEM;
	u->how = li->how;
	u->how.address = strdup(li->how.address);
	u->how.group_count = 0; /* the primary account owns what it bound */
	u->bound = li->bound;
	return u->how.address == NULL ? -ENOMEM : child_call(l, &u->child, &unlinker_ops, act_unlink, u);
}

/* At a complete stop what a holder has stays under its name: who connects from now on waits for the next start. */
static bool is_left(struct launcher *l, const struct listener *li)
{
	if (l->phase != PHASE_ENDING || !holder_leave(l, &li->id))
		return false;
	log_info("listener.left", KS("address", li->how.address));
	return true;
}

void listener_withdraw(struct launcher *l, struct listener *li)
{
	struct fp_err err = {0};
	int r;

	listener_unlist(l, li);
	if (li->withdrawn)
		return;
	li->withdrawn = true;
	if (li->handed || is_left(l, li) || li->how.tcp)
		return;
	r = priv_listen_unlink(&li->how, &li->bound, &err);
	if (r == -EXDEV)
		r = unlink_as_account(l, li);
	if (r < 0 && r != -ENOENT)
		log_warn("listener.unlink", KS("address", li->how.address), KS("error", err.text));
}

static void listener_free(struct listener *li)
{
	fp_close(&li->fd);
	fp_close(&li->door);
	free((void *)(uintptr_t)li->how.address);
	free((void *)(uintptr_t)li->how.groups);
	free(li);
}

void listener_unref(struct launcher *l, struct listener *li)
{
	if (li == NULL || --li->refs > 0)
		return;
	if (li->fd >= 0)
		listener_withdraw(l, li);
	listener_unlist(l, li);
	listener_free(li);
}

bool listener_drop_if_shut(struct launcher *l, struct listener *li)
{
	if (li->fd < 0 || !priv_listen_is_shut(li->fd))
		return false;
	listener_withdraw(l, li);
	listener_unlist(l, li);
	return true;
}

static struct listener *listener_find(struct launcher *l, const char *address)
{
	struct listener *li = l->listeners.first;

	while (li != NULL && strcmp(li->how.address, address) != 0)
		li = li->next;
	return li;
}

static struct listener *listener_new(const struct spec_pool *s, const char *address)
{
	struct listener *li = calloc(1, sizeof(*li));

	if (li == NULL)
		return NULL;
	li->fd = li->door = -1;
	li->refs = 1;
	li->private_socket = s->private_socket;
	li->how = (struct priv_listen){
		.tcp = address[0] != '/',
		.address = strdup(address),
		.uid = s->socket_uid,
		.gid = s->socket_gid,
		.mode = s->socket_mode,
		.backlog = s->backlog,
		.account_uid = s->uid,
		.account_gid = s->gid,
		.groups = calloc(s->group_count + 1, sizeof(uint32_t)),
		.group_count = s->group_count,
	};
	if (li->how.address == NULL || li->how.groups == NULL) {
		listener_free(li);
		return NULL;
	}
	memcpy((void *)(uintptr_t)li->how.groups, s->groups, s->group_count * sizeof(uint32_t));
	return li;
}

int listener_adjust(struct listener *li, const struct spec_pool *s, struct fp_err *err)
{
	struct priv_listen how = li->how;
	int r;

	how.uid = s->socket_uid;
	how.gid = s->socket_gid;
	how.mode = s->socket_mode;
	how.backlog = s->backlog;
	if (li->handed) { /* the backlog alone is ours to say */
		how = li->how;
		how.backlog = s->backlog;
		r = listen(li->fd, (int)how.backlog) < 0 ? fp_fail(err, errno, "listen: %m") : 0;
		if (r == 0)
			li->how = how;
		return r;
	}
	if (how.uid == li->how.uid && how.gid == li->how.gid && how.mode == li->how.mode && how.backlog == li->how.backlog)
		return 0;
	r = priv_listen_adjust(&how, li->fd, li->door, err);
	if (r == 0)
		li->how = how;
	return r;
}

static int listener_identify(struct launcher *l, struct listener *li, struct fp_err *err)
{
	int r = probe_listener_init(l->diag_fd, li->fd, &li->id);

	if (r < 0)
		return fp_fail(err, -r, "cannot identify the socket %s: %m", li->how.address);
	li->next = l->listeners.first;
	l->listeners.first = li;
	li->listed = true;
	return 0;
}

static void request_free(struct listener_request *q)
{
	fp_close(&q->ours);
	fp_close(&q->theirs);
	free(q);
}

static int take_door(struct listener_request *q, struct fp_err *err)
{
	struct listener *li = q->listener;
	int r;

	li->door = fp_receive_fd(q->ours);
	if (li->door < 0)
		return fp_fail(err, EIO, "%s: its door did not come", li->how.address);
	r = priv_listen_adopt(&li->how, li->fd, li->door, &li->bound, err);
	return r < 0 ? r : listener_identify(q->launcher, li, err);
}

/* The request of a bind that a child does. */
static void binder_exited(struct child *c, int status)
{
	struct listener_request *q = (struct listener_request *)((char *)c - offsetof(struct listener_request, child));
	struct listener *li = q->listener;
	struct fp_err err = {0};
	int r = status == 0 ? 0 : -(c->failure.error != 0 ? c->failure.error : EIO);

	if (r < 0)
		fp_fail(&err, -r, "cannot listen on %s with the account's own rights: %m", li->how.address);
	else
		r = take_door(q, &err);
	q->done(r == 0 ? li : NULL, r, &err, q->ctx);
	if (r < 0)
		listener_free(li);
	request_free(q);
}
static const struct child_ops binder_ops = {.what = "bind", .exited = binder_exited};

static int act_bind(const void *arg, struct priv_report *ret)
{
	const struct listener_request *q = arg;
	const struct listener *li = q->listener;
	int door = -1, r = priv_jail_become(li->how.account_uid, li->how.account_gid, li->how.groups, li->how.group_count, ret);

	if (r < 0)
		return r;
	r = priv_listen_as_account(&li->how, li->fd, &door);
	if (r == 0)
		r = fp_send_fd(q->theirs, door);
	if (r < 0)
		*ret = (struct priv_report){.step = PRIV_STEP_BIND, .error = -r};
	return r;
}

static int bind_by_child(struct launcher *l, struct listener *li, listener_done *done, void *ctx)
{
	struct listener_request *q = calloc(1, sizeof(*q));
	int pair[2], r = 0;

	if (q == NULL)
		return -ENOMEM;
	*q = (struct listener_request){.launcher = l, .done = done, .ctx = ctx, .listener = li, .ours = -1, .theirs = -1};
	li->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (li->fd < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
		r = -errno;
	} else {
		q->ours = pair[0];
		q->theirs = pair[1];
		r = child_call(l, &q->child, &binder_ops, act_bind, q);
	}
	if (r < 0)
		request_free(q);
	return r;
}

/* The door is to the inode that bears its name; without one, frontends are told the path. */
static int take_handed(struct launcher *l, struct listener *li, const struct handed *h, struct fp_err *err)
{
	li->handed = true;
	li->fd = fcntl(h->fd, F_DUPFD_CLOEXEC, 0);
	if (li->fd < 0 || listen(li->fd, (int)li->how.backlog) < 0)
		return fp_fail(err, errno, "%s was handed over, but cannot be used: %m", h->address);
	if (!li->how.tcp)
		li->door = open(h->address, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	return listener_identify(l, li, err);
}

/* A socket that was handed over, unless somebody has shut it down. */
static int find_handed(struct launcher *l, const struct spec_pool *spec, struct handed **ret, struct fp_err *err)
{
	int r = handed_find(l, spec, ret, err);

	if (r == 0 && *ret != NULL && priv_listen_is_shut((*ret)->fd))
		*ret = NULL;
	return r;
}

/* A socket that stayed in a holder's hands when its launcher ended. */
static int take_back(struct launcher *l, struct listener *li, struct fp_err *err)
{
	struct stat st;
	int r = holder_take(l, &li->how, &li->fd, &li->door);

	if (r < 0)
		return r;
	if (!li->how.tcp && fstat(li->door, &st) < 0)
		return fp_fail(err, errno, "cannot look at %s: %m", li->how.address);
	if (!li->how.tcp)
		li->bound = (struct priv_bound){.dev = st.st_dev, .ino = st.st_ino};
	r = li->how.tcp ? (listen(li->fd, (int)li->how.backlog) < 0 ? -errno : 0) : priv_listen_adjust(&li->how, li->fd, li->door, err);
	if (r == 0)
		log_info("listener.taken_back", KS("address", li->how.address));
	return r;
}

static int bind_here(struct launcher *l, struct listener *li, struct fp_err *err)
{
	int r = priv_listen_bind(&li->how, &li->fd, &li->door, &li->bound, err), back;

	if (r != -EADDRINUSE)
		return r;
	back = take_back(l, li, err);
	return back == -ENOENT ? r : back;
}

int listener_get(struct launcher *l, const struct spec_pool *spec, listener_done *done, void *ctx)
{
	struct fp_err err = {0};
	struct handed *handed = NULL;
	struct listener *li;
	int r = find_handed(l, spec, &handed, &err);

	if (r < 0) {
		done(NULL, r, &err, ctx);
		return 0;
	}
	li = listener_find(l, handed != NULL ? handed->address : spec->address);
	if (li != NULL) {
		done(listener_ref(li), 0, &err, ctx); /* owner, mode and backlog change with the commit */
		return 0;
	}
	li = listener_new(spec, handed != NULL ? handed->address : spec->address);
	if (li == NULL)
		return -ENOMEM;
	if (handed != NULL) {
		r = take_handed(l, li, handed, &err);
		done(r == 0 ? li : NULL, r, &err, ctx);
		if (r < 0)
			listener_free(li);
		return 0;
	}
	r = bind_here(l, li, &err);
	if (r == -EXDEV && !l->ordinary && (r = bind_by_child(l, li, done, ctx)) == 0)
		return 0;
	if (r == 0)
		r = listener_identify(l, li, &err);
	if (r < 0)
		fp_fail(&err, -r, "cannot listen on %s: %m", spec->address);
	done(r == 0 ? li : NULL, r, &err, ctx);
	if (r < 0)
		listener_free(li);
	return 0;
}
