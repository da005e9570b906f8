/* fcgipm-look: started by the launcher under a pool's account, looks, answers, ends.  It executes nothing and changes nothing. */
#include <errno.h>
#include <stdlib.h>
#include <sys/prctl.h>

#include "fcgipm/base/fd.h"
#include "fcgipm/look/look.h"
#include "fcgipm/wire/conf.h"
#include "fcgipm/wire/dgram.h"

/* Both fit the answer's datagram. */
enum { ERRORS_MAX = 16 << 10, WARNINGS_MAX = 12 << 10 };

static struct wire_dgram d;

/* What it decodes points into the mapping, which stays. */
static int take_order(struct spec_pool *ret, bool *ret_deep)
{
	struct wire_look_at m;
	struct wire_rd body;
	struct wire_blob spec;
	const void *at;
	int r;

	if (wire_recv(WIRE_CONF_FD, &d) != 1 || d.type != WIRE_LOOK_AT || d.nfds != 1)
		return -EPROTO;
	body = wire_body(&d);
	if (!wire_read_look_at(&body, &m) || !wire_done(&body))
		return -EPROTO;
	*ret_deep = m.deep != 0;
	r = fp_memfd_map(d.fds[0], WIRE_CONF_SPEC_MAX, &at, &spec.len);
	wire_dgram_close(&d);
	if (r < 0)
		return r;
	spec.at = at;
	return spec_pool_decode(spec, ret, NULL);
}

static int answer(const struct look_report *report)
{
	static char text[ERRORS_MAX + WARNINGS_MAX];
	struct wire_look_result m = {.count = report->error_count, .text = text};
	struct fp_text all = FP_TEXT(text);
	struct wire_wr w;
	int r;

	fp_text_add(&all, "%s%s", report->errors.at, report->warnings.at);
	wire_begin(&d, &w, WIRE_LOOK_RESULT, 0);
	wire_put_look_result(&w, &m);
	r = wire_end(&d, &w);
	return r == 0 ? wire_send(WIRE_CONF_FD, &d, NULL, 0) : r;
}

int main(void)
{
	static char errors[ERRORS_MAX], warnings[WARNINGS_MAX];
	struct look_report report = {.errors = FP_TEXT(errors), .warnings = FP_TEXT(warnings)};
	struct spec_pool pool;
	bool deep;

	prctl(PR_SET_DUMPABLE, 0);
	if (take_order(&pool, &deep) < 0)
		return EXIT_FAILURE;
	look_at_pool(&pool, deep, &report);
	spec_pool_free(&pool);
	return answer(&report) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
