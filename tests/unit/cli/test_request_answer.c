/* The head of an answer: statuses, odd heads, one byte at a time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* before cmocka.h */
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "fcgipm/cli/request_answer.h"

struct want {
	const char *input;
	bool show;
	int status;
	const char *output, *complaint;
};

static const struct want wants[] = {
	{"Content-Type: text/plain\r\n\r\nhello", false, 200, "hello", NULL},
	{"Content-Type: text/plain\n\nhello\n\nworld", false, 200, "hello\n\nworld", NULL},
	{"\r\nhello", false, 200, "hello", NULL},
	{"status: 404 Not Found\r\nA: b\r\n\r\n", false, 404, "", NULL},
	{"A: b\nStatus:503\n\nx", true, 503, "A: b\nStatus:503\n\nx", NULL},
	{"HTTP/1.1 201 Created\r\nA: b\r\n\r\nx", false, 201, "x", NULL},
	{"Status: 103\r\nLink: </x>\r\n\r\nStatus: 404\r\n\r\nx", false, 404, "x", NULL},
	{"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 500 Oops\r\n\r\nx", false, 500, "x", NULL},
	{"A: b\r\n continued\r\n\r\nx", false, 200, "x", NULL},
	{"Status: 99\r\n\r\nx", false, 200, "Status: 99\r\n\r\nx", "the answer has no CGI head"},
	{"Status: 20000\n\nx", false, 200, "Status: 20000\n\nx", "the answer has no CGI head"},
	{"Fatal error\nmore", false, 200, "Fatal error\nmore", "the answer has no CGI head"},
	{"Fatal error\nmore", true, 200, "Fatal error\nmore", "the answer has no CGI head"},
	{"Fatal error in x: y\nmore", false, 200, "Fatal error in x: y\nmore", "the answer has no CGI head"},
	{": x\n\n", false, 200, ": x\n\n", "the answer has no CGI head"},
	{"A: b\r\nStat", false, 200, "Stat", "the answer ends within its head"},
	{"Status: 100\n\n", false, 200, "", "the answer ends within its head"},
	{"", false, 200, "", "the application sent no answer"},
};

static void check(const struct want *w, size_t step)
{
	static struct request_answer a;
	char *output = NULL;
	size_t output_len = 0, len = strlen(w->input);
	FILE *out = open_memstream(&output, &output_len);
	const char *complaint;

	request_answer_init(&a, out, w->show);
	for (size_t at = 0; at < len; at += step)
		request_answer_feed(&a, w->input + at, len - at < step ? len - at : step);
	complaint = request_answer_end(&a);
	fclose(out);
	assert_string_equal(output, w->output);
	assert_string_equal(complaint != NULL ? complaint : "", w->complaint != NULL ? w->complaint : "");
	assert_int_equal(a.status, w->status);
	free(output);
}

static void test_answers(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(wants) / sizeof(wants[0]); i++)
		for (size_t step = 1; step < 64; step++)
			check(&wants[i], step);
}

static void test_endless_line(void **state)
{
	static struct request_answer a;
	static char bytes[ANSWER_LINE_MAX + 10];
	char *output = NULL;
	size_t output_len = 0;
	FILE *out = open_memstream(&output, &output_len);

	(void)state;
	memset(bytes, 'a', sizeof(bytes));
	request_answer_init(&a, out, false);
	request_answer_feed(&a, bytes, sizeof(bytes) / 2);
	request_answer_feed(&a, bytes, sizeof(bytes) - sizeof(bytes) / 2);
	assert_non_null(request_answer_end(&a));
	fclose(out);
	assert_int_equal(output_len, sizeof(bytes));
	free(output);
}

static void test_nul_in_the_head(void **state)
{
	static struct request_answer a;
	char *output = NULL;
	size_t output_len = 0;
	FILE *out = open_memstream(&output, &output_len);

	(void)state;
	request_answer_init(&a, out, false);
	request_answer_feed(&a, "A\0: b\n\nx", 8);
	assert_string_equal(request_answer_end(&a), "the answer has no CGI head");
	fclose(out);
	assert_int_equal(output_len, 8);
	free(output);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_endless_line),
		cmocka_unit_test(test_nul_in_the_head),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
