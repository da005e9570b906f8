/* One pool's spec as bytes: round trips, every truncation, a trailing byte, every field out of its range. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* before cmocka.h */
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/spec/good.h"

#define X10   "xxxxxxxxxx"
#define X100  X10 X10 X10 X10 X10 X10 X10 X10 X10 X10
#define X1000 X100 X100 X100 X100 X100 X100 X100 X100 X100 X100
#define X4000 "/" X1000 X1000 X1000 X1000

enum { ROOM = 1 << 20 };
static uint8_t room[ROOM];

/* On the heap and of exactly that length, so that memory checkers see a look beyond it. */
static struct wire_blob encode_pool(const struct spec_pool *p)
{
	struct wire_wr w = {.at = room, .cap = ROOM};
	uint8_t *at;

	spec_pool_encode(&w, p);
	assert_false(w.bad);
	at = malloc(w.len);
	assert_non_null(at);
	memcpy(at, room, w.len);
	return (struct wire_blob){at, w.len};
}

static void drop(struct wire_blob *b)
{
	free((void *)(uintptr_t)b->at);
	*b = (struct wire_blob){0};
}

static void same_texts(const char **a, const char **b)
{
	for (; *a != NULL && *b != NULL; a++, b++)
		assert_string_equal(*a, *b);
	assert_true(*a == NULL && *b == NULL);
}

static void same_process(const struct spec_pool *a, const struct spec_pool *b)
{
	assert_string_equal(a->name, b->name);
	assert_true(a->uid == b->uid && a->gid == b->gid);
	assert_int_equal(a->group_count, b->group_count);
	assert_memory_equal(a->groups, b->groups, a->group_count * sizeof(a->groups[0]));
	same_texts(a->argv, b->argv);
	same_texts(a->envp, b->envp);
	assert_string_equal(a->environment_file, b->environment_file);
	assert_string_equal(a->chroot, b->chroot);
	assert_string_equal(a->directory, b->directory);
	assert_int_equal(a->umask, b->umask);
	assert_memory_equal(a->limits, b->limits, sizeof(a->limits));
	assert_int_equal(a->nice, b->nice);
	assert_true(a->capabilities == b->capabilities);
	assert_int_equal(a->no_new_privileges, b->no_new_privileges);
}

static void same_rest(const struct spec_pool *a, const struct spec_pool *b)
{
	assert_int_equal(a->listen, b->listen);
	assert_string_equal(a->address, b->address);
	assert_int_equal(a->private_socket, b->private_socket);
	assert_true(a->socket_uid == b->socket_uid && a->socket_gid == b->socket_gid);
	assert_int_equal(a->socket_mode, b->socket_mode);
	assert_int_equal(a->backlog, b->backlog);
	assert_int_equal(a->max_workers, b->max_workers);
	assert_int_equal(a->stop_signal, b->stop_signal);
	assert_int_equal(a->busy_signal, b->busy_signal);
	assert_true(a->stop_timeout_ms == b->stop_timeout_ms);
	assert_int_equal(a->output, b->output);
	assert_string_equal(a->output_path, b->output_path);
}

static const char *least_argv[] = {"", NULL};
static const char *no_texts[] = {NULL};
static const char *long_argv[] = {X4000 X4000 X4000, NULL};

/* clang-format off */
/* Each bound of a field is inside. */
static const struct spec_pool good[] = {
	GOOD_POOL(),
	GOOD_POOL(.group_count = 0, .argv = least_argv, .envp = no_texts, .environment_file = "", .chroot = "", .directory = "", .address = "", .output_path = ""),
	GOOD_POOL(.group_count = SPEC_GROUPS_MAX, .groups = {[255] = 77}),
	GOOD_POOL(.argv = long_argv, .envp = long_argv),
	GOOD_POOL(.chroot = X4000, .directory = X4000, .output_path = X4000),
	GOOD_POOL(.umask = 0, .nice = -20, .no_new_privileges = false, .socket_mode = 0, .backlog = 1, .max_workers = 1),
	GOOD_POOL(.umask = 0777, .nice = 19, .socket_mode = 0777, .backlog = 65535, .max_workers = 65535),
	GOOD_POOL(.stop_signal = 1, .busy_signal = 0, .stop_timeout_ms = 0, .output = SPEC_OUTPUT_NULL),
	GOOD_POOL(.stop_signal = 64, .busy_signal = 64, .stop_timeout_ms = UINT64_C(31536000000), .output = SPEC_OUTPUT_LOG),
	GOOD_POOL(.listen = SPEC_LISTEN_TCP, .address = "[::1]:9000", .private_socket = true),
	GOOD_POOL(.uid = UINT32_MAX, .gid = UINT32_MAX, .capabilities = UINT64_MAX, .limits = {0}), /* for the floors to refuse */
	GOOD_POOL(.name = "site@alice"),
};

