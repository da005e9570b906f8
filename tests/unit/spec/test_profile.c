/* One profile's spec as bytes: round trips, every truncation, a trailing byte, every field out of its range; then each floor by its name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* before cmocka.h */
#include <cmocka.h>
#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/spec/good_profile.h"

#define X10    "xxxxxxxxxx"
#define X100   X10 X10 X10 X10 X10 X10 X10 X10 X10 X10
#define X1000  X100 X100 X100 X100 X100 X100 X100 X100 X100 X100
#define X4000  "/" X1000 X1000 X1000 X1000
#define BIT(c) (UINT64_C(1) << (c))

enum { ROOM = 1 << 20, MANY = 4097 };
static uint8_t room[ROOM];
static uint32_t many_ids[MANY];

/* On the heap and of exactly that length, so that memory checkers see a look beyond it. */
static struct wire_blob encode_profile(const struct spec_profile *p)
{
	struct wire_wr w = {.at = room, .cap = ROOM};
	uint8_t *at;

	spec_profile_encode(&w, p);
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

static void same_ids(const struct spec_ids *a, const struct spec_ids *b)
{
	assert_int_equal(a->count, b->count);
	for (uint32_t i = 0; i < a->count; i++)
		assert_true(a->ids[i] == b->ids[i]);
}

static void same_request(const struct spec_profile *a, const struct spec_profile *b)
{
	assert_string_equal(a->name, b->name);
	same_texts(a->roots, b->roots);
	assert_int_equal(a->max_arguments, b->max_arguments);
	same_texts(a->arguments, b->arguments);
	same_texts(a->allow, b->allow);
	same_texts(a->envp, b->envp);
	assert_int_equal(a->owner, b->owner);
	assert_true(a->uid == b->uid && a->gid == b->gid && a->min_uid == b->min_uid && a->min_gid == b->min_gid);
	same_ids(&a->groups, &b->groups);
	assert_int_equal(a->file_owner, b->file_owner);
	assert_int_equal(a->file_group, b->file_group);
	same_ids(&a->client_uids, &b->client_uids);
	same_ids(&a->client_gids, &b->client_gids);
}

static void same_run(const struct spec_profile *a, const struct spec_profile *b)
{
	assert_int_equal(a->worker_clients, b->worker_clients);
	assert_int_equal(a->outlives_client, b->outlives_client);
	assert_int_equal(a->leaves_descendants, b->leaves_descendants);
	assert_string_equal(a->chroot, b->chroot);
	assert_string_equal(a->directory, b->directory);
	assert_int_equal(a->umask, b->umask);
	assert_memory_equal(a->limits, b->limits, sizeof(a->limits));
	assert_int_equal(a->nice, b->nice);
	assert_true(a->capabilities == b->capabilities);
	assert_int_equal(a->no_new_privileges, b->no_new_privileges);
	assert_true(a->timeout_ms == b->timeout_ms && a->stop_timeout_ms == b->stop_timeout_ms);
	assert_int_equal(a->max_running, b->max_running);
	assert_int_equal(a->queue_limit, b->queue_limit);
}

static const char *no_texts[] = {NULL};
static const char *long_texts[] = {X4000 X4000 X4000, NULL};

/* clang-format off */
/* Each bound of a field is inside. */
static const struct spec_profile good[] = {
	GOOD_PROFILE(),
	GOOD_PROFILE(.roots = no_texts, .arguments = no_texts, .allow = no_texts, .envp = no_texts, .chroot = "", .directory = "",
		     .groups = {0}, .client_uids = {0}, .client_gids = {0}),
	GOOD_PROFILE(.roots = long_texts, .arguments = long_texts, .allow = long_texts, .envp = long_texts, .chroot = X4000, .directory = X4000),
	GOOD_PROFILE(.groups = {SPEC_GROUPS_MAX, many_ids}, .client_uids = {SPEC_CLIENTS_MAX, many_ids}, .client_gids = {SPEC_CLIENTS_MAX, many_ids}),
	GOOD_PROFILE(.max_arguments = 0, .umask = 0, .nice = -20, .max_running = 1, .queue_limit = 0, .timeout_ms = 0, .stop_timeout_ms = 0,
		     .file_owner = SPEC_FILE_OF_RUN, .file_group = false, .no_new_privileges = false),
	GOOD_PROFILE(.max_arguments = 1023, .umask = 0777, .nice = 19, .max_running = 4096, .queue_limit = 65535, .file_owner = SPEC_FILE_OF_ANY,
		     .timeout_ms = UINT64_C(366) * 24 * 3600 * 1000, .stop_timeout_ms = UINT64_C(366) * 24 * 3600 * 1000),
	GOOD_PROFILE(.owner = true, .worker_clients = true, .outlives_client = true, .leaves_descendants = true),
	GOOD_PROFILE(.uid = UINT32_MAX, .gid = 0, .min_uid = 0, .min_gid = UINT32_MAX, .capabilities = UINT64_MAX, .limits = {0}), /* for the floors to refuse */
};

/* One step beyond each. */
static const struct {
	const char *wrong;
	struct spec_profile profile;
} bad[] = {
	{"a name that no profile may have", GOOD_PROFILE(.name = "")},
	{"a name that no profile may have", GOOD_PROFILE(.name = "CGI")},
	{"a name that no profile may have", GOOD_PROFILE(.name = "cgi@alice")},
	{"a name that no profile may have", GOOD_PROFILE(.name = "local")},
	{"name too long", GOOD_PROFILE(.name = X100 X10 X10 "xxxxxxx")},
	{"max_arguments out of range", GOOD_PROFILE(.max_arguments = 1024)},
	{"too many groups", GOOD_PROFILE(.groups = {SPEC_GROUPS_MAX + 1, many_ids})},
	{"unknown kind of file_owner", GOOD_PROFILE(.file_owner = 4)},
	{"too many clients", GOOD_PROFILE(.client_uids = {SPEC_CLIENTS_MAX + 1, many_ids})},
	{"too many clients", GOOD_PROFILE(.client_gids = {SPEC_CLIENTS_MAX + 1, many_ids})},
	{"chroot too long", GOOD_PROFILE(.chroot = X4000 X100)},
	{"directory too long", GOOD_PROFILE(.directory = X4000 X100)},
	{"umask out of range", GOOD_PROFILE(.umask = 01000)},
	{"nice value out of range", GOOD_PROFILE(.nice = -21)},
	{"nice value out of range", GOOD_PROFILE(.nice = 20)},
	{"timeout out of range", GOOD_PROFILE(.timeout_ms = UINT64_C(366) * 24 * 3600 * 1000 + 1)},
	{"timeout out of range", GOOD_PROFILE(.timeout_ms = UINT64_MAX)},
	{"stop timeout out of range", GOOD_PROFILE(.stop_timeout_ms = UINT64_C(366) * 24 * 3600 * 1000 + 1)},
	{"max_running out of range", GOOD_PROFILE(.max_running = 0)},
	{"max_running out of range", GOOD_PROFILE(.max_running = 4097)},
	{"queue_limit out of range", GOOD_PROFILE(.queue_limit = 65536)},
};
/* clang-format on */

static void test_round_trip(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct wire_blob b = encode_profile(&good[i]), again;
		struct spec_profile p;

		assert_int_equal(spec_profile_decode(b, &p, NULL), 0);
		same_request(&good[i], &p);
		same_run(&good[i], &p);
		again = encode_profile(&p);
		assert_int_equal(again.len, b.len);
		assert_memory_equal(again.at, b.at, b.len);
		spec_profile_free(&p);
		assert_null(p.arena);
		spec_profile_free(&p); /* once more is nothing */
		drop(&again);
		drop(&b);
	}
}

