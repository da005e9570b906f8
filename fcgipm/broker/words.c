/* Arguments and environment (launcher process): foreign bytes. */
#include "fcgipm/broker/words.h"

#include <stdlib.h>
#include <string.h>

#include "fcgipm/broker/glob.h"

/* What CGI means (RFC 3875, 4.1), and what httpd and suexec add to it.  HTTP_* and SSL_* beside it. */
static const char *const cgi_names[] = {
	"AUTH_TYPE",
	"CONTENT_LENGTH",
	"CONTENT_TYPE",
	"CONTEXT_DOCUMENT_ROOT",
	"CONTEXT_PREFIX",
	"DATE_GMT",
	"DATE_LOCAL",
	"DOCUMENT_ARGS",
	"DOCUMENT_NAME",
	"DOCUMENT_PATH_INFO",
	"DOCUMENT_ROOT",
	"DOCUMENT_URI",
	"GATEWAY_INTERFACE",
	"HTTPS",
	"LAST_MODIFIED",
	"PATH_INFO",
	"PATH_TRANSLATED",
	"QUERY_STRING",
	"QUERY_STRING_UNESCAPED",
	"REDIRECT_ERROR_NOTES",
	"REDIRECT_HANDLER",
	"REDIRECT_QUERY_STRING",
	"REDIRECT_REMOTE_USER",
	"REDIRECT_SCRIPT_FILENAME",
	"REDIRECT_STATUS",
	"REDIRECT_URL",
	"REMOTE_ADDR",
	"REMOTE_HOST",
	"REMOTE_IDENT",
	"REMOTE_PORT",
	"REMOTE_USER",
	"REQUEST_METHOD",
	"REQUEST_SCHEME",
	"REQUEST_URI",
	"SCRIPT_FILENAME",
	"SCRIPT_NAME",
	"SCRIPT_URI",
	"SCRIPT_URL",
	"SERVER_ADDR",
	"SERVER_ADMIN",
	"SERVER_NAME",
	"SERVER_PORT",
	"SERVER_PROTOCOL",
	"SERVER_SIGNATURE",
	"SERVER_SOFTWARE",
	"TZ",
	"UNIQUE_ID",
	"USER_NAME",
};

static bool begins(const char *name, size_t len, const char *with)
{
	return len >= strlen(with) && memcmp(name, with, strlen(with)) == 0;
}

static bool is(const char *name, size_t len, const char *other)
{
	return len == strlen(other) && memcmp(name, other, len) == 0;
}

static bool profile_names(const struct spec_profile *p, const char *name, size_t len)
{
	for (const char **at = p->allow; *at != NULL; at++)
		if (is(name, len, *at))
			return true;
	return false;
}

static bool profile_allows(const struct spec_profile *p, const char *name, size_t len)
{
	for (const char **at = p->allow; *at != NULL; at++) {
		size_t n = strlen(*at);
		bool prefix = n > 0 && (*at)[n - 1] == '*';

		if (prefix ? len >= n - 1 && memcmp(name, *at, n - 1) == 0 : is(name, len, *at))
			return true;
	}
	return false;
}

/* A client's header "Proxy" would be the HTTP_PROXY of many programs (CVE-2016-5385), and the loader's variables are no client's to set. */
bool broker_allows(const struct spec_profile *p, const char *name, size_t len)
{
	if (len == 0 || begins(name, len, "LD_"))
		return false;
	if (is(name, len, "HTTP_PROXY"))
		return profile_names(p, name, len);
	if (profile_allows(p, name, len) || begins(name, len, "HTTP_") || begins(name, len, "SSL_"))
		return true;
	for (size_t i = 0; i < sizeof(cgi_names) / sizeof(cgi_names[0]); i++)
		if (is(name, len, cgi_names[i]))
			return true;
	return false;
}

/* ---- the bytes ---- */

/* The count, and r behind the texts. */
static uint32_t skip_texts(struct wire_rd *r)
{
	uint32_t count = wire_get_count(r, 5);

	for (uint32_t i = 0; i < count && !r->bad; i++)
		(void)wire_get_str(r);
	return count;
}

static void fill_texts(struct wire_rd r, const char **to)
{
	uint32_t count = wire_get_u32(&r);

	for (uint32_t i = 0; i < count; i++)
		to[i] = wire_get_str(&r);
}

static bool profile_sets(const struct spec_profile *p, const char *entry, size_t len)
{
	for (const char **at = p->envp; *at != NULL; at++)
		if (strncmp(*at, entry, len + 1) == 0)
			return true;
	return false;
}

