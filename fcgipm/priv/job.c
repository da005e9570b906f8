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

int priv_job_send(int sock, const struct priv_jail *j)
{
	const char *const *texts[TEXTS] = TEXTS_OF(j);
	struct priv_jail head = *j;
	const char **left_out[TEXTS] = TEXTS_OF(&head);
	struct iovec v[3 + TEXTS] = {
		{&head, sizeof(head)}, {(void *)(uintptr_t)j->search, j->search_size}, {(void *)(uintptr_t)j->groups, j->group_count * sizeof(j->groups[0])}};
	struct msghdr m = {.msg_iov = v, .msg_iovlen = 3 + TEXTS};
	size_t size = v[0].iov_len + v[1].iov_len + v[2].iov_len;
	ssize_t n;

	for (unsigned i = 0; i < TEXTS; i++) {
		const char *text = *texts[i] != NULL ? *texts[i] : "";

		*left_out[i] = NULL;
		v[3 + i] = (struct iovec){(void *)(uintptr_t)text, strlen(text) + 1};
		size += v[3 + i].iov_len;
	}
	if (size > PRIV_JOB_MAX)
		return -E2BIG;
	head.job_size = (uint32_t)size;
	head.job_head = sizeof(head);
	head.groups = NULL; /* nor any other address of ours */
	head.search = NULL;
	head.argv = head.envp = NULL;
	n = sendmsg(sock, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n < 0)
		return -errno;
	return (size_t)n == size ? 0 : -EAGAIN;
}

/* All that is there, which is sent before the reader is. */
static int receive(int sock, struct priv_job *job)
{
	size_t len = 0, size = sizeof(struct priv_jail);

	while (len < size) {
		ssize_t n = recv(sock, job->bytes + len, sizeof(job->bytes) - len, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n == 0 ? -EPROTO : -errno;
		len += (size_t)n;
		if (len >= sizeof(struct priv_jail))
			size = ((const struct priv_jail *)(const void *)job->bytes)->job_size;
		if (len >= sizeof(struct priv_jail) && ((const struct priv_jail *)(const void *)job->bytes)->job_head != sizeof(struct priv_jail))
			return -EPROTO;
		if (size < sizeof(struct priv_jail) || size > sizeof(job->bytes))
			return -EPROTO;
	}
	return len == size ? 0 : -EPROTO;
}

int priv_job_receive(int sock, struct priv_job *job, struct priv_jail *ret)
{
	const char **texts[TEXTS] = TEXTS_OF(ret);
	const char *at = job->bytes + sizeof(*ret), *end;
	int r = receive(sock, job);

	if (r < 0)
		return r;
	memcpy(ret, job->bytes, sizeof(*ret));
	end = job->bytes + ret->job_size;
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
