/* What the preloaded library adds to a request, for `make bench T=prefork`: overhead LIBRARY ROUNDS REQUESTS.
 * One process is both sides, so that nothing is waited for: it connects to its own listener and sends a request, and accepts, reads, answers and closes in the
 * order of libfcgi.  Prints one line a round: nanoseconds a request without the library, without it but with a poll of each new connection by the application
 * (what the library's look for abandoned ones is), and with the library.  All on one core; the three take turns. */
#include <err.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "include/fcgipm/board.h"

enum { LOW = 100, REQUEST = 512, ANSWER = 128, READ = 8192 };

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void need(bool good, const char *what)
{
	if (!good)
		err(1, "%s", what);
}

/* ---- one of the three, with the listener as descriptor 0 ---- */

static int client(const struct sockaddr_un *to, socklen_t len)
{
	/* BEGIN_REQUEST, PARAMS of 472 bytes, the ends of PARAMS and STDIN. */
	static const char request[REQUEST] = "\1\1\0\1\0\10\0\0\0\1\0\0\0\0\0\0\1\4\0\1\1\330\0\0", ends[] = "\1\4\0\1\0\0\0\0\1\5\0\1\0\0\0";
	char all[REQUEST];
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	need(fd >= 0 && connect(fd, (const struct sockaddr *)to, len) == 0, "connect");
	memcpy(all, request, sizeof(all));
	memcpy(all + sizeof(all) - sizeof(ends), ends, sizeof(ends));
	need(syscall(SYS_write, fd, all, sizeof(all)) == sizeof(all), "write");
	return fd;
}

static void serve(bool looks)
{
	static const char answer[ANSWER];
	static char room[READ];
	struct sockaddr_un from;
	socklen_t len = sizeof(from);
	int fd = accept(0, (struct sockaddr *)&from, &len);
	struct pollfd p = {.fd = fd};

	need(fd >= 0, "accept");
	if (looks)
		syscall(SYS_ppoll, &p, 1, &(struct timespec){0}, NULL, 0);
	need(read(fd, room, sizeof(room)) == REQUEST, "read");
	need(write(fd, answer, sizeof(answer)) == ANSWER, "write");
	close(fd);
}

static int by_size(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static int run(long requests, bool looks)
{
	struct sockaddr_un to;
	socklen_t len = sizeof(to);
	char room[ANSWER];
	int64_t *took = calloc((size_t)requests, sizeof(*took));

	need(took != NULL && getsockname(0, (struct sockaddr *)&to, &len) == 0, "getsockname");
	for (long i = 0; i < requests; i++) {
		int fd = client(&to, len);
		int64_t begun = now_ns();

		serve(looks);
		took[i] = now_ns() - begun;
		syscall(SYS_read, fd, room, sizeof(room)); /* by hand: the other side is not what is measured */
		syscall(SYS_close, fd);
	}
	qsort(took, (size_t)requests, sizeof(*took), by_size);
	printf("%jd\n", (intmax_t)took[requests / 2]);
	free(took);
	return 0;
}

/* ---- a worker's surroundings ---- */

static int high(int fd)
{
	int to = fcntl(fd, F_DUPFD_CLOEXEC, LOW);

	need(to >= 0, "descriptor");
	close(fd);
	return to;
}

static int listener(void)
{
	struct sockaddr_un any = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	need(fd >= 0 && bind(fd, (struct sockaddr *)&any, sizeof(any.sun_family)) == 0 && listen(fd, 16) == 0, "listen");
	return high(fd);
}

static int board(void)
{
	int fd = high(memfd_create("board", 0));
	struct board *b;

	need(ftruncate(fd, sizeof(struct board)) == 0, "board");
	b = mmap(NULL, sizeof(struct board), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	need(b != MAP_FAILED, "board");
	b->head.magic = BOARD_MAGIC;
	munmap(b, sizeof(struct board));
	return fd;
}

static void preload(const char *library, int board_fd)
{
	int bell[2], hook[2], fds[4] = {board_fd};

	need(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, bell) == 0 && socketpair(AF_UNIX, SOCK_SEQPACKET, 0, hook) == 0, "socketpair");
	fds[BOARD_WAKE_FD - BOARD_FD] = high(bell[0]);
	fds[BOARD_HOOK_FD - BOARD_FD] = high(hook[0]);
	fds[BOARD_LIBRARY_FD - BOARD_FD] = high(open(library, O_RDONLY));
	for (int i = 0; i < 4; i++)
		need(dup2(fds[i], BOARD_FD + i) >= 0, library);
	setenv("LD_PRELOAD", "/proc/self/fd/6", 1);
	setenv(BOARD_VARIABLE, "0,0,1", 1);
}

static double measure(const char *library, const char *requests, const char *looks)
{
	char line[64] = "";
	struct board_slot seen = {.requests = 0};
	int out[2], board_fd = board();
	pid_t pid;

	need(pipe(out) == 0, "pipe");
	pid = fork();
	need(pid >= 0, "fork");
	if (pid == 0) {
		int said = high(out[1]);

		dup2(listener(), 0);
		setsid(); /* as what the launcher starts */
		if (library != NULL)
			preload(library, board_fd);
		dup2(said, 1);
		execl("/proc/self/exe", "overhead", requests, looks, NULL);
		err(1, "exec");
	}
	close(out[1]);
	need(read(out[0], line, sizeof(line) - 1) > 0, "no answer");
	close(out[0]);
	waitpid(pid, NULL, 0);
	need(pread(board_fd, &seen, sizeof(seen), offsetof(struct board, slots)) == sizeof(seen) && (seen.requests > 0) == (library != NULL),
	     "the library was not at work");
	close(board_fd);
	return strtod(line, NULL);
}

int main(int argc, char **argv)
{
	cpu_set_t one;

	if (argc == 3)
		return run(strtol(argv[1], NULL, 10), argv[2][0] == '1');
	if (argc != 4)
		errx(2, "overhead LIBRARY ROUNDS REQUESTS");
	CPU_ZERO(&one);
	CPU_SET(0, &one);
	sched_setaffinity(0, sizeof(one), &one);
	for (long i = strtol(argv[2], NULL, 10); i > 0; i--) {
		double plain = measure(NULL, argv[3], "0"), looks = measure(NULL, argv[3], "1"), with = measure(argv[1], argv[3], "0");

		printf("%.1f %.1f %.1f\n", plain, looks, with);
		fflush(stdout);
	}
	return 0;
}