/* The bytes are refused with this text, and the result is left alone. */
static void refused(struct wire_blob b, const char *wrong)
{
	struct spec_profile p;
	struct fp_err err = {0};
	char want[128];

	memset(&p, 0x55, sizeof(p));
	snprintf(want, sizeof(want), "a profile's spec: %s", wrong);
	assert_int_equal(spec_profile_decode(b, &p, &err), -EBADMSG);
	assert_string_equal(err.text, want);
	assert_int_equal(err.code, EBADMSG);
	for (size_t i = 0; i < sizeof(p); i++)
		assert_int_equal(((uint8_t *)&p)[i], 0x55);
}

static void test_out_of_range(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct wire_blob b = encode_profile(&bad[i].profile);

		refused(b, bad[i].wrong);
		drop(&b);
	}
}

static const struct {
	size_t at;
	int most;
	const char *wrong;
} lists[] = {
	{offsetof(struct spec_profile, roots), SPEC_ROOTS_MAX, "roots too many or too long"},
	{offsetof(struct spec_profile, arguments), SPEC_WORDS_MAX, "patterns of arguments too many or too long"},
	{offsetof(struct spec_profile, allow), SPEC_WORDS_MAX, "names of variables too many or too long"},
	{offsetof(struct spec_profile, envp), 4096, "environment too large"},
};

