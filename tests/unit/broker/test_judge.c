/* The judgement: a program that may run, and each thing that forbids it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* before cmocka.h */
#include <cmocka.h>

#include "fcgipm/broker/judge.h"

enum { ALICE = 1000, BOB = 1001, USERS = 100, MANAGER = 900, CONF = 901 };

struct trial {
	struct spec_profile p;
	struct spec_floors f;
	struct stat file;
	struct broker_place directory, home;
	bool foreign;
	struct broker_ids ran;
};

static struct trial good(void)
{
	return (struct trial){
		.p = {.owner = true, .file_owner = SPEC_FILE_OF_RUN_OR_ROOT, .min_uid = 1000, .min_gid = 100},
		.f = {.manager_uid = MANAGER, .manager_gid = MANAGER, .conf_uid = CONF, .conf_gid = CONF, .ordinary_uid = UINT32_MAX},
		.file = {.st_mode = S_IFREG | 0755, .st_uid = ALICE, .st_gid = USERS},
		.directory = {.mode = S_IFDIR | 0755, .uid = ALICE, .gid = USERS},
		.home = {.mode = S_IFDIR | 0755, .uid = ALICE, .gid = USERS},
	};
}

/* One that runs as a named account. */
static struct trial named(void)
{
	struct trial t = good();

	t.p.owner = false;
	t.p.uid = BOB;
	t.p.gid = USERS;
	t.file.st_uid = t.directory.uid = 0;
	return t;
}

static enum fcgipm_refusal judge(struct trial *t)
{
	const struct broker_found found = {.st = t->file, .depth = 3, .way = {{.mode = S_IFDIR | 0755}, t->home, t->directory}, .foreign = t->foreign};

	const struct broker_rule rule = broker_rule_of(&t->p, &t->f);

	return broker_judge(&rule, &found, &t->ran);
}

static void the_owner_runs_his_own(void **state)
{
	struct trial t = good();

	(void)state;
	assert_int_equal(judge(&t), FCGIPM_REFUSED_NOT);
	assert_int_equal(t.ran.uid, ALICE);
	assert_int_equal(t.ran.gid, USERS);
	t.directory.uid = 0;
	assert_int_equal(judge(&t), FCGIPM_REFUSED_NOT);
}

/* Each changes one thing of a good program. */
#define EXPECT(what, refusal)                                                                                                                                  \
	do {                                                                                                                                                   \
		struct trial t = good();                                                                                                                       \
		what;                                                                                                                                          \
		assert_int_equal(judge(&t), refusal);                                                                                                          \
	} while (0)

static void what_forbids_a_program(void **state)
{
	(void)state;
	EXPECT(t.file.st_mode = S_IFDIR | 0755, FCGIPM_REFUSED_NOT_A_FILE);
	EXPECT(t.file.st_mode = S_IFIFO | 0755, FCGIPM_REFUSED_NOT_A_FILE);
	EXPECT(t.file.st_mode = S_IFCHR | 0755, FCGIPM_REFUSED_NOT_A_FILE);
	EXPECT(t.file.st_mode |= S_ISUID, FCGIPM_REFUSED_SETID);
	EXPECT(t.file.st_mode |= S_ISGID, FCGIPM_REFUSED_SETID);
	EXPECT(t.file.st_mode |= S_IWGRP, FCGIPM_REFUSED_WRITABLE);
	EXPECT(t.file.st_mode |= S_IWOTH, FCGIPM_REFUSED_WRITABLE);
	EXPECT(t.directory.mode |= S_IWGRP, FCGIPM_REFUSED_DIRECTORY_WRITABLE);
	EXPECT(t.directory.mode |= S_IWOTH | S_ISVTX, FCGIPM_REFUSED_DIRECTORY_WRITABLE);
	EXPECT(t.directory.uid = BOB, FCGIPM_REFUSED_DIRECTORY_OWNER);
	EXPECT(t.file.st_uid = t.directory.uid = 0, FCGIPM_REFUSED_ROOT);
	EXPECT(t.file.st_gid = 0, FCGIPM_REFUSED_ROOT);
	EXPECT(t.file.st_uid = t.directory.uid = MANAGER, FCGIPM_REFUSED_OWN_ACCOUNT);
	EXPECT(t.file.st_uid = t.directory.uid = CONF, FCGIPM_REFUSED_OWN_ACCOUNT);
	EXPECT(t.file.st_gid = MANAGER, FCGIPM_REFUSED_OWN_ACCOUNT);
	EXPECT(t.foreign = true, FCGIPM_REFUSED_FILE_SYSTEM);
	EXPECT(t.p.min_uid = ALICE + 1, FCGIPM_REFUSED_MIN_UID);
	EXPECT(t.p.min_gid = USERS + 1, FCGIPM_REFUSED_MIN_GID);
}

