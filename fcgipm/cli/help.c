/* Help and complaints, out of the descriptors (command line). */
#include "fcgipm/cli/cli.h"

#include <stdarg.h>
#include <string.h>

#include "fcgipm/base/text.h"
#include "fcgipm/client/term.h"

enum { OPTION_WIDTH = 26, NAME_WIDTH = 10 };

static void print_options(FILE *out, const struct cli_option *o)
{
	for (; o != NULL && o->key != 0; o++) {
		char buf[128] = "";
		struct fp_text t = FP_TEXT(buf);

		if (o->key < CLI_KEY_LONG)
			fp_text_add(&t, "-%c%s", o->key, o->name != NULL ? ", " : "");
		else
			fp_text_add(&t, "    ");
		if (o->name != NULL)
			fp_text_add(&t, "--%s", o->name);
		if (o->arg != NULL)
			fp_text_add(&t, " %s", o->arg);
		fprintf(out, "  %-*s %s\n", OPTION_WIDTH, buf, o->help);
	}
}

void cli_help_all(FILE *out)
{
	fputs("usage: fcgipm COMMAND [ARGUMENTS] [-c FILE | -s SOCKET]\n\nKeeps FastCGI applications running.\n\n", out);
	for (size_t i = 0; cli_commands[i] != NULL; i++)
		fprintf(out, "  %-*s %s\n", NAME_WIDTH, cli_commands[i]->name, cli_commands[i]->brief);
	fputs("\nwith every command, anywhere before --:\n", out);
	print_options(out, cli_common_options);
	fputs("\nfcgipm COMMAND --help says more.\n"
	      "Ends with 0 done, 1 the answer is no, 2 usage, 3 no manager there, 78 bad configuration.\n",
	      out);
}

void cli_help_command(FILE *out, const struct cli_command *c)
{
	fprintf(out, "usage: fcgipm %s%s%s%s [-c FILE | -s SOCKET]\n\n%s\n", c->name, c->args[0] != '\0' ? " " : "", c->args,
		c->options != NULL ? " [OPTIONS]" : "", c->brief);
	if (c->help[0] != '\0')
		fprintf(out, "\n%s\n", c->help);
	fputs("\noptions:\n", out);
	print_options(out, c->options);
	print_options(out, cli_common_options);
}

static void say(const struct cli *cli, const char *fmt, va_list ap)
{
	char text[4096];
	struct fp_text t = FP_TEXT(text);
	struct fp_doc d = {.at = NULL};

	fp_text_vadd(&t, fmt, ap);
	term_add(&d, text, true);
	fprintf(cli->err, "fcgipm: %s\n", d.at != NULL ? d.at : "");
	fp_doc_fini(&d);
}

int cli_say(const struct cli *cli, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(cli, fmt, ap);
	va_end(ap);
	return code;
}

int cli_usage(const struct cli *cli, const char *fmt, ...)
{
	const char *name = cli->command != NULL ? cli->command->name : NULL;
	va_list ap;

	va_start(ap, fmt);
	say(cli, fmt, ap);
	va_end(ap);
	fprintf(cli->err, "see fcgipm %s%s--help\n", name != NULL ? name : "", name != NULL ? " " : "");
	return FCGIPM_EXIT_USAGE;
}
