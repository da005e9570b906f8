/* The sealed spec: round trips, every truncation, trailing bytes, what is refused, the order and the names of entries, the corpus. */
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
#include "tests/unit/spec/good_profile.h"

enum { ROOM = 1 << 16 };

/* A spec of two pools and two profiles in two files, and what a test may spoil before it is written. */
struct sample {
	struct spec_entry entries[2];
	const char *files[2];
	struct spec_file f;
	struct wire_blob profiles[2];
	uint8_t pools[2][1024], profile_room[2][1024];
};

static struct wire_blob pool_named(const char *name, uint8_t *room, size_t cap)
{
	struct spec_pool p = GOOD_POOL();
	struct wire_wr w = {.at = room, .cap = cap};

	p.name = name;
	spec_pool_encode(&w, &p);
	assert_false(w.bad);
	return (struct wire_blob){room, w.len};
}

static struct wire_blob profile_named(const char *name, uint8_t *room, size_t cap)
{
	struct spec_profile p = GOOD_PROFILE();
	struct wire_wr w = {.at = room, .cap = cap};

	p.name = name;
	spec_profile_encode(&w, &p);
	assert_false(w.bad);
	return (struct wire_blob){room, w.len};
}

static void name_profiles(struct sample *s, const char *const names[2])
{
	for (int i = 0; i < 2; i++)
		s->profiles[i] = profile_named(names[i], s->profile_room[i], sizeof(s->profile_room[i]));
}

static void sample_init(struct sample *s)
{
	*s = (struct sample){
		.entries = {{.name = "blog", .settings = {(const uint8_t *)"set\0tings", 9}}, {.name = "shop@alice"}},
		.files = {"/etc/fcgipm/fcgipm.yaml", "/etc/fcgipm/pools.d/shop.yaml"},
		.f =
			{
				.manager = {.user = "fcgipm",
					    .uid = 990,
					    .gid = 980,
					    .runtime_directory = "/run/fcgipm",
					    .max_workers = 512,
					    .log_target = "stderr",
					    .settings = {(const uint8_t *)"manager", 7}},
				.file_count = 2,
				.files = s->files,
				.pool_count = 2,
				.pools = s->entries,
				.profile_count = 2,
				.profiles = s->profiles,
			},
	};
	for (int i = 0; i < 2; i++)
		s->entries[i].pool = pool_named(s->entries[i].name, s->pools[i], sizeof(s->pools[i]));
	name_profiles(s, (const char *const[]){"cgi", "git"});
	for (uint32_t i = 0; i < SPEC_ORIGIN_COUNT; i++)
		s->entries[1].places[i] = (struct spec_place){.file = 1, .line = 10 + i, .column = 3 * i};
}

/* On the heap and of exactly that length, so that memory checkers see a look beyond it. */
static struct wire_blob encode(const struct spec_file *f)
{
	static uint8_t room[ROOM];
	struct wire_wr w = {.at = room, .cap = ROOM};
	uint8_t *at;