/* Lists of as many as there may be, and of one more. */
static void test_lists_too_long(void **state)
{
	static const char *texts[MANY + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		struct spec_profile p = GOOD_PROFILE(), q;
		struct wire_blob b;

		*(const char ***)(void *)((char *)&p + lists[i].at) = texts;
		for (int k = 0; k < lists[i].most; k++)
			texts[k] = "x";
		texts[lists[i].most] = NULL;
		b = encode_profile(&p);
		assert_int_equal(spec_profile_decode(b, &q, NULL), 0);
		spec_profile_free(&q);
		drop(&b);
		texts[lists[i].most] = "x";
		texts[lists[i].most + 1] = NULL;
		b = encode_profile(&p);
		refused(b, lists[i].wrong);
		drop(&b);
	}
}

/* One text longer than the kernel would take. */
static void test_text_too_long(void **state)
{
	enum { MOST = 128 << 10 };
	static char text[MOST + 2];
	const char *texts[] = {text, NULL};

	(void)state;
	memset(text, 'x', MOST + 1);
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		struct spec_profile p = GOOD_PROFILE();
		struct wire_blob b;

		*(const char ***)(void *)((char *)&p + lists[i].at) = texts;
		b = encode_profile(&p);
		refused(b, lists[i].wrong);
		drop(&b);
	}
}

/* The encoder cannot write these: each switch in turn is found where two encodings of it differ, and made 2. */
static void test_no_switch(void **state)
{
	static const struct {
		size_t at;
		const char *wrong;
	} switches[] = {
#define SWITCH(member) {offsetof(struct spec_profile, member), #member " is no switch"}
		SWITCH(owner), SWITCH(file_group), SWITCH(worker_clients), SWITCH(outlives_client), SWITCH(leaves_descendants), SWITCH(no_new_privileges),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(switches) / sizeof(switches[0]); i++) {
		struct spec_profile p = GOOD_PROFILE();
		struct wire_blob off, on;
		size_t place = 0;

		*((bool *)&p + switches[i].at) = false;
		off = encode_profile(&p);
		*((bool *)&p + switches[i].at) = true;
		on = encode_profile(&p);
		while (off.at[place] == on.at[place])
			place++;
		*((uint8_t *)(uintptr_t)on.at + place) = 2;
		refused(on, switches[i].wrong);
		drop(&off);
		drop(&on);
	}
}

static void test_every_truncation(void **state)
{
	const struct spec_profile p = GOOD_PROFILE();
	struct wire_blob whole = encode_profile(&p);

	(void)state;
	for (size_t len = 0; len < whole.len; len++) {
		struct wire_blob cut = {malloc(len > 0 ? len : 1), len};

		memcpy((uint8_t *)(uintptr_t)cut.at, whole.at, len);
		refused(cut, "truncated or malformed");
		drop(&cut);
	}
	drop(&whole);
}

