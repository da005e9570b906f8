/* Jobs (launcher process, fcgipm-start).  A struct goes as it is: both are of one build, since the launcher opens the program when it starts, and keeps it; one that was started in the
 * middle of an upgrade, with another, is told by the struct's size. */
#include "fcgipm/priv/job.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum { TEXTS = 7 };

/* In the order in which they are sent; a NULL is sent as "" and comes back as such. */
#define TEXTS_OF(j)                                                                                                                                            \
	{                                                                                                                                                      \
		&(j)->chroot, &(j)->directory, &(j)->environment_file, &(j)->path, &(j)->preload.needs, &(j)->preload.library, &(j)->preload.variable,         \
	}

struct head {
	uint32_t size, jail; /* of the whole job; of struct priv_jail, which both sides must have in common */
};
enum { FIRST = sizeof(struct head) + sizeof(struct priv_jail) };

int priv_job_send(int sock, const struct priv_jail *j)
{
	struct priv_jail jail = *j;
	const char *const *texts[TEXTS] = TEXTS_OF(j);
	const char **left_out[TEXTS] = TEXTS_OF(&jail);
	struct head head = {.jail = sizeof(jail)};
	struct iovec v[4 + TEXTS] = {{&head, sizeof(head)},
				     {&jail, sizeof(jail)},
				     {(void *)(uintptr_t)j->search, j->search_size},
				     {(void *)(uintptr_t)j->groups, j->group_count * sizeof(j->groups[0])}};
	struct msghdr m = {.msg_iov = v, .msg_iovlen = 4 + TEXTS};
	size_t size = 0;
	ssize_t n;

	jail.groups = NULL; /* nor any other address of ours */
	jail.search = NULL;
	jail.argv = jail.envp = NULL;
	for (unsigned i = 0; i < TEXTS; i++) {
		const char *text = *texts[i] != NULL ? *texts[i] : "";

		*left_out[i] = NULL;
		v[4 + i] = (struct iovec){(void *)(uintptr_t)text, strlen(text) + 1};
	}
	for (unsigned i = 0; i < 4 + TEXTS; i++)
		size += v[i].iov_len;
	if (size > PRIV_JOB_MAX)
		return -E2BIG;
	head.size = (uint32_t)size;
	n = sendmsg(sock, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n < 0)
		return -errno;
	return (size_t)n == size ? 0 : -EAGAIN;
}

/* All that is there, which is sent before the reader is.  Its size. */
static ssize_t receive(int sock, struct priv_job *job)
{
	const struct head *head = (const void *)job->bytes;
	size_t len = 0, size = FIRST;

	while (len < size) {
		ssize_t n = recv(sock, job->bytes + len, sizeof(job->bytes) - len, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n == 0 ? -EPROTO : -errno;
		len += (size_t)n;
		if (len < FIRST)
			continue;
		size = head->size;
		if (head->jail != sizeof(struct priv_jail) || size < FIRST || size > sizeof(job->bytes))
			return -EPROTO;
	}
	return len == size ? (ssize_t)len : -EPROTO;
}

int priv_job_receive(int sock, struct priv_job *job, struct priv_jail *ret)
{
	const char **texts[TEXTS] = TEXTS_OF(ret);
	const char *at = job->bytes + FIRST, *end;
	ssize_t size = receive(sock, job);

	if (size < 0)
		return (int)size;
	memcpy(ret, job->bytes + sizeof(struct head), sizeof(*ret));
	end = job->bytes + size;
	ret->search = at;
	at += ret->search_size;
	ret->groups = (const uint32_t *)(const void *)at;
	at += ret->group_count * sizeof(ret->groups[0]);
	for (unsigned i = 0; i < TEXTS; i++) {
		const char *stop = at < end ? memchr(at, '\0', (size_t)(end - at)) : NULL;

		if (stop == NULL)
			return -EPROTO;
		*texts[i] = at;
		at = stop + 1;
	}
	return at == end ? 0 : -EPROTO;
}
