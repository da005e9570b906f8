/* fcgipm import: another manager's configuration as a pools.yaml on standard output (command line).  It reads, and asks no manager. */
#include "fcgipm/cli/commands.h"

#include <limits.h>
#include <string.h>

#include "fcgipm/client/term.h"
#include "fcgipm/import/import.h"

enum { PHP_CGI = CLI_KEY_LONG };

static int run(struct cli *cli);

const struct cli_command cmd_import = {
	.name = "import",
	.args = "php-fpm FILE... | mod-fcgid FILE... | spawn-fcgi -- ARGUMENTS",
	.min_args = 2,
	.max_args = UINT_MAX,
	.brief = "print another manager's configuration as a pools.yaml",
	.help = "What cannot be carried over is said on standard error, as FILE:LINE: WHAT: WHY,\n"
		"and stands as a comment in the YAML, beside what it concerns.\n"
		"php-fpm: php-fpm.conf or files of pool.d; what they include is read too.\n"
		"mod-fcgid: files of httpd; what has nothing to do with mod_fcgid is passed over.\n"
		"spawn-fcgi: what stands behind spawn-fcgi on its command line.\n"
		"Ends with 1 when something could not be read or understood; the rest is\n"
		"printed all the same.",
	.run = run,
	.options =
		(const struct cli_option[]){
			{PHP_CGI, "php-cgi", "FILE", "php-fpm: the interpreter (default: /usr/bin/php-cgi, by version)"},
			{0, NULL, NULL, NULL},
		},
};

static int print(struct cli *cli, const struct import_result *r)
{
	struct fp_doc said = {.at = NULL};

	if (r->yaml.at != NULL)
		fputs(r->yaml.at, cli->out);
	if (r->said.at != NULL)
		term_add(&said, r->said.at, true);
	if (said.at != NULL)
		fputs(said.at, cli->err);
	fp_doc_fini(&said);
	return r->bad ? FCGIPM_EXIT_NO : FCGIPM_EXIT_DONE;
}

static int run(struct cli *cli)
{
	const struct import_kind *kind = import_kinds;
	struct import_source source = {.words = (const char *const *)cli->args + 1, .count = cli->arg_count - 1, .php_cgi = cli_value(cli, PHP_CGI, NULL)};
	struct import_result result = {.bad = false};
	int r;

	while (kind->name != NULL && strcmp(kind->name, cli->args[0]) != 0)
		kind++;
	if (kind->name == NULL)
		return cli_usage(cli, "import from %s? (php-fpm, mod-fcgid or spawn-fcgi)", cli->args[0]);
	r = kind->run(&import_system, &source, &result);
	r = r < 0 ? cli_say(cli, FCGIPM_EXIT_NO, "%s", strerror(-r)) : print(cli, &result);
	import_result_fini(&result);
	return r;
}
