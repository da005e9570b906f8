/* From a path to a file: links of root's are followed in the administrator's part, none below it; a chroot is not left. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* before cmocka.h */
#include <cmocka.h>

#include "fcgipm/broker/find.h"

static char top[] = "/tmp/fcgipm-find.XXXXXX";

static const char *in(const char *name)
{
	static char path[4][256];
	static unsigned turn;
	char *p = path[turn++ % 4];

	snprintf(p, sizeof(path[0]), "%s/%s", top, name);
	return p;
}

static void put(const char *name)
{
	int fd = open(in(name), O_WRONLY | O_CREAT | O_CLOEXEC, 0755);

	assert_true(fd >= 0);
	close(fd);
}

static int set_up(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(top));
	assert_int_equal(mkdir(in("root"), 0755), 0);
	assert_int_equal(mkdir(in("root/sub"), 0755), 0);
	assert_int_equal(mkdir(in("outside"), 0755), 0);
	put("root/program");
	put("root/sub/program");
	put("outside/program");
	assert_int_equal(symlink("program", in("root/link")), 0);
	assert_int_equal(symlink("../outside", in("root/away")), 0);
	assert_int_equal(symlink(in("root"), in("absolute")), 0);
	assert_int_equal(symlink("root", in("relative")), 0);
	assert_int_equal(symlink("loop", in("loop")), 0);
	assert_int_equal(symlink("/root/program", in("jailed")), 0);
	assert_int_equal(symlink("../../etc/passwd", in("climbs")), 0);
	assert_int_equal(mkfifo(in("root/fifo"), 0644), 0);
	return 0;
}

static int tear_down(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", top);
	return system(command);
}

static ino_t ino_of(const char *name)
{
	struct stat st = {0};

	assert_int_equal(stat(in(name), &st), 0);
	return st.st_ino;
}

/* literal: the part that is the administrator's. */
static void expect(const char *name, const char *literal, enum fcgipm_refusal refusal, const char *is)
{
	char path[256];
	struct broker_way way = {.chroot = "", .path = path, .literal = strlen(in(literal))};
	struct broker_found found = {.file = -1};

	snprintf(path, sizeof(path), "%s", in(name));
	assert_int_equal(broker_find(&way, &found), refusal);
	if (refusal != FCGIPM_REFUSED_NOT) {
		assert_int_equal(found.file, -1);
		return;
	}
	assert_int_equal(found.st.st_ino, ino_of(is));
	assert_int_equal(fcntl(found.file, F_GETFD), FD_CLOEXEC);
	assert_true(found.depth >= 3 && !found.foreign);
	close(found.file);
	close(found.dir);
}

static void files_are_found(void **state)
{
	(void)state;
	expect("root/program", "root", FCGIPM_REFUSED_NOT, "root/program");
	expect("root/sub/program", "root", FCGIPM_REFUSED_NOT, "root/sub/program");
	expect("root/program", "root/program", FCGIPM_REFUSED_NOT, "root/program");
	expect("root/fifo", "root", FCGIPM_REFUSED_NOT, "root/fifo"); /* the judgement refuses it, and nobody has opened it */
	expect("root/none", "root", FCGIPM_REFUSED_MISSING, NULL);
	expect("root/none/program", "root", FCGIPM_REFUSED_MISSING, NULL);
	expect("root/program/below", "root", FCGIPM_REFUSED_MISSING, NULL);
	expect("none/program", "none", FCGIPM_REFUSED_MISSING, NULL);
}

static void links_in_the_administrators_part(void **state)
{
	(void)state;
	expect("absolute/program", "absolute", FCGIPM_REFUSED_NOT, "root/program");
	expect("relative/sub/program", "relative", FCGIPM_REFUSED_NOT, "root/sub/program");
	expect("root/link", "root/link", FCGIPM_REFUSED_NOT, "root/program");
	expect("loop/program", "loop", FCGIPM_REFUSED_LINK, NULL);
}

static void links_below_are_refused(void **state)
{
	(void)state;
	expect("root/link", "root", FCGIPM_REFUSED_LINK, NULL);
	expect("root/away/program", "root", FCGIPM_REFUSED_LINK, NULL);
	expect("relative/program", "", FCGIPM_REFUSED_LINK, NULL);
}

static void links_of_others_are_refused(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(lchown(in("relative"), 1000, 1000), 0);
	expect("relative/program", "relative", FCGIPM_REFUSED_LINK, NULL);
	assert_int_equal(lchown(in("relative"), 0, 0), 0);
}

static void a_chroot_is_not_left(void **state)
{
	struct broker_found found = {.file = -1};

	(void)state;
	assert_int_equal(broker_find(&(struct broker_way){.chroot = top, .path = "/root/program", .literal = 5}, &found), FCGIPM_REFUSED_NOT);
	assert_int_equal(found.st.st_ino, ino_of("root/program"));
	close(found.file);
	close(found.dir);
	/* an absolute link begins at the chroot again */
	assert_int_equal(broker_find(&(struct broker_way){.chroot = top, .path = "/jailed", .literal = 7}, &found), FCGIPM_REFUSED_NOT);
	assert_int_equal(found.st.st_ino, ino_of("root/program"));
	close(found.file);
	close(found.dir);
	assert_int_equal(broker_find(&(struct broker_way){.chroot = top, .path = "/climbs", .literal = 7}, &found), FCGIPM_REFUSED_LINK);
	assert_int_equal(broker_find(&(struct broker_way){.chroot = "/none", .path = "/x", .literal = 0}, &found), FCGIPM_REFUSED_CHROOT);
}

static void what_nobody_may_enter(void **state)
{
	(void)state;
	if (geteuid() == 0)
		return; /* test_exec.py: the launcher's root has no capability to pass */
	assert_int_equal(chmod(in("root"), 0600), 0);
	expect("root/sub/program", "root", FCGIPM_REFUSED_UNREACHABLE, NULL);
	assert_int_equal(chmod(in("root"), 0755), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_are_found),         cmocka_unit_test(links_in_the_administrators_part),
		cmocka_unit_test(links_below_are_refused), cmocka_unit_test(links_of_others_are_refused),
		cmocka_unit_test(a_chroot_is_not_left),    cmocka_unit_test(what_nobody_may_enter),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
