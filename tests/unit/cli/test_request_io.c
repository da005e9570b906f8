/* One request against applications that behave, and that do not: each is a child with the other end of a socket pair,
 * and speaks FastCGI by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* before cmocka.h */
#include <cmocka.h>
#include <errno.h>
#include <fastcgi.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fcgipm/base/clock.h"
#include "fcgipm/base/fd.h"
#include "fcgipm/cli/request_io.h"

enum { BIG = 3 << 20 };

struct record {
	uint8_t type;
	size_t len;
	char bytes[65536 + 256];
};

static struct record in;
static char *output, *complaint;
static size_t output_len, complaint_len;
static struct request_end ended;
static struct fp_err err;
static struct request_answer answer;

/* ---- the application's side ---- */

static void app_read(int fd)
{
	uint8_t h[8];

	if (fp_read_full(fd, h, sizeof(h)) < 0 || h[0] != FCGI_VERSION_1)
		_exit(1);
	in.type = h[1];
	in.len = (size_t)h[4] << 8 | h[5];
	if (fp_read_full(fd, in.bytes, in.len + h[6]) < 0)
		_exit(2);
}

static void app_write(int fd, uint8_t type, const char *bytes, size_t len, uint8_t padding)
{
	uint8_t h[8] = {FCGI_VERSION_1, type, 0, 1, (uint8_t)(len >> 8), (uint8_t)len, padding, 0};
	static const char zeros[255];

	if (fp_write_full(fd, h, sizeof(h)) < 0 || fp_write_full(fd, bytes, len) < 0 || fp_write_full(fd, zeros, padding) < 0)
		_exit(3);
}

static void app_end(int fd, uint32_t app_status, uint8_t protocol_status)
{
	const char body[8] = {(char)(app_status >> 24), (char)(app_status >> 16), (char)(app_status >> 8), (char)app_status, (char)protocol_status};

	app_write(fd, FCGI_END_REQUEST, body, sizeof(body), 0);
}

static void app_say(int fd, const char *text)
{
	app_write(fd, FCGI_STDOUT, text, strlen(text), 3);
}

/* A stream to its end; returns how many bytes there were, the first of them in to. */
static size_t app_stream(int fd, uint8_t type, char *to, size_t cap)
{
	size_t sum = 0;

	for (;;) {
		app_read(fd);
		if (in.type != type)
			_exit(4);
		if (in.len == 0)
			return sum;
		for (size_t i = 0; i < in.len && sum + i < cap; i++)
			to[sum + i] = in.bytes[i];
		sum += in.len;
	}
}

/* Begin and parameters. */
static void app_head(int fd, uint8_t role)
{
	static char params[65536];
	size_t len;

	app_read(fd);
	if (in.type != FCGI_BEGIN_REQUEST || in.len != 8 || in.bytes[1] != role || (in.bytes[2] & FCGI_KEEP_CONN) != 0)
		_exit(5);
	len = app_stream(fd, FCGI_PARAMS, params, sizeof(params));
	if (memmem(params, len,
		   "\x08\x02"
		   "GREETINGhi",
		   12) == NULL)
		_exit(6);
}

static void app_echo(int fd)
{
	char body[64] = "";
	size_t len;

	app_head(fd, FCGI_RESPONDER);
	len = app_stream(fd, FCGI_STDIN, body, sizeof(body));
	app_say(fd, "Status: 201\r\nContent-Type: text/plain\r\n");
	app_write(fd, FCGI_STDERR, "warning\n", 8, 0);
	app_say(fd, "\r\n");
	app_write(fd, FCGI_STDOUT, body, len, 255);
	app_write(fd, FCGI_STDOUT, "", 0, 0);
	app_end(fd, 0, FCGI_REQUEST_COMPLETE);
}