	spec_file_encode(&w, f);
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

static void same_blob(struct wire_blob a, struct wire_blob b)
{
	assert_int_equal(a.len, b.len);
	if (a.len > 0)
		assert_memory_equal(a.at, b.at, a.len);
}

static void same_manager(const struct spec_manager *a, const struct spec_manager *b)
{
	assert_string_equal(a->user, b->user);
	assert_true(a->uid == b->uid && a->gid == b->gid);
	assert_string_equal(a->runtime_directory, b->runtime_directory);
	assert_int_equal(a->max_workers, b->max_workers);
	assert_string_equal(a->log_target, b->log_target);
	same_blob(a->settings, b->settings);
}

static void same_file(const struct spec_file *a, const struct spec_file *b)
{
	same_manager(&a->manager, &b->manager);
	assert_int_equal(a->file_count, b->file_count);
	assert_int_equal(a->pool_count, b->pool_count);
	for (uint32_t i = 0; i < a->file_count; i++)
		assert_string_equal(a->files[i], b->files[i]);
	for (uint32_t i = 0; i < a->pool_count; i++) {
		assert_string_equal(a->pools[i].name, b->pools[i].name);
		same_blob(a->pools[i].pool, b->pools[i].pool);
		same_blob(a->pools[i].settings, b->pools[i].settings);
		assert_memory_equal(a->pools[i].places, b->pools[i].places, sizeof(a->pools[i].places));
	}
	assert_int_equal(a->profile_count, b->profile_count);
	for (uint32_t i = 0; i < a->profile_count; i++)
		same_blob(a->profiles[i], b->profiles[i]);
}

static void accepted(const struct spec_file *f)
{
	struct wire_blob b = encode(f), again;
	struct spec_file got;

	assert_int_equal(spec_file_decode(b.at, b.len, &got, NULL), 0);
	same_file(f, &got);
	again = encode(&got);
	same_blob(again, b);
	spec_file_free(&got);
	assert_null(got.arena);
	spec_file_free(&got); /* once more is nothing */
	drop(&again);
	drop(&b);
}

/* The bytes are refused with this text, and the result is left alone. */
static void refused_bytes(struct wire_blob b, const char *wrong)
{
	struct spec_file got;
	struct fp_err err = {0};
	char want[128];

	memset(&got, 0x55, sizeof(got));
	snprintf(want, sizeof(want), "the spec: %s", wrong);
	assert_int_equal(spec_file_decode(b.at, b.len, &got, &err), -EBADMSG);
	assert_string_equal(err.text, want);
	assert_int_equal(err.code, EBADMSG);
	for (size_t i = 0; i < sizeof(got); i++)
		assert_int_equal(((uint8_t *)&got)[i], 0x55);
}

static void refused(const struct spec_file *f, const char *wrong)
{
	struct wire_blob b = encode(f);

	refused_bytes(b, wrong);
	drop(&b);
}

static void test_round_trip(void **state)
{
	struct sample s;

	(void)state;
	sample_init(&s);
	accepted(&s.f);
	s.f.pool_count = 1;
	accepted(&s.f);
	s.f.profile_count = 1;
	accepted(&s.f);
	s.f.pool_count = s.f.file_count = 0; /* profiles alone */
	accepted(&s.f);
	s.f.profile_count = 0;
	accepted(&s.f);
	s.f.manager.log_target = "syslog";
	accepted(&s.f);
	s.f.manager.log_target = "journal";
	accepted(&s.f);
	s.f.manager.log_target = "/var/log/fcgipm.log";
	accepted(&s.f);
}

static void test_every_truncation(void **state)
{
	struct sample s;
	struct wire_blob whole;

	(void)state;
	sample_init(&s);
	whole = encode(&s.f);
	for (size_t len = 0; len < whole.len; len++) {
		struct wire_blob cut = {malloc(len > 0 ? len : 1), len};

		memcpy((uint8_t *)(uintptr_t)cut.at, whole.at, len);
		refused_bytes(cut, len < 8 ? "not of this version" : "truncated or malformed");
		drop(&cut);
	}
	drop(&whole);
}

static void test_trailing_byte(void **state)
{
	struct sample s;
	struct wire_blob b;
	uint8_t longer[ROOM];

	(void)state;
	sample_init(&s);
	b = encode(&s.f);
	memcpy(longer, b.at, b.len);
	longer[b.len] = 0;
	refused_bytes((struct wire_blob){longer, b.len + 1}, "truncated or malformed");
	drop(&b);
}

static void test_version(void **state)
{
	struct sample s;
	struct wire_blob b;

	(void)state;
	sample_init(&s);
	b = encode(&s.f);
	for (size_t i = 0; i < 8; i++) {
		uint8_t *byte = (uint8_t *)(uintptr_t)b.at + i;

		*byte ^= 2;
		refused_bytes(b, "not of this version");
		*byte ^= 2;
	}
	drop(&b);
}

static void test_manager(void **state)
{
	static const char *const no_directories[] = {"", "/", "run", "/run/", "/run/../etc"};
	static const char *const no_targets[] = {"", "log", "STDERR", "syslog:", "journald", "/var/log/", "/var/../etc/passwd"};
	struct sample s;

	(void)state;
	sample_init(&s);
	for (size_t i = 0; i < sizeof(no_directories) / sizeof(no_directories[0]); i++) {
		s.f.manager.runtime_directory = no_directories[i];
		refused(&s.f, "runtime directory is no absolute path");
	}
	sample_init(&s);
	for (size_t i = 0; i < sizeof(no_targets) / sizeof(no_targets[0]); i++) {
		s.f.manager.log_target = no_targets[i];
		refused(&s.f, "log target is no absolute path");
	}
	sample_init(&s);
	s.f.manager.max_workers = 0;
	refused(&s.f, "max_workers is 0");
}

/* The names of both entries, each blob under its own. */
static const struct {
	const char *names[2];
	const char *wrong; /* NULL: as it must be */
} orders[] = {
	{{"a", "b"}, NULL},
	{{"a", "a0"}, NULL},
	{{"a.b", "a@b"}, NULL}, /* by bytes, whatever the locale says */
	{{"a-b", "ab"}, NULL},
	{{"b", "a"}, "pools out of order"},
	{{"a", "a"}, "pools out of order"}, /* one twice */
	{{"ab", "a"}, "pools out of order"},
	{{"a@b", "a.b"}, "pools out of order"},
	{{"", "a"}, "a name that no pool may have"},
	{{"a", "B"}, "a name that no pool may have"},
	{{"../a", "b"}, "a name that no pool may have"},
	{{"a", "b/c"}, "a name that no pool may have"},
};

static void test_order_and_names(void **state)
{
	struct sample s;

	(void)state;
	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		sample_init(&s);
		for (int k = 0; k < 2; k++) {
			s.entries[k].name = orders[i].names[k];
			s.entries[k].pool = pool_named(orders[i].names[k], s.pools[k], sizeof(s.pools[k]));
		}
		if (orders[i].wrong == NULL)
			accepted(&s.f);
		else
			refused(&s.f, orders[i].wrong);
	}
}

