/* Makes each child of httpd as large as BigMegabytes says: what a fork costs depends on that. */
#include <httpd.h>
#include <http_config.h>
#include <stdlib.h>
#include <string.h>

static size_t megabytes;

static const char *set_megabytes(cmd_parms *cmd, void *conf, const char *arg)
{
	(void)cmd;
	(void)conf;
	megabytes = (size_t)atoi(arg);
	return NULL;
}

static void child_init(apr_pool_t *p, server_rec *s)
{
	char *memory = malloc(megabytes << 20);

	(void)p;
	(void)s;
	if (memory != NULL)
		memset(memory, 1, megabytes << 20);
}

static void hooks(apr_pool_t *p)
{
	(void)p;
	ap_hook_child_init(child_init, NULL, NULL, APR_HOOK_FIRST);
}

static const command_rec commands[] = {AP_INIT_TAKE1("BigMegabytes", set_megabytes, NULL, RSRC_CONF, "megabytes of each child"), {.name = NULL}};

module AP_MODULE_DECLARE_DATA big_module = {STANDARD20_MODULE_STUFF, NULL, NULL, NULL, NULL, commands, hooks, AP_MODULE_FLAG_NONE};
