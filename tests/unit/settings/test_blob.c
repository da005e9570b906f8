/* Settings as bytes, as copies, and the difference of two: round trips, what is refused, and for every row what a reload must do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* before cmocka.h */
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>

#include "tests/unit/settings/other.h"

enum { ROOM = 1 << 16 };

static const struct settings_table *const pool_table = &settings_pool_table, *const manager_table = &settings_manager_table;

/* As conf leaves them: the defaults, what must be given, what it found out. */
static struct pool_settings sample_pool(void)
{
	struct pool_settings s = {0};

	assert_int_equal(settings_preset_all(&s, pool_table, NULL), 0);
	assert_int_equal(settings_set(&s, settings_find(pool_table, "user"), "alice", NULL), 0);
	assert_int_equal(settings_set(&s, settings_find(pool_table, "listen"), "/run/fcgipm/pools/blog.sock", NULL), 0);
	assert_int_equal(settings_add(&s, settings_find(pool_table, "command"), "/usr/bin/php-cgi", NULL), 0);
	assert_int_equal(settings_add(&s, settings_find(pool_table, "environment"), "SECRET=Xyzzy41", NULL), 0);
	settings_put_text(&s.name, "blog");
	settings_put_text(&s.user_name, "alice");
	s.uid = 1000;
	s.gid = 1001;
	s.frontends_acl.uids = (struct settings_ids){2, malloc(2 * sizeof(uint32_t))};
	s.frontends_acl.uids.ids[0] = 33;
	s.frontends_acl.uids.ids[1] = UINT32_MAX;
	return s;
}

static struct manager_settings sample_manager(void)
{
	struct manager_settings s = {0};
	struct settings_acl *acls[] = {&s.operators_acl, &s.observers_acl, &s.frontends_acl, &s.holders_acl};

	assert_int_equal(settings_preset_all(&s, manager_table, NULL), 0);
	settings_put_text(&s.runtime_directory, "/run/fcgipm");
	settings_put_text(&s.user_name, "fcgipm");
	s.uid = 990;
	s.gid = 980;
	for (uint32_t i = 0; i < 4; i++) {
		acls[i]->gids = (struct settings_ids){1, malloc(sizeof(uint32_t))};
		acls[i]->gids.ids[0] = 100 + i;
	}
	return s;
}

/* On the heap and of exactly that length, so that memory checkers see a look beyond it. */
static struct wire_blob blob_of(const struct wire_wr *w)
{
	uint8_t *at = malloc(w->len);

	assert_false(w->bad);
	assert_non_null(at);
	memcpy(at, w->at, w->len);
	return (struct wire_blob){at, w->len};
}

static struct wire_blob pool_blob(const struct pool_settings *s)
{
	uint8_t room[ROOM];
	struct wire_wr w = {.at = room, .cap = ROOM};

	settings_pool_encode(&w, s);
	return blob_of(&w);
}

static struct wire_blob manager_blob(const struct manager_settings *s)
{
	uint8_t room[ROOM];
	struct wire_wr w = {.at = room, .cap = ROOM};

	settings_manager_encode(&w, s);
	return blob_of(&w);
}

static void drop(struct wire_blob *b)
{
	free((void *)(uintptr_t)b->at);
	*b = (struct wire_blob){0};
}

static struct pool_settings pool_through_bytes(const struct pool_settings *s)
{
	struct wire_blob b = pool_blob(s);
	struct pool_settings got;
	struct fp_err err = {.text = ""};

	settings_pool_decode(b, &got, &err);
	assert_string_equal(err.text, "");
	drop(&b); /* what was read owns its texts */
	return got;
}

static struct manager_settings manager_through_bytes(const struct manager_settings *s)
{
	struct wire_blob b = manager_blob(s);
	struct manager_settings got;
	struct fp_err err = {.text = ""};

	settings_manager_decode(b, &got, &err);
	assert_string_equal(err.text, "");
	drop(&b);
	return got;
}

/* ---- a pool ---- */

/* Each row alone changed, on both sides of the bytes: its class and its key, and nothing when it is the same. */
static void test_pool_rows(void **state)
{
	struct pool_settings base = sample_pool(), read_base = pool_through_bytes(&base);

	(void)state;
	for (uint32_t i = 0; i < pool_table->count; i++) {
		const struct settings_row *row = &pool_table->rows[i];
		struct pool_settings s, got;
		const char *key = NULL;

		if (row->status == SETTINGS_NOT_YET)
			continue;
		s = sample_pool();
		assert_int_equal(other_set(&s, row, NULL), 0);
		got = pool_through_bytes(&s);
		assert_int_equal(settings_pool_compare(&base, &s, &key), row->class);
		assert_string_equal(key, row->key);
		key = NULL;
		assert_int_equal(settings_pool_compare(&got, &read_base, &key), row->class);
		assert_string_equal(key, row->key);
		assert_int_equal(settings_pool_compare(&s, &got, &key), SETTINGS_SAME);
		assert_null(key);
		settings_pool_free(&s);
		settings_pool_free(&got);
	}
	settings_pool_free(&base);
	settings_pool_free(&read_base);
}

