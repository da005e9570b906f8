/* What an application answers, in pieces of any size, to the FastCGI client; and any bytes as a stream of parameters. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fcgipm/fcgi/client.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void touch(const uint8_t *at, size_t len)
{
	static volatile uint8_t sum;

	for (size_t i = 0; i < len; i++)
		sum += at[i];
}

/* The first byte says how large the pieces are. */
static void answer(const uint8_t *data, size_t size, size_t piece)
{
	const struct fcgi_request request = {.role = FCGI_RESPONDER};
	struct fcgi_client_event e = {.kind = FCGI_CLIENT_NONE};
	struct fcgi_client c;
	bool over = false;

	if (fcgi_client_begin(&c, &request) < 0)
		abort();
	while (size > 0) {
		size_t n = size < piece ? size : piece, taken = 0;

		while (taken < n) {
			size_t now = fcgi_client_receive(&c, data + taken, n - taken, &e);

			if (now > n - taken || (now == 0 && e.kind == FCGI_CLIENT_NONE))
				abort();
			if (e.kind == FCGI_CLIENT_STDOUT || e.kind == FCGI_CLIENT_STDERR)
				touch(e.at, e.len);
			if (over && e.kind != FCGI_CLIENT_NONE)
				abort(); /* after the end nothing is told */
			over |= e.kind == FCGI_CLIENT_END || e.kind == FCGI_CLIENT_BROKEN;
			taken += now;
		}
		data += n;
		size -= n;
	}
	fcgi_client_eof(&c, &e);
	if (!over && e.kind != FCGI_CLIENT_BROKEN)
		abort(); /* an answer without END_REQUEST is never whole */
}

static void params(const uint8_t *data, size_t size, size_t piece)
{
	char buf[256];
	struct fcgi_params_reader r = FCGI_PARAMS_READER(buf, sizeof(buf));

	while (size > 0) {
		size_t n = size < piece ? size : piece, taken = 0;

		while (taken < n) {
			struct fcgi_pair pair;
			size_t now = fcgi_params_read(&r, data + taken, n - taken, &pair);

			if (now == 0 || now > n - taken)
				abort();
			if (pair.name != NULL && (pair.name[pair.name_len] != '\0' || pair.value[pair.value_len] != '\0'))
				abort();
			taken += now;
		}
		data += n;
		size -= n;
	}
	(void)fcgi_params_end(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	answer(data + 1, size - 1, data[0] + 1U);
	params(data + 1, size - 1, data[0] + 1U);
	return 0;
}
