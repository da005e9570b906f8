/* Where the manager's control socket is (command line).  The file is read by conf, leniently: a broken one disables no
 * command. */
#include "fcgipm/cli/where.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fcgipm/base/text.h"
#include "fcgipm/cli/role.h"
#include "include/fcgipm/protocol.h"

static int ask_conf(const char *config, char *buf, size_t cap)
{
	char find[] = "--find-control", file[4096];
	char *argv[] = {NULL, find, file, NULL};
	struct fp_text t = FP_TEXT(file);

	fp_text_add(&t, "%s", config);
	return t.cut ? -1 : role_output("conf", argv, buf, cap, NULL);
}

static bool own_manager(const struct where *w, char *buf, size_t cap)
{
	struct fp_text t = {.at = buf, .cap = cap};

	if (w->runtime == NULL)
		return false;
	fp_text_add(&t, "%s/fcgipm/control.sock", w->runtime);
	return !t.cut && access(buf, F_OK) == 0;
}

const char *where_control(const struct where *w, char *buf, size_t cap)
{
	const char *config = w->config != NULL ? w->config : FCGIPM_CONFIG_FILE;

	if (w->socket != NULL)
		return w->socket;
	if (w->config == NULL && own_manager(w, buf, cap))
		return buf;
	if (access(config, R_OK) == 0 && w->find(config, buf, cap) == 0)
		return buf;
	return FCGIPM_CONTROL_SOCKET;
}

struct where where_from_environment(const char *socket, const char *config)
{
	return (struct where){
		.socket = socket,
		.config = config,
		.runtime = geteuid() != 0 ? getenv("XDG_RUNTIME_DIR") : NULL,
		.find = ask_conf,
	};
}
