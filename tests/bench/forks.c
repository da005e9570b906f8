/* What the machine takes for a burst, whoever manages it, for `make bench T=prefork-burst`: forks PROCESSES.
 * Forks as many copies of itself one after the other, each of which touches as many pages as a worker of php-cgi does from its fork to its first answer (page faults,
 * traced), and nothing else.  Prints the milliseconds until the last of them has; then it ends, and they with it. */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PAGE = 4096, HEAP = 2048, COPIED = 54, NEW = 45, MAPPED = 113 }; /* pages; HEAP: what the process holds when it is forked */

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static char *memory(size_t pages, int flags)
{
	char *p = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		err(1, "mmap");
	return p;
}

static void write_pages(volatile char *p, size_t pages)
{
	for (size_t i = 0; i < pages; i++)
		p[i * PAGE] = 1;
}

static void read_pages(const volatile char *p, size_t pages)
{
	for (size_t i = 0; i < pages; i++)
		(void)p[i * PAGE];
}

int main(int argc, char **argv)
{
	int count = argc > 1 ? atoi(argv[1]) : 0, there[2], stay[2];
	char *heap = memory(HEAP, MAP_PRIVATE), *mapped = memory(MAPPED, MAP_SHARED), byte = 0;

	if (count < 1 || count > 1000 || pipe(there) < 0 || pipe(stay) < 0)
		errx(2, "usage: forks PROCESSES (1 to 1000)");
	write_pages(heap, HEAP);
	write_pages(mapped, MAPPED);
	double begun = now_ms();
	for (int i = 0; i < count; i++) {
		pid_t pid = fork();

		if (pid < 0)
			err(1, "fork");
		if (pid == 0) {
			close(stay[1]);
			read_pages(mapped, MAPPED);
			write_pages(heap, COPIED);
			write_pages(memory(NEW, MAP_PRIVATE), NEW);
			if (write(there[1], &byte, 1) != 1)
				_exit(1);
			_exit(read(stay[0], &byte, 1) == 0 ? 0 : 1);
		}
	}
	for (int i = 0; i < count; i++)
		if (read(there[0], &byte, 1) != 1)
			err(1, "read");
	printf("%.1f\n", now_ms() - begun);
	fflush(stdout);
	close(stay[1]);
	while (wait(NULL) > 0)
		;
	return 0;
}
