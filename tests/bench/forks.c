/* What the machine takes for a burst, whoever manages it, for `make bench T=prefork-burst`: forks PROCESSES.
 * Forks as many copies of itself one after the other, each of which touches as many pages as a worker of php-cgi does from its fork to its first answer (its page faults, and what
 * valgrind's lackey saw it read, write and execute), and nothing else.  Prints the milliseconds until the last of them has; then it ends, and they with it. */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Pages.  HEAP: what the process holds when it is forked.  MAPPED of a file's, each the first of AROUND that are mapped with it, STEP apart: what is executed and read lies in as many
 * page tables.  READ of those in all. */
enum { PAGE = 4096, HEAP = 2048, COPIED = 56, NEW = 36, MAPPED = 113, AROUND = 16, STEP = 64, READ = 538 };

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static char *map(size_t pages, int prot, int flags, int fd)
{
	char *p = mmap(NULL, pages * PAGE, prot, MAP_PRIVATE | flags, fd, 0);

	if (p == MAP_FAILED)
		err(1, "mmap");
	return p;
}

static char *memory(size_t pages)
{
	return map(pages, PROT_READ | PROT_WRITE, MAP_ANONYMOUS, -1);
}

/* As a program and its libraries are: in the page cache. */
static const char *file(void)
{
	static const char zeros[AROUND * PAGE];
	int fd = memfd_create("forks", MFD_CLOEXEC);

	if (fd < 0)
		err(1, "memfd_create");
	for (size_t i = 0; i < MAPPED; i++)
		if (pwrite(fd, zeros, sizeof(zeros), (off_t)(i * STEP * PAGE)) != (ssize_t)sizeof(zeros))
			err(1, "pwrite");
	return map((size_t)MAPPED * STEP, PROT_READ, 0, fd);
}

static void write_pages(volatile char *p, size_t pages)
{
	for (size_t i = 0; i < pages; i++)
		p[i * PAGE] = 1;
}

static void read_pages(const volatile char *p)
{
	for (size_t i = 0; i < READ; i++)
		(void)p[(i % MAPPED * STEP + i / MAPPED) * PAGE];
}

int main(int argc, char **argv)
{
	int count = argc > 1 ? atoi(argv[1]) : 0, there[2], stay[2];
	char *heap = memory(HEAP), byte = 0;
	const char *mapped = file();

	if (count < 1 || count > 1000 || pipe(there) < 0 || pipe(stay) < 0)
		errx(2, "usage: forks PROCESSES (1 to 1000)");
	write_pages(heap, HEAP);
	double begun = now_ms();
	for (int i = 0; i < count; i++) {
		pid_t pid = fork();

		if (pid < 0)
			err(1, "fork");
		if (pid == 0) {
			close(stay[1]);
			read_pages(mapped);
			write_pages(heap, COPIED);
			write_pages(memory(NEW), NEW);
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
