/* Whole commands against a manager that follows a script: what they ask, what they print, how they end. */
#include "tests/unit/client/fake_manager.h"

#include "fcgipm/base/fd.h"
#include "fcgipm/cli/cli.h"
#include "tests/unit/client/sample.h"

static struct wire_dgram got;
static char *output, *complaint;
static size_t output_len, complaint_len;

static int command(fake_script *script, const char *text)
{
	struct cli cli;
	struct fake f;
	char copy[256], *argv[16] = {(char[]){"fcgipm"}, (char[]){"-s"}}, *rest = copy;
	int argc = 3, r;

	fake_start(&f, script);
	argv[2] = f.path;
	snprintf(copy, sizeof(copy), "%s", text);
	for (char *word; (word = strsep(&rest, " ")) != NULL;)
		argv[argc++] = word;
	free(output);
	free(complaint);
	cli = (struct cli){.out = open_memstream(&output, &output_len), .err = open_memstream(&complaint, &complaint_len)};
	r = cli_main(&cli, argc, argv);
	fclose(cli.out);
	fclose(cli.err);
	fake_stop(&f);
	return r;
}

static void expect_pool(int fd, uint16_t type, const char *pool, uint8_t no_wait, uint32_t code)
{
	uint32_t seq = fake_asked(fd, &got, type);
	struct wire_rd r = wire_body(&got);
	struct wire_c_pool m;

	if (!wire_read_c_pool(&r, &m) || !wire_done(&r) || strcmp(m.pool, pool) != 0 || m.no_wait != no_wait)
		_exit(10);
	fake_note(fd, seq, "2 of 4");
	fake_done(fd, seq, code, code == 0 ? "done" : "pool blog: no\x1b[31m", -1);
}

static void script_restart(int fd)
{
	expect_pool(fd, WIRE_C_RESTART, "blog", 0, 0);
}

static void script_stop(int fd)
{
	expect_pool(fd, WIRE_C_STOP, "site@alice", 1, 1);
}

static void script_start(int fd)
{
	expect_pool(fd, WIRE_C_START, "blog", 0, 78);
}

static void test_pool_commands(void **state)
{
	(void)state;
	assert_int_equal(command(script_restart, "restart blog"), 0);
	assert_string_equal(output, "done\n");
	assert_string_equal(complaint, "2 of 4\n");
	assert_int_equal(command(script_stop, "stop --no-wait site@alice"), 1);
	assert_string_equal(output, "");
	assert_string_equal(complaint, "2 of 4\npool blog: no\\x1b[31m\n");
	assert_int_equal(command(script_start, "start blog"), 78);
}

static void script_scale(int fd)
{
	uint32_t seq = fake_asked(fd, &got, WIRE_C_SCALE);
	struct wire_rd r = wire_body(&got);
	struct wire_c_scale m;

	if (!wire_read_c_scale(&r, &m) || !wire_done(&r) || m.min != -1 || m.max != 7 || m.no_wait != 0)
		_exit(10);
	fake_done(fd, seq, 0, "", -1);
}

static void script_reload(int fd)
{
	uint32_t seq = fake_asked(fd, &got, WIRE_C_RELOAD);
	struct wire_rd r = wire_body(&got);
	struct wire_c_reload m;

	if (!wire_read_c_reload(&r, &m) || !wire_done(&r) || m.no_wait != 0)
		_exit(10);
	fake_done(fd, seq, 78, "pools.yaml:1:1: bad\npools.yaml:2:1: worse", -1);
}

static void script_shutdown(int fd)
{
	uint32_t seq = fake_asked(fd, &got, WIRE_C_SHUTDOWN);
	struct wire_rd r = wire_body(&got);
	struct wire_c_shutdown m;

	if (!wire_read_c_shutdown(&r, &m) || !wire_done(&r) || m.now != 1)
		_exit(10);
	fake_done(fd, seq, 0, "", -1);
}

static void test_other_commands(void **state)
{
	(void)state;
	assert_int_equal(command(script_scale, "scale blog --max 7"), 0);
	assert_string_equal(output, "");
	assert_int_equal(command(script_reload, "reload"), 78);
	assert_string_equal(complaint, "pools.yaml:1:1: bad\npools.yaml:2:1: worse\n");
	assert_int_equal(command(script_shutdown, "shutdown --now"), 0);
}

static void script_status(int fd)
{
	static uint8_t bytes[4096];
	uint32_t seq = fake_asked(fd, &got, WIRE_C_STATUS);
	int snapshot;

	if (fp_memfd_sealed("status", bytes, sample_encode(bytes, sizeof(bytes)), &snapshot) < 0)
		_exit(10);
	fake_done(fd, seq, 0, "", snapshot);
}

static void script_status_without(int fd)
{
	fake_done(fd, fake_asked(fd, &got, WIRE_C_STATUS), 0, "", -1);
}

static void script_status_unsealed(int fd)
{
	int pipes[2];

	if (pipe(pipes) < 0)
		_exit(10);
	fake_done(fd, fake_asked(fd, &got, WIRE_C_STATUS), 0, "", pipes[0]);
}

static void test_status(void **state)
{
	(void)state;
	assert_int_equal(command(script_status, "status"), 0);
	assert_ptr_equal(strstr(output, "fcgipm 0.1.0, up "), output);
	assert_int_equal(command(script_status, "status --json"), 0);
	assert_ptr_equal(strstr(output, "{\"manager\": {"), output);
	assert_int_equal(command(script_status, "status blog"), 0);
	assert_non_null(strstr(output, "  workers.pids "));
	assert_int_equal(command(script_status_without, "status"), 1);
	assert_string_equal(output, "");
	assert_int_equal(command(script_status_unsealed, "status --json"), 1);
	assert_string_equal(output, "");
}

static void script_dies(int fd)
{
	fake_asked(fd, &got, WIRE_C_RESTART);
}

static void test_manager_dies(void **state)
{
	(void)state;
	assert_int_equal(command(script_dies, "restart blog"), FCGIPM_EXIT_NO_MANAGER);
	assert_non_null(strstr(complaint, "goes on"));
}

static void script_odd_code(int fd)
{
	fake_done(fd, fake_asked(fd, &got, WIRE_C_RESTART), 256, "", -1);
}

/* 256 must not become the 0 that a shell sees. */
static void test_odd_code(void **state)
{
	(void)state;
	assert_int_equal(command(script_odd_code, "restart blog"), FCGIPM_EXIT_NO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pool_commands), cmocka_unit_test(test_other_commands), cmocka_unit_test(test_status),
		cmocka_unit_test(test_manager_dies),  cmocka_unit_test(test_odd_code),
	};
	int r = cmocka_run_group_tests(tests, NULL, NULL);

	free(output);
	free(complaint);
	return r;
}
