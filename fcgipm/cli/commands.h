/* Every command's descriptor. */
#ifndef FCGIPM_CLI_COMMANDS_H
#define FCGIPM_CLI_COMMANDS_H

#include "fcgipm/cli/cli.h"

extern const struct cli_command cmd_run, cmd_check, cmd_status, cmd_top, cmd_reload, cmd_restart, cmd_scale, cmd_stop, cmd_start, cmd_request, cmd_exec,
	cmd_shutdown, cmd_import, cmd_version;

#endif
