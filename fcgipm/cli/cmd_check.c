/* fcgipm check: the launcher judges a configuration as it would at a start, and starts nothing (command line). */
#include "fcgipm/cli/commands.h"

#include "fcgipm/cli/role.h"

enum { DUMP = CLI_KEY_LONG, SECRETS };

static int run(struct cli *cli);

const struct cli_command cmd_check = {
	.name = "check",
	.args = "",
	.brief = "judge a configuration: all errors, with line and column",
	.help = "Looks into each pool's chroot, under its account, for what the command needs:\n"
		"interpreters and libraries (errors); devices, resolver, certificates, what its\n"
		"language loads (warnings). Each finding ends with a remedy; nothing is executed.\n"
		"Run it as who will run fcgipm: root sees what root's pools will see.\n"
		"Ends with 78 when something is wrong; warnings alone are no error.",
	.run = run,
	.options =
		(const struct cli_option[]){
			{DUMP, "dump", NULL, "print the configuration in force, with every default"},
			{SECRETS, "secrets", NULL, "with --dump: environments with their values"},
			{0, NULL, NULL, NULL},
		},
};

static int run(struct cli *cli)
{
	char check[] = "--check", dump[] = "--dump", secrets[] = "--secrets", c[] = "-c";
	char *argv[7] = {NULL, check};
	unsigned n = 2;
	struct fp_err err = {.code = 0};

	if (cli_has(cli, SECRETS) && !cli_has(cli, DUMP))
		return cli_usage(cli, "--secrets goes with --dump");
	if (cli_has(cli, DUMP))
		argv[n++] = dump;
	if (cli_has(cli, SECRETS))
		argv[n++] = secrets;
	argv[n++] = c;
	argv[n] = (char *)(uintptr_t)cli_value(cli, CLI_KEY_CONFIG, FCGIPM_CONFIG_FILE);
	role_exec("launcher", argv, &err);
	return cli_say(cli, FCGIPM_EXIT_NO, "%s", err.text);
}
