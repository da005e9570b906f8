/* Makes each child of httpd as large as BigMegabytes says: what a fork costs depends on that. */
#include <httpd.h>
#include <http_config.h>
#include <http_log.h>
#include <stdlib.h>
#include <sys/mman.h>

static size_t megabytes;

static const char *set_megabytes(cmd_parms *cmd, void *conf, const char *arg)
{
	(void)cmd;
	(void)conf;
	megabytes = (size_t)atoi(arg);
	return NULL;
}

/* In pages of 4 kB: those are what a fork copies the tables of.  Not by malloc() and memset(), which a compiler leaves out where nobody reads. */
static void child_init(apr_pool_t *p, server_rec *s)
{
	(void)p;
	if (megabytes > 0 && mmap(NULL, megabytes << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0) == MAP_FAILED)
		ap_log_error(APLOG_MARK, APLOG_ERR, 0, s, "no memory to be large with");
}

static void hooks(apr_pool_t *p)
{
	(void)p;
	ap_hook_child_init(child_init, NULL, NULL, APR_HOOK_FIRST);
}

static const command_rec commands[] = {AP_INIT_TAKE1("BigMegabytes", set_megabytes, NULL, RSRC_CONF, "megabytes of each child"), {.name = NULL}};

module AP_MODULE_DECLARE_DATA big_module = {STANDARD20_MODULE_STUFF, NULL, NULL, NULL, NULL, commands, hooks, AP_MODULE_FLAG_NONE};
