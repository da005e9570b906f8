/* The forms of one event (every process).  Pure.  Values may come from a worker: none of them may end a line, a datagram or a field. */
#include "fcgipm/base/log_form.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "fcgipm/base/text.h"

/* The end of a line has its own bytes: a line that was cut says so.  So has that of an entry. */
enum { END_MAX_BYTES = 16, FIELD_NAME_MAX = 64, LENGTH_BYTES = 8 };

static const struct {
	const char *name;
	int priority; /* syslog(3) */
} levels[] = {
	[FP_LOG_ERROR] = {"error", LOG_ERR},
	[FP_LOG_WARN] = {"warn", LOG_WARNING},
	[FP_LOG_INFO] = {"info", LOG_INFO},
	[FP_LOG_DEBUG] = {"debug", LOG_DEBUG},
};

/* ---- a line ---- */

static void add_time(struct fp_text *t, const struct fp_log_event *e)
{
	const char *const form[] = {[FP_LOG_LOGFMT] = "time=%s.%03dZ ", [FP_LOG_JSON] = "\"time\":\"%s.%03dZ\","};
	struct tm utc;
	char text[32] = "";

	if (gmtime_r(&e->at.tv_sec, &utc) != NULL)
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &utc);
	fp_text_add(t, form[e->format], text, (int)(e->at.tv_nsec / 1000000));
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

/* From level to the last field, or to the brace. */
static void add_body(struct fp_text *t, const struct fp_log_event *e)
{
	bool json = e->format == FP_LOG_JSON;

	t->cap -= END_MAX_BYTES;
	fp_text_add(t, json ? "\"level\":\"%s\",\"event\":\"%s\"" : "level=%s event=%s", levels[e->level].name, e->line->key);
	for (const struct fp_kv *kv = e->line + 1; kv->key != NULL && !t->cut; kv++)
		add_pair(t, kv, json);
	t->cap += END_MAX_BYTES;
	fp_text_add(t, "%s%s", !t->cut ? "" : json ? ",\"cut\":1" : " cut=1", json ? "}" : "");
}

void fp_log_form_line(struct fp_text *t, const struct fp_log_event *e)
{
	fp_text_add(t, e->format == FP_LOG_JSON ? "{" : "");
	add_time(t, e);
	add_body(t, e);
	fp_text_add(t, "\n");
}

/* ---- syslog ---- */

void fp_log_form_syslog(struct fp_text *t, const struct fp_log_event *e)
{
	/* strftime(3) would have them in the locale's language. */
	static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	struct tm local = {0};

	localtime_r(&e->at.tv_sec, &local);
	fp_text_add(t, "<%d>%s %2d %02d:%02d:%02d fcgipm[%d]: ", LOG_DAEMON | levels[e->level].priority, months[(unsigned)local.tm_mon % 12], local.tm_mday,
		    local.tm_hour, local.tm_min, local.tm_sec, e->pid);
	fp_text_add(t, e->format == FP_LOG_JSON ? "{" : "");
	add_body(t, e);
}

/* ---- the journal ---- */

/* A-Z, 0-9 and _, none of the last two at its beginning (the prefix sees to that), at most 64. */
static size_t field_name(const char *prefix, const char *key, char name[FIELD_NAME_MAX + 1])
{
	int len = snprintf(name, FIELD_NAME_MAX + 1, "%s%s", prefix, key);

	for (char *c = name; *c != '\0'; c++)
		if (*c >= 'a' && *c <= 'z')
			*c = (char)(*c - 'a' + 'A');
		else if ((*c < 'A' || *c > 'Z') && (*c < '0' || *c > '9'))
			*c = '_';
	return len > FIELD_NAME_MAX ? FIELD_NAME_MAX : (size_t)len;
}

static void add_length(struct fp_text *t, uint64_t len)
{
	char bytes[LENGTH_BYTES];

	for (unsigned i = 0; i < LENGTH_BYTES; i++)
		bytes[i] = (char)(len >> 8 * i & 0xff);
	fp_text_add_bytes(t, bytes, sizeof(bytes));
}

void fp_log_form_field(struct fp_text *t, const char *prefix, struct fp_kv kv)
{
	char name[FIELD_NAME_MAX + 1], digits[24];
	size_t name_len = field_name(prefix, kv.key, name), room = t->cap - t->len - 1, around = name_len + 1 + LENGTH_BYTES + 1, len = kv.len;
	const char *value = kv.text;

	if (value == NULL) {
		len = (size_t)snprintf(digits, sizeof(digits), "%" PRId64, kv.number);
		value = digits;
	}
	if (around > room || (kv.text == NULL && len > room - around)) {
		t->cut = true;
		return;
	}
	if (len > room - around) {
		t->cut = true;
		len = room - around;
	}
	fp_text_add_bytes(t, name, name_len);
	if (memchr(value, '\n', len) != NULL) {
		fp_text_add_bytes(t, "\n", 1);
		add_length(t, len);
	} else {
		fp_text_add_bytes(t, "=", 1);
	}
	fp_text_add_bytes(t, value, len);
	fp_text_add_bytes(t, "\n", 1);
}

void fp_log_form_journal(struct fp_text *t, const struct fp_log_event *e)
{
	char line[FP_LOG_LINE_BYTES];
	struct fp_text message = FP_TEXT(line);

	fp_text_add(&message, e->format == FP_LOG_JSON ? "{" : "");
	add_body(&message, e);
	t->cap -= END_MAX_BYTES;
	fp_log_form_field(t, "", KI("PRIORITY", levels[e->level].priority));
	fp_log_form_field(t, "", KI("SYSLOG_FACILITY", LOG_DAEMON >> 3));
	fp_log_form_field(t, "", KS("SYSLOG_IDENTIFIER", "fcgipm"));
	fp_log_form_field(t, "", KB("MESSAGE", message.at, message.len));
	fp_log_form_field(t, "FCGIPM_", KS("EVENT", e->line->key));
	for (const struct fp_kv *kv = e->line + 1; kv->key != NULL; kv++)
		fp_log_form_field(t, "FCGIPM_", *kv);
	t->cap += END_MAX_BYTES;
	if (t->cut)
		fp_text_add(t, "FCGIPM_CUT=1\n");
}
