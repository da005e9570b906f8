/* Names, paths and addresses of a spec: what each may look like.  Pure; used by conf when it writes, and by the launcher, as root, when it reads. */
#include "fcgipm/spec/spec.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <linux/capability.h>
#include <string.h>

#include "fcgipm/base/units.h"

#define BIT(cap) (UINT64_C(1) << (cap))

/* Left out: all that lead to another uid, to any file, to any process's memory or to the kernel itself (SETUID, SETFCAP, DAC_*, CHOWN,
 * FOWNER, MKNOD, SYS_ADMIN, SYS_PTRACE, SYS_MODULE, SYS_RAWIO, BPF, KILL, ...). */
const uint64_t spec_capabilities_allowed = BIT(CAP_NET_BIND_SERVICE) | BIT(CAP_NET_BROADCAST) | BIT(CAP_NET_ADMIN) | BIT(CAP_NET_RAW) | BIT(CAP_IPC_LOCK) |
					   BIT(CAP_SYS_NICE) | BIT(CAP_SYS_RESOURCE) | BIT(CAP_SYS_TIME) | BIT(CAP_LEASE) | BIT(CAP_AUDIT_WRITE) |
					   BIT(CAP_WAKE_ALARM);

static bool lower_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* The length of the name part that text starts with, 0 when there is none. */
static size_t name_part(const char *text)
{
	size_t n = 0;

	if (!lower_or_digit(text[0]))
		return 0;
	while (lower_or_digit(text[n]) || text[n] == '.' || text[n] == '_' || text[n] == '-')
		n++;
	return n <= 63 ? n : 0;
}

bool spec_name_ok(const char *name)
{
	size_t n = name_part(name);

	if (n == 0 || name[n] == '\0')
		return n > 0;
	if (name[n] != '@')
		return false;
	name += n + 1;
	n = name_part(name);
	return n > 0 && n < 63 && name[n] == '\0';
}

bool spec_profile_name_ok(const char *name)
{
	return spec_name_ok(name) && strchr(name, '@') == NULL && strcmp(name, "local") != 0;
}

static bool component_ok(const char *at, size_t len)
{
	if (len == 0 || len > 255)
		return false;
	if (at[0] == '.' && (len == 1 || (len == 2 && at[1] == '.')))
		return false;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)at[i] < ' ' || at[i] == 0x7f)
			return false;
	return true;
}

bool spec_path_ok(const char *path)
{
	if (path[0] != '/' || strnlen(path, SPEC_PATH_MAX + 1) > SPEC_PATH_MAX)
		return false;
	if (path[1] == '\0')
		return true;
	while (*path == '/') {
		size_t len = strcspn(++path, "/");

		if (!component_ok(path, len))
			return false;
		path += len;
	}
	return true;
}

/* Behind a "[" of fnmatch(3): what follows the "]" that ends it, or NULL.  A "]" that comes first is one of the characters; "[:", "[." and "[=" go to
 * their own ends. */
static const char *bracket_end(const char *at)
{
	at += *at == '!' || *at == '^';
	at += *at == ']';
	while (*at != '\0' && *at != '/' && *at != ']') {
		const char close[] = {at[1], ']', '\0'}, *end;

		if (at[0] != '[' || at[1] == '\0' || strchr(":.=", at[1]) == NULL) {
			at++;
			continue;
		}
		end = strstr(at + 2, close);
		if (end == NULL || memchr(at, '/', (size_t)(end - at)) != NULL)
			return NULL;
		at = end + 2;
	}
	return *at == ']' ? at + 1 : NULL;
}

bool spec_root_ok(const char *root)
{
	const char *at = root;

	if (!spec_path_ok(root) || root[1] == '\0' || strchr(root, '\\') != NULL)
		return false;
	while (at != NULL && *at != '\0')
		at = *at == '[' ? bracket_end(at + 1) : at + 1;
	return at != NULL;
}

bool spec_log_path_ok(const char *path)
{
	static const char below[] = "/var/log/";

	return spec_path_ok(path) && strncmp(path, below, sizeof(below) - 1) == 0;
}

static int port_parse(const char *text, uint16_t *ret)
{
	uint64_t port;

	if (fp_parse_u64(text, &port) < 0 || port < 1 || port > UINT16_MAX)
		return -EINVAL;
	*ret = (uint16_t)port;
	return 0;
}

int spec_tcp_parse(const char *text, struct spec_tcp *ret)
{
	const char *colon = strrchr(text, ':');
	struct spec_tcp t = {.family = AF_INET};
	char host[INET6_ADDRSTRLEN];
	size_t len;

	if (colon == NULL || colon == text || port_parse(colon + 1, &t.port) < 0)
		return -EINVAL;
	len = (size_t)(colon - text);
	if (text[0] == '[' && colon[-1] == ']') {
		t.family = AF_INET6;
		text++;
		len -= 2;
	}
	if (len == 0 || len >= sizeof(host))
		return -EINVAL;
	memcpy(host, text, len);
	host[len] = '\0';
	if (inet_pton(t.family, host, t.host) != 1)
		return -EINVAL;
	*ret = t;
	return 0;
}