static void app_bytewise(int fd)
{
	static const char text[] = "A: b\r\n\r\nhello";

	app_head(fd, FCGI_RESPONDER);
	app_stream(fd, FCGI_STDIN, NULL, 0);
	for (size_t i = 0; i < sizeof(text) - 1; i++)
		app_write(fd, FCGI_STDOUT, text + i, 1, 0);
	app_end(fd, 3, FCGI_REQUEST_COMPLETE);
}

/* Writes everything before it reads the body: both ways must go on at once. */
static void app_writes_first(int fd)
{
	static char block[65535];

	app_head(fd, FCGI_RESPONDER);
	app_say(fd, "\r\n");
	memset(block, 'x', sizeof(block));
	for (size_t sent = 0; sent < BIG; sent += sizeof(block))
		app_write(fd, FCGI_STDOUT, block, sizeof(block), 0);
	if (app_stream(fd, FCGI_STDIN, NULL, 0) != BIG)
		_exit(7);
	app_end(fd, 0, FCGI_REQUEST_COMPLETE);
}

static void app_answers_early(int fd)
{
	app_head(fd, FCGI_RESPONDER);
	app_say(fd, "Status: 413\r\n\r\ntoo large");
	app_end(fd, 0, FCGI_REQUEST_COMPLETE);
}

static void app_overloaded(int fd)
{
	app_head(fd, FCGI_RESPONDER);
	app_end(fd, 0, FCGI_OVERLOADED);
}

static void app_dies(int fd)
{
	app_head(fd, FCGI_RESPONDER);
	app_say(fd, "\r\npart");
}

static void app_hangs(int fd)
{
	char c;

	app_head(fd, FCGI_RESPONDER);
	app_stream(fd, FCGI_STDIN, NULL, 0);
	while (read(fd, &c, 1) > 0)
		;
}

static void app_nonsense(int fd)
{
	app_head(fd, FCGI_RESPONDER);
	if (fp_write_full(fd, "HTTP/1.1 200 OK\r\n\r\n", 19) < 0)
		_exit(8);
}

static void app_filter(int fd)
{
	char body[16] = "", data[16] = "";

	app_head(fd, FCGI_FILTER);
	if (app_stream(fd, FCGI_STDIN, body, sizeof(body)) != 4 || app_stream(fd, FCGI_DATA, data, sizeof(data)) != 5)
		_exit(9);
	app_say(fd, "\r\n");
	app_say(fd, data);
	app_end(fd, 0, FCGI_REQUEST_COMPLETE);
}

static void app_authorizer(int fd)
{
	app_head(fd, FCGI_AUTHORIZER);
	app_stream(fd, FCGI_STDIN, NULL, 0);
	app_say(fd, "Status: 200\r\nVariable-USER: alice\r\n\r\n");
	app_end(fd, 0, FCGI_REQUEST_COMPLETE);
}

/* ---- the test's side ---- */

static struct request_body body_of(const char *text, size_t len)
{
	struct request_body b = {.bytes = (int64_t)len};

	assert_int_equal(fp_memfd_sealed("body", text, len, &b.fd), 0);
	assert_int_equal(lseek(b.fd, 0, SEEK_SET), 0);
	return b;
}

static int run(void (*app)(int), struct request *q)
{
	struct request_params params;
	int pair[2], r, status = -1;
	pid_t pid;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(fp_set_nonblock(pair[0], true), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(pair[0]);
		app(pair[1]);
		_exit(0);
	}
	close(pair[1]);
	free(output);
	free(complaint);
	q->err = open_memstream(&complaint, &complaint_len);
	request_answer_init(&answer, open_memstream(&output, &output_len), false);
	request_params_init(&params, &(const struct request_about){.role = q->role, .method = "GET", .target = "/x"});
	request_params_set(&params, "GREETING", "hi");
	q->params = &params;
	q->answer = &answer;
	ended = (struct request_end){.app_status = 77, .protocol_status = 77};
	err.code = 0;
	r = request_run(pair[0], q, &ended, &err);
	request_params_fini(&params);
	fclose(answer.out);
	fclose(q->err);
	close(pair[0]);
	request_body_close(&q->body);
	request_body_close(&q->data);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	return r;
}