static void test_trailing_byte(void **state)
{
	const struct spec_profile p = GOOD_PROFILE();
	struct wire_wr w = {.at = room, .cap = ROOM};

	(void)state;
	spec_profile_encode(&w, &p);
	wire_put_u8(&w, 0);
	refused((struct wire_blob){room, w.len}, "truncated or malformed");
}

/* ---- floors ---- */

static const struct spec_floors system_floors = {
	.manager_uid = 990,
	.manager_gid = 980,
	.conf_uid = 991,
	.conf_gid = 981,
	.ordinary_uid = UINT32_MAX,
	.runtime_directory = "/run/fcgipm",
};

#define IDS(...)                                                                                                                                               \
	{                                                                                                                                                      \
		sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t), (const uint32_t[])                                                                 \
		{                                                                                                                                              \
			__VA_ARGS__                                                                                                                            \
		}                                                                                                                                              \
	}
#define TEXTS(...) ((const char *[]){__VA_ARGS__, NULL})

struct fall {
	const char *floor; /* NULL: none is in the way */
	struct spec_profile profile;
};

/* clang-format off */
static const struct fall falls[] = {
	{NULL, GOOD_PROFILE()},
	{"uid 0", GOOD_PROFILE(.uid = 0)},
	{"gid 0", GOOD_PROFILE(.gid = 0)},
	{"id -1", GOOD_PROFILE(.uid = UINT32_MAX)},
	{"id -1", GOOD_PROFILE(.gid = UINT32_MAX)},
	{"group 0", GOOD_PROFILE(.groups = IDS(33, 0))},
	{"id -1", GOOD_PROFILE(.groups = IDS(33, UINT32_MAX))},
	{"fcgipm's own account", GOOD_PROFILE(.uid = 990)},
	{"fcgipm's own account", GOOD_PROFILE(.uid = 991)},
	{"fcgipm's own group", GOOD_PROFILE(.gid = 980)},
	{"fcgipm's own group", GOOD_PROFILE(.gid = 981)},
	{"fcgipm's own group", GOOD_PROFILE(.groups = IDS(33, 980))},
	{"fcgipm's own group", GOOD_PROFILE(.groups = IDS(981))},
	{NULL, GOOD_PROFILE(.uid = 980, .gid = 990, .groups = IDS(991))}, /* a uid is no gid */
	{NULL, GOOD_PROFILE(.owner = true, .uid = 0, .gid = UINT32_MAX)}, /* held against it when it is known */
	{"group 0", GOOD_PROFILE(.owner = true, .groups = IDS(0))},
	{"fcgipm's own group", GOOD_PROFILE(.owner = true, .groups = IDS(980))},
	{"min_uid is 0", GOOD_PROFILE(.min_uid = 0)},
	{"min_gid is 0", GOOD_PROFILE(.min_gid = 0)},
	{NULL, GOOD_PROFILE(.min_uid = 1, .min_gid = 1)},
	{"no root", GOOD_PROFILE(.roots = no_texts)},
	{"a root is /", GOOD_PROFILE(.roots = TEXTS("/srv", "/"))},
	{"a root is no absolute path", GOOD_PROFILE(.roots = TEXTS(""))},
	{"a root is no absolute path", GOOD_PROFILE(.roots = TEXTS("srv"))},
	{"a root is no absolute path", GOOD_PROFILE(.roots = TEXTS("/srv", "/srv/../etc"))},
	{"a root is no absolute path", GOOD_PROFILE(.roots = TEXTS("/srv/[a"))},
	{"LD_ variables", GOOD_PROFILE(.allow = TEXTS("TZ", "LD_PRELOAD"))},
	{"LD_ variables", GOOD_PROFILE(.allow = TEXTS("LD_"))},
	{"LD_ variables", GOOD_PROFILE(.allow = TEXTS("LD_*"))},
	{"LD_ variables", GOOD_PROFILE(.allow = TEXTS("LD_LIBRARY_*"))},
	{"LD_ variables", GOOD_PROFILE(.allow = TEXTS("LD*"))},
	{"LD_ variables", GOOD_PROFILE(.allow = TEXTS("L*"))},
	{"LD_ variables", GOOD_PROFILE(.allow = TEXTS("*"))},
	{NULL, GOOD_PROFILE(.allow = TEXTS("LD", "L", "LDA*", "LC_*", "ld_*", "XLD_A"))},
	{"LD_ variables", GOOD_PROFILE(.envp = TEXTS("PATH=/bin", "LD_PRELOAD=/x.so"))},
	{NULL, GOOD_PROFILE(.envp = TEXTS("A=LD_PRELOAD", "LDX=", "*=", "L*=x"))},
	{NULL, GOOD_PROFILE(.capabilities = 0)},
	{NULL, GOOD_PROFILE(.capabilities = BIT(CAP_NET_BIND_SERVICE) | BIT(CAP_SYS_NICE))},
	{"a capability that amounts to root", GOOD_PROFILE(.capabilities = BIT(CAP_NET_BIND_SERVICE) | BIT(CAP_SETUID))},
	{"a capability that amounts to root", GOOD_PROFILE(.capabilities = BIT(CAP_SYS_ADMIN))},
	{"a capability that amounts to root", GOOD_PROFILE(.capabilities = BIT(63))},
	{NULL, GOOD_PROFILE(.chroot = "", .directory = "")},
	{NULL, GOOD_PROFILE(.directory = "/")},
	{"chroot is no absolute path", GOOD_PROFILE(.chroot = "srv")},
	{"chroot is no absolute path", GOOD_PROFILE(.chroot = "/srv/../etc")},
	{"directory is no absolute path", GOOD_PROFILE(.directory = "www")},
	{"directory is no absolute path", GOOD_PROFILE(.directory = "/www/.")},
};

