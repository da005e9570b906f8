/* At load.  What the launcher left for us goes out of the application's sight, and out of that of its children. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "fcgipm/prefork/prefork.h"

struct prefork prefork = {.pid = -1}; /* no zeroes, or it were among what is not HOT */

#define PRELOAD "LD_PRELOAD="

static char preload[4096], variable[64]; /* as they were */
static uint64_t board_inode, library_inode, told[3]; /* told: slot, role, the inode of the output */

uint64_t cookie_of(int fd)
{
	uint64_t cookie = 0;

	return getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &(socklen_t){sizeof(cookie)}) < 0 ? 0 : cookie;
}

static uint64_t inode_of(int fd)
{
	struct stat st;

	return syscall(SYS_fstat, fd, &st) < 0 ? 0 : BOARD_INODE(st);
}

static bool begins(const char *s, const char *with)
{
	return strncmp(s, with, strlen(with)) == 0;
}

static bool keep(char *room, size_t size, const char *entry)
{
	return room[0] == '\0' && strlen(entry) < size && memcpy(room, entry, strlen(entry) + 1) != NULL;
}

static void take_variables(char **envp)
{
	char **to = envp;

	for (char **at = envp; *at != NULL; at++) {
		char *entry = *at;

		if (begins(entry, BOARD_VARIABLE "=") && keep(variable, sizeof(variable), entry))
			continue;
		if (begins(entry, PRELOAD) && keep(preload, sizeof(preload), entry)) {
			char *rest = strpbrk(entry, ": "); /* the first item is this library; others stay */

			preload[strcspn(preload, ": ")] = '\0';
			entry = rest != NULL && rest[1] != '\0' ? memcpy(rest + 1 - strlen(PRELOAD), PRELOAD, strlen(PRELOAD)) : NULL;
		}
		if (entry != NULL)
			*to++ = entry;
	}
	*to = NULL;
}

/* FCGIPM_WORKER=SLOT,ROLE,OUTPUT */
static void read_variable(void)
{
	const char *v = variable + strlen(BOARD_VARIABLE "=");

	for (int i = 0; i < 3; i++, v++)
		for (; *v >= '0' && *v <= '9'; v++)
			told[i] = told[i] * 10 + (uint64_t)(*v - '0');
}

static void hide(int flag)
{
	for (int fd = BOARD_FD; fd <= BOARD_LIBRARY_FD; fd++)
		fcntl(fd, F_SETFD, flag);
}

bool start_keeps_output(int fd)
{
	return inode_of(fd) == 0 || inode_of(fd) == told[2];
}

/* Under its number the application may have opened something else. */
void start_done(void)
{
	if (inode_of(BOARD_FD) == board_inode)
		syscall(SYS_close, BOARD_FD);
	if (inode_of(BOARD_LIBRARY_FD) == library_inode)
		syscall(SYS_close, BOARD_LIBRARY_FD);
}

/* glibc calls constructors with main's arguments, musl does not. */
extern const char *gnu_get_libc_version(void) __attribute__((weak));
#pragma weak clock_gettime /* in libc since glibc 2.17 */

__attribute__((constructor)) static void start(__attribute__((unused)) int argc, __attribute__((unused)) char **argv, char **envp)
{
	envp = gnu_get_libc_version == NULL ? environ : envp;
	if (envp != NULL)
		take_variables(envp);
	read_variable();
	prefork.pid = (int)syscall(SYS_getpid);
	/* What the launcher starts leads a session.  A child of one without this library has all that it had, too. */
	if (clock_gettime == NULL || variable[0] == '\0' || preload[0] == '\0' || told[0] >= BOARD_SLOTS || syscall(SYS_getsid, 0) != prefork.pid ||
	    lseek(BOARD_FD, 0, SEEK_END) != (off_t)sizeof(struct board) ||
	    (prefork.board = mmap(NULL, sizeof(struct board), PROT_READ | PROT_WRITE, MAP_SHARED, BOARD_FD, 0)) == MAP_FAILED)
		return;
	hide(FD_CLOEXEC);
	board_inode = inode_of(BOARD_FD);
	library_inode = inode_of(BOARD_LIBRARY_FD);
	prefork.slot = (uint32_t)told[0];
	prefork.listener = cookie_of(0);
	prefork.hook = cookie_of(BOARD_HOOK_FD);
	prefork.bell = cookie_of(BOARD_WAKE_FD);
	prefork.template_ = told[1] == BOARD_ROLE_TEMPLATE && prefork.hook != 0;
	prefork.booting = prefork.on = prefork.listener != 0 && prefork.board->head.magic == BOARD_MAGIC;
	if (prefork.on)
		__atomic_store_n(&prefork.board->slots[prefork.slot].state, BOARD_BOOTING, __ATOMIC_RELEASE);
}

int start_replace(bool search, const char *path, char *const argv[], char *const envp[])
{
	bool ours = prefork.booting && (int)syscall(SYS_getpid) == prefork.pid;
	size_t count = 0, to = 0;
	char both[sizeof(preload)];

	while (envp != NULL && envp[count] != NULL)
		count++;
	char *all[count + 3];
	if (ours) {
		all[to++] = preload;
		all[to++] = variable;
		hide(0);
	}
	for (size_t i = 0; i < count; i++)
		if (!ours || !begins(envp[i], PRELOAD))
			all[to++] = envp[i];
		else if (snprintf(both, sizeof(both), "%s:%s", preload, envp[i] + strlen(PRELOAD)) < (int)sizeof(both))
			all[0] = both; /* what the application preloads itself comes behind this library */
	all[to] = NULL;
	int r = search ? execvpe(path, argv, all) : (int)syscall(SYS_execve, path, argv, all);
	if (ours)
		hide(FD_CLOEXEC);
	return r;
}
