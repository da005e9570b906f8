/* The head of an answer: what it may look like, whole, in every split and a byte at a time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* before cmocka.h */
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "fcgipm/fcgi/head.h"

/* As text: "state status|status line|name=value|...|body". */
static void tell(struct fcgi_head *h, const char *body, char *out, size_t cap)
{
	static const char *const states[] = {"more", "ready", "long", "bad"};
	struct fcgi_field f;
	size_t n = (size_t)snprintf(out, cap, "%s", states[h->state]);

	if (h->state != FCGI_HEAD_READY)
		return;
	n += (size_t)snprintf(out + n, cap - n, " %d|%s|", h->status, h->status_line != NULL ? h->status_line : "");
	while (fcgi_head_next(h, &f))
		n += (size_t)snprintf(out + n, cap - n, "%s=%s|", f.name, f.value);
	snprintf(out + n, cap - n, "%s", body);
}

static void feed(const char *text, size_t len, size_t split, char *out, size_t cap)
{
	char buf[256];
	struct fcgi_head h = FCGI_HEAD(buf, sizeof(buf));
	size_t used = fcgi_head_take(&h, text, split);

	if (used == split)
		used += fcgi_head_take(&h, text + split, len - split);
	tell(&h, text + used, out, cap);
}

static void expect(const char *text, const char *told)
{
	size_t len = strlen(text);
	char out[1024], buf[256];
	struct fcgi_head h = FCGI_HEAD(buf, sizeof(buf));
	size_t used = 0;

	for (size_t split = 0; split <= len; split++) {
		feed(text, len, split, out, sizeof(out));
		assert_string_equal(out, told);
	}
	while (used < len && h.state == FCGI_HEAD_MORE)
		used += fcgi_head_take(&h, text + used, 1);
	tell(&h, text + used, out, sizeof(out));
	assert_string_equal(out, told);
}

static void test_heads(void **state)
{
	(void)state;
	expect("Content-Type: text/plain\r\n\r\nbody", "ready 0||Content-Type=text/plain|body");
	expect("Content-Type: text/plain\n\nbody", "ready 0||Content-Type=text/plain|body");
	expect("A:1\nB:  2 \t\r\nC:\n\n\n", "ready 0||A=1|B=2|C=|\n");
	expect("\nbody", "ready 0||body");
	expect("\r\nbody", "ready 0||body");
	expect("Set-Cookie: a=1\nSet-Cookie: b=2\n\n", "ready 0||Set-Cookie=a=1|Set-Cookie=b=2|");
}

static void test_status(void **state)
{
	(void)state;
	expect("Status: 404 Not Found\nA: 1\n\nx", "ready 404|404 Not Found|A=1|x");
	expect("A: 1\nsTATUS:404\nB: 2\n\n", "ready 404|404|A=1|B=2|");
	expect("A: 1\nStatus: 302  Moved\n\n", "ready 302|302  Moved|A=1|");
	expect("HTTP/1.1 201 Created\r\nA: 1\r\n\r\n", "ready 201|201 Created|A=1|");
	expect("HTTP/ 200\nA: 1\n\n", "ready 200|200|A=1|");
	expect("Status: 103 Early Hints\nLink: x\n\nStatus: 200\n\n", "ready 103|103 Early Hints|Link=x|Status: 200\n\n");
	expect("Status: 4\n\n", "bad");
	expect("Status: 4040\n\n", "bad");
	expect("Status: 099\n\n", "bad");
	expect("Status: abc\n\n", "bad");
	expect("Status: 200\nStatus: 404\n\n", "bad");
	expect("A: 1\nHTTP/1.1 200 OK\n\n", "bad");
	expect("HTTP/1.1\n\n", "bad");
}

static void test_continued(void **state)
{
	(void)state;
	expect("A: 1\n 2\r\n\t3\nB: 4\n\n", "ready 0||A=1  2  \t3|B=4|");
	expect(" A: 1\n\n", "bad");
	expect("A: 1\n \n\n", "ready 0||A=1|");
}

static void test_malformed(void **state)
{
	(void)state;
	expect("<html>\n\n", "bad");
	expect("no colon\n\n", "bad");
	expect(": no name\n\n", "bad");
	expect("A : 1\n\n", "bad");
	expect("A\x01: 1\n\n", "bad");
	expect("A: 1\x01\n\n", "bad");
	expect("A: 1\r2\n\n", "bad");
	expect("A: 1\n", "more");
	expect("", "more");
}

static void test_nul(void **state)
{
	const char text[] = "A: 1\0B: 2\n\n";
	char out[256];

	(void)state;
	feed(text, sizeof(text) - 1, 3, out, sizeof(out));
	assert_string_equal(out, "bad");
}

static void test_too_long(void **state)
{
	char text[300];

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	expect(text, "long");
}

static void test_reset(void **state)
{
	static const char text[] = "Status: 100\n\nStatus: 200\nA: 1\n\nbody";
	char buf[256], out[256];
	struct fcgi_head h = FCGI_HEAD(buf, sizeof(buf));
	size_t used = fcgi_head_take(&h, text, strlen(text));

	(void)state;
	assert_int_equal(h.status, 100);
	fcgi_head_reset(&h);
	used += fcgi_head_take(&h, text + used, strlen(text) - used);
	tell(&h, text + used, out, sizeof(out));
	assert_string_equal(out, "ready 200|200|A=1|body");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_heads), cmocka_unit_test(test_status),   cmocka_unit_test(test_continued), cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_nul),   cmocka_unit_test(test_too_long), cmocka_unit_test(test_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
