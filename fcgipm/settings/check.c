/* What a row's value may be.  Pure; in conf, where it speaks to the administrator, and in the manager, where it holds a blob to the same
 * rules. */
#include "fcgipm/settings/check.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "fcgipm/base/text.h"
#include "fcgipm/base/units.h"
#include "fcgipm/spec/spec.h"

struct settings_quote settings_quote(const char *written)
{
	enum { SHOWN = 64 };
	struct settings_quote q = {.text = ""};
	struct fp_text t = FP_TEXT(q.text);
	size_t len = strnlen(written, SHOWN + 1);

	fp_text_add(&t, "\"");
	t.cap -= 5; /* for what ends it */
	fp_text_add_escaped(&t, written, len > SHOWN ? SHOWN : len);
	t.cap += 5;
	fp_text_add(&t, "%s\"", len > SHOWN || t.cut ? "..." : "");
	return q;
}

/* One choice of "a|b*|c"; later: it is marked as not yet there. */
struct choice {
	const char *at;
	size_t len;
	bool later;
};

static bool next_choice(const char **cursor, struct choice *ret)
{
	const char *at = *cursor;
	size_t len = strcspn(at, "|");

	if (*at == '\0')
		return false;
	*cursor = at + len + (at[len] == '|');
	ret->at = at;
	ret->later = at[len - 1] == '*';
	ret->len = len - ret->later;
	return true;
}

static bool is_choice(const char *choices, const char *text, bool *ret_later)
{
	struct choice c;

	while (next_choice(&choices, &c)) {
		if (strlen(text) != c.len || memcmp(text, c.at, c.len) != 0)
			continue;
		*ret_later = c.later;
		return true;
	}
	return false;
}

/* "log, null or a path" */
static void add_choices(struct fp_text *t, const char *choices, const char *last)
{
	struct choice c, held = {0};

	while (next_choice(&choices, &c)) {
		if (c.later)
			continue;
		if (held.len > 0)
			fp_text_add(t, "%s%.*s", t->len > 0 ? ", " : "", (int)held.len, held.at);
		held = c;
	}
	if (last != NULL)
		fp_text_add(t, "%s%.*s or %s", t->len > 0 ? ", " : "", (int)held.len, held.at, last);
	else
		fp_text_add(t, "%s%.*s", t->len > 0 ? " or " : "", (int)held.len, held.at);
}

static int refuse_choice(const struct settings_row *row, const char *written, bool later, struct fp_err *err)
{
	char right[160];
	struct fp_text t = FP_TEXT(right);
	int errnum = later ? ENOSYS : EINVAL;

	right[0] = '\0';
	add_choices(&t, row->choices, row->type == SETTINGS_CHOICE_OR_PATH ? "an absolute path" : NULL);
	return fp_fail(err, errnum, "%s is not %s (%s)", SETTINGS_QUOTE(written), later ? "possible yet" : "known here", right);
}

static int check_signal(const struct settings_row *row, int64_t v, const char *written, struct fp_err *err)
{
	const char *choices = row->choices;
	struct choice c;

	while (next_choice(&choices, &c)) {
		char name[16];
		int signo;

		snprintf(name, sizeof(name), "%.*s", (int)c.len, c.at);
		if (fp_parse_signal(name, &signo) == 0 && signo == v)
			return 0;
	}
	return refuse_choice(row, written, false, err);
}

static int check_not_yet(const struct settings_row *row, bool is_preset, const char *written, struct fp_err *err)
{
	if (row->status == SETTINGS_NOW || is_preset)
		return 0;
	return fp_fail(err, ENOSYS, "%s is not possible yet (leave it out)", SETTINGS_QUOTE(written));
}

static bool is_preset_number(const struct settings_row *row, int64_t v)
{
	int64_t preset;

	return settings_parse(row, row->preset, &preset) == 0 && preset == v;
}

int settings_check_number(const struct settings_row *row, int64_t v, const char *written, struct fp_err *err)
{
	char least[32], greatest[32];

	if (row->type == SETTINGS_SIGNAL)
		return check_signal(row, v, written, err);
	if (v >= row->least && v <= row->greatest)
		return check_not_yet(row, row->status == SETTINGS_NOW || is_preset_number(row, v), written, err);
	settings_format(row, row->least, least, sizeof(least));
	settings_format(row, row->greatest, greatest, sizeof(greatest));
	if (v < row->least)
		return fp_fail(err, ERANGE, "%s is below %s (%s to %s)", written, least, least, greatest);
	return fp_fail(err, ERANGE, "%s exceeds %s (%s to %s)", written, greatest, least, greatest);
}