/* Entries lie in one buffer, in the order in which they were sent. */
static int by_place(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return (*x > *y) - (*x < *y);
}

static int by_name(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;
	size_t nx = strcspn(*x, "="), ny = strcspn(*y, "=");
	int order = memcmp(*x, *y, nx < ny ? nx : ny);

	if (order == 0 && nx == ny)
		return by_place(a, b);
	return order != 0 ? order : nx < ny ? -1 : 1;
}

static bool same_name(const char *a, const char *b)
{
	return strncmp(a, b, strcspn(a, "=") + 1) == 0;
}

/* Of each name the first.  By sorting, since a client may send thousands.  Returns how many are left, in their order. */
static uint32_t drop_repeated(const char **entries, uint32_t count)
{
	uint32_t left = 0;

	qsort(entries, count, sizeof(*entries), by_name);
	for (uint32_t i = 0; i < count; i++)
		if (left == 0 || !same_name(entries[left - 1], entries[i]))
			entries[left++] = entries[i];
	qsort(entries, left, sizeof(*entries), by_place);
	return left;
}

/* What the profile sets, then what was sent. */
static void clean(const struct spec_profile *p, const char **sent, uint32_t count, const char **envp)
{
	const char **to = envp;
	uint32_t kept = 0;

	for (const char **at = p->envp; *at != NULL; at++)
		*to++ = *at;
	for (uint32_t i = 0; i < count; i++) {
		size_t len = strcspn(sent[i], "=");

		if (sent[i][len] == '=' && broker_allows(p, sent[i], len) && !profile_sets(p, sent[i], len))
			to[kept++] = sent[i];
	}
	to[drop_repeated(to, kept)] = NULL;
}

static bool arguments_fit(const struct spec_profile *p, const struct broker_words *w)
{
	if (w->argc - 1 > p->max_arguments)
		return false;
	for (uint32_t i = 1; i < w->argc && p->arguments[0] != NULL; i++) {
		const char **at = p->arguments;

		if (strlen(w->argv[i]) > BROKER_MATCHED_MAX)
			return false;
		while (*at != NULL && !broker_glob(*at, w->argv[i]))
			at++;
		if (*at == NULL)
			return false;
	}
	return true;
}

static uint32_t count_of(const char **texts)
{
	uint32_t n = 0;

	while (texts[n] != NULL)
		n++;
	return n;
}

/* What exec would refuse (execve(2): MAX_ARG_STRLEN, 32 pages), before anything is started for it. */
static bool has_long(const char **texts)
{
	enum { LONGEST = 128 << 10 };

	for (; *texts != NULL; texts++)
		if (strnlen(*texts, LONGEST) == LONGEST)
			return true;
	return false;
}

enum fcgipm_refusal broker_words_read(struct wire_blob bytes, const struct spec_profile *p, struct broker_words *ret)
{
	struct wire_rd r = {.at = bytes.at, .len = bytes.len}, argv = r, envp;
	struct broker_words w = {0};
	uint32_t envc, set = count_of(p->envp);
	const char **sent;

	w.argc = skip_texts(&r);
	envp = r;
	envc = skip_texts(&r);
	if (!wire_done(&r) || w.argc == 0)
		return FCGIPM_REFUSED_MALFORMED;
	if (w.argc > BROKER_WORDS_MAX || envc > BROKER_WORDS_MAX)
		return FCGIPM_REFUSED_TOO_LARGE;
	w.arena = calloc((size_t)w.argc + 2 * (size_t)envc + set + 2, sizeof(char *));
	if (w.arena == NULL)
		return FCGIPM_REFUSED_RESOURCES;
	w.argv = w.arena;
	w.envp = w.argv + w.argc + 1;
	sent = w.envp + set + envc + 1;
	fill_texts(argv, w.argv);
	fill_texts(envp, sent);
	clean(p, sent, envc, w.envp);
	*ret = w;
	if (has_long(w.argv) || has_long(w.envp))
		return FCGIPM_REFUSED_TOO_LARGE;
	if (!spec_path_ok(w.argv[0]) || w.argv[0][1] == '\0')
		return FCGIPM_REFUSED_PATH;
	return arguments_fit(p, &w) ? FCGIPM_REFUSED_NOT : FCGIPM_REFUSED_ARGUMENTS;
}

void broker_words_free(struct broker_words *w)
{
	free(w->arena);
	*w = (struct broker_words){0};
}