static void test_pool_found_out(void **state)
{
	struct pool_settings s = sample_pool(), got = pool_through_bytes(&s);

	(void)state;
	assert_string_equal(got.name, "blog");
	assert_string_equal(got.user_name, "alice");
	assert_true(got.uid == 1000 && got.gid == 1001);
	assert_int_equal(got.frontends_acl.uids.count, 2);
	assert_int_equal(got.frontends_acl.uids.ids[0], 33);
	assert_true(got.frontends_acl.uids.ids[1] == UINT32_MAX);
	assert_int_equal(got.frontends_acl.gids.count, 0);
	settings_pool_free(&s);
	settings_pool_free(&got);
}

/* The names in the file are the same, but what they stand for is not. */
static void test_pool_other_numbers(void **state)
{
	struct pool_settings a = sample_pool(), b = sample_pool();
	const char *key = NULL;

	(void)state;
	b.frontends_acl.uids.ids[1] = 34;
	assert_int_equal(settings_pool_compare(&a, &b, &key), SETTINGS_LIVE);
	assert_string_equal(key, "frontends");
	b.frontends_acl.uids.ids[1] = UINT32_MAX;
	b.frontends_acl.uids.count = 1;
	assert_int_equal(settings_pool_compare(&a, &b, NULL), SETTINGS_LIVE);
	b.gid++;
	assert_int_equal(settings_pool_compare(&a, &b, &key), SETTINGS_RECYCLE);
	assert_string_equal(key, "group");
	b.uid++;
	assert_int_equal(settings_pool_compare(&a, &b, &key), SETTINGS_RECYCLE);
	assert_string_equal(key, "user");
	settings_pool_free(&b);
	b = sample_pool();
	b.groups.hash = 1; /* conf's, of the groups' numbers */
	assert_int_equal(settings_pool_compare(&a, &b, &key), SETTINGS_RECYCLE);
	assert_string_equal(key, "groups");
	settings_pool_free(&a);
	settings_pool_free(&b);
}

/* The greatest class decides, and of it the first key. */
static void test_pool_deciding(void **state)
{
	static const struct {
		const char *key, *value;
		enum settings_class class;
		const char *deciding;
	} steps[] = {
		{"workers.max", "20", SETTINGS_LIVE, "workers.max"},
		{"queue.limit", "20", SETTINGS_LIVE, "queue.limit"}, /* it is before the other */
		{"limits.core", "20", SETTINGS_RECYCLE, "limits.core"},
		{"umask", "20", SETTINGS_RECYCLE, "umask"},
		{"socket.private", "true", SETTINGS_REBIND, "socket.private"},
		{"listen", "/run/a", SETTINGS_REBIND, "listen"},
		{"chroot", "/a", SETTINGS_REBIND, "listen"},
	};
	struct pool_settings a = sample_pool(), b = sample_pool();

	(void)state;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		const char *key = NULL;

		assert_int_equal(settings_set(&b, settings_find(pool_table, steps[i].key), steps[i].value, NULL), 0);
		assert_int_equal(settings_pool_compare(&a, &b, &key), steps[i].class);
		assert_string_equal(key, steps[i].deciding);
	}
	settings_pool_free(&a);
	settings_pool_free(&b);
}

/* The manager may know that the environment and the command changed, and no more. */
static void test_pool_secrets(void **state)
{
	struct pool_settings s = sample_pool(), got;
	struct wire_blob b = pool_blob(&s);

	(void)state;
	assert_null(memmem(b.at, b.len, "Xyzzy", 5));
	assert_null(memmem(b.at, b.len, "SECRET", 6));
	assert_null(memmem(b.at, b.len, "php-cgi", 7));
	got = pool_through_bytes(&s);
	assert_true(got.environment.count == 0 && got.command.count == 0);
	drop(&b);
	settings_pool_free(&s);
	settings_pool_free(&got);
}

/* Refused, with this text when there is one, and the result is left alone. */
static void pool_refused(struct wire_blob b, const char *text)
{
	struct pool_settings got;
	struct fp_err err = {0};

	memset(&got, 0x55, sizeof(got));
	assert_int_equal(settings_pool_decode(b, &got, &err), -EBADMSG);
	if (text != NULL)
		assert_string_equal(err.text, text);
	assert_memory_equal(err.text, "settings of a pool: ", 20);
	for (size_t i = 0; i < sizeof(got); i++)
		assert_int_equal(((uint8_t *)&got)[i], 0x55);
}

