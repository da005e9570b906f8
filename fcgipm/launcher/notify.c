/* Tells a supervisor (systemd, or whoever set NOTIFY_SOCKET) how we are (launcher process). */
#include "fcgipm/launcher/notify.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "fcgipm/base/clock.h"
#include "fcgipm/base/fd.h"

/* An absolute path, or '@' and a name of the abstract kind (sd_notify(3)). */
static socklen_t address_of(const char *name, struct sockaddr_un *a)
{
	size_t len = strlen(name);

	*a = (struct sockaddr_un){.sun_family = AF_UNIX};
	if ((name[0] != '/' && name[0] != '@') || len < 2 || len >= sizeof(a->sun_path))
		return 0;
	memcpy(a->sun_path, name, len);
	if (name[0] == '@')
		a->sun_path[0] = '\0';
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
}

void notify_supervisor(int what)
{
	static const char *const state[] = {[NOTIFY_READY] = "READY=1", [NOTIFY_RELOADING] = "RELOADING=1", [NOTIFY_STOPPING] = "STOPPING=1"};
	const char *name = getenv("NOTIFY_SOCKET");
	struct sockaddr_un a;
	socklen_t len = name != NULL ? address_of(name, &a) : 0;
	fp_autoclose int fd = len > 0 ? socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0) : -1;
	char text[128];

	if (fd < 0)
		return;
	snprintf(text, sizeof(text), "%s\nMAINPID=%d\nMONOTONIC_USEC=%lld\n", state[what], (int)getpid(), (long long)fp_now_us());
	sendto(fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&a, len);
}
