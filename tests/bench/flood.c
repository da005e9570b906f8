/* A flood of FastCGI requests for `make bench`: flood SOCKET|HOST:PORT CONNECTIONS MILLISECONDS [RATE].  Each request has a connection of its own, as a frontend's; 0 milliseconds are
 * one request of each at once.
 * Prints: requests a second, failures, median, p99 and the time of all in microseconds, and when each of the first connections stood (ms of the clock).  RATE bounds the requests a second
 * in all, the variables FLOOD_QUERY and FLOOD_SCRIPT are their QUERY_STRING and SCRIPT_FILENAME; it ends by itself. */
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { MOST_THREADS = 256, MOST_TIMES = 1 << 20, FIRST = 16, LONGEST_VALUE = 100 };

static struct {
	union {
		struct sockaddr any;
		struct sockaddr_un un;
		struct sockaddr_in in;
	} to;
	socklen_t to_len;
	int64_t end_us;
	double gap_us; /* between two requests of one thread; 0: none */
} run;

struct client {
	pthread_t thread;
	uint32_t *times;
	size_t count, failed;
};

static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

/* BEGIN_REQUEST, PARAMS, the ends of PARAMS and STDIN. */
static uint8_t request[1024];
static size_t request_len;

static void add(const void *bytes, size_t len)
{
	memcpy(request + request_len, bytes, len);
	request_len += len;
}

/* In a record of its own. */
static void add_param(const char *name, const char *value)
{
	uint8_t name_len = (uint8_t)strlen(name), value_len = (uint8_t)strnlen(value, LONGEST_VALUE);
	const uint8_t header[] = {1, 4, 0, 1, 0, (uint8_t)(2 + name_len + value_len), 0, 0, name_len, value_len};

	add(header, sizeof(header));
	add(name, name_len);
	add(value, value_len);
}

static const char *variable(const char *name, const char *otherwise)
{
	const char *value = getenv(name);

	return value != NULL ? value : otherwise;
}

static void make_request(void)
{
	add("\1\1\0\1\0\10\0\0\0\1\0\0\0\0\0\0", 16);
	add_param("REQUEST_METHOD", "GET");
	add_param("QUERY_STRING", variable("FLOOD_QUERY", "no"));
	add_param("SCRIPT_FILENAME", variable("FLOOD_SCRIPT", ""));
	add("\1\4\0\1\0\0\0\0\1\5\0\1\0\0\0\0", 16);
}

/* When each of the first connections stood. */
static atomic_uint connections;
static double stood_ms[FIRST];

static void note_connection(void)
{
	unsigned n = atomic_fetch_add_explicit(&connections, 1, memory_order_relaxed);
	struct timespec t;

	if (n >= FIRST)
		return;
	clock_gettime(CLOCK_REALTIME, &t);
	stood_ms[n] = (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static int one(void)
{
	char buf[4096];
	ssize_t n = 0, got = 0;
	int fd = socket(run.to.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	if (connect(fd, &run.to.any, run.to_len) < 0) {
		close(fd);
		return -1;
	}
	note_connection();
	if (send(fd, request, request_len, MSG_NOSIGNAL) == (ssize_t)request_len)
		while ((n = recv(fd, buf, sizeof(buf), 0)) > 0)
			got += n;
	close(fd);
	return n == 0 && got > 16 ? 0 : -1;
}

static void *client(void *arg)
{
	struct client *c = arg;
	double next = (double)now_us();

	do {
		int64_t begun;

		if (run.gap_us > 0) {
			double left = (next += run.gap_us) - (double)now_us();

			if (left > 0)
				usleep((useconds_t)left);
		}
		begun = now_us();
		if (one() < 0)
			c->failed++;
		else if (c->count < MOST_TIMES)
			c->times[c->count++] = (uint32_t)(now_us() - begun);
	} while (now_us() < run.end_us);
	return NULL;
}

static int by_time(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static int address(const char *text)
{
	const char *colon = strrchr(text, ':');
	char host[64] = "";

	if (text[0] == '/') {
		run.to.un.sun_family = AF_UNIX;
		snprintf(run.to.un.sun_path, sizeof(run.to.un.sun_path), "%s", text);
		run.to_len = sizeof(run.to.un);
		return 0;
	}
	if (colon == NULL || colon - text >= (long)sizeof(host))
		return -1;
	memcpy(host, text, (size_t)(colon - text));
	run.to.in.sin_family = AF_INET;
	run.to.in.sin_port = htons((uint16_t)atoi(colon + 1));
	run.to_len = sizeof(run.to.in);
	return inet_pton(AF_INET, host, &run.to.in.sin_addr) == 1 ? 0 : -1;
}

int main(int argc, char **argv)
{
	static struct client clients[MOST_THREADS];
	static uint32_t *all;
	int threads = argc > 3 ? atoi(argv[2]) : 0;
	int64_t begun, took;
	size_t count = 0, failed = 0;

	if (threads < 1 || threads > MOST_THREADS || address(argv[1]) < 0)
		return fprintf(stderr, "usage: flood SOCKET|HOST:PORT CONNECTIONS MILLISECONDS [RATE]\n"), 2;
	make_request();
	begun = now_us();
	run.end_us = begun + atoll(argv[3]) * 1000;
	run.gap_us = argc > 4 ? 1e6 * threads / atof(argv[4]) : 0;
	for (int i = 0; i < threads; i++) {
		clients[i].times = malloc(MOST_TIMES * sizeof(uint32_t));
		if (clients[i].times == NULL || pthread_create(&clients[i].thread, NULL, client, &clients[i]) != 0)
			return 1;
	}
	all = malloc((size_t)threads * MOST_TIMES * sizeof(uint32_t));
	for (int i = 0; i < threads; i++) {
		pthread_join(clients[i].thread, NULL);
		memcpy(all + count, clients[i].times, clients[i].count * sizeof(uint32_t));
		count += clients[i].count;
		failed += clients[i].failed;
	}
	took = now_us() - begun;
	qsort(all, count, sizeof(*all), by_time);
	printf("%.0f %zu %u %u %lld ", (double)count * 1e6 / (double)took, failed, count > 0 ? all[count / 2] : 0, count > 0 ? all[count * 99 / 100] : 0,
	       (long long)took);
	for (unsigned i = 0; i < FIRST && i < atomic_load(&connections); i++)
		printf("%s%.3f", i > 0 ? "," : "", stood_ms[i]);
	printf("\n");
	return 0;
}
