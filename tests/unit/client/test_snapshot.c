/* The snapshot's reader: right, and all or nothing on whatever is cut or lies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* before cmocka.h */
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fcgipm/base/fd.h"
#include "fcgipm/client/snapshot.h"
#include "tests/unit/client/sample.h"

static uint8_t bytes[4096];

static void test_reads(void **state)
{
	size_t len = sample_encode(bytes, sizeof(bytes));
	struct snapshot s;
	struct wire_rd r;

	(void)state;
	assert_int_equal(snapshot_decode(bytes, len, &s, NULL), 0);
	assert_int_equal(s.manager.launcher_pid, 11);
	assert_int_equal(s.count, 2);
	assert_string_equal(s.pools[0].figures.name, "blog");
	assert_int_equal(s.pools[0].pids.count, 3);
	r = s.pools[0].pids.rest;
	assert_int_equal(wire_get_i32(&r), 21);
	assert_int_equal(wire_get_i32(&r), 22);
	assert_int_equal(s.pools[1].notes.count, 1);
	r = s.pools[1].notes.rest;
	assert_string_equal(wire_get_str(&r), "3 \"crashes\" in a row");
	assert_true(s.pools[1].figures.memory_bytes == WIRE_UNKNOWN);
	assert_int_equal(s.profile_count, 1);
	assert_string_equal(s.profiles[0].name, "c\"gi");
	assert_int_equal(s.profiles[0].cpu_ms, 93500);
	snapshot_free(&s);
	assert_null(s.pools);
}

static void test_every_cut(void **state)
{
	size_t len = sample_encode(bytes, sizeof(bytes));
	struct snapshot s = {.count = 77};

	(void)state;
	for (size_t cut = 0; cut < len; cut++) {
		uint8_t *part = malloc(cut + 1); /* so that a sanitizer sees a read beyond it */

		memcpy(part, bytes, cut);
		part = realloc(part, cut > 0 ? cut : 1);
		assert_int_equal(snapshot_decode(part, cut, &s, NULL), -EBADMSG);
		free(part);
	}
	bytes[len] = 0;
	assert_int_equal(snapshot_decode(bytes, len + 1, &s, NULL), -EBADMSG);
	assert_int_equal(s.count, 77);
}

static size_t head(uint32_t count)
{
	struct wire_wr w = {.at = bytes, .cap = sizeof(bytes)};

	wire_put_u32(&w, WIRE_STATUS_MAGIC);
	wire_put_status_manager(&w, &(const struct wire_status_manager){.version = "1"});
	wire_put_u32(&w, count);
	if (count == 0)
		wire_put_u32(&w, 0); /* profiles */
	return w.len;
}

static void test_counts_that_lie(void **state)
{
	struct snapshot s;
	size_t len;

	(void)state;
	assert_int_equal(snapshot_decode(bytes, head(0), &s, NULL), 0);
	snapshot_free(&s);
	len = head(UINT32_MAX);
	memset(bytes + len, 0, sizeof(bytes) - len);
	assert_int_equal(snapshot_decode(bytes, sizeof(bytes), &s, NULL), -EBADMSG);
	len = head(0) - sizeof(uint32_t);
	memset(bytes + len, 0xff, sizeof(bytes) - len); /* so many profiles */
	assert_int_equal(snapshot_decode(bytes, sizeof(bytes), &s, NULL), -EBADMSG);
	len = head(1);
	assert_int_equal(snapshot_decode(bytes, len, &s, NULL), -EBADMSG);
}

static void test_another_version(void **state)
{
	size_t len = sample_encode(bytes, sizeof(bytes));
	struct snapshot s;
	struct fp_err err = {.code = 0};

	(void)state;
	bytes[0] ^= 1;
	assert_int_equal(snapshot_decode(bytes, len, &s, &err), -EBADMSG);
	assert_string_equal(err.text, "the status is of another version");
}

static void test_only_sealed(void **state)
{
	size_t len = sample_encode(bytes, sizeof(bytes));
	struct snapshot s = {.count = 77};
	int fd = memfd_create("status", MFD_CLOEXEC | MFD_ALLOW_SEALING), pipes[2];

	(void)state;
	assert_int_equal(write(fd, bytes, len), len);
	assert_int_equal(snapshot_open(fd, &s, NULL), -EPERM);
	close(fd);
	assert_int_equal(pipe(pipes), 0);
	assert_true(snapshot_open(pipes[0], &s, NULL) < 0);
	close(pipes[0]);
	close(pipes[1]);
	assert_true(snapshot_open(-1, &s, NULL) < 0);
	assert_int_equal(fp_memfd_sealed("status", "", 0, &fd), 0);
	assert_int_equal(snapshot_open(fd, &s, NULL), -EBADMSG);
	close(fd);
	assert_int_equal(s.count, 77);
	assert_int_equal(fp_memfd_sealed("status", bytes, len, &fd), 0);
	assert_int_equal(snapshot_open(fd, &s, NULL), 0);
	close(fd);
	assert_string_equal(s.pools[1].figures.name, "bad");
	snapshot_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads),           cmocka_unit_test(test_every_cut),   cmocka_unit_test(test_counts_that_lie),
		cmocka_unit_test(test_another_version), cmocka_unit_test(test_only_sealed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
