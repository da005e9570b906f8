/* Events with hostile keys and values: whatever they hold, what comes out is one line, one datagram, one entry of the journal, of the right form. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fcgipm/base/log_form.h"
#include "fcgipm/base/text.h"
#include "tests/unit/base/journal_entry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FIELDS = 8, LEAST = 128 };

static char buf[FP_LOG_ENTRY_BYTES];

static void need(bool holds)
{
	if (!holds)
		abort();
}

/* Nothing but what a terminal or another program takes as one line. */
static void need_one_line(const struct fp_text *t, size_t len)
{
	for (size_t i = 0; i < len; i++)
		need((unsigned char)t->at[i] >= ' ' && t->at[i] != 0x7f);
}

static void need_entry(const struct fp_log_event *e, size_t cap)
{
	static struct entry entry;
	struct fp_text t = {.at = buf, .cap = cap};
	char name[16] = "FCGIPM_F";

	fp_log_form_journal(&t, e);
	need(t.len < cap && entry_read(t.at, t.len, &entry));
	need(entry_is(&entry, "PRIORITY", "6", 1));
	if (t.cut) {
		need(entry_is(&entry, "FCGIPM_CUT", "1", 1));
		return;
	}
	need(entry_find(&entry, "FCGIPM_CUT") == NULL);
	for (const struct fp_kv *kv = e->line + 1; kv->key != NULL; kv++) {
		name[8] = kv->key[1];
		need(kv->text == NULL || entry_is(&entry, name, kv->text, kv->len));
	}
}

/* The first bytes are the room that there is, and where the rest is cut into values; a value of no bytes is a number. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const keys[FIELDS] = {"f0", "f1", "f2", "f3", "f4", "f5", "f6", "f7"};
	struct fp_kv line[FIELDS + 2] = {{.key = "fuzz"}};
	struct fp_log_event e = {.level = FP_LOG_INFO, .pid = 1, .line = line};
	struct fp_text t = {.at = buf, .cap = FP_LOG_LINE_BYTES};
	size_t cap, count = 0;

	if (size < 3)
		return 0;
	cap = LEAST + (size_t)(data[0] | data[1] << 8) % (sizeof(buf) - LEAST);
	e.format = data[2] & 1 ? FP_LOG_JSON : FP_LOG_LOGFMT;
	for (data += 3, size -= 3; size > 0 && count < FIELDS; count++) {
		size_t len = data[0] % size;

		line[count + 1] = len > 0 ? KB(keys[count], (const char *)data + 1, len) : KI(keys[count], data[0]);
		data += len + 1;
		size -= len + 1;
	}
	fp_log_form_line(&t, &e);
	need(t.len <= FP_LOG_LINE_BYTES && t.at[t.len - 1] == '\n');
	need_one_line(&t, t.len - 1);
	t = (struct fp_text){.at = buf, .cap = FP_LOG_SYSLOG_BYTES};
	fp_log_form_syslog(&t, &e);
	need_one_line(&t, t.len);
	need_entry(&e, cap);
	need_entry(&e, sizeof(buf));
	return 0;
}
