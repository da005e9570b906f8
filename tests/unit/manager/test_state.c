/* What outlives a manager: written by one, read with distrust by the next. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "fcgipm/manager/state.h"

static void survives(void **state)
{
	struct state a, b;
	struct state_pool *r;

	(void)state;
	assert_int_equal(state_create(&a), 0);
	r = state_intern(&a, "blog");
	assert_non_null(r);
	assert_int_equal(r->min_override, -1);
	r->tag = 7;
	r->counters[0] = 42;
	assert_int_equal(state_open(&b, fcntl(a.fd, F_DUPFD_CLOEXEC, 3)), 0);
	state_fini(&a);
	r = state_find(&b, "blog");
	assert_non_null(r);
	assert_int_equal(r->tag, 7);
	assert_int_equal(r->counters[0], 42);
	assert_null(state_find(&b, "blo"));
	state_fini(&b);
}

static void grows(void **state)
{
	struct state s;
	char name[32];

	(void)state;
	assert_int_equal(state_create(&s), 0);
	for (unsigned i = 0; i < 1000; i++) {
		struct state_pool *r;

		snprintf(name, sizeof(name), "pool%u", i);
		r = state_intern(&s, name);
		assert_non_null(r);
		r->tag = i;
	}
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "pool%u", i);
		assert_int_equal(state_find(&s, name)->tag, i);
	}
	assert_int_equal(ftruncate(s.fd, 0), -1); /* nobody can take it from under a reader */
	state_fini(&s);
}

static void refused(void **state)
{
	struct state s;
	char junk[8192];
	int fd;

	(void)state;
	memset(junk, 0x5a, sizeof(junk));
	fd = memfd_create("junk", MFD_CLOEXEC);
	assert_int_equal(write(fd, junk, sizeof(junk)), sizeof(junk));
	assert_int_not_equal(state_open(&s, fd), 0); /* not sealed */
	fd = memfd_create("junk", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	assert_int_equal(write(fd, junk, sizeof(junk)), sizeof(junk));
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
	assert_int_not_equal(state_open(&s, fd), 0); /* no magic */
	fd = memfd_create("small", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
	assert_int_not_equal(state_open(&s, fd), 0); /* no header */
	fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	assert_int_not_equal(state_open(&s, fd), 0);
	assert_int_equal(s.fd, -1);
}

/* A name without its end, or one that is too long, is no name. */
static void bad_names(void **state)
{
	struct state s;
	struct state_pool *r;
	char name[STATE_NAME_MAX + 1];

	(void)state;
	memset(name, 'a', sizeof(name));
	name[STATE_NAME_MAX] = '\0';
	assert_int_equal(state_create(&s), 0);
	assert_null(state_intern(&s, name));
	name[STATE_NAME_MAX - 1] = '\0';
	r = state_intern(&s, name);
	assert_non_null(r);
	r->name[STATE_NAME_MAX - 1] = 'a';
	assert_null(state_find(&s, name));
	state_fini(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(survives),
		cmocka_unit_test(grows),
		cmocka_unit_test(refused),
		cmocka_unit_test(bad_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