static int check_path(const char *text, const char *example, struct fp_err *err)
{
	if (text[0] != '/')
		return fp_fail(err, EINVAL, "%s is no absolute path (such as %s)", SETTINGS_QUOTE(text), example);
	if (!spec_path_ok(text))
		return fp_fail(err, EINVAL, "%s is no plain path (no \".\", \"..\" or empty parts, no control characters; such as %s)", SETTINGS_QUOTE(text),
			       example);
	return 0;
}

static int check_listen(const char *text, struct fp_err *err)
{
	struct spec_tcp tcp;

	if (text[0] != '/') {
		if (spec_tcp_parse(text, &tcp) == 0)
			return 0;
		return fp_fail(err, EINVAL, "%s is no address (an absolute path, 127.0.0.1:9000 or \"[::1]:9000\")", SETTINGS_QUOTE(text));
	}
	if (strlen(text) > SPEC_UNIX_PATH_MAX)
		return fp_fail(err, EINVAL, "%s is too long for a socket (%d bytes at most)", SETTINGS_QUOTE(text), SPEC_UNIX_PATH_MAX);
	return check_path(text, "/run/fcgipm/pools/blog.sock", err);
}

/* Printable, none of the separators of the account database.  Directory services have names such as "domain users@example.com": conf writes
 * them where only a number, or nothing, was given. */
static bool account_ok(const char *text)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f || text[i] == ':' || text[i] == ',')
			return false;
	return len > 0 && strchr(" -@", text[0]) == NULL && text[len - 1] != ' ';
}

static int check_account(const char *text, struct fp_err *err)
{
	return account_ok(text) ? 0 : fp_fail(err, EINVAL, "%s is no account (a name or a number)", SETTINGS_QUOTE(text));
}

static int check_choice_or_path(const struct settings_row *row, const char *text, struct fp_err *err)
{
	bool later = false;

	if (row->type == SETTINGS_CHOICE_OR_PATH && text[0] == '/')
		return check_path(text, "/var/log/fcgipm/blog.log", err);
	if (is_choice(row->choices, text, &later) && !later)
		return 0;
	return refuse_choice(row, text, later, err);
}

int settings_check_text(const struct settings_row *row, const char *text, struct fp_err *err)
{
	bool is_preset = row->preset != NULL && strcmp(row->preset, text) == 0;

	if (row->status == SETTINGS_NOT_YET || is_preset)
		return check_not_yet(row, is_preset, text, err);
	switch (row->type) {
	case SETTINGS_CHOICE:
	case SETTINGS_CHOICE_OR_PATH:
		return check_choice_or_path(row, text, err);
	case SETTINGS_PATH:
		return check_path(text, "/srv/alice", err);
	case SETTINGS_LISTEN:
		return check_listen(text, err);
	default:
		return check_account(text, err);
	}
}

/* A name in the environment. */
static size_t variable_len(const char *text)
{
	size_t len = 0;

	while ((unsigned char)text[len] > ' ' && text[len] != 0x7f && text[len] != '=')
		len++;
	return len;
}

static int check_variable(const char *item, bool with_value, struct fp_err *err)
{
	size_t len = variable_len(item);
	char name[128]; /* the value may be a secret */

	if (len > 0 && item[len] == (with_value ? '=' : '\0'))
		return 0;
	snprintf(name, sizeof(name), "%.*s", with_value ? (int)strcspn(item, "=") : (int)sizeof(name), item);
	return fp_fail(err, EINVAL, "%s is no name of a variable (no blanks, no \"=\"; such as APP_ENV)", SETTINGS_QUOTE(name));
}

/* The name of a variable, or the beginning of many: TZ, LC_*. */
static int check_name_pattern(const char *item, struct fp_err *err)
{
	size_t len = variable_len(item), star = strcspn(item, "*");

	if (len == 0 || item[len] != '\0' || (item[star] == '*' && item[star + 1] != '\0'))
		return fp_fail(err, EINVAL, "%s is no name of a variable (no blanks, no \"=\", \"*\" at the end alone; such as TZ or LC_*)",
			       SETTINGS_QUOTE(item));
	if (strncmp(item, "LD_", 3) == 0)
		return fp_fail(err, EINVAL, "%s is the loader's (no client may give that)", SETTINGS_QUOTE(item));
	if (star < 3 && item[star] == '*' && strncmp(item, "LD_", star) == 0)
		return fp_fail(err, EINVAL, "%s would be those of the loader, too, LD_* (a longer prefix)", SETTINGS_QUOTE(item));
	return 0;
}

