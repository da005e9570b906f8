/* Arguments and environment: what goes through, what does not, and every way in which the bytes can be wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* before cmocka.h */
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "fcgipm/broker/words.h"

static const char *nothing[] = {NULL}, *set[] = {"PATH=/bin", "LANG=C", NULL}, *allow[] = {"GIT_*", "FOO", NULL}, *arguments[] = {"-v", "name=*", NULL};
static struct spec_profile profile = {.max_arguments = 3, .arguments = nothing, .allow = allow, .envp = set};

static struct wire_blob spell(const char *const *argv, const char *const *envp)
{
	struct wire_wr w = {.at = malloc(4096), .cap = 4096};
	uint8_t *exact;

	for (int i = 0; i < 2; i++) {
		const char *const *texts = i == 0 ? argv : envp;
		uint32_t count = 0;

		while (texts[count] != NULL)
			count++;
		wire_put_u32(&w, count);
		for (uint32_t n = 0; n < count; n++)
			wire_put_str(&w, texts[n]);
	}
	assert_false(w.bad);
	exact = malloc(w.len); /* so that memory checkers see a look beyond it */
	memcpy(exact, w.at, w.len);
	free(w.at);
	return (struct wire_blob){.at = exact, .len = w.len};
}

static enum fcgipm_refusal read_words(const char *const *argv, const char *const *envp, struct broker_words *ret)
{
	struct wire_blob b = spell(argv, envp);
	enum fcgipm_refusal no = broker_words_read(b, &profile, ret);

	broker_words_free(ret);
	free((void *)(uintptr_t)b.at);
	return no;
}

static void the_environment_is_cleaned(void **state)
{
	static const char *const argv[] = {"/bin/x", "a", "b", NULL};
	static const char *const envp[] = {"PATH=/evil",
					   "QUERY_STRING=a=b",
					   "LD_PRELOAD=/x",
					   "HTTP_COOKIE=c",
					   "HTTP_PROXY=p",
					   "HTTP_COOKIE=second",
					   "SSL_X=1",
					   "GIT_DIR=d",
					   "FOO=1",
					   "FOOBAR=1",
					   "IFS=x",
					   "no",
					   "=v",
					   "HTTPS=on",
					   NULL};
	static const char *const wanted[] = {"PATH=/bin", "LANG=C", "QUERY_STRING=a=b", "HTTP_COOKIE=c", "SSL_X=1", "GIT_DIR=d", "FOO=1", "HTTPS=on", NULL};
	struct broker_words w = {0};
	struct wire_blob b = spell(argv, envp);
	size_t n = 0;

	(void)state;
	assert_int_equal(broker_words_read(b, &profile, &w), FCGIPM_REFUSED_NOT);
	assert_int_equal(w.argc, 3);
	assert_string_equal(w.argv[2], "b");
	assert_null(w.argv[3]);
	for (; wanted[n] != NULL; n++)
		assert_string_equal(w.envp[n], wanted[n]);
	assert_null(w.envp[n]);
	broker_words_free(&w);
	free((void *)(uintptr_t)b.at);
}

static void arguments_are_the_profiles_word(void **state)
{
	static const char *const none[] = {NULL}, *const two[] = {"/bin/x", "-v", "name=y", NULL}, *const other[] = {"/bin/x", "-w", NULL},
				 *const many[] = {"/bin/x", "1", "2", "3", "4", NULL};
	struct broker_words w = {0};

	(void)state;
	assert_int_equal(read_words(none, none, &w), FCGIPM_REFUSED_MALFORMED);
	assert_int_equal(read_words(many, none, &w), FCGIPM_REFUSED_ARGUMENTS);
	profile.arguments = arguments;
	assert_int_equal(read_words(two, none, &w), FCGIPM_REFUSED_NOT);
	assert_int_equal(read_words(other, none, &w), FCGIPM_REFUSED_ARGUMENTS);
	profile.arguments = nothing;
}

static void paths_have_a_form(void **state)
{
	static const char *const paths[] = {"x", "", "/", "/a/../b", "/a/./b", "/a//b", "/a/", "/a\nb", "./a"}, *const none[] = {NULL};
	struct broker_words w = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		const char *const argv[] = {paths[i], NULL};

		assert_int_equal(read_words(argv, none, &w), FCGIPM_REFUSED_PATH);
	}
}

static void every_truncation_and_every_changed_byte(void **state)
{
	static const char *const argv[] = {"/bin/x", "a", NULL}, *const envp[] = {"FOO=1", "HTTP_A=b", NULL};
	struct wire_blob whole = spell(argv, envp);
	struct broker_words w = {0};

	(void)state;
	for (size_t len = 0; len < whole.len; len++) {
		uint8_t *cut = malloc(len + 1);

		memcpy(cut, whole.at, len);
		assert_int_equal(broker_words_read((struct wire_blob){cut, len}, &profile, &w), FCGIPM_REFUSED_MALFORMED);
		free(cut);
	}
	for (size_t at = 0; at < whole.len * 2; at++) { /* whatever comes of it, memory checkers are content */
		uint8_t *other = malloc(whole.len);

		memcpy(other, whole.at, whole.len);
		other[at / 2] ^= at % 2 == 0 ? 0xff : 1;
		broker_words_read((struct wire_blob){other, whole.len}, &profile, &w);
		broker_words_free(&w);
		free(other);
	}
	free((void *)(uintptr_t)whole.at);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_environment_is_cleaned),
		cmocka_unit_test(arguments_are_the_profiles_word),
		cmocka_unit_test(paths_have_a_form),
		cmocka_unit_test(every_truncation_and_every_changed_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
