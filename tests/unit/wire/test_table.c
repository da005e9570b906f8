/* The message table: every reason to refuse, in its order, and that a refused message reaches no handler and leaves no descriptor. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* before cmocka.h */
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "fcgipm/wire/table.h"

enum { EARLY = 1, LATE = 2, OTHER = 4 };

struct seen {
	int calls, keep_fd, answer;
};

static int on_message(void *ctx, struct wire_dgram *d)
{
	struct seen *s = ctx;

	s->calls++;
	s->keep_fd = wire_take_fd(d, 1);
	return s->answer;
}

static const struct wire_row rows[] = {
	[1] = {"plain", on_message, EARLY, 16, 0, 0},
	[2] = {"with two", on_message, EARLY | LATE, 16, 2, 3},
	[4] = {"sent only", NULL, EARLY, 16, 0, 0},
};

static const struct {
	uint16_t type;
	uint32_t phase;
	size_t len;
	unsigned nfds;
	enum wire_refusal want;
	const char *name;
} cases[] = {
	{1, EARLY, 8, 0, WIRE_ACCEPTED, "plain"},          {1, EARLY, 16, 0, WIRE_ACCEPTED, "plain"},
	{1, EARLY, 17, 0, WIRE_TOO_LONG, "plain"},         {1, LATE, 8, 0, WIRE_WRONG_PHASE, "plain"},
	{1, 0, 8, 0, WIRE_WRONG_PHASE, "plain"},           {1, EARLY, 8, 1, WIRE_WRONG_FDS, "plain"},
	{2, EARLY, 8, 2, WIRE_ACCEPTED, "with two"},       {2, LATE, 8, 3, WIRE_ACCEPTED, "with two"},
	{2, OTHER, 8, 2, WIRE_WRONG_PHASE, "with two"},    {2, LATE, 8, 1, WIRE_WRONG_FDS, "with two"},
	{2, LATE, 8, 4, WIRE_WRONG_FDS, "with two"},       {2, OTHER, 17, 4, WIRE_WRONG_PHASE, "with two"}, /* the first of several reasons */
	{0, EARLY, 8, 0, WIRE_UNKNOWN_TYPE, "?"}, /* holes in the table */
	{3, EARLY, 8, 1, WIRE_UNKNOWN_TYPE, "?"},          {4, EARLY, 8, 0, WIRE_WRONG_PHASE, "sent only"}, /* nobody handles it here */
	{5, EARLY, 8, 1, WIRE_UNKNOWN_TYPE, "?"}, /* beyond it */
	{UINT16_MAX, EARLY, 8, 0, WIRE_UNKNOWN_TYPE, "?"},
};

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static struct wire_dgram message;

/* A message with real descriptors; fds gets their numbers. */
static void make(uint16_t type, size_t len, unsigned nfds, int *fds)
{
	message.type = type;
	message.len = len;
	message.nfds = nfds;
	for (unsigned i = 0; i < nfds; i++) {
		fds[i] = message.fds[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
		assert_true(fds[i] >= 0);
	}
}

static void test_judgement(void **state)
{
	const struct wire_table t = WIRE_TABLE(rows);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct seen s = {.keep_fd = -1};
		int fds[WIRE_FDS_MAX];
		const char *name = NULL;

		make(cases[i].type, cases[i].len, cases[i].nfds, fds);
		assert_int_equal(wire_dispatch(&t, cases[i].phase, &s, &message, &name), cases[i].want);
		assert_string_equal(name, cases[i].name);
		assert_int_equal(s.calls, cases[i].want == WIRE_ACCEPTED);
		assert_int_equal(message.nfds, 0);
		/* What the handler took is open, all else is closed. */
		for (unsigned k = 0; k < cases[i].nfds; k++)
			assert_int_equal(is_open(fds[k]), fds[k] == s.keep_fd);
		if (s.keep_fd >= 0)
			close(s.keep_fd);
		assert_int_equal(s.keep_fd >= 0, s.calls == 1 && cases[i].nfds > 1);
	}
}

static void test_malformed(void **state)
{
	const struct wire_table t = WIRE_TABLE(rows);
	struct seen s = {.answer = -EBADMSG};
	const char *name = NULL;
	int fds[WIRE_FDS_MAX];

	(void)state;
	make(2, 8, 3, fds);
	assert_int_equal(wire_dispatch(&t, LATE, &s, &message, &name), WIRE_MALFORMED);
	assert_string_equal(name, "with two");
	assert_int_equal(s.calls, 1);
	assert_false(is_open(fds[0]) || is_open(fds[2]));
	assert_int_equal(s.keep_fd, fds[1]);
	close(s.keep_fd);
}

static void test_names(void **state)
{
	static const char *const want[] = {"accepted", "unknown type", "wrong phase", "too long", "wrong number of descriptors", "malformed", "?"};

	(void)state;
	for (int i = 0; i <= WIRE_REFUSAL_COUNT; i++)
		assert_string_equal(wire_refusal_name((enum wire_refusal)i), want[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_judgement),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