static const struct {
	const char *names[2];
	const char *wrong;
} profile_orders[] = {
	{{"a", "b"}, NULL},
	{{"a.b", "ab"}, NULL},
	{{"loca", "locals"}, NULL},
	{{"b", "a"}, "profiles out of order"},
	{{"a", "a"}, "profiles out of order"},
	{{"", "a"}, "a name that no profile may have"},
	{{"a", "B"}, "a name that no profile may have"},
	{{"a", "a@b"}, "a name that no profile may have"},
	{{"a", "local"}, "a name that no profile may have"},
};

static void test_profiles(void **state)
{
	struct sample s;

	(void)state;
	for (size_t i = 0; i < sizeof(profile_orders) / sizeof(profile_orders[0]); i++) {
		sample_init(&s);
		name_profiles(&s, profile_orders[i].names);
		if (profile_orders[i].wrong == NULL)
			accepted(&s.f);
		else
			refused(&s.f, profile_orders[i].wrong);
	}
	sample_init(&s);
	s.profiles[1].len = 4 + strlen("git"); /* all of the name but its NUL */
	refused(&s.f, "a name that no profile may have");
	s.profiles[1] = (struct wire_blob){NULL, 0};
	s.profiles[0].len = 1024; /* what is behind a profile is for its own reader */
	refused(&s.f, "a name that no profile may have");
}

/* A pool under another's name would pass for an unchanged one, or get what was bound for the other. */
static void test_name_of_another(void **state)
{
	struct sample s;

	(void)state;
	sample_init(&s);
	s.entries[0].pool = pool_named("shop@alice", s.pools[0], sizeof(s.pools[0]));
	refused(&s.f, "an entry under another pool's name");
	sample_init(&s);
	s.entries[0].pool = (struct wire_blob){NULL, 0};
	refused(&s.f, "an entry under another pool's name");
	sample_init(&s);
	s.entries[1].pool.len = 4 + strlen("shop@alice"); /* all of the name but its NUL */
	refused(&s.f, "an entry under another pool's name");
}

