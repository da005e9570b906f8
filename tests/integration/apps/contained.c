/* Runs a command as a container may: contained CALL=ERRNO ... -- COMMAND ...   CALL: clone3, unshare; ERRNO: ENOSYS, EPERM. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { RULES_MAX = 8 };

int main(int argc, char **argv)
{
	struct sock_filter f[2 + 2 * RULES_MAX] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))};
	struct sock_fprog program = {.len = 1, .filter = f};
	int i;

	for (i = 1; i < argc - 1 && i <= RULES_MAX && strcmp(argv[i], "--") != 0; i++) {
		unsigned nr = strncmp(argv[i], "clone3=", 7) == 0 ? SYS_clone3 : SYS_unshare, error = strstr(argv[i], "=ENOSYS") != NULL ? ENOSYS : EPERM;

		f[program.len++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1);
		f[program.len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error);
	}
	f[program.len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	if (i >= argc - 1 || syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0) {
		perror("contained");
		return 1;
	}
	execvp(argv[i + 1], argv + i + 1);
	perror(argv[i + 1]);
	return 1;
}
