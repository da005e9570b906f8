/* A test application of libfcgi in its other roles.  As an authorizer it does what the query string says (grant, deny, redirect, page, die) and counts how often it
 * was asked; as an authenticator it knows one user; as a filter it writes in capitals. */
#include <ctype.h>
#include <fcgiapp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static const char *param(FCGX_Request *r, const char *name)
{
	const char *value = FCGX_GetParam(name, r->envp);

	return value != NULL ? value : "";
}

static void grant(FCGX_Request *r)
{
	static int asked;

	FCGX_FPrintF(
		r->out,
		"Status: 200 Granted\r\nVariable-ASKED: %d\r\nVariable-WHO: %s as %s\r\nVariable-UNSAID: %s%s%s%s\r\nX-Hidden: yes\r\n\r\nnobody sees this",
		++asked, param(r, "REMOTE_USER"), param(r, "FCGI_APACHE_ROLE"), param(r, "SCRIPT_NAME"), param(r, "PATH_INFO"), param(r, "PATH_TRANSLATED"),
		param(r, "CONTENT_LENGTH"));
}

static void authorize(FCGX_Request *r)
{
	const char *query = param(r, "QUERY_STRING");

	if (strcmp(param(r, "FCGI_APACHE_ROLE"), "AUTHENTICATOR") == 0 && strcmp(param(r, "REMOTE_PASSWD"), "secret") != 0)
		FCGX_FPrintF(r->out, "Status: 401 Unauthorized\r\nContent-Type: text/plain\r\nX-Why: password\r\n\r\nnot you, %s", param(r, "REMOTE_USER"));
	else if (strstr(query, "die") != NULL)
		raise(SIGKILL);
	else if (strstr(query, "deny") != NULL)
		FCGX_FPrintF(r->out, "Status: 403 Never\r\n\r\n");
	else if (strstr(query, "page") != NULL)
		FCGX_FPrintF(r->out, "Status: 402 Pay First\r\nContent-Type: text/plain\r\nX-Price: 5\r\n\r\npay %s", param(r, "REQUEST_URI"));
	else if (strstr(query, "redirect") != NULL)
		FCGX_FPrintF(r->out, "Location: /login\r\nSet-Cookie: a=b\r\n\r\n");
	else if (strstr(query, "variable") != NULL)
		FCGX_FPrintF(r->out, "Variable-A: 1\r\n\r\n");
	else
		grant(r);
}

static void filter(FCGX_Request *r)
{
	long bytes = 0;
	int c;

	while (FCGX_GetChar(r->in) >= 0)
		;
	if (strstr(param(r, "QUERY_STRING"), "die") != NULL)
		raise(SIGKILL);
	FCGX_FPrintF(r->out, "X-Length: %s\r\nX-Modified: %s\r\n\r\n", param(r, "FCGI_DATA_LENGTH"), param(r, "FCGI_DATA_LAST_MOD"));
	if (FCGX_StartFilterData(r->in) != 0)
		abort();
	while ((c = FCGX_GetChar(r->in)) >= 0) {
		bytes++;
		FCGX_PutChar(toupper(c), r->out);
	}
	FCGX_FPrintF(r->out, "[%d]", (int)bytes);
}

static void respond(FCGX_Request *r)
{
	FCGX_FPrintF(r->out, "Content-Type: text/plain\r\n\r\nasked=%s who=%s unsaid=%s a=%s user=%s\n", param(r, "ASKED"), param(r, "WHO"), param(r, "UNSAID"),
		     param(r, "A"), param(r, "REMOTE_USER"));
}

int main(void)
{
	FCGX_Request r;

	FCGX_Init();
	FCGX_InitRequest(&r, 0, 0);
	while (FCGX_Accept_r(&r) == 0) {
		if (strcmp(param(&r, "FCGI_ROLE"), "AUTHORIZER") == 0)
			authorize(&r);
		else if (strcmp(param(&r, "FCGI_ROLE"), "FILTER") == 0)
			filter(&r);
		else
			respond(&r);
		FCGX_Finish_r(&r);
	}
	return 0;
}
