/* Runs of a program a second: runs CLIENTS MS PROGRAM [CONTROL PROFILE].  With CONTROL through the broker, a connection a client; without it by posix_spawn() from as many
 * threads: what the machine can do.  Prints runs a second, failures, and microseconds at the median and p99. */
#include <poll.h>
#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "include/fcgipm/client.h"

enum { CLIENTS_MAX = 256, SAMPLES = 1 << 20 };

static const char *program, *control, *profile;
static int64_t end_us;
static struct client {
	unsigned runs, failed;
} clients[CLIENTS_MAX];
static unsigned samples[SAMPLES], sample_count;

static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int drain(int fd)
{
	char buf[4096];
	ssize_t n;
	int total = 0;

	while ((n = read(fd, buf, sizeof(buf))) > 0)
		total += (int)n;
	return total;
}

static int by_spawn(void)
{
	char *argv[] = {(char *)(uintptr_t)program, NULL};
	posix_spawn_file_actions_t actions;
	int p[2], status = -1, got;
	pid_t pid;

	if (pipe2(p, 02000000) < 0)
		return -1;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, p[1], 1);
	if (posix_spawn(&pid, program, &actions, NULL, argv, NULL) != 0)
		return -1;
	close(p[1]);
	got = drain(p[0]);
	close(p[0]);
	posix_spawn_file_actions_destroy(&actions);
	waitpid(pid, &status, 0);
	return got > 0 && status == 0 ? 0 : -1;
}

static int wait_news(struct fcgipm_broker *b, struct fcgipm_run *run, struct fcgipm_end *end)
{
	struct pollfd p = {.fd = fcgipm_broker_fd(b), .events = POLLIN};
	int r = 0;

	while (r == 0 && poll(&p, 1, 20000) > 0)
		r = fcgipm_broker_next(b, run, end, NULL);
	return r;
}

static int by_broker(struct fcgipm_broker *b)
{
	const char *const argv[] = {program, NULL};
	const struct fcgipm_program what = {.profile = profile, .argv = argv, .stdio = {FCGIPM_NULL, -1, -1}};
	struct fcgipm_run run;
	struct fcgipm_end end = {.status = -1};
	int got;

	if (fcgipm_broker_ask(b, &what, NULL) < 0 || wait_news(b, &run, &end) != FCGIPM_NEWS_STARTED)
		return -1;
	close(run.pidfd);
	got = drain(run.stdio[1]) + drain(run.stdio[2]);
	close(run.stdio[1]);
	close(run.stdio[2]);
	return wait_news(b, &run, &end) == FCGIPM_NEWS_ENDED && got > 0 && end.status == 0 ? 0 : -1;
}

static void *work(void *arg)
{
	struct client *c = arg;
	struct fcgipm_broker *b = NULL;

	if (control != NULL && fcgipm_broker_open(control, 5000, &b, NULL) < 0) {
		c->failed++;
		return NULL;
	}
	for (int64_t begun; (begun = now_us()) < end_us;) {
		int r = b != NULL ? by_broker(b) : by_spawn();
		unsigned at = __atomic_fetch_add(&sample_count, 1, __ATOMIC_RELAXED);

		if (at < SAMPLES)
			samples[at] = (unsigned)(now_us() - begun);
		if (r == 0)
			c->runs++;
		else
			c->failed++;
	}
	fcgipm_broker_close(b);
	return NULL;
}

static int by_number(const void *a, const void *b)
{
	unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	pthread_t threads[CLIENTS_MAX];
	unsigned count = argc > 3 ? (unsigned)atoi(argv[1]) : 0, runs = 0, failed = 0;
	int64_t begun = now_us();

	if (count == 0 || count > CLIENTS_MAX)
		return 2;
	end_us = begun + atoi(argv[2]) * 1000;
	program = argv[3];
	control = argc > 5 ? argv[4] : NULL;
	profile = argc > 5 ? argv[5] : NULL;
	for (unsigned i = 0; i < count; i++)
		pthread_create(&threads[i], NULL, work, &clients[i]);
	for (unsigned i = 0; i < count; i++) {
		pthread_join(threads[i], NULL);
		runs += clients[i].runs;
		failed += clients[i].failed;
	}
	sample_count = sample_count < SAMPLES ? sample_count : SAMPLES;
	qsort(samples, sample_count, sizeof(samples[0]), by_number);
	printf("%.0f %u %u %u\n", runs * 1e6 / (double)(now_us() - begun), failed, sample_count > 0 ? samples[sample_count / 2] : 0,
	       sample_count > 0 ? samples[(size_t)sample_count * 99 / 100] : 0);
	return 0;
}