/* One step beyond each. */
static const struct {
	const char *wrong;
	struct spec_pool pool;
} bad[] = {
	{"a name that no pool may have", GOOD_POOL(.name = "")},
	{"a name that no pool may have", GOOD_POOL(.name = "Blog")},
	{"a name that no pool may have", GOOD_POOL(.name = "../blog")},
	{"name too long", GOOD_POOL(.name = X100 X10 X10 "xxxxxxx")},
	{"no command", GOOD_POOL(.argv = no_texts)},
	{"environment_file too long", GOOD_POOL(.environment_file = X4000 X100)},
	{"chroot too long", GOOD_POOL(.chroot = X4000 X100)},
	{"directory too long", GOOD_POOL(.directory = X4000 X100)},
	{"umask out of range", GOOD_POOL(.umask = 01000)},
	{"nice value out of range", GOOD_POOL(.nice = -21)},
	{"nice value out of range", GOOD_POOL(.nice = 20)},
	{"unknown kind of address", GOOD_POOL(.listen = 2)},
	{"address too long", GOOD_POOL(.address = "/" X100 "xxxxxxx")},
	{"socket mode out of range", GOOD_POOL(.socket_mode = 01000)},
	{"socket mode out of range", GOOD_POOL(.socket_mode = 04755)},
	{"backlog out of range", GOOD_POOL(.backlog = 0)},
	{"backlog out of range", GOOD_POOL(.backlog = 65536)},
	{"max_workers out of range", GOOD_POOL(.max_workers = 0)},
	{"max_workers out of range", GOOD_POOL(.max_workers = 65536)},
	{"stop signal out of range", GOOD_POOL(.stop_signal = 0)},
	{"stop signal out of range", GOOD_POOL(.stop_signal = -1)},
	{"stop signal out of range", GOOD_POOL(.stop_signal = 65)},
	{"busy signal out of range", GOOD_POOL(.busy_signal = -1)},
	{"busy signal out of range", GOOD_POOL(.busy_signal = 65)},
	{"unknown kind of output", GOOD_POOL(.output = 3)},
	{"output path too long", GOOD_POOL(.output_path = X4000 X100)},
	{"stop timeout out of range", GOOD_POOL(.stop_timeout_ms = UINT64_C(366) * 24 * 3600 * 1000 + 1)},
	{"stop timeout out of range", GOOD_POOL(.stop_timeout_ms = UINT64_MAX)},
};
/* clang-format on */

static void test_round_trip(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct wire_blob b = encode_pool(&good[i]), again;
		struct spec_pool p;

		assert_int_equal(spec_pool_decode(b, &p, NULL), 0);
		same_process(&good[i], &p);
		same_rest(&good[i], &p);
		again = encode_pool(&p);
		assert_int_equal(again.len, b.len);
		assert_memory_equal(again.at, b.at, b.len);
		spec_pool_free(&p);
		drop(&again);
		drop(&b);
	}
}

/* The bytes are refused with this text, and the result is left alone. */
static void pool_refused(struct wire_blob b, const char *wrong)
{
	struct spec_pool p;
	struct fp_err err = {0};
	char want[128];

	memset(&p, 0x55, sizeof(p));
	snprintf(want, sizeof(want), "a pool's spec: %s", wrong);
	assert_int_equal(spec_pool_decode(b, &p, &err), -EBADMSG);
	assert_string_equal(err.text, want);
	assert_int_equal(err.code, EBADMSG);
	for (size_t i = 0; i < sizeof(p); i++)
		assert_int_equal(((uint8_t *)&p)[i], 0x55);
}

static void test_out_of_range(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct wire_blob b = encode_pool(&bad[i].pool);

		pool_refused(b, bad[i].wrong);
		drop(&b);
	}
}

