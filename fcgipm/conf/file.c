/* Reading files (conf process, and the same program asked for a control socket's path, with the rights of whoever asks). */
#include "fcgipm/conf/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fcgipm/base/fd.h"
#include "fcgipm/conf/yaml.h"

/* Until its end, or one byte more than may be: a file may grow while it is read. */
static int read_up_to(int fd, char *buf, size_t cap, size_t *ret_len)
{
	size_t len = 0;

	while (len < cap) {
		ssize_t n = pread(fd, buf + len, cap - len, (off_t)len);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0)
			break;
		len += n > 0 ? (size_t)n : 0;
	}
	*ret_len = len;
	return 0;
}

int conf_file_read(int fd, char **ret, size_t *ret_len)
{
	fp_autofree char *bytes = NULL;
	struct stat st;
	size_t cap, len = 0;
	int r;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if (st.st_size > CONF_FILE_MAX)
		return -EFBIG;
	cap = (size_t)st.st_size + 4096;
	bytes = malloc(cap);
	if (bytes == NULL)
		return -ENOMEM;
	r = read_up_to(fd, bytes, cap, &len);
	if (r < 0 || len == cap || len > CONF_FILE_MAX)
		return r < 0 ? r : -EFBIG;
	*ret = bytes;
	*ret_len = len;
	bytes = NULL;
	return 0;
}

uint32_t conf_file_somaxconn(void)
{
	fp_autoclose int fd = open("/proc/sys/net/core/somaxconn", O_RDONLY | O_CLOEXEC);
	char text[32] = "";
	unsigned v;

	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0 || sscanf(text, "%u", &v) != 1)
		return 4096;
	return v;
}

static const struct conf_node *child(const struct conf_node *map, const char *key)
{
	const struct conf_node *n = map != NULL && map->shape == CONF_MAP ? map->first : NULL;

	while (n != NULL && strcmp(n->key, key) != 0)
		n = n->next;
	return n;
}

static int print_control(const char *dir, const char *below, char *buf, size_t cap)
{
	int n = snprintf(buf, cap, "%s%s/control.sock", dir, below);

	return n < 0 || (size_t)n >= cap ? -ENAMETOOLONG : 0;
}

/* As the launcher's default is: an ordinary user's own configuration has an own place. */
static int default_control(int fd, char *buf, size_t cap)
{
	const char *xdg = getenv("XDG_RUNTIME_DIR");
	char own[64];
	struct stat st;

	if (geteuid() == 0 || fstat(fd, &st) < 0 || st.st_uid != geteuid())
		return print_control("/run/fcgipm", "", buf, cap);
	if (xdg != NULL && xdg[0] == '/')
		return print_control(xdg, "/fcgipm", buf, cap);
	snprintf(own, sizeof(own), "/tmp/fcgipm-%u", (unsigned)geteuid());
	return print_control(own, "", buf, cap);
}

static int find_in(int fd, const char *bytes, size_t len, char *buf, size_t cap)
{
	struct fp_arena arena = {0};
	struct conf_report *report = conf_report_new();
	struct conf_yaml y = {.arena = &arena, .report = report};
	const struct conf_node *n;
	int r;

	if (report == NULL)
		return -ENOMEM;
	conf_yaml_parse(&y, bytes, len);
	n = child(child(y.partial, "manager"), "runtime_directory");
	if (n != NULL && n->shape == CONF_SCALAR && spec_path_ok(n->text))
		r = print_control(n->text, "", buf, cap);
	else
		r = default_control(fd, buf, cap);
	fp_arena_fini(&arena);
	conf_report_free(report);
	return r;
}

int conf_find_control(const char *path, char *buf, size_t cap)
{
	fp_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	fp_autofree char *bytes = NULL;
	size_t len;
	int r = fd < 0 ? -errno : conf_file_read(fd, &bytes, &len);

	return r < 0 ? r : find_in(fd, bytes, len, buf, cap);
}
