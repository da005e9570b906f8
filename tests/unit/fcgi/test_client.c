/* One request seen from the web server: what it sends is read back as an application would, what it receives comes in every split. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fcgipm/fcgi/client.h"

static char long_value[150000], body[200000];
static uint8_t wire[600000];

static const struct fcgi_pair params[] = {
	{"REQUEST_METHOD", 14, "POST", 4},
	{"LONG", 4, long_value, sizeof(long_value)},
	{"EMPTY", 5, "", 0},
	{"LAST", 4, long_value, 60000},
};
static const struct fcgi_request request = {.role = FCGI_FILTER, .params = params, .param_count = 4};

/* ---- sending ---- */

static size_t send_all(size_t cap)
{
	static const struct {
		const char *at;
		size_t len;
	} feeds[] = {{body, sizeof(body)}, {"", 0}, {"data", 4}, {"", 0}};
	struct fcgi_client c;
	size_t at = 0, n, fed = 0;

	assert_int_equal(fcgi_client_begin(&c, &request), 0);
	do {
		n = fcgi_client_pull(&c, wire + at, cap);
		at += n;
		if (fcgi_client_wants(&c) != 0 && fed < 4) {
			assert_int_equal(fcgi_client_wants(&c), fed < 2 ? FCGI_STDIN : FCGI_DATA);
			fcgi_client_feed(&c, feeds[fed].at, feeds[fed].len);
			fed++;
			n = 1;
		}
	} while (n > 0);
	assert_int_equal(fed, 4);
	return at;
}

struct application {
	char params[300000], in[300000], data[16];
	size_t params_len, in_len, data_len;
	unsigned ends;
};

static void take(struct application *a, const struct fcgi_event *e)
{
	char *to = e->type == FCGI_PARAMS ? a->params : e->type == FCGI_STDIN ? a->in : a->data;
	size_t *len = e->type == FCGI_PARAMS ? &a->params_len : e->type == FCGI_STDIN ? &a->in_len : &a->data_len;

	memcpy(to + *len, e->at, e->len);
	*len += e->len;
}

static void read_all(struct application *a, size_t size)
{
	struct fcgi_reader r = FCGI_READER(FCGI_APPLICATION);
	struct fcgi_event e;

	memset(a, 0, sizeof(*a));
	for (size_t at = 0; at < size;) {
		at += fcgi_read(&r, wire + at, size - at, &e);
		assert_int_not_equal(e.kind, FCGI_EVENT_BROKEN);
		if (e.kind == FCGI_EVENT_BEGIN)
			assert_true(e.role == FCGI_FILTER && e.id == FCGI_CLIENT_ID);
		if (e.kind == FCGI_EVENT_CONTENT)
			take(a, &e);
		a->ends += e.kind == FCGI_EVENT_CONTENT_END;
	}
	assert_true(fcgi_reader_at_rest(&r));
}

static void has_params(const struct application *a)
{
	static char buf[200000];
	struct fcgi_params_reader r = FCGI_PARAMS_READER(buf, sizeof(buf));
	struct fcgi_pair p;
	size_t at = 0;

	for (size_t i = 0; i < request.param_count; i++) {
		at += fcgi_params_read(&r, (const uint8_t *)a->params + at, a->params_len - at, &p);
		assert_non_null(p.name);
		assert_string_equal(p.name, params[i].name);
		assert_int_equal(p.value_len, params[i].value_len);
		assert_memory_equal(p.value, params[i].value, p.value_len);
	}
	assert_int_equal(at, a->params_len);
}

