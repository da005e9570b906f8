/* The log (every process).  One write an event, so that lines of several processes on one descriptor do not mix. */
#include "fcgipm/base/log.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fcgipm/base/text.h"

enum { LINE_MAX_BYTES = 8192 };

static struct {
	int fd;
	enum fp_log_level level;
	enum fp_log_format format;
} logger = {STDERR_FILENO, FP_LOG_INFO, FP_LOG_LOGFMT};

static const char *const level_names[] = {"error", "warn", "info", "debug"};

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

static void add_value(struct fp_text *t, const struct fp_kv *kv)
{
	if (kv->text == NULL) {
		fp_text_add(t, "%lld", (long long)kv->number);
		return;
	}
	fp_text_add(t, "\"");
	fp_text_add_escaped(t, kv->text, kv->len);
	fp_text_add(t, "\"");
}

/* The last bytes are kept free so that a cut line still ends, and says so. */
static void end_line(struct fp_text *t, size_t cap, const char *cut_mark, const char *end)
{
	bool cut = t->cut;

	t->cap = cap;
	t->cut = false;
	if (cut)
		fp_text_add(t, "%s", cut_mark);
	fp_text_add(t, "%s", end);
}

static void write_line(const struct fp_text *t)
{
	ssize_t n = write(logger.fd, t->at, t->len);

	(void)n; /* there is nobody to tell */
}

void fp_log(enum fp_log_level level, const char *event, const struct fp_kv *kv)
{
	char buf[LINE_MAX_BYTES];
	struct fp_text t = {.at = buf, .cap = sizeof(buf) - 32};
	bool json = logger.format == FP_LOG_JSON;

	if (level > logger.level)
		return;
	fp_text_add(&t, json ? "{\"time\":\"" : "time=");
	add_time(&t);
	fp_text_add(&t, json ? "\",\"level\":\"%s\",\"event\":\"%s\"" : " level=%s event=%s", level_names[level], event);
	for (; kv != NULL && kv->key != NULL && !t.cut; kv++) {
		fp_text_add(&t, json ? ",\"%s\":" : " %s=", kv->key);
		add_value(&t, kv);
	}
	/* Cut inside a value: its quote is closed first. */
	end_line(&t, sizeof(buf), json ? "\",\"cut\":1" : "\" cut=1", json ? "}\n" : "\n");
	write_line(&t);
}
