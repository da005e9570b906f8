/* The environment file (fcgipm-start, look process).  Its lines are an account's own bytes: what is wrong with them is that account's
 * matter, and keeps its workers alone from starting. */
#include "fcgipm/priv/environment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fcgipm/base/fd.h"

static bool is_name_byte(char c, bool first)
{
	return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (!first && c >= '0' && c <= '9');
}

static size_t name_len(const char *line)
{
	size_t n = 0;

	while (is_name_byte(line[n], n == 0))
		n++;
	return n;
}

static int put(struct priv_environment *e, const char *item)
{
	size_t len = strcspn(item, "=") + 1;
	unsigned i = 0;

	while (i < e->count && strncmp(e->envp[i], item, len) != 0)
		i++;
	if (i == PRIV_ENVIRONMENT_NAMES)
		return -E2BIG;
	e->envp[i] = item;
	if (i == e->count)
		e->envp[++e->count] = NULL;
	return 0;
}

int priv_environment_begin(struct priv_environment *e, const char *const *envp)
{
	int r = 0;

	e->count = 0;
	e->envp[0] = NULL;
	for (; *envp != NULL && r == 0; envp++)
		r = put(e, *envp);
	return r;
}

int priv_environment_preload(struct priv_environment *e, const char *library, const char *variable)
{
	static const char name[] = "LD_PRELOAD=";
	const char *others = "";
	size_t len = strlen(library);

	for (unsigned i = 0; i < e->count; i++)
		if (strncmp(e->envp[i], name, strlen(name)) == 0)
			others = e->envp[i] + strlen(name);
	if (strlen(name) + len + 1 + strlen(others) >= sizeof(e->preload))
		return -E2BIG;
	stpcpy(stpcpy(stpcpy(stpcpy(e->preload, name), library), *others != '\0' ? ":" : ""), others);
	return put(e, e->preload) < 0 || put(e, variable) < 0 ? -E2BIG : 0;
}

/* "a b" and 'a b' are a b. */
static void unquote(char *value)
{
	size_t len = strlen(value);

	if (len < 2 || (value[0] != '"' && value[0] != '\'') || value[len - 1] != value[0])
		return;
	memmove(value, value + 1, len - 2);
	value[len - 2] = '\0';
}

static int put_line(struct priv_environment *e, char *line)
{
	size_t len = strlen(line), name = name_len(line);

	if (len > 0 && line[len - 1] == '\r')
		line[--len] = '\0';
	if (len == 0 || line[0] == '#')
		return 0;
	if (name == 0 || line[name] != '=')
		return -EINVAL;
	unquote(line + name + 1);
	return put(e, line);
}

int priv_environment_parse(struct priv_environment *e, size_t len, unsigned *ret_line)
{
	char *at = e->text, *end = e->text + len;

	*end = '\0';
	for (*ret_line = 1; at < end; ++*ret_line) {
		char *stop = memchr(at, '\n', (size_t)(end - at));
		int r;

		if (stop == NULL)
			stop = end;
		*stop = '\0';
		r = strlen(at) == (size_t)(stop - at) ? put_line(e, at) : -EINVAL; /* a NUL byte in it */
		if (r < 0)
			return r;
		at = stop + 1;
	}
	*ret_line = 0;
	return 0;
}

/* No FIFO or device makes us wait. */
int priv_environment_read(struct priv_environment *e, const char *path, unsigned *ret_line)
{
	fp_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	ssize_t len;

	*ret_line = 0;
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
	len = fp_read_to_end(fd, e->text, sizeof(e->text));
	if (len < 0)
		return (int)len;
	return len > PRIV_ENVIRONMENT_BYTES ? -EFBIG : priv_environment_parse(e, (size_t)len, ret_line);
}
