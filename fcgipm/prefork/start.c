/* At load.  What the launcher left for us goes out of the application's sight, and out of that of its children. */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "fcgipm/prefork/prefork.h"
#include "fcgipm/prefork/sys.h"

struct prefork prefork;

enum { PRELOAD_MAX = 4096, EXTRA = 2 };
#define PRELOAD "LD_PRELOAD="

static char preload[PRELOAD_MAX], variable[64];
static const int only_at_start[] = {BOARD_FD, BOARD_LIBRARY_FD};
static uint64_t inodes[2];
static const int ours[] = {BOARD_FD, BOARD_WAKE_FD, BOARD_HOOK_FD, BOARD_LIBRARY_FD};

uint64_t cookie_of(int fd)
{
	uint64_t cookie = 0;
	uint32_t len = sizeof(cookie);

	return SYS(getsockopt, fd, SOL_SOCKET, SO_COOKIE, &cookie, &len) < 0 ? 0 : cookie;
}

static size_t length(const char *s)
{
	size_t n = 0;

	while (s[n] != '\0')
		n++;
	return n;
}

static void copy(char *to, const char *from, size_t n)
{
	while (n-- > 0)
		*to++ = *from++;
}

static const char *behind(const char *s, const char *prefix)
{
	while (*prefix != '\0')
		if (*s++ != *prefix++)
			return NULL;
	return s;
}

/* "17,1": slot and role. */
static bool parse(const char *v, uint32_t *ret_slot, uint32_t *ret_role)
{
	uint32_t slot = 0;

	while (*v >= '0' && *v <= '9' && slot < BOARD_SLOTS)
		slot = slot * 10 + (uint32_t)(*v++ - '0');
	*ret_slot = slot;
	*ret_role = v[0] == ',' && v[1] == '1';
	return slot < BOARD_SLOTS && v[0] == ',';
}

/* Takes LD_PRELOAD's first item, which is this library; others stay. */
static char *rest_of_preload(char *entry)
{
	size_t at = sizeof(PRELOAD) - 1;

	copy(preload, entry, length(entry) + 1);
	while (entry[at] != '\0' && entry[at] != ':' && entry[at] != ' ')
		at++;
	if (entry[at] == '\0' || entry[at + 1] == '\0')
		return NULL;
	entry += at + 1 - (sizeof(PRELOAD) - 1);
	copy(entry, PRELOAD, sizeof(PRELOAD) - 1);
	return entry;
}

/* Removes the two variables.  False: they are not there, or too long to be ours. */
static bool take_variables(char **envp)
{
	char **to = envp;

	for (char **at = envp; *at != NULL; at++) {
		char *entry = *at;

		if (behind(entry, BOARD_VARIABLE "=") != NULL && length(entry) < sizeof(variable)) {
			copy(variable, entry, length(entry) + 1);
			continue;
		}
		if (behind(entry, PRELOAD) != NULL && length(entry) < PRELOAD_MAX && preload[0] == '\0')
			entry = rest_of_preload(entry);
		if (entry != NULL)
			*to++ = entry;
	}
	*to = NULL;
	return variable[0] != '\0' && preload[0] != '\0';
}

static void hide(bool on)
{
	for (unsigned i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		SYS(fcntl, ours[i], F_SETFD, on ? FD_CLOEXEC : 0);
}

static uint64_t inode_of(int fd)
{
	struct stat st = {.st_ino = 0};

	return SYS(fstat, fd, &st) < 0 ? 0 : (uint64_t)st.st_dev << 32 ^ st.st_ino;
}

/* Under its number the application may have opened something else. */
void start_done(void)
{
	for (unsigned i = 0; i < sizeof(only_at_start) / sizeof(only_at_start[0]); i++)
		if (inodes[i] != 0 && inode_of(only_at_start[i]) == inodes[i])
			SYS(close, only_at_start[i]);
}

static bool map_board(void)
{
	long at = SYS(mmap, NULL, sizeof(struct board), PROT_READ | PROT_WRITE, MAP_SHARED, BOARD_FD, 0);

	if (at < 0 && at > -4096)
		return false;
	prefork.board = (struct board *)(uintptr_t)at;
	return true;
}

/* glibc calls constructors with main's arguments, musl does not. */
extern const char *gnu_get_libc_version(void) __attribute__((weak));
extern char **environ __attribute__((weak));

__attribute__((constructor)) static void start(int argc, char **argv, char **envp)
{
	uint32_t role = 0;
	int64_t size;

	(void)argc;
	(void)argv;
	if (gnu_get_libc_version == NULL)
		envp = &environ != NULL ? environ : NULL;
	if (envp == NULL || !take_variables(envp) || !parse(behind(variable, BOARD_VARIABLE "="), &prefork.slot, &role))
		return;
	size = SYS(lseek, BOARD_FD, 0, 2 /* SEEK_END */);
	if (size != (int64_t)sizeof(struct board) || !map_board())
		return;
	hide(true);
	for (unsigned i = 0; i < sizeof(only_at_start) / sizeof(only_at_start[0]); i++)
		inodes[i] = inode_of(only_at_start[i]);
	prefork.pid = (int)SYS(getpid);
	prefork.listener = cookie_of(0);
	prefork.hook = cookie_of(BOARD_HOOK_FD);
	prefork.bell = cookie_of(BOARD_WAKE_FD);
	prefork.template_ = role == BOARD_ROLE_TEMPLATE && prefork.hook != 0;
	prefork.booting = prefork.on = prefork.listener != 0 && prefork.board->head.magic == BOARD_MAGIC;
	if (prefork.on)
		__atomic_store_n(&prefork.board->slots[prefork.slot].state, BOARD_BOOTING, __ATOMIC_RELEASE);
}

long start_exec_self(const char *path, char *const argv[], char *const envp[], int (*run)(const char *, char *const *, char *const *))
{
	size_t count = 0, to = 0;
	long r;

	while (envp != NULL && envp[count] != NULL)
		count++;
	{
		const char *all[count + EXTRA + 1];

		all[to++] = preload;
		all[to++] = variable;
		for (size_t i = 0; i < count; i++)
			if (behind(envp[i], PRELOAD) == NULL) /* what stays of it is in ours */
				all[to++] = envp[i];
		all[to] = NULL;
		hide(false);
		r = run(path, argv, (char *const *)(uintptr_t)all);
		hide(true);
	}
	return r;
}
