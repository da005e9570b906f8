/* #! lines (look process).  The file is the account's: every length in it is checked, nothing is executed.  See execve(2) and env(1). */
#include "fcgipm/look/magic.h"

#include <elf.h>
#include <errno.h>
#include <string.h>

static const char *skip_blanks(const char *at)
{
	return at + strspn(at, " \t");
}

/* "#! /usr/bin/perl -w": blanks, the path, blanks, the rest.  line ends in a NUL. */
static int look_script(char *line, size_t len, struct magic *ret)
{
	char *end = strchr(line, '\n');
	const char *path = skip_blanks(line + 2), *rest;
	size_t path_len = strcspn(path, " \t\n"), rest_len;

	if (path_len == 0 || (end == NULL && len == MAGIC_LINE_MAX && path[path_len] == '\0'))
		return -ENOEXEC;
	if (end != NULL)
		*end = '\0';
	memcpy(ret->interpreter, path, path_len);
	rest = skip_blanks(path + path_len);
	rest_len = strlen(rest);
	while (rest_len > 0 && (rest[rest_len - 1] == ' ' || rest[rest_len - 1] == '\t'))
		rest_len--;
	memcpy(ret->argument, rest, rest_len);
	return 0;
}

int magic_look(const struct bytes *f, struct magic *ret)
{
	char head[MAGIC_LINE_MAX + 1] = "";
	ssize_t n = f->read_at(f->ctx, head, MAGIC_LINE_MAX, 0);

	if (n < 0)
		return (int)n;
	memset(ret, 0, sizeof(*ret));
	if (n >= 2 && head[0] == '#' && head[1] == '!') {
		ret->kind = MAGIC_SCRIPT;
		return look_script(head, (size_t)n, ret);
	}
	if (n >= SELFMAG && memcmp(head, ELFMAG, SELFMAG) == 0)
		ret->kind = MAGIC_ELF;
	return 0;
}

/* The options that take none of what follows, and NAME=VALUE: what env passes over. */
static int env_passes_over(const char *word, size_t len)
{
	static const char *const options[] = {"-", "-i", "-S", "-v", "-iS", "-vS"};

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (strlen(options[i]) == len && memcmp(options[i], word, len) == 0)
			return 1;
	return word[0] != '=' && memchr(word, '=', len) != NULL;
}

int magic_env_program(const char *argument, char *ret, size_t cap)
{
	int split = argument[0] == '-' && strcspn(argument, " \t") > 1 && memchr(argument, 'S', strcspn(argument, " \t")) != NULL;

	/* Without -S env is handed the whole rest as one word. */
	if (!split && (argument[0] == '\0' || argument[0] == '-' || strlen(argument) >= cap))
		return -ENOENT;
	if (!split) {
		memcpy(ret, argument, strlen(argument) + 1);
		return 0;
	}
	for (const char *at = argument; *at != '\0'; at = skip_blanks(at)) {
		size_t len = strcspn(at, " \t");

		if (!env_passes_over(at, len)) {
			if (at[0] == '-' || len >= cap)
				return -ENOENT;
			memcpy(ret, at, len);
			ret[len] = '\0';
			return 0;
		}
		at += len;
	}
	return -ENOENT;
}
