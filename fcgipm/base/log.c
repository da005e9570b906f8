/* The log (every process).  One write(2) an event and never more than PIPE_BUF bytes, so that lines of several processes on one descriptor do
 * not mix (pipe(7)).  It never ends the process (main ignores SIGPIPE), and never waits for long. */
#include "fcgipm/base/log.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fcgipm/base/text.h"

/* The end of a line has its own bytes: a line that was cut says so. */
enum { LINE_MAX_BYTES = PIPE_BUF, END_MAX_BYTES = 16, PATIENCE_MS = 100 };

static struct {
	int fd;
	enum fp_log_level level;
	enum fp_log_format format;
	uint64_t dropped; /* lines since the last one that was written */
} logger = {STDERR_FILENO, FP_LOG_INFO, FP_LOG_LOGFMT, 0};

static const char *const level_names[] = {[FP_LOG_ERROR] = "error", [FP_LOG_WARN] = "warn", [FP_LOG_INFO] = "info", [FP_LOG_DEBUG] = "debug"};
static const char *const format_names[] = {[FP_LOG_LOGFMT] = "logfmt", [FP_LOG_JSON] = "json"};

static int index_of(const char *const *names, int count, const char *name)
{
	while (count-- > 0)
		if (strcmp(names[count], name) == 0)
			break;
	return count;
}

int fp_log_level_of(const char *name)
{
	return index_of(level_names, sizeof(level_names) / sizeof(level_names[0]), name);
}

int fp_log_format_of(const char *name)
{
	return index_of(format_names, sizeof(format_names) / sizeof(format_names[0]), name);
}

void fp_log_setup(int fd, enum fp_log_level level, enum fp_log_format format)
{
	logger.fd = fd;
	logger.level = level;
	logger.format = format;
}

struct fp_kv fp_kv_str(const char *key, const char *text)
{
	if (text == NULL)
		text = "";
	return (struct fp_kv){.key = key, .text = text, .len = strlen(text)};
}

static void add_time(struct fp_text *t)
{
	struct timespec now;
	struct tm utc;
	char text[32] = "";

	clock_gettime(CLOCK_REALTIME, &now);
	if (gmtime_r(&now.tv_sec, &utc) != NULL)
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &utc);
	fp_text_add(t, "%s.%03dZ", text, (int)(now.tv_nsec / 1000000));
}

/* One key and its value.  Of a text that does not fit the front stays; half a key or half a number would be worse than none. */
static void add_pair(struct fp_text *t, const struct fp_kv *kv, bool json)
{
	size_t before = t->len;

	fp_text_add(t, json ? ",\"%s\":" : " %s=", kv->key);
	if (kv->text == NULL)
		fp_text_add(t, "%lld", (long long)kv->number);
	else
		fp_text_add(t, "\"\"");
	if (t->cut) {
		t->len = before;
	} else if (kv->text != NULL) {
		t->len--; /* between the quotes, of which the second has its place */
		t->cap--;
		fp_text_add_escaped(t, kv->text, kv->len);
		t->cap++;
		t->at[t->len++] = '"';
		t->at[t->len] = '\0';
	}
}

static void build_line(struct fp_text *t, enum fp_log_level level, const struct fp_kv *line)
{
	bool json = logger.format == FP_LOG_JSON;

	fp_text_add(t, json ? "{\"time\":\"" : "time=");
	add_time(t);
	fp_text_add(t, json ? "\",\"level\":\"%s\",\"event\":\"%s\"" : " level=%s event=%s", level_names[level], line->key);
	for (const struct fp_kv *kv = line + 1; kv->key != NULL && !t->cut; kv++)
		add_pair(t, kv, json);
	t->cap += END_MAX_BYTES;
	if (t->cut)
		fp_text_add(t, json ? ",\"cut\":1" : " cut=1");
	fp_text_add(t, json ? "}\n" : "\n");
}

static bool put_line(enum fp_log_level level, const struct fp_kv *line)
{
	char buf[LINE_MAX_BYTES];
	struct fp_text t = {.at = buf, .cap = sizeof(buf) - END_MAX_BYTES};

	build_line(&t, level, line);
	return write(logger.fd, t.at, t.len) == (ssize_t)t.len;
}

/* A reader of the log that has stopped must not stop us: it is waited for once, then not until it goes on. */
static bool can_write(void)
{
	struct pollfd p = {.fd = logger.fd, .events = POLLOUT};
	int n;

	do
		n = poll(&p, 1, logger.dropped > 0 ? 0 : PATIENCE_MS);
	while (n < 0 && errno == EINTR);
	return n > 0;
}

void fp_log(enum fp_log_level level, const struct fp_kv *line)
{
	int saved = errno;

	if (level > logger.level)
		return;
	if (can_write()) {
		if (logger.dropped > 0 && put_line(FP_LOG_WARN, FP_LOG_LINE("log.dropped", KI("lines", logger.dropped))))
			logger.dropped = 0;
		logger.dropped += !put_line(level, line);
	} else {
		logger.dropped++;
	}
	errno = saved;
}
