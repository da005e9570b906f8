/* A CGI program that plays the part its query names: hello, env, echo, ...; &-separated: the part, then N=n, gate=PATH, to=URI. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

extern char **environ;
static const char *query = "";

static const char *arg(const char *name, const char *otherwise)
{
	static char value[4096];
	const char *at = strstr(query, name);

	if (at == NULL || at[strlen(name)] != '=')
		return otherwise;
	snprintf(value, sizeof(value), "%s", at + strlen(name) + 1);
	value[strcspn(value, "&")] = '\0';
	return value;
}

static long n(void)
{
	return atol(arg("N", "0"));
}

static void head(const char *more)
{
	printf("Content-Type: text/plain\n%s\n", more);
}

/* Until the test lets it go on. */
static void wait_for_gate(void)
{
	char path[4096];
	struct stat st;

	snprintf(path, sizeof(path), "%s", arg("gate", "/nonexistent"));
	while (stat(path, &st) < 0)
		usleep(10000);
}

static void note(const char *text)
{
	char path[4200];
	int fd;

	snprintf(path, sizeof(path), "%s.note", arg("gate", "/nonexistent"));
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0666);
	if (write(fd, text, strlen(text)) < 0)
		_exit(9);
	close(fd);
}

static void hello(void)
{
	head("");
	printf("hello\n");
}

static void env(void)
{
	head("");
	for (char **e = environ; *e != NULL; e++)
		printf("%s\n", *e);
}

static void echo(void)
{
	static char buf[65536];
	ssize_t len;

	head("");
	fflush(stdout);
	while ((len = read(0, buf, sizeof(buf))) > 0)
		for (ssize_t done = 0, more; done < len; done += more)
			if ((more = write(1, buf + done, (size_t)(len - done))) < 0)
				exit(1);
}

static long count_input(void)
{
	static char buf[65536];
	ssize_t len;
	long all = 0;

	while ((len = read(0, buf, sizeof(buf))) > 0)
		all += len;
	return all;
}

static void count(void)
{
	head("");
	printf("%ld", count_input());
}

static void say(long bytes)
{
	static char buf[65536];

	memset(buf, 'x', sizeof(buf));
	fflush(stdout);
	while (bytes > 0) {
		ssize_t done = write(1, buf, bytes < (long)sizeof(buf) ? (size_t)bytes : sizeof(buf));

		if (done < 0)
			exit(1);
		bytes -= done;
	}
}

/* Writes before it reads. */
static void flood(void)
{
	head("");
	say(n());
	printf("%ld", count_input());
}

static void big(void)
{
	head("");
	say(n());
}

static void kill_me(void)
{
	head("");
	say(n());
	raise(SIGKILL);
}

static void nothing(void)
{
	exit(3);
}

static void garbage(void)
{
	printf("this is no head\nand this no body\n");
}

static void silent(void)
{
	note("begun\n");
	for (;;)
		pause();
}

static void paused(void)
{
	head("");
	printf("one\n");
	fflush(stdout);
	wait_for_gate();
	printf("two\n");
}

static void lines(void)
{
	head("");
	for (long i = 0; i < n(); i++)
		fprintf(stderr, "line %ld\n", i);
	printf("said");
}

static void status(void)
{
	printf("Status: %ld Whatever\nContent-Type: text/plain\n\nas it is", n());
}

static void location(void)
{
	printf("Location: %s\n\n", arg("to", "/"));
}

static void redirect_with_body(void)
{
	printf("Status: 303 See Other\nLocation: %s\nContent-Type: text/plain\n\ngo there", arg("to", "/"));
}

static void length(void)
{
	head("Content-Length: 10\n");
	say(n());
}

static void dated(void)
{
	head("Last-Modified: Tue, 01 Feb 2022 10:00:00 GMT\nETag: \"e\"\n");
	printf("dated");
}

/* Has answered, and goes on. */
static void on(void)
{
	head("");
	printf("answered");
	fflush(stdout);
	close(1);
	close(2);
	wait_for_gate();
	note("gone on\n");
}

static void unparsed(void)
{
	printf("HTTP/1.1 299 Own Words\r\nX-Own: yes\r\n\r\nraw");
}

static void cookies(void)
{
	head("Set-Cookie: a=1\nSet-Cookie: b=2\nX-More: yes\nConnection: close\n");
}

static void leave_child(void)
{
	head("");
	printf("parent");
	fflush(stdout);
	if (fork() == 0)
		for (;;)
			pause();
}

static const struct {
	const char *name;
	void (*play)(void);
} parts[] = {
	{"hello", hello},       {"env", env},      {"echo", echo},       {"count", count},       {"flood", flood},
	{"big", big},           {"kill", kill_me}, {"nothing", nothing}, {"garbage", garbage},   {"silent", silent},
	{"paused", paused},     {"lines", lines},  {"status", status},   {"location", location}, {"see", redirect_with_body},
	{"length", length},     {"dated", dated},  {"on", on},           {"unparsed", unparsed}, {"cookies", cookies},
	{"child", leave_child},
};

int main(int argc, char **argv)
{
	const char *asked = getenv("QUERY_STRING");

	if (asked != NULL && *asked != '\0')
		query = asked;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (strncmp(query, parts[i].name, strlen(parts[i].name)) == 0 && strchr("=&", query[strlen(parts[i].name)]) != NULL) {
			parts[i].play();
			return 0;
		}
	head("");
	for (int i = 0; i < argc; i++)
		printf("%s\n", argv[i]);
	return 0;
}
