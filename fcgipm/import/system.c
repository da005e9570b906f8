/* What an import asks of the system: files, globs, accounts (command line).  It has the rights of who runs it, and writes nothing. */
#include "fcgipm/import/import.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fcgipm/base/fd.h"
#include "fcgipm/base/units.h"

enum { GROUPS_MAX = 1024, BACKLOG_USUAL = 4096 };

static int read_file(const char *path, char **ret, size_t *ret_len)
{
	fp_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	char *buf, *fit;
	ssize_t n;

	if (fd < 0)
		return -errno;
	buf = malloc(IMPORT_FILE_MAX + 1);
	if (buf == NULL)
		return -ENOMEM;
	n = fp_read_to_end(fd, buf, IMPORT_FILE_MAX + 1); /* not to a size: it may be a pipe */
	if (n < 0 || n > IMPORT_FILE_MAX) {
		free(buf);
		return n < 0 ? (int)n : -EFBIG;
	}
	fit = realloc(buf, (size_t)n + 1);
	*ret = fit != NULL ? fit : buf;
	*ret_len = (size_t)n;
	return 0;
}

static int match(const char *pattern, void (*each)(void *context, const char *path), void *context)
{
	glob_t g = {.gl_pathc = 0};
	int r = glob(pattern, 0, NULL, &g);

	for (size_t i = 0; r == 0 && i < g.gl_pathc; i++)
		each(context, g.gl_pathv[i]);
	globfree(&g);
	if (r == GLOB_NOMATCH)
		return -ENOENT;
	return r == 0 ? 0 : r == GLOB_NOSPACE ? -ENOMEM : -EIO;
}

/* As initgroups() would have them. */
static void groups(const char *user, void (*each)(void *context, const char *group), void *context)
{
	const struct passwd *pw = getpwnam(user);
	gid_t ids[GROUPS_MAX];
	int n = GROUPS_MAX;
	gid_t primary;

	if (pw == NULL)
		return;
	primary = pw->pw_gid;
	if (getgrouplist(user, primary, ids, &n) < 0)
		n = GROUPS_MAX;
	for (int i = 0; i < n; i++) {
		const struct group *gr = ids[i] != primary ? getgrgid(ids[i]) : NULL;

		if (gr != NULL)
			each(context, gr->gr_name);
	}
}

static uint32_t most_backlog(void)
{
	fp_autoclose int fd = open("/proc/sys/net/core/somaxconn", O_RDONLY | O_CLOEXEC);
	char text[24] = "";
	uint64_t v;

	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		return BACKLOG_USUAL;
	text[strcspn(text, "\n")] = '\0';
	return fp_parse_u64(text, &v) == 0 && v <= UINT32_MAX ? (uint32_t)v : BACKLOG_USUAL;
}

const struct import_system import_system = {.read = read_file, .match = match, .groups = groups, .most_backlog = most_backlog};
