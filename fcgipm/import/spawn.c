/* The command line of spawn-fcgi as a pool (command line). */
#include "fcgipm/import/spawn.h"

#include <stdlib.h>
#include <string.h>

#include "fcgipm/base/units.h"

struct spawn;

/* An option: one row.  take NULL: it is not carried over, and text says why. */
struct spawn_option {
	char letter;
	bool has_value;
	void (*take)(struct spawn *s, const struct spawn_option *o, const char *value);
	const char *key, *text;
};

enum { LETTERS = 128 };

struct spawn {
	struct draft *draft;
	const struct import_system *system;
	const char *given[LETTERS]; /* the value that holds; "" of a switch */
	const char *const *command;
	size_t command_count;
};

static void take_text(struct spawn *s, const struct spawn_option *o, const char *value)
{
	draft_set(s->draft, o->key, value);
}

/* Without -S the socket is inside the chroot. */
static void take_socket(struct spawn *s, const struct spawn_option *o, const char *value)
{
	const char *root = s->given['c'];

	if (value[0] != '/' && (root == NULL || s->given['S'] != NULL))
		draft_lost(s->draft, o->key, "a relative path (give it in full)");
	else if (root != NULL && s->given['S'] == NULL)
		draft_set(s->draft, o->key, keep_printf(&s->draft->keep, "%s/%s", strcmp(root, "/") == 0 ? "" : root, value + strspn(value, "/")));
	else
		draft_set(s->draft, o->key, value);
}

static void take_port(struct spawn *s, const struct spawn_option *o, const char *value)
{
	const char *host = s->given['a'] != NULL ? s->given['a'] : "0.0.0.0";

	draft_set(s->draft, o->key, keep_printf(&s->draft->keep, strchr(host, ':') != NULL ? "[%s]:%s" : "%s:%s", host, value));
}

static void take_address(struct spawn *s, const struct spawn_option *o, const char *value)
{
	(void)value;
	if (s->given['p'] == NULL)
		draft_lost(s->draft, o->key, "an address without a port");
}

static void take_owner(struct spawn *s, const struct spawn_option *o, const char *value)
{
	if (s->given['s'] == NULL)
		draft_lost(s->draft, o->key, "a TCP socket has neither owner nor mode");
	else
		draft_set(s->draft, o->key, value);
}

static void one_group(void *context, const char *group)
{
	const struct spawn *s = context;

	draft_add(s->draft, "groups", group);
}

static void take_user(struct spawn *s, const struct spawn_option *o, const char *value)
{
	if (strcmp(value, "root") == 0 || strcmp(value, "0") == 0) {
		draft_lost(s->draft, o->key, "no pool may run as root");
		return;
	}
	if (!draft_set(s->draft, o->key, value))
		return;
	s->system->groups(value, one_group, s);
	if (draft_given(s->draft->part, "groups"))
		draft_note(s->draft, "groups", "spawn-fcgi gives every group of the user");
}

/* The kernel cuts what is above its bound; fcgipm says so instead. */
static void take_backlog(struct spawn *s, const struct spawn_option *o, const char *value)
{
	uint32_t most = s->system->most_backlog();
	uint64_t n;

	if (fp_parse_u64(value, &n) == 0 && n > most) {
		draft_note(s->draft, o->key, "net.core.somaxconn is %u", most);
		value = keep_printf(&s->draft->keep, "%u", most);
	}
	draft_set(s->draft, o->key, value);
}

/* -F and -C: so many run, always. */
static uint64_t count_of(const struct spawn *s, char letter)
{
	uint64_t n;

	if (s->given[(unsigned char)letter] == NULL || fp_parse_u64(s->given[(unsigned char)letter], &n) < 0 || n == 0 || n > 4096)
		return 1;
	return n;
}

static void take_forks(struct spawn *s, const struct spawn_option *o, const char *value)
{
	uint64_t n;

	(void)o;
	if (fp_parse_u64(value, &n) < 0)
		draft_lost(s->draft, "workers.max", "not a number");
}

static void take_children(struct spawn *s, const struct spawn_option *o, const char *value)
{
	take_forks(s, o, value);
	draft_note(s->draft, "workers.max", "PHP's own children (PHP_FCGI_CHILDREN) are workers of the pool");
}

/* -f PROGRAM: what /bin/sh makes of it, unless a command is there. */
static void take_program(struct spawn *s, const struct spawn_option *o, const char *value)
{
	(void)o;
	if (s->command_count > 0) {
		draft_lost(s->draft, "command", "the command behind the options holds");
	} else if (strpbrk(value, " \t\n\"'\\$`;&|<>()*?[]#~=%!{}") == NULL) {
		draft_add(s->draft, "command", value);
	} else {
		draft_add(s->draft, "command", "/bin/sh");
		draft_add(s->draft, "command", "-c");
		draft_add(s->draft, "command", keep_printf(&s->draft->keep, "exec %s", value));
	}
}

#define ASKED "it asks spawn-fcgi about itself"

