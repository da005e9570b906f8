/* From what the file says to a member, and the numbers back to text.  Pure; errors say what would be right. */
#include "fcgipm/settings/settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fcgipm/base/units.h"
#include "fcgipm/settings/check.h"
#include "fcgipm/settings/row.h"

static int parse_u64(const char *text, int64_t *ret)
{
	uint64_t v;
	int r = fp_parse_u64(text, &v);

	if (r == 0)
		*ret = v > INT64_MAX ? INT64_MAX : (int64_t)v;
	return r;
}

static int parse_integer(const char *text, int64_t *ret)
{
	bool negative = text[0] == '-';
	int r = parse_u64(text + negative, ret);

	if (r == 0 && negative)
		*ret = -*ret;
	return r;
}

static int parse_size(const char *text, int64_t *ret)
{
	uint64_t v;
	int r = fp_parse_size(text, &v);

	if (r == 0)
		*ret = v > INT64_MAX ? INT64_MAX : (int64_t)v;
	return r;
}

static int parse_mode(const char *text, int64_t *ret)
{
	unsigned v;
	int r = fp_parse_mode(text, &v);

	if (r == 0)
		*ret = v;
	return r;
}

static int parse_signal(const char *text, int64_t *ret)
{
	int v;
	int r = fp_parse_signal(text, &v);

	if (r == 0)
		*ret = v;
	return r;
}

static int parse_switch(const char *text, int64_t *ret)
{
	bool yes = strcmp(text, "true") == 0;

	if (!yes && strcmp(text, "false") != 0)
		return -EINVAL;
	*ret = yes;
	return 0;
}

/* What each type of number is called, and what would be one. */
static const struct {
	int (*parse)(const char *text, int64_t *ret);
	const char *noun, *right;
} numbers[SETTINGS_TYPE_COUNT] = {
	[SETTINGS_COUNT] = {parse_u64, "whole number", NULL},
	[SETTINGS_INTEGER] = {parse_integer, "whole number", NULL},
	[SETTINGS_DURATION] = {fp_parse_duration_ms, "duration", "such as 250ms, 10s, 5m, 1h"},
	[SETTINGS_SIZE] = {parse_size, "size", "such as 64K, 256M, 2G"},
	[SETTINGS_MODE] = {parse_mode, "mode", NULL},
	[SETTINGS_SIGNAL] = {parse_signal, "signal", NULL},
	[SETTINGS_SWITCH] = {parse_switch, "switch", "true or false"},
};

int settings_parse(const struct settings_row *row, const char *written, int64_t *ret)
{
	return numbers[row->type].parse(written, ret);
}

const char *settings_format(const struct settings_row *row, int64_t v, char *buf, size_t cap)
{
	switch (row->type) {
	case SETTINGS_DURATION:
		return fp_format_duration_ms(v, buf, cap);
	case SETTINGS_SIZE:
		return fp_format_size((uint64_t)v, buf, cap);
	case SETTINGS_MODE:
		snprintf(buf, cap, "%04o", (unsigned)v);
		return buf;
	case SETTINGS_SIGNAL:
		return fp_signal_name((int)v);
	case SETTINGS_SWITCH:
		return v != 0 ? "true" : "false";
	default:
		snprintf(buf, cap, "%lld", (long long)v);
		return buf;
	}
}

int64_t settings_show(const void *s, const struct settings_row *row, char *buf, size_t cap)
{
	int64_t v = settings_number(s, row);

	snprintf(buf, cap, "%s", settings_format(row, v, (char[32]){""}, 32));
	return v;
}

static int refuse_number(const struct settings_row *row, const char *text, struct fp_err *err)
{
	char least[32], greatest[32];

	if (row->type == SETTINGS_SIGNAL)
		return settings_check_number(row, -1, text, err);
	if (row->type == SETTINGS_MODE)
		return fp_fail(err, EINVAL, "%s is no mode (octal digits, such as \"%s\")", SETTINGS_QUOTE(text), row->preset);
	if (numbers[row->type].right != NULL)
		return fp_fail(err, EINVAL, "%s is no %s (%s)", SETTINGS_QUOTE(text), numbers[row->type].noun, numbers[row->type].right);
	return fp_fail(err, EINVAL, "%s is no %s (%s to %s)", SETTINGS_QUOTE(text), numbers[row->type].noun,
		       settings_format(row, row->least, least, sizeof(least)), settings_format(row, row->greatest, greatest, sizeof(greatest)));
}

static int set_number(void *s, const struct settings_row *row, const char *text, struct fp_err *err)
{
	int64_t v;
	int r = settings_parse(row, text, &v);

	if (r == -ERANGE)
		v = text[0] == '-' ? INT64_MIN : INT64_MAX;
	else if (r < 0)
		return refuse_number(row, text, err);
	r = settings_check_number(row, v, text, err);
	if (r < 0)
		return r;
	settings_put_number(s, row, v);
	return 0;
}

int settings_set(void *s, const struct settings_row *row, const char *text, struct fp_err *err)
{
	enum settings_kind kind = settings_kind_of(row->type);
	int r;

	if (kind == SETTINGS_NUMBER)
		return set_number(s, row, text, err);
	if (kind == SETTINGS_LIST)
		return fp_fail(err, EINVAL, "%s is no list (such as [a, b])", SETTINGS_QUOTE(text));
	r = settings_check_text(row, text, err);
	if (r == 0 && settings_put_text(settings_text(s, row), text) < 0)
		return fp_fail(err, ENOMEM, "%m");
	return r;
}

int settings_add(void *s, const struct settings_row *row, const char *item, struct fp_err *err)
{
	struct settings_list *l = settings_list(s, row);
	int r = settings_check_item(row, item, l->count, err);

	if (r < 0)
		return r;
	r = row->type == SETTINGS_ENVIRONMENT ? settings_list_add_pair(l, item) : settings_list_add(l, item);
	return r < 0 ? fp_fail(err, -r, "%m") : 0;
}

static int preset_list(void *s, const struct settings_row *row, struct fp_err *err)
{
	for (const char *p = row->preset + strspn(row->preset, " "); *p != '\0';) {
		size_t len = strcspn(p, " ");
		char item[64];
		int r;

		snprintf(item, sizeof(item), "%.*s", (int)len, p);
		r = settings_add(s, row, item, err);
		if (r < 0)
			return r;
		p += len;
		p += strspn(p, " ");
	}
	return 0;
}

int settings_preset(void *s, const struct settings_row *row, struct fp_err *err)
{
	settings_clear(s, row);
	if (settings_kind_of(row->type) == SETTINGS_LIST)
		return row->preset == NULL ? 0 : preset_list(s, row, err);
	if (row->preset != NULL)
		return settings_set(s, row, row->preset, err);
	return settings_put_text(settings_text(s, row), "") < 0 ? fp_fail(err, ENOMEM, "%m") : 0;
}

int settings_preset_all(void *s, const struct settings_table *t, struct fp_err *err)
{
	int r = 0;

	for (uint32_t i = 0; i < t->count && r == 0; i++)
		r = settings_preset(s, &t->rows[i], err);
	return r;
}
