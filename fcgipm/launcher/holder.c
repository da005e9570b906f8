/* Who holds our listeners (launcher process).  What /proc says is read once for many listeners, and believed only as far as the socket itself confirms it. */
#include "fcgipm/launcher/holder.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "fcgipm/base/clock.h"
#include "fcgipm/base/fd.h"
#include "fcgipm/launcher/launcher.h"
#include "fcgipm/probe/peer.h"
#include "fcgipm/spec/spec.h"

enum { FRESH_MS = 2000, SOCKETS_MAX = 1 << 20 };

/* A socket in somebody's hands, and what it listens on, as /proc/net spells that; NULL: not known to listen. */
struct held {
	uint32_t ino;
	pid_t pid;
	int fd;
	char *address;
};

struct holders {
	struct held *held; /* in order of ino */
	size_t count, room;
	int64_t read_ms;
};

static void holders_free(struct holders *h)
{
	if (h == NULL)
		return;
	for (size_t i = 0; i < h->count; i++)
		free(h->held[i].address);
	free(h->held);
	free(h);
}

void holder_forget(struct launcher *l)
{
	holders_free(l->holders);
	l->holders = NULL;
}

/* ---- processes ---- */

/* Of our account alone: real, effective, saved and file system uid. */
static bool is_ours(pid_t pid)
{
	unsigned uid[4];
	bool known = false;
	char path[32], line[256];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	f = fopen(path, "re");
	while (f != NULL && !known && fgets(line, sizeof(line), f) != NULL)
		known = sscanf(line, "Uid: %u %u %u %u", &uid[0], &uid[1], &uid[2], &uid[3]) == 4;
	if (f != NULL)
		fclose(f);
	for (int i = 0; known && i < 4; i++)
		known = uid[i] == geteuid();
	return known;
}

/* ---- their sockets ---- */

static void add(struct holders *h, uint32_t ino, pid_t pid, int fd)
{
	if (h->count == h->room) {
		size_t room = h->room == 0 ? 256 : 2 * h->room;
		struct held *more = room <= SOCKETS_MAX ? reallocarray(h->held, room, sizeof(*more)) : NULL;

		if (more == NULL)
			return; /* what is not listed counts as not held */
		h->held = more;
		h->room = room;
	}
	h->held[h->count++] = (struct held){.ino = ino, .pid = pid, .fd = fd};
}

static void add_sockets(struct holders *h, pid_t pid)
{
	char path[32], link[64];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	dir = opendir(path);
	if (dir == NULL)
		return;
	for (struct dirent *e; (e = readdir(dir)) != NULL;) {
		ssize_t n = readlinkat(dirfd(dir), e->d_name, link, sizeof(link) - 1);
		unsigned ino;

		link[n > 0 ? n : 0] = '\0';
		if (sscanf(link, "socket:[%u]", &ino) == 1)
			add(h, ino, pid, atoi(e->d_name));
	}
	closedir(dir);
}

static int by_ino(const void *a, const void *b)
{
	const struct held *x = a, *y = b;

	return x->ino < y->ino ? -1 : x->ino > y->ino;
}

static void add_processes(struct holders *h)
{
	DIR *proc = opendir("/proc");

	if (proc == NULL)
		return;
	for (struct dirent *e; (e = readdir(proc)) != NULL;) {
		pid_t pid = isdigit((unsigned char)e->d_name[0]) ? atoi(e->d_name) : 0;

		if (pid > 0 && is_ours(pid) && probe_descends(pid, getpid()) == 0) /* a worker, or the manager, of an ordinary user would else pass for one */
			add_sockets(h, pid);
	}
	closedir(proc);
	if (h->count > 0)
		qsort(h->held, h->count, sizeof(*h->held), by_ino);
}

/* ---- what they listen on ---- */

static struct held *find(const struct holders *h, uint32_t ino)
{
	struct held key = {.ino = ino};

	return h == NULL || h->count == 0 ? NULL : bsearch(&key, h->held, h->count, sizeof(key), by_ino);
}

static void note(struct holders *h, uint32_t ino, const char *address)
{
	struct held *at = find(h, ino);

	if (at != NULL && at->address == NULL)
		at->address = strdup(address);
}

/* Num: RefCount Protocol Flags Type St Inode Path; __SO_ACCEPTCON is 1 << 16 (proc(5)). */
static void note_unix(struct holders *h, const char *line)
{
	unsigned flags, ino;
	int at = 0;

	if (sscanf(line, "%*s %*s %*s %x %*s %*s %u %n", &flags, &ino, &at) == 2 && at > 0 && (flags & 1 << 16) != 0 && line[at] == '/')
		note(h, ino, line + at);
}

/* sl local_address rem_address st ... inode; 0A is TCP_LISTEN (proc(5)). */
static void note_tcp(struct holders *h, const char *line)
{
	char local[64];
	unsigned state, ino;

	if (sscanf(line, "%*s %63s %*s %x %*s %*s %*s %*s %*s %u", local, &state, &ino) == 3 && state == 0x0a)
		note(h, ino, local);
}

static void read_table(struct holders *h, const char *path, void (*take)(struct holders *h, const char *line))
{
	char line[512];
	FILE *f = fopen(path, "re");

	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		take(h, line);
	}
	if (f != NULL)
		fclose(f);
}