static void test_what_is_sent_is_what_was_meant(void **state)
{
	static const size_t caps[] = {1, 7, 8, 9, 4096, 65536, sizeof(wire)};
	static struct application a;

	(void)state;
	memset(long_value, 'v', sizeof(long_value));
	for (size_t i = 0; i < sizeof(body); i++)
		body[i] = (char)(i * 7);
	for (size_t i = 0; i < sizeof(caps) / sizeof(caps[0]); i++) {
		read_all(&a, send_all(caps[i]));
		has_params(&a);
		assert_int_equal(a.in_len, sizeof(body));
		assert_memory_equal(a.in, body, sizeof(body));
		assert_int_equal(a.data_len, 4);
		assert_int_equal(a.ends, 3); /* PARAMS, STDIN, DATA */
	}
}

/* Content and padding never exceed 65535, nothing is padded, and only what is too long for one record is split. */
static void test_records(void **state)
{
	size_t size = send_all(sizeof(wire)), most = 0;
	struct fcgi_header h;

	(void)state;
	for (size_t at = 0; at < size; at += FCGI_HEADER_LEN + h.content) {
		assert_int_equal(fcgi_get_header(wire + at, &h), 0);
		assert_int_equal(h.padding, 0);
		most = h.content > most ? h.content : most;
	}
	assert_true(most <= FCGI_MAX_LENGTH);
}

static void test_a_parameter_that_cannot_be_said(void **state)
{
	const struct fcgi_pair p = {"A", 1, long_value, (size_t)FCGI_PAIR_LENGTH_MAX + 1};
	struct fcgi_client c;

	(void)state;
	assert_int_equal(fcgi_client_begin(&c, &(struct fcgi_request){.role = FCGI_RESPONDER, .params = &p, .param_count = 1}), -EINVAL);
}

/* ---- receiving ---- */

#define REC(kind, id, len, text) "\1" kind "\0" id "\0" len "\0\0" text
#define END_OK                   REC("\3", "\1", "\10", "\0\0\0\5\0\0\0\0")

struct answer {
	char out[64], err[64];
	const char *why;
	bool ended;
	uint32_t status;
	uint8_t protocol;
};

static void receive(const char *bytes, size_t len, size_t split, struct answer *a)
{
	struct fcgi_client c;
	struct fcgi_client_event e;
	size_t stops[] = {split, len};

	memset(a, 0, sizeof(*a));
	assert_int_equal(fcgi_client_begin(&c, &(struct fcgi_request){.role = FCGI_RESPONDER}), 0);
	for (size_t at = 0, i = 0; i < 2; i++) {
		while (at < stops[i]) {
			at += fcgi_client_receive(&c, (const uint8_t *)bytes + at, stops[i] - at, &e);
			if (e.kind == FCGI_CLIENT_STDOUT)
				strncat(a->out, (const char *)e.at, e.len);
			if (e.kind == FCGI_CLIENT_STDERR)
				strncat(a->err, (const char *)e.at, e.len);
			if (e.kind == FCGI_CLIENT_END) {
				a->ended = true;
				a->status = e.app_status;
				a->protocol = e.protocol_status;
			}
			if (e.kind == FCGI_CLIENT_BROKEN)
				a->why = e.why;
		}
	}
	fcgi_client_eof(&c, &e);
	if (e.kind == FCGI_CLIENT_BROKEN)
		a->why = e.why;
}