static struct request request_of(enum request_role role)
{
	return (struct request){.role = role, .body.fd = -1, .data.fd = -1, .deadline_ms = INT64_MAX};
}

static void test_echo(void **state)
{
	struct request q = request_of(REQUEST_RESPONDER);

	(void)state;
	q.body = body_of("some body", 9);
	assert_int_equal(run(app_echo, &q), 0);
	assert_string_equal(output, "some body");
	assert_string_equal(complaint, "warning\n");
	assert_int_equal(answer.status, 201);
	assert_int_equal(ended.app_status, 0);
	assert_int_equal(ended.protocol_status, FCGI_REQUEST_COMPLETE);
	q = request_of(REQUEST_RESPONDER);
	assert_int_equal(run(app_echo, &q), 0);
	assert_string_equal(output, "");
}

static void test_bytewise_and_app_status(void **state)
{
	struct request q = request_of(REQUEST_RESPONDER);

	(void)state;
	assert_int_equal(run(app_bytewise, &q), 0);
	assert_string_equal(output, "hello");
	assert_int_equal(ended.app_status, 3);
}

static void test_both_ways_at_once(void **state)
{
	struct request q = request_of(REQUEST_RESPONDER);
	char *big = calloc(1, BIG);

	(void)state;
	q.body = body_of(big, BIG);
	q.deadline_ms = fp_now_ms() + 20000;
	assert_int_equal(run(app_writes_first, &q), 0);
	assert_true(output_len >= BIG);
	assert_int_equal(ended.protocol_status, FCGI_REQUEST_COMPLETE);
	free(big);
}

/* It closes with most of the body unread: what it has answered is still to be read. */
static void test_early_answer(void **state)
{
	struct request q = request_of(REQUEST_RESPONDER);
	char *big = calloc(1, BIG);

	(void)state;
	q.body = body_of(big, BIG);
	assert_int_equal(run(app_answers_early, &q), 0);
	assert_string_equal(output, "too large");
	assert_int_equal(answer.status, 413);
	free(big);
}

static void test_refusals(void **state)
{
	struct request q = request_of(REQUEST_RESPONDER);

	(void)state;
	assert_int_equal(run(app_overloaded, &q), 0);
	assert_int_equal(ended.protocol_status, FCGI_OVERLOADED);
	assert_int_equal(run(app_dies, &q), -ECONNRESET);
	assert_string_equal(output, "part");
	assert_int_equal(ended.app_status, 77);
	assert_int_equal(run(app_nonsense, &q), -EPROTO);
	assert_int_equal(ended.app_status, 77);
}

static void test_timeout(void **state)
{
	struct request q = request_of(REQUEST_RESPONDER);

	(void)state;
	q.deadline_ms = fp_now_ms() + 50;
	assert_int_equal(run(app_hangs, &q), -ETIMEDOUT);
	assert_true(fp_now_ms() >= q.deadline_ms);
}

static void test_other_roles(void **state)
{
	struct request q = request_of(REQUEST_FILTER);

	(void)state;
	q.body = body_of("body", 4);
	q.data = body_of("datum", 5);
	assert_int_equal(run(app_filter, &q), 0);
	assert_string_equal(output, "datum");
	q = request_of(REQUEST_AUTHORIZER);
	assert_int_equal(run(app_authorizer, &q), 0);
	assert_int_equal(answer.status, 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_echo),
		cmocka_unit_test(test_bytewise_and_app_status),
		cmocka_unit_test(test_both_ways_at_once),
		cmocka_unit_test(test_early_answer),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_timeout),
		cmocka_unit_test(test_other_roles),
	};
	int r = cmocka_run_group_tests(tests, NULL, NULL);

	free(output);
	free(complaint);
	return r;
}
