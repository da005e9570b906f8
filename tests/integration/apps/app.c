/* The test application in C: libfcgi's plain accept loop.  The query string says what to do; see apps.py. */
#include <fcgiapp.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static void pause_ms(long ms)
{
	struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

	while (nanosleep(&t, &t) < 0)
		;
}

static void show_id(FCGX_Request *r)
{
	gid_t groups[64];
	char cwd[4096] = "";
	int n = getgroups(64, groups);

	if (getcwd(cwd, sizeof(cwd)) == NULL)
		cwd[0] = '\0';
	FCGX_FPrintF(r->out, "uid=%d gid=%d cwd=%s sid=%d nice=%d groups=", (int)getuid(), (int)getgid(), cwd, (int)getsid(0), getpriority(PRIO_PROCESS, 0));
	for (int i = 0; i < n; i++)
		FCGX_FPrintF(r->out, "%s%d", i > 0 ? "," : "", (int)groups[i]);
	FCGX_FPrintF(r->out, "\n");
}

static void show_environment(FCGX_Request *r)
{
	for (char **e = environ; *e != NULL; e++)
		FCGX_FPrintF(r->out, "%s\n", *e);
}

static char body[2 << 20];

static void write_bytes(FCGX_Request *r, long n)
{
	memset(body, 'x', sizeof(body));
	for (int piece = sizeof(body); n > 0; n -= piece) {
		if (n < piece)
			piece = (int)n;
		if (FCGX_PutStr(body, piece, r->out) < 0)
			return;
	}
}

/* The whole of it before the first byte of the answer: nginx sends no more of a body once an answer has begun. */
static int read_body(FCGX_Request *r)
{
	int n, len = 0;

	while (len < (int)sizeof(body) && (n = FCGX_GetStr(body + len, (int)sizeof(body) - len, r->in)) > 0)
		len += n;
	return len;
}

static void answer(FCGX_Request *r, const char *query)
{
	int len = read_body(r);

	if (strncmp(query, "crash", 5) == 0)
		raise(SIGSEGV);
	if (strncmp(query, "exit=", 5) == 0)
		exit(atoi(query + 5));
	if (strncmp(query, "stderr=", 7) == 0) {
		fprintf(stderr, "%s\n", query + 7); /* descriptor 2, not FastCGI's */
		fflush(stderr);
	}
	if (strncmp(query, "sleep=", 6) == 0)
		pause_ms(atol(query + 6));
	FCGX_FPrintF(r->out, "Content-Type: text/plain\r\n\r\n");
	if (strcmp(query, "id") == 0)
		show_id(r);
	else if (strcmp(query, "env") == 0)
		show_environment(r);
	else if (strcmp(query, "echo") == 0)
		FCGX_PutStr(body, len, r->out);
	else if (strncmp(query, "bytes=", 6) == 0)
		write_bytes(r, atol(query + 6));
	else
		FCGX_FPrintF(r->out, "pid=%d\n", (int)getpid());
}

int main(void)
{
	FCGX_Request r;

	FCGX_Init();
	FCGX_InitRequest(&r, 0, 0);
	while (FCGX_Accept_r(&r) == 0) {
		const char *query = FCGX_GetParam("QUERY_STRING", r.envp);

		answer(&r, query != NULL ? query : "");
		FCGX_Finish_r(&r);
	}
	return 0;
}