static void test_pool_every_truncation(void **state)
{
	struct pool_settings s = sample_pool();
	struct wire_blob whole = pool_blob(&s);

	(void)state;
	for (size_t len = 0; len < whole.len; len++) {
		struct wire_blob cut = {malloc(len > 0 ? len : 1), len};

		memcpy((uint8_t *)(uintptr_t)cut.at, whole.at, len);
		pool_refused(cut, NULL);
		drop(&cut);
	}
	drop(&whole);
	settings_pool_free(&s);
}

static void test_pool_strange(void **state)
{
	struct pool_settings s = sample_pool();
	struct wire_blob b = pool_blob(&s);
	uint8_t longer[ROOM], *version = (uint8_t *)(uintptr_t)b.at;

	(void)state;
	memcpy(longer, b.at, b.len);
	longer[b.len] = 0;
	pool_refused((struct wire_blob){longer, b.len + 1}, "settings of a pool: malformed");
	++*version;
	pool_refused(b, "settings of a pool: malformed");
	--*version;
	/* The last of all is the count of the gids. */
	memset(version + b.len - 4, 0xff, 4);
	pool_refused(b, "settings of a pool: malformed");
	drop(&b);
	settings_pool_free(&s);
}

/* What conf would never write.  The value goes into the struct past settings_set. */
static void test_pool_values(void **state)
{
	static const struct {
		size_t at;
		int64_t value;
		const char *text;
	} numbers[] = {
#define OF(member) offsetof(struct pool_settings, member)
		{OF(workers_max), 0, "settings of a pool: workers.max: 0 is below 1 (1 to 4096)"},
		{OF(workers_max), 4097, "settings of a pool: workers.max: 4097 exceeds 4096 (1 to 4096)"},
		{OF(priority_nice), -21, "settings of a pool: priority.nice: -21 is below -20 (-20 to 19)"},
		{OF(umask), 01000, "settings of a pool: umask: 1000 exceeds 0777 (0000 to 0777)"},
		{OF(stop_signal), 19, "settings of a pool: stop.signal: \"STOP\" is not known here (TERM, INT, QUIT, HUP, USR1, USR2, WINCH or KILL)"},
		{OF(stop_signal), 0, "settings of a pool: stop.signal: \"none\" is not known here (TERM, INT, QUIT, HUP, USR1, USR2, WINCH or KILL)"},
		{OF(cgroup_pids_max), 1, "settings of a pool: cgroup.pids_max: \"1\" is not possible yet (leave it out)"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		struct pool_settings s = sample_pool();
		struct wire_blob b;

		*(int32_t *)(void *)((char *)&s + numbers[i].at) = (int32_t)numbers[i].value;
		b = pool_blob(&s);
		pool_refused(b, numbers[i].text);
		drop(&b);
		settings_pool_free(&s);
	}
}

static void test_pool_texts(void **state)
{
	static const struct {
		size_t at;
		const char *value, *text;
	} texts[] = {
		{OF(workers_start), "prefrok", "settings of a pool: workers.start: \"prefrok\" is not known here (auto, exec or prefork)"},
		{OF(workers_start), "", "settings of a pool: workers.start: \"\" is not known here (auto, exec or prefork)"},
		{OF(output), "x", "settings of a pool: output: \"x\" is not known here (log, null or an absolute path)"},
		{OF(chroot), "srv", "settings of a pool: chroot: \"srv\" is no absolute path (such as /srv/alice)"},
		{OF(directory), "", "settings of a pool: directory: \"\" is no absolute path (such as /srv/alice)"},
		{OF(listen), "x", "settings of a pool: listen: \"x\" is no address (an absolute path, 127.0.0.1:9000 or \"[::1]:9000\")"},
		{OF(user), "a:b", "settings of a pool: user: \"a:b\" is no account (a name or a number)"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct pool_settings s = sample_pool();
		struct wire_blob b;

		settings_put_text((const char **)(void *)((char *)&s + texts[i].at), texts[i].value);
		b = pool_blob(&s);
		pool_refused(b, texts[i].text);
		drop(&b);
		settings_pool_free(&s);
	}
}

static void test_pool_items(void **state)
{
	struct pool_settings s = sample_pool();
	struct wire_blob b;

	(void)state;
	assert_int_equal(settings_add(&s, settings_find(pool_table, "sandbox.capabilities"), "LEASE", NULL), 0);
	memcpy(s.sandbox_capabilities.items[0], "CHOWN", 5);
	b = pool_blob(&s);
	pool_refused(b, "settings of a pool: sandbox.capabilities: \"CHOWN\" amounts to root (such as CAP_NET_BIND_SERVICE)");
	drop(&b);
	settings_pool_free(&s);
}

/* A copy is the same in every row, and a thing of its own. */
static void test_pool_copy(void **state)
{
	struct pool_settings s = sample_pool(), copy;

	(void)state;
	for (uint32_t i = 0; i < pool_table->count; i++)
		if (pool_table->rows[i].status == SETTINGS_NOW)
			assert_int_equal(other_set(&s, &pool_table->rows[i], NULL), 0);
	s.groups.hash = 77;
	assert_int_equal(settings_pool_copy(&s, &copy), 0);
	copy.uid = s.uid; /* no row: conf finds it out for each pool */
	copy.gid = s.gid;
	settings_clear(&s, settings_find(pool_table, "frontends"));
	settings_set(&s, settings_find(pool_table, "user"), "carol", NULL);
	assert_int_equal(copy.frontends.count, 3);
	assert_string_equal(copy.frontends.items[1], "@hosting");
	assert_string_equal(copy.user, "bob");
	assert_true(copy.groups.hash == 77);
	assert_int_equal(copy.environment.count, s.environment.count);
	settings_pool_free(&s);
	assert_string_equal(copy.environment.items[0], "A=");
	settings_pool_free(&copy);
}

/* ---- the manager ---- */

static void test_manager_rows(void **state)
{
	struct manager_settings base = sample_manager(), read_base = manager_through_bytes(&base);

	(void)state;
	for (uint32_t i = 0; i < manager_table->count; i++) {
		const struct settings_row *row = &manager_table->rows[i];
		struct manager_settings s = sample_manager(), got;
		const char *key = NULL;

		assert_int_equal(other_set(&s, row, NULL), 0);
		got = manager_through_bytes(&s);
		assert_int_equal(settings_manager_compare(&read_base, &got, &key), row->class);
		assert_string_equal(key, row->key);
		assert_int_equal(settings_manager_compare(&got, &s, &key), SETTINGS_SAME);
		assert_null(key);
		settings_manager_free(&s);
		settings_manager_free(&got);
	}
	settings_manager_free(&base);
	settings_manager_free(&read_base);
}

static void test_manager_found_out(void **state)
{
	struct manager_settings a = sample_manager(), b = manager_through_bytes(&a);
	const struct {
		struct settings_acl *acl;
		const char *key;
	} acls[] = {
		{&b.operators_acl, "control.operators"},
		{&b.observers_acl, "control.observers"},
		{&b.frontends_acl, "control.frontends"},
		{&b.holders_acl, "control.holders"},
	};
	const char *key = NULL;

	(void)state;
	assert_string_equal(b.user_name, "fcgipm");
	for (uint32_t i = 0; i < 4; i++) {
		assert_int_equal(acls[i].acl->uids.count, 0);
		assert_int_equal(acls[i].acl->gids.count, 1);
		assert_int_equal(acls[i].acl->gids.ids[0], 100 + i);
		acls[i].acl->gids.ids[0]++;
		assert_int_equal(settings_manager_compare(&a, &b, &key), SETTINGS_LIVE);
		assert_string_equal(key, acls[i].key);
		acls[i].acl->gids.ids[0]--;
	}
	b.gid++;
	assert_int_equal(settings_manager_compare(&a, &b, &key), SETTINGS_REBIND);
	assert_string_equal(key, "user");
	settings_manager_free(&a);
	settings_manager_free(&b);
}

static void test_manager_refused(void **state)
{
	struct manager_settings s = sample_manager(), got;
	struct wire_blob whole = manager_blob(&s), b;
	struct fp_err err = {0};

	(void)state;
	for (size_t len = 0; len < whole.len; len++) {
		b = (struct wire_blob){malloc(len > 0 ? len : 1), len};
		memcpy((uint8_t *)(uintptr_t)b.at, whole.at, len);
		assert_int_equal(settings_manager_decode(b, &got, NULL), -EBADMSG);
		drop(&b);
	}
	drop(&whole);
	settings_put_text(&s.log_level, "loud");
	b = manager_blob(&s);
	assert_int_equal(settings_manager_decode(b, &got, &err), -EBADMSG);
	assert_string_equal(err.text, "settings of the manager: log.level: \"loud\" is not known here (error, warn, info or debug)");
	drop(&b);
	settings_manager_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pool_rows),         cmocka_unit_test(test_pool_found_out),  cmocka_unit_test(test_pool_other_numbers),
		cmocka_unit_test(test_pool_deciding),     cmocka_unit_test(test_pool_secrets),    cmocka_unit_test(test_pool_every_truncation),
		cmocka_unit_test(test_pool_strange),      cmocka_unit_test(test_pool_values),     cmocka_unit_test(test_pool_texts),
		cmocka_unit_test(test_pool_items),        cmocka_unit_test(test_pool_copy),       cmocka_unit_test(test_manager_rows),
		cmocka_unit_test(test_manager_found_out), cmocka_unit_test(test_manager_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
