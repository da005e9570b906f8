/* fcgipm-look: started by the launcher under a pool's account, looks, answers, ends.  It executes nothing and changes nothing. */
#include <errno.h>
#include <stdlib.h>
#include <sys/prctl.h>

#include "fcgipm/look/look.h"
#include "fcgipm/wire/conf.h"
#include "fcgipm/wire/dgram.h"

static struct wire_dgram d;

static int take_order(struct spec_pool *ret)
{
	struct wire_look_at m;
	struct wire_rd r;

	if (wire_recv(WIRE_CONF_FD, &d) != 1 || d.type != WIRE_LOOK_AT)
		return -EPROTO;
	r = wire_body(&d);
	if (!wire_read_look_at(&r, &m) || !wire_done(&r))
		return -EBADMSG;
	return spec_pool_decode(m.spec, ret, NULL);
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
	struct spec_pool pool; /* decoded texts point into d until the answer is written */
	unsigned count;

	prctl(PR_SET_DUMPABLE, 0);
	if (take_order(&pool) < 0)
		return EXIT_FAILURE;
	count = look_at_pool(&pool, &findings);
	spec_pool_free(&pool);
	return answer(count, text) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
