/* fcgipm-look: started by the launcher under a pool's account, looks, answers, ends.  It executes nothing and changes nothing. */
#include <errno.h>
#include <stdlib.h>
#include <sys/prctl.h>

#include "fcgipm/base/fd.h"
#include "fcgipm/look/look.h"
#include "fcgipm/wire/conf.h"
#include "fcgipm/wire/dgram.h"

static struct wire_dgram d;

/* What it decodes points into the mapping, which stays. */
static int take_order(struct spec_pool *ret)
{
	struct wire_blob spec;
	const void *at;
	int r;

	if (wire_recv(WIRE_CONF_FD, &d) != 1 || d.type != WIRE_LOOK_AT || d.nfds != 1)
		return -EPROTO;
	r = fp_memfd_map(d.fds[0], WIRE_CONF_SPEC_MAX, &at, &spec.len);
	wire_dgram_close(&d);
	if (r < 0)
		return r;
	spec.at = at;
	return spec_pool_decode(spec, ret, NULL);
}

static int answer(unsigned count, const char *text)
{
	struct wire_look_result m = {.count = count, .text = text};
	struct wire_wr w;
	int r;

	wire_begin(&d, &w, WIRE_LOOK_RESULT, 0);
	wire_put_look_result(&w, &m);
	r = wire_end(&d, &w);
	return r == 0 ? wire_send(WIRE_CONF_FD, &d, NULL, 0) : r;
}

int main(void)
{
	static char text[8192];
	struct fp_text findings = FP_TEXT(text);
	struct spec_pool pool;
	unsigned count;

	prctl(PR_SET_DUMPABLE, 0);
	if (take_order(&pool) < 0)
		return EXIT_FAILURE;
	count = look_at_pool(&pool, &findings);
	spec_pool_free(&pool);
	return answer(count, text) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
