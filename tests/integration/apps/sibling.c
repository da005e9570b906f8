/* A worker that makes a child of its parent's (CLONE_PARENT), which ends at once; then it waits like any other. */
#include <linux/sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(void)
{
	struct clone_args args = {.flags = CLONE_PARENT};

	if (syscall(SYS_clone3, &args, sizeof(args)) == 0)
		_exit(3);
	for (;;) {
		int fd = accept(0, NULL, NULL);

		if (fd < 0)
			return 1;
		close(fd);
	}
}