static const struct spawn_option options[] = {
	{'?', false, NULL, NULL, ASKED},
	{'C', true, take_children, "workers.max", NULL},
	{'F', true, take_forks, "workers.max", NULL},
	{'G', true, take_owner, "socket.group", NULL},
	{'M', true, take_owner, "socket.mode", NULL},
	{'P', true, NULL, NULL, "fcgipm keeps the workers, and fcgipm status says their pids; nothing needs a file for them"},
	{'S', false, take_text, NULL, NULL}, /* read with -s */
	{'U', true, take_owner, "socket.user", NULL},
	{'a', true, take_address, "listen", NULL},
	{'b', true, take_backlog, "queue.limit", NULL},
	{'c', true, take_text, "chroot", NULL},
	{'d', true, take_text, "directory", NULL},
	{'f', true, take_program, "command", NULL},
	{'g', true, take_text, "group", NULL},
	{'h', false, NULL, NULL, ASKED},
	{'n', false, NULL, NULL, "fcgipm run stays in the foreground, and no worker does"},
	{'p', true, take_port, "listen", NULL},
	{'s', true, take_socket, "listen", NULL},
	{'u', true, take_user, "user", NULL},
	{'v', false, NULL, NULL, ASKED},
};

static const struct spawn_option *option_of(char letter)
{
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (options[i].letter == letter)
			return &options[i];
	return NULL;
}

/* ---- the words ---- */

/* The letters of one word.  How many of the next words were values: 0 or 1; -1: it is not understood. */
static int read_letters(struct spawn *s, const char *letters, const char *next)
{
	for (; *letters != '\0'; letters++) {
		const struct spawn_option *o = option_of(*letters);
		const char *value = "";

		s->draft->at.what = keep_printf(&s->draft->keep, "-%c", *letters);
		if (o == NULL) {
			draft_bad(s->draft, "no option of spawn-fcgi");
			return -1;
		}
		if (o->has_value)
			value = letters[1] != '\0' ? letters + 1 : next;
		if (value == NULL) {
			draft_bad(s->draft, "it needs a value");
			return -1;
		}
		s->given[(unsigned char)*letters] = value;
		if (o->has_value)
			return letters[1] == '\0';
	}
	return 0;
}

/* As getopt() has it where POSIXLY_CORRECT is not set, spawn-fcgi's options may stand behind its command; nobody writes that, and "--" ends them. */
static bool read_words(struct spawn *s, const char *const *words, size_t count)
{
	size_t i = 0;

	for (; i < count && words[i][0] == '-' && words[i][1] != '\0'; i++) {
		int used;

		if (strcmp(words[i], "--") == 0) {
			i++;
			break;
		}
		used = read_letters(s, words[i] + 1, i + 1 < count ? words[i + 1] : NULL);
		if (used < 0)
			return false;
		i += (size_t)used;
	}
	s->command = words + i;
	s->command_count = count - i;
	return true;
}

static const char *name_of(const struct spawn *s)
{
	const char *path = s->command_count > 0 ? s->command[0] : s->given['f'], *slash;

	if (path == NULL)
		return "app";
	slash = strrchr(path, '/');
	return slash != NULL ? slash + 1 : path;
}

/* ---- the pool ---- */

static void take_options(struct spawn *s)
{
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		const struct spawn_option *o = &options[i];
		const char *value = s->given[(unsigned char)o->letter];

		if (value == NULL)
			continue;
		s->draft->at.what = keep_printf(&s->draft->keep, "-%c%s%.120s", o->letter, o->has_value ? " " : "", value);
		if (o->take == NULL)
			draft_lost(s->draft, NULL, "%s", o->text);
		else if (o->key != NULL)
			o->take(s, o, value);
	}
	s->draft->at.what = "";
}

/* spawn-fcgi starts so many once, and none again. */
static void set_workers(struct spawn *s)
{
	const char *n = keep_printf(&s->draft->keep, "%llu", (unsigned long long)(count_of(s, 'F') * count_of(s, 'C')));

	draft_set(s->draft, "workers.min", n);
	draft_set(s->draft, "workers.max", n);
	draft_set(s->draft, "workers.spare", "0");
}

void spawn_carry(struct draft *d, const struct import_system *system, const char *const *words, size_t count)
{
	struct spawn s = {.draft = d, .system = system};

	d->at = (struct draft_at){.file = "spawn-fcgi", .what = ""};
	if (!read_words(&s, words, count) || !draft_pool_begin(d, name_of(&s)))
		return;
	for (size_t i = 0; i < s.command_count; i++)
		draft_add(d, "command", s.command[i]);
	take_options(&s);
	if (s.command_count == 0 && s.given['f'] == NULL)
		draft_bad(d, "no command");
	if (s.given['s'] == NULL && s.given['p'] == NULL)
		draft_bad(d, "no socket: neither -s nor -p");
	if (s.given['u'] == NULL)
		draft_note(d, "user", "no -u: say as whom the workers run");
	draft_set(d, "umask", "0022");
	set_workers(&s);
	draft_hint(d, "Workers have no environment but what environment and inherit_environment name; spawn-fcgi gives its own.");
}