/* What may be of an ordinary user, started by one whose uid is 1000. */
static const struct fall ordinary[] = {
	{NULL, GOOD_PROFILE()},
	{NULL, GOOD_PROFILE(.owner = true, .uid = 0)},
	{"another account than the ordinary user's", GOOD_PROFILE(.uid = 1001)},
	{"another account than the ordinary user's", GOOD_PROFILE(.uid = 0)},
	{"min_uid is 0", GOOD_PROFILE(.min_uid = 0)},
	{"a root is /", GOOD_PROFILE(.roots = TEXTS("/"))},
	{"LD_ variables", GOOD_PROFILE(.envp = TEXTS("LD_A=x"))},
	{"a capability that amounts to root", GOOD_PROFILE(.capabilities = BIT(CAP_SETUID))},
};
/* clang-format on */

static void check(const struct fall *rows, size_t count, const struct spec_floors *floors)
{
	for (size_t i = 0; i < count; i++) {
		struct fp_err err = {.text = "none"};
		int r = spec_check_profile_floors(&rows[i].profile, floors, &err);
		const char *want = rows[i].floor != NULL ? rows[i].floor : "none";

		if (strcmp(err.text, want) != 0)
			print_message("row %zu: %s\n", i, want);
		assert_string_equal(err.text, want);
		assert_int_equal(r, rows[i].floor != NULL ? -EPERM : 0);
		assert_int_equal(spec_check_profile_floors(&rows[i].profile, floors, NULL), r);
	}
}

static void test_floors(void **state)
{
	(void)state;
	check(falls, sizeof(falls) / sizeof(falls[0]), &system_floors);
}

static void test_floors_of_an_ordinary_user(void **state)
{
	struct spec_floors floors = system_floors;

	(void)state;
	/* Manager and conf run as the user himself then, and so must the programs. */
	floors.ordinary_uid = floors.manager_uid = floors.conf_uid = 1000;
	floors.manager_gid = floors.conf_gid = 1001;
	check(ordinary, sizeof(ordinary) / sizeof(ordinary[0]), &floors);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),    cmocka_unit_test(test_out_of_range), cmocka_unit_test(test_lists_too_long),
		cmocka_unit_test(test_text_too_long), cmocka_unit_test(test_no_switch),    cmocka_unit_test(test_every_truncation),
		cmocka_unit_test(test_trailing_byte), cmocka_unit_test(test_floors),       cmocka_unit_test(test_floors_of_an_ordinary_user),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