static void test_places(void **state)
{
	struct sample s;

	(void)state;
	for (int i = 0; i < SPEC_ORIGIN_COUNT; i++) {
		sample_init(&s);
		s.entries[i % 2].places[i].file = 2;
		refused(&s.f, "a place in a file that is not there");
		s.entries[i % 2].places[i].file = UINT32_MAX;
		refused(&s.f, "a place in a file that is not there");
	}
	sample_init(&s);
	s.f.file_count = 0;
	refused(&s.f, "a place in a file that is not there");
}

/* A head as it must be, then counts that the bytes behind them cannot fill: nothing may be allocated for them. */
static void test_counts(void **state)
{
	static const char *many[4097];
	static uint8_t bytes[256];
	struct sample s;
	struct wire_blob b;
	uint8_t *count;

	(void)state;
	sample_init(&s);
	s.f.file_count = s.f.pool_count = s.f.profile_count = 0;
	b = encode(&s.f);
	assert_true(b.len < sizeof(bytes));
	memcpy(bytes, b.at, b.len);
	for (count = bytes + b.len - 12; count < bytes + b.len; count += 4) { /* of files, of pools, of profiles */
		memset(count, 0xff, 4);
		refused_bytes((struct wire_blob){bytes, b.len}, "truncated or malformed");
		memset(count, 0, 4);
		count[0] = 1;
		refused_bytes((struct wire_blob){bytes, b.len}, "truncated or malformed");
		count[0] = 0;
	}
	drop(&b);

	for (size_t i = 0; i < sizeof(many) / sizeof(many[0]); i++)
		many[i] = "f";
	s.f.files = many;
	s.f.file_count = 4096;
	accepted(&s.f);
	s.f.file_count = 4097;
	refused(&s.f, "too many files");
}

/* From the tree's top, where the tests are run. */
static struct wire_blob corpus(const char *name)
{
	static uint8_t room[ROOM];
	char path[128];
	struct wire_blob b = {room, 0};
	FILE *f;

	snprintf(path, sizeof(path), "tests/fuzz/corpus/spec/%s", name);
	f = fopen(path, "re");
	if (f == NULL)
		print_message("%s: %m\n", path);
	assert_non_null(f);
	b.len = fread(room, 1, sizeof(room), f);
	fclose(f);
	return b;
}

/* Seeds that do not decode would have the fuzzer begin at the first check. */
static void test_corpus(void **state)
{
	struct wire_blob b = corpus("file");
	struct spec_file f;
	struct spec_pool p;
	struct spec_profile profile;

	(void)state;
	assert_int_equal(spec_file_decode(b.at, b.len, &f, NULL), 0);
	assert_true(f.pool_count > 0 && f.file_count > 0 && f.profile_count > 0);
	for (uint32_t i = 0; i < f.pool_count; i++) {
		assert_int_equal(spec_pool_decode(f.pools[i].pool, &p, NULL), 0);
		assert_string_equal(p.name, f.pools[i].name);
		spec_pool_free(&p);
	}
	for (uint32_t i = 0; i < f.profile_count; i++) {
		assert_int_equal(spec_profile_decode(f.profiles[i], &profile, NULL), 0);
		spec_profile_free(&profile);
	}
	spec_file_free(&f);
	assert_int_equal(spec_profile_decode(corpus("profile"), &profile, NULL), 0);
	assert_non_null(profile.roots[0]);
	spec_profile_free(&profile);
	assert_int_equal(spec_pool_decode(corpus("pool"), &p, NULL), 0);
	assert_int_equal(p.argv[0][0], '/');
	spec_pool_free(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),      cmocka_unit_test(test_every_truncation), cmocka_unit_test(test_trailing_byte),
		cmocka_unit_test(test_version),         cmocka_unit_test(test_manager),          cmocka_unit_test(test_order_and_names),
		cmocka_unit_test(test_name_of_another), cmocka_unit_test(test_places),           cmocka_unit_test(test_counts),
		cmocka_unit_test(test_profiles),        cmocka_unit_test(test_corpus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