/* A file that was made in a setgid directory, and moved. */
static void the_group_is_the_owners_own(void **state)
{
	(void)state;
	EXPECT(t.file.st_gid = USERS + 1, FCGIPM_REFUSED_GROUP);
	EXPECT(t.file.st_gid = t.directory.gid = USERS + 1, FCGIPM_REFUSED_GROUP);
	EXPECT(t.file.st_gid = t.directory.gid = t.home.gid = USERS + 1, FCGIPM_REFUSED_NOT); /* root, or a group of his */
	EXPECT(t.home.uid = 0, FCGIPM_REFUSED_NOT);
	EXPECT((t.home.uid = 0, t.home.mode |= S_IWOTH | S_ISVTX), FCGIPM_REFUSED_GROUP); /* anybody may have put his directory there */
	EXPECT((t.home.uid = t.directory.uid = 0, t.file.st_gid = USERS + 1), FCGIPM_REFUSED_NOT); /* root has put it there */
}

static void a_named_account_runs_roots_or_its_own(void **state)
{
	struct trial t = named();

	(void)state;
	assert_int_equal(judge(&t), FCGIPM_REFUSED_NOT);
	assert_int_equal(t.ran.uid, BOB);
	t.file.st_uid = t.directory.uid = BOB;
	assert_int_equal(judge(&t), FCGIPM_REFUSED_NOT);
	t.file.st_uid = ALICE;
	assert_int_equal(judge(&t), FCGIPM_REFUSED_OWNER);
	t.p.file_owner = SPEC_FILE_OF_ANY;
	assert_int_equal(judge(&t), FCGIPM_REFUSED_NOT);
	t.p.file_owner = SPEC_FILE_OF_ROOT;
	assert_int_equal(judge(&t), FCGIPM_REFUSED_OWNER);
	t.file.st_uid = 0;
	assert_int_equal(judge(&t), FCGIPM_REFUSED_DIRECTORY_OWNER);
	t.p.file_owner = SPEC_FILE_OF_RUN;
	assert_int_equal(judge(&t), FCGIPM_REFUSED_OWNER);
}

static void a_group_that_is_wanted(void **state)
{
	struct trial t = named();

	(void)state;
	t.p.file_group = true;
	assert_int_equal(judge(&t), FCGIPM_REFUSED_NOT);
	t.file.st_gid = USERS + 1;
	assert_int_equal(judge(&t), FCGIPM_REFUSED_GROUP);
}

static void an_ordinary_user_runs_his_own_alone(void **state)
{
	struct trial t = good();

	(void)state;
	t.f.ordinary_uid = ALICE;
	t.p.min_uid = 5000;
	assert_int_equal(judge(&t), FCGIPM_REFUSED_NOT);
	t.file.st_uid = 0;
	assert_int_equal(judge(&t), FCGIPM_REFUSED_DIRECTORY_OWNER);
	t.directory.uid = 0;
	assert_int_equal(judge(&t), FCGIPM_REFUSED_OWNER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_owner_runs_his_own),      cmocka_unit_test(what_forbids_a_program),
		cmocka_unit_test(the_group_is_the_owners_own), cmocka_unit_test(a_named_account_runs_roots_or_its_own),
		cmocka_unit_test(a_group_that_is_wanted),      cmocka_unit_test(an_ordinary_user_runs_his_own_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
