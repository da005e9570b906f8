/* Finding and judging a run's program (fcgipm-start).  What is found stays open until exec. */
#include "fcgipm/start/search.h"

#include <errno.h>

#include "fcgipm/broker/errand.h"
#include "fcgipm/wire/dgram.h"

static int refuse(struct priv_report *ret, enum fcgipm_refusal no)
{
	ret->step = PRIV_STEP_CHECK;
	ret->error = (int32_t)no | (no == FCGIPM_REFUSED_STEP ? errno << BROKER_ERRNO_SHIFT : 0);
	return -1;
}

/* The client's, from its socket. */
static bool take_descriptors(uint32_t given, struct priv_jail *j)
{
	int fds[WIRE_FDS_MAX], count = 0, at = 0;

	if (given == 0)
		return true;
	for (unsigned i = 0; i < 3; i++)
		count += given >> i & 1;
	if (wire_recv_fds(j->client_fd, &fds) != count)
		return false;
	for (unsigned i = 0; i < 3; i++)
		if ((given >> i & 1) != 0)
			j->stdio[i] = fds[at++];
	return true;
}

int start_search(struct priv_jail *j, struct priv_report *ret)
{
	const struct broker_errand *errand = j->search;
	struct broker_way way = {.chroot = j->chroot, .path = j->path};
	struct broker_found found;
	struct broker_ids ids;
	enum fcgipm_refusal no;

	if (j->search_size == 0)
		return 0;
	if (j->search_size != sizeof(*errand))
		return refuse(ret, FCGIPM_REFUSED_MALFORMED);
	way.literal = errand->literal;
	no = take_descriptors(errand->given, j) ? broker_find(&way, &found) : FCGIPM_REFUSED_MALFORMED;
	if (no == FCGIPM_REFUSED_NOT)
		no = broker_judge(&errand->rule, &found, &ids);
	if (no != FCGIPM_REFUSED_NOT)
		return refuse(ret, no);
	j->uid = ids.uid;
	j->gid = ids.gid;
	j->exec_fd = found.file;
	if (j->directory[0] == '\0')
		j->directory_fd = found.dir;
	return 0;
}