/* Lists of one more than there may be. */
static void test_lists_too_long(void **state)
{
	enum { MOST = 4097 };
	static const char *texts[MOST + 1];
	struct spec_pool p = GOOD_POOL(.argv = texts), q;
	struct wire_blob b;

	(void)state;
	for (int i = 0; i < SPEC_ARGS_MAX; i++)
		texts[i] = "x";
	b = encode_pool(&p);
	assert_int_equal(spec_pool_decode(b, &q, NULL), 0);
	same_texts(texts, q.argv);
	spec_pool_free(&q);
	drop(&b);
	for (int i = 0; i < MOST; i++)
		texts[i] = "x";
	texts[SPEC_ARGS_MAX + 1] = NULL;
	b = encode_pool(&p);
	pool_refused(b, "arguments too many or too long");
	drop(&b);
	texts[SPEC_ARGS_MAX + 1] = "x";
	p.argv = good_argv;
	p.envp = texts;
	b = encode_pool(&p);
	pool_refused(b, "environment too large");
	drop(&b);
}

/* One text longer than the kernel would take. */
static void test_text_too_long(void **state)
{
	enum { MOST = 128 << 10 };
	static char text[MOST + 2];
	const char *texts[] = {"/bin/x", text, NULL};
	struct spec_pool p = GOOD_POOL(.argv = texts);
	struct wire_blob b;

	(void)state;
	memset(text, 'x', MOST + 1);
	b = encode_pool(&p);
	pool_refused(b, "arguments too many or too long");
	drop(&b);
	p.argv = good_argv;
	p.envp = texts;
	b = encode_pool(&p);
	pool_refused(b, "environment too large");
	drop(&b);
}

/* The encoder cannot write these. */
static void test_no_switch(void **state)
{
	static const struct {
		size_t at; /* from the address's length */
		const char *wrong;
	} switches[] = {{(size_t)-2, "no_new_privileges is no switch"}, {4 + 28, "private is no switch"}};
	const struct spec_pool p = GOOD_POOL();
	struct wire_blob b = encode_pool(&p);
	uint8_t *at = (uint8_t *)(uintptr_t)b.at;
	size_t address = (size_t)((uint8_t *)memmem(at, b.len, p.address, strlen(p.address)) - at) - 4;

	(void)state;
	assert_int_equal(strlen(p.address) + 1, 28);
	for (size_t i = 0; i < 2; i++) {
		uint8_t *byte = at + address + switches[i].at;

		assert_int_equal(*byte, i == 0);
		*byte = 2;
		pool_refused(b, switches[i].wrong);
		*byte = i == 0;
	}
	drop(&b);
}

static void test_too_many_groups(void **state)
{
	const struct spec_pool p = GOOD_POOL();
	struct wire_wr w = {.at = room, .cap = ROOM};

	(void)state;
	wire_put_str(&w, p.name);
	wire_put_u32(&w, p.uid);
	wire_put_u32(&w, p.gid);
	wire_put_u32(&w, SPEC_GROUPS_MAX + 1);
	memset(room + w.len, 0, 8192);
	pool_refused((struct wire_blob){room, w.len + 8192}, "too many groups");
}

static void test_every_truncation(void **state)
{
	const struct spec_pool p = GOOD_POOL();
	struct wire_blob whole = encode_pool(&p);

	(void)state;
	for (size_t len = 0; len < whole.len; len++) {
		struct wire_blob cut = {malloc(len > 0 ? len : 1), len};

		memcpy((uint8_t *)(uintptr_t)cut.at, whole.at, len);
		pool_refused(cut, "truncated or malformed");
		drop(&cut);
	}
	drop(&whole);
}

static void test_trailing_byte(void **state)
{
	const struct spec_pool p = GOOD_POOL();
	struct wire_wr w = {.at = room, .cap = ROOM};

	(void)state;
	spec_pool_encode(&w, &p);
	wire_put_u8(&w, 0);
	pool_refused((struct wire_blob){room, w.len}, "truncated or malformed");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),       cmocka_unit_test(test_out_of_range),  cmocka_unit_test(test_lists_too_long),
		cmocka_unit_test(test_text_too_long),    cmocka_unit_test(test_no_switch),     cmocka_unit_test(test_too_many_groups),
		cmocka_unit_test(test_every_truncation), cmocka_unit_test(test_trailing_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
