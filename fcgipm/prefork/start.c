/* At load, and where an application that boots replaces itself.  What the launcher left for us goes out of the application's sight, and out of that of its children. */
#include <stdio.h>
#include <sys/mman.h>

#include "fcgipm/prefork/prefork.h"

struct prefork prefork = {.pid = -1}; /* no zeroes, or it were among what is not HOT */

#define PRELOAD            "LD_PRELOAD="
#define OURS               PRELOAD BOARD_LIBRARY_PATH
#define BEGINS(s, literal) (strncmp(s, literal, strlen(literal)) == 0)

long long atoll(const char *digits); /* that of <stdlib.h> may name a function that only newer C libraries have */

static uint64_t inodes[BOARD_LIBRARY_FD + 1]; /* of what the launcher left, by descriptor; 0 there was nothing, or something else */

uint64_t cookie_of(int fd)
{
	uint64_t cookie = 0;

	return getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &(socklen_t){sizeof(cookie)}) < 0 ? 0 : cookie;
}

uint64_t inode_of(int fd)
{
	struct stat st;

	return syscall(SYS_fstat, fd, &st) < 0 ? 0 : BOARD_INODE(st);
}

static void take_variables(char **envp)
{
	char **to = envp;

	for (char *entry; (entry = *envp) != NULL; envp++)
		if (BEGINS(entry, BOARD_VARIABLE "=")) /* SLOT,ROLE,OUTPUT */
			for (int i = TOLD_SLOT; i < TOLD_COUNT && (entry = strpbrk(entry, "=,")) != NULL; i++)
				prefork.told[i] = (uint64_t)atoll(++entry);
		else if (BEGINS(entry, OURS ":")) /* other libraries stay */
			*to++ = memcpy(entry + strlen(OURS ":") - strlen(PRELOAD), PRELOAD, strlen(PRELOAD));
		else if (strcmp(entry, OURS) != 0)
			*to++ = entry;
	*to = NULL;
}

/* Under the number of a descriptor the application may have opened something else: that stays as it is. */
static void hide(int flag)
{
	for (int fd = BOARD_FD; fd <= BOARD_LIBRARY_FD; fd++)
		if (inode_of(fd) == inodes[fd])
			fcntl(fd, F_SETFD, flag);
}

void start_done(void)
{
	for (int fd = BOARD_FD; fd <= BOARD_LIBRARY_FD; fd++)
		if (inode_of(fd) == inodes[fd] && fd != BOARD_WAKE_FD)
			syscall(SYS_close, fd);
}

/* glibc calls constructors with main's arguments, musl does not. */
extern const char *gnu_get_libc_version(void) __attribute__((weak));
#pragma weak clock_gettime /* in libc since glibc 2.17 */

__attribute__((constructor)) static void start(__attribute__((unused)) int argc, __attribute__((unused)) char **argv, char **envp)
{
	if ((envp = gnu_get_libc_version == NULL ? environ : envp) != NULL)
		take_variables(envp);
	prefork.pid = (int)syscall(SYS_getpid);
	/* What the launcher starts leads a session.  A child of one without this library has all that it had, too. */
	if (clock_gettime == NULL || prefork.told[TOLD_OUTPUT] == 0 || prefork.told[TOLD_SLOT] >= BOARD_SLOTS || syscall(SYS_getsid, 0) != prefork.pid ||
	    lseek(BOARD_FD, 0, SEEK_END) != (off_t)sizeof(struct board) ||
	    (prefork.board = mmap(NULL, sizeof(struct board), PROT_READ | PROT_WRITE, MAP_SHARED, BOARD_FD, 0)) == MAP_FAILED)
		return;
	prefork.hook = prefork.told[TOLD_ROLE] == BOARD_ROLE_TEMPLATE ? cookie_of(BOARD_HOOK_FD) : 0;
	prefork.bell = cookie_of(BOARD_WAKE_FD);
	for (int fd = BOARD_FD; fd <= BOARD_LIBRARY_FD; fd++)
		inodes[fd] = (fd == BOARD_HOOK_FD && prefork.hook == 0) || (fd == BOARD_WAKE_FD && prefork.bell == 0) ? 0 : inode_of(fd);
	hide(FD_CLOEXEC);
	prefork.slot = &prefork.board->slots[prefork.told[TOLD_SLOT]];
	prefork.listener = cookie_of(0);
	prefork.template_ = prefork.hook != 0;
	prefork.booting = prefork.on = prefork.listener != 0 && prefork.board->head.magic == BOARD_MAGIC;
	if (prefork.on)
		__atomic_store_n(&prefork.slot->state, BOARD_BOOTING, __ATOMIC_RELEASE);
}

/* ---- exec: where an application that boots replaces itself (env, sh -c exec), the same library finds its things again ---- */

static int replace(bool search, const char *path, char *const argv[], char *const envp[])
{
	bool ours = prefork.booting && (int)syscall(SYS_getpid) == prefork.pid;
	const char *others = ""; /* what the application preloads itself comes behind this library */
	size_t count = 0, to = 0;

	for (; envp != NULL && envp[count] != NULL; count++)
		if (BEGINS(envp[count], PRELOAD))
			others = envp[count] + strlen(PRELOAD);
	char *all[count + 3], preload[sizeof(OURS) + 1 + strlen(others)], variable[96];
	if (ours) {
		snprintf(preload, sizeof(preload), OURS "%s%s", *others != '\0' ? ":" : "", others);
		snprintf(variable, sizeof(variable), BOARD_VARIABLE "=%d,%d,%lld", (int)prefork.told[TOLD_SLOT], (int)prefork.told[TOLD_ROLE],
			 (long long)prefork.told[TOLD_OUTPUT]);
		all[to++] = preload;
		all[to++] = variable;
		hide(0);
	}
	for (size_t i = 0; i < count; i++)
		if (!ours || !BEGINS(envp[i], PRELOAD))
			all[to++] = envp[i];
	all[to] = NULL;
	int r = search ? execvpe(path, argv, all) : (int)syscall(SYS_execve, path, argv, all), error = errno;
	if (ours)
		hide(FD_CLOEXEC);
	errno = error;
	return r;
}

EXPORT int execve(const char *path, char *const argv[], char *const envp[])
{
	return replace(false, path, argv, envp);
}

EXPORT int execv(const char *path, char *const argv[])
{
	return replace(false, path, argv, environ);
}

EXPORT int execvp(const char *file, char *const argv[])
{
	return replace(true, file, argv, environ);
}
