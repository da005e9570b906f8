/* fcgipm-status: the pools on a page (a worker of an ordinary pool; its account is one of manager.control.observers).  It must never change anything: all that it asks
 * of the manager is the status. */
#include <fcgiapp.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fcgipm/status/answer.h"
#include "include/fcgipm/protocol.h"

static volatile sig_atomic_t ending;

static void end(int signo)
{
	(void)signo;
	ending = 1;
	FCGX_ShutdownPending(); /* else libfcgi accepts anew when a connection that the frontend keeps open is interrupted */
	alarm(1); /* one that came just before accept() or read() interrupts neither */
}

static const int ends[] = {SIGTERM, SIGUSR1, SIGALRM};

/* Without SA_RESTART: accept(), and read() from a kept connection, are to return. */
static void watch_signals(void)
{
	struct sigaction sa = {.sa_handler = end};

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		sigaction(ends[i], &sa, NULL);
	sa.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &sa, NULL);
}

/* While an answer is on its way signals wait: libfcgi takes a write() that one interrupts for a broken connection. */
static void hold_signals(int how)
{
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		sigaddset(&set, ends[i]);
	sigprocmask(how, &set, NULL);
}

static const char *param(const FCGX_Request *r, const char *name)
{
	const char *value = FCGX_GetParam(name, r->envp);

	return value != NULL ? value : "";
}

static void serve(FCGX_Request *r, struct source *src)
{
	const struct status_request request = {.method = param(r, "REQUEST_METHOD"), .path = param(r, "REQUEST_URI"), .query = param(r, "QUERY_STRING")};
	struct fp_doc d = {.at = NULL};

	status_answer(&d, src, &request);
	if (d.failed)
		FCGX_FPrintF(r->out, "Status: 500 Internal Server Error\r\n\r\n");
	else
		FCGX_PutStr(d.at, (int)d.len, r->out);
	fp_doc_fini(&d);
}

int main(void)
{
	const char *path = getenv("FCGIPM_CONTROL");
	struct source src = {.path = path != NULL && *path != '\0' ? path : FCGIPM_CONTROL_SOCKET};
	FCGX_Request r;

	setlocale(LC_CTYPE, "C.UTF-8"); /* names and messages may be in any language */
	watch_signals();
	if (FCGX_Init() != 0 || FCGX_InitRequest(&r, 0, FCGI_FAIL_ACCEPT_ON_INTR) != 0 || FCGX_IsCGI()) {
		fprintf(stderr, "fcgipm-status: descriptor 0 is no listening socket; it is a pool's command (see fcgipm-status(8))\n");
		return 2;
	}
	while (!ending && FCGX_Accept_r(&r) == 0) {
		hold_signals(SIG_BLOCK);
		serve(&r, &src);
		FCGX_Finish_r(&r);
		hold_signals(SIG_UNBLOCK);
	}
	source_end(&src);
	return 0;
}