static int check_root(const char *item, uint32_t place, struct fp_err *err)
{
	static const char example[] = "/usr/lib/cgi-bin";
	int r = check_path(item, example, err);

	if (r < 0)
		return r;
	if (item[1] == '\0')
		return fp_fail(err, EINVAL, "\"/\" would be every program (such as %s)", example);
	if (!spec_root_ok(item))
		return fp_fail(err, EINVAL, "%s is no pattern (a \"[\" without its \"]\", or a backslash; *, ? and [...] within one component)",
			       SETTINGS_QUOTE(item));
	if (place >= SPEC_ROOTS_MAX)
		return fp_fail(err, E2BIG, "too many of them (%d at most)", SPEC_ROOTS_MAX);
	return 0;
}

static int check_pattern(const char *item, struct fp_err *err)
{
	enum { LONGEST = 4095 };

	if (item[0] == '\0' || strlen(item) > LONGEST)
		return fp_fail(err, EINVAL, "%s is no pattern (1 to %d bytes, such as --*)", SETTINGS_QUOTE(item), LONGEST);
	for (const char *at = item; *at != '\0'; at++)
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			return fp_fail(err, EINVAL, "%s is no pattern (no control characters; such as --*)", SETTINGS_QUOTE(item));
	return 0;
}

static int check_word(const struct settings_row *row, const char *item, uint32_t place, struct fp_err *err)
{
	if (place >= SPEC_WORDS_MAX)
		return fp_fail(err, E2BIG, "too many of them (%d at most)", SPEC_WORDS_MAX);
	return row->type == SETTINGS_PATTERNS ? check_pattern(item, err) : check_name_pattern(item, err);
}

static int check_capability(const char *item, struct fp_err *err)
{
	int cap = settings_capability(item);

	if (cap < 0)
		return fp_fail(err, EINVAL, "%s is no capability (such as CAP_NET_BIND_SERVICE)", SETTINGS_QUOTE(item));
	if ((spec_capabilities_allowed >> cap & 1) == 0)
		return fp_fail(err, EINVAL, "%s amounts to root (such as CAP_NET_BIND_SERVICE)", SETTINGS_QUOTE(item));
	return 0;
}

static int check_argument(const char *item, uint32_t place, struct fp_err *err)
{
	enum { LONGEST = 128 << 10 }; /* MAX_ARG_STRLEN of the kernel */

	if (place == 0 && item[0] != '/')
		return fp_fail(err, EINVAL, "%s is no absolute path (such as /usr/bin/php-cgi)", SETTINGS_QUOTE(item));
	if (place >= SPEC_ARGS_MAX)
		return fp_fail(err, E2BIG, "too many arguments (%d at most)", SPEC_ARGS_MAX);
	if (strlen(item) >= LONGEST)
		return fp_fail(err, E2BIG, "%s is too long (%d bytes at most)", SETTINGS_QUOTE(item), LONGEST - 1);
	return 0;
}

int settings_check_item(const struct settings_row *row, const char *item, uint32_t place, struct fp_err *err)
{
	enum { MOST = 4096 };

	if (place >= MOST)
		return fp_fail(err, E2BIG, "too many of them (%d at most)", MOST);
	switch (row->type) {
	case SETTINGS_COMMAND:
		return check_argument(item, place, err);
	case SETTINGS_ENVIRONMENT:
	case SETTINGS_NAMES:
		return check_variable(item, row->type == SETTINGS_ENVIRONMENT, err);
	case SETTINGS_NAME_PATTERNS:
	case SETTINGS_PATTERNS:
		return check_word(row, item, place, err);
	case SETTINGS_ROOTS:
		return check_root(item, place, err);
	case SETTINGS_CAPABILITIES:
		return check_capability(item, err);
	case SETTINGS_PEERS:
		if (account_ok(item + (item[0] == '@')))
			return 0;
		return fp_fail(err, EINVAL, "%s is nobody (a user, or a group as \"@group\")", SETTINGS_QUOTE(item));
	default:
		return check_account(item, err);
	}
}
