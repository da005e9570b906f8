/* What a pre-forked application does afterwards, in C: the query string is the wish (test_prefork_languages.py). */
#include <fcgi_stdio.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *start(void *ctx)
{
	*(int *)ctx = 1;
	return NULL;
}

static int thread_runs(void)
{
	pthread_t t;
	int ran = 0;

	return pthread_create(&t, NULL, start, &ran) == 0 && pthread_join(t, NULL) == 0 && ran;
}

static void child(void)
{
	FILE *p = popen("env; ls -l /proc/self/fd", "r");
	char line[512];

	while (p != NULL && fgets(line, sizeof(line), p) != NULL)
		FCGI_printf("%s", line);
	if (p != NULL)
		pclose(p);
}

/* GROW: megabytes that it takes with every fork. */
static void grow(void)
{
	size_t size = (size_t)atoi(getenv("GROW")) << 20;
	char *more = malloc(size);

	for (size_t i = 0; more != NULL && i < size; i += 4096)
		((volatile char *)more)[i] = 1;
}

int main(void)
{
	if (getenv("GROW") != NULL)
		pthread_atfork(NULL, grow, NULL);
	while (FCGI_Accept() >= 0) {
		const char *wish = getenv("QUERY_STRING");

		printf("Content-Type: text/plain\r\n\r\n");
		if (strcmp(wish, "wait") == 0)
			usleep(50000);
		if (strcmp(wish, "child") == 0)
			child();
		if (strcmp(wish, "thread") == 0)
			printf("thread=%d\n", thread_runs());
		printf("pid=%d\n", (int)getpid());
	}
	return 0;
}