static const struct holders *holders(struct launcher *l)
{
	struct holders *h;

	if (l->holders != NULL && fp_now_ms() - l->holders->read_ms < FRESH_MS)
		return l->holders;
	holder_forget(l);
	h = calloc(1, sizeof(*h));
	if (h == NULL)
		return NULL;
	add_processes(h);
	read_table(h, "/proc/net/unix", note_unix);
	read_table(h, "/proc/net/tcp", note_tcp);
	read_table(h, "/proc/net/tcp6", note_tcp);
	h->read_ms = fp_now_ms();
	return l->holders = h;
}

/* ---- from one launcher to the next ---- */

static bool note_path(const struct launcher *l, char *buf, size_t cap)
{
	int n = snprintf(buf, cap, "%s/held", l->runtime);

	return n > 0 && (size_t)n < cap;
}

/* The directory is ours alone, and so is the file: an inode number a line. */
void holder_open(struct launcher *l)
{
	char path[PATH_MAX];
	unsigned ino;
	FILE *f;

	if (!note_path(l, path, sizeof(path)) || (f = fopen(path, "re")) == NULL)
		return;
	while (fscanf(f, "%u", &ino) == 1) {
		uint32_t *more = l->left_count < SOCKETS_MAX ? reallocarray(l->left, l->left_count + 1, sizeof(*more)) : NULL;

		if (more == NULL)
			break;
		l->left = more;
		l->left[l->left_count++] = ino;
	}
	fclose(f);
	unlink(path);
}

static bool was_left(const struct launcher *l, uint32_t ino)
{
	for (uint32_t i = 0; i < l->left_count; i++)
		if (l->left[i] == ino)
			return true;
	return false;
}

bool holder_leave(struct launcher *l, const struct probe_listener *id)
{
	char path[PATH_MAX];
	FILE *f;

	if (find(holders(l), id->sock_ino) == NULL || !note_path(l, path, sizeof(path)) || (f = fopen(path, "ae")) == NULL)
		return false;
	fprintf(f, "%u\n", id->sock_ino);
	return fclose(f) == 0;
}

void holder_close(struct launcher *l)
{
	holder_forget(l);
	free(l->left);
	l->left = NULL;
	l->left_count = 0;
}

/* ---- taking back ---- */

/* As /proc/net/tcp{,6} has it: words of the address as they lie in memory, the port as a number. */
static void spell_tcp(const struct spec_tcp *at, char *buf, size_t cap)
{
	size_t used = 0;
	uint32_t word;

	for (size_t i = 0; i < (at->family == AF_INET ? 4U : 16U); i += 4) {
		memcpy(&word, at->host + i, 4);
		used += (size_t)snprintf(buf + used, cap - used, "%08X", word);
	}
	snprintf(buf + used, cap - used, ":%04X", at->port);
}

/* The descriptor itself says what it is: the number may be another's by now. */
static int fetch(const struct held *held)
{
	fp_autoclose int pidfd = (int)syscall(SYS_pidfd_open, held->pid, 0), fd = -1;
	socklen_t len = sizeof(int);
	struct stat st;
	int listens = 0;

	if (pidfd >= 0)
		fd = (int)syscall(SYS_pidfd_getfd, pidfd, held->fd, 0);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISSOCK(st.st_mode) || (uint32_t)st.st_ino != held->ino)
		return -ENOENT;
	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) < 0 || listens == 0 || priv_listen_is_shut(fd))
		return -ENOENT;
	return FP_TAKE_FD(fd);
}

/* Of two sockets that were bound under one name in turn, the one to which the name leads now. */
static bool is_behind(struct launcher *l, int fd, int door)
{
	struct probe_listener id;
	struct stat st;

	return fstat(door, &st) == 0 && S_ISSOCK(st.st_mode) && probe_listener_init(l->diag_fd, fd, &id) == 0 && id.vfs_ino == (uint32_t)st.st_ino;
}

static int open_door(const struct priv_listen *how)
{
	return how->tcp ? -1 : open(how->address, O_PATH | O_NOFOLLOW | O_CLOEXEC);
}

int holder_take(struct launcher *l, const struct priv_listen *how, int *ret_fd, int *ret_door)
{
	const struct holders *h = holders(l);
	fp_autoclose int door = open_door(how);
	char address[64];
	const char *wanted = how->address;
	struct spec_tcp tcp;

	if (h == NULL || (how->tcp && spec_tcp_parse(how->address, &tcp) < 0) || (!how->tcp && door < 0))
		return -ENOENT;
	if (how->tcp) {
		spell_tcp(&tcp, address, sizeof(address));
		wanted = address;
	}
	for (size_t i = 0; i < h->count; i++) {
		fp_autoclose int fd = -1;

		if (h->held[i].address == NULL || strcmp(h->held[i].address, wanted) != 0 || !was_left(l, h->held[i].ino))
			continue;
		fd = fetch(&h->held[i]);
		if (fd < 0 || (!how->tcp && !is_behind(l, fd, door)))
			continue;
		*ret_fd = FP_TAKE_FD(fd);
		*ret_door = FP_TAKE_FD(door);
		return 0;
	}
	return -ENOENT;
}