static const struct {
	const char *name, *bytes;
	size_t len;
	const char *out, *err;
	bool ended;
	uint8_t protocol;
} answers[] = {
#define ANSWER(name, bytes, ...)                                                                                                                               \
	{                                                                                                                                                      \
		name, bytes, sizeof(bytes) - 1, __VA_ARGS__                                                                                                    \
	}
	ANSWER("plain", REC("\6", "\1", "\2", "ab") REC("\6", "\1", "\1", "c") END_OK, "abc", "", true, 0),
	ANSWER("both streams", REC("\6", "\1", "\1", "a") REC("\7", "\1", "\1", "e") REC("\6", "\1", "\1", "b") END_OK, "ab", "e", true, 0),
	ANSWER("padded",
	       "\1\6\0\1\0\1\3\0"
	       "aXYZ"
	       "\1\3\0\1\0\10\5\0"
	       "\0\0\0\5\0\0\0\0"
	       "12345",
	       "a", "", true, 0),
	ANSWER("ends of streams", REC("\6", "\1", "\1", "a") REC("\6", "\1", "\0", "") REC("\7", "\1", "\0", "") END_OK, "a", "", true, 0),
	ANSWER("another request's", REC("\6", "\2", "\1", "X") REC("\6", "\1", "\1", "a") REC("\3", "\2", "\10", "\0\0\0\0\0\0\0\0") END_OK, "a", "", true, 0),
	ANSWER("management", REC("\12", "\0", "\2", "\0\0") REC("\13", "\0", "\10", "\11\0\0\0\0\0\0\0") REC("\6", "\1", "\1", "a") END_OK, "a", "", true, 0),
	ANSWER("unknown type", REC("\143", "\1", "\2", "??") REC("\6", "\1", "\1", "a") END_OK, "a", "", true, 0),
	ANSWER("overloaded", REC("\3", "\1", "\10", "\0\0\0\5\2\0\0\0"), "", "", true, FCGI_OVERLOADED),
	ANSWER("after the end", END_OK REC("\6", "\1", "\1", "X"), "", "", true, 0),
	ANSWER("no end", REC("\6", "\1", "\2", "ab"), "ab", "", false, 0),
	ANSWER("cut in a record", "\1\6\0\1\0\5\0\0ab", "ab", "", false, 0),
	ANSWER("nothing", "", "", "", false, 0),
	ANSWER("no FastCGI", "HTTP/1.1 200 OK\r\n\r\nhello", "", "", false, 0),
};

static void test_answers_in_every_split(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		for (size_t split = 0; split <= answers[i].len; split++) {
			struct answer a;

			receive(answers[i].bytes, answers[i].len, split, &a);
			if (strcmp(a.out, answers[i].out) != 0 || a.ended != answers[i].ended || (a.why == NULL) != a.ended)
				print_message("%s, split at %zu\n", answers[i].name, split);
			assert_string_equal(a.out, answers[i].out);
			assert_string_equal(a.err, answers[i].err);
			assert_int_equal(a.ended, answers[i].ended);
			assert_int_equal(a.why == NULL, a.ended); /* never complete without its end */
			assert_int_equal(a.protocol, answers[i].protocol);
			assert_int_equal(a.status, a.ended ? 5 : 0);
		}
	}
}

/* Instead of more input the application gets ABORT_REQUEST, and is still to end the request. */
static void test_abort(void **state)
{
	struct fcgi_reader r = FCGI_READER(FCGI_APPLICATION);
	struct fcgi_client c;
	struct fcgi_client_event ce;
	struct fcgi_event e = {.kind = FCGI_EVENT_NONE};
	size_t size, at;

	(void)state;
	assert_int_equal(fcgi_client_begin(&c, &(struct fcgi_request){.role = FCGI_RESPONDER}), 0);
	size = fcgi_client_pull(&c, wire, sizeof(wire));
	assert_int_equal(fcgi_client_wants(&c), FCGI_STDIN);
	fcgi_client_abort(&c);
	assert_int_equal(fcgi_client_wants(&c), 0);
	size += fcgi_client_pull(&c, wire + size, sizeof(wire) - size);
	assert_int_equal(fcgi_client_pull(&c, wire + size, 1), 0);
	for (at = 0; at < size;)
		at += fcgi_read(&r, wire + at, size - at, &e);
	assert_int_equal(e.kind, FCGI_EVENT_ABORT);
	assert_int_equal(fcgi_client_receive(&c, (const uint8_t *)END_OK, 16, &ce), 16);
	assert_int_equal(ce.kind, FCGI_CLIENT_END);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_sent_is_what_was_meant), cmocka_unit_test(test_records), cmocka_unit_test(test_a_parameter_that_cannot_be_said),
		cmocka_unit_test(test_answers_in_every_split),         cmocka_unit_test(test_abort),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
