/* Foreign configurations: whatever is in them, what is printed is one YAML document of bounded size, and the same bytes print the same.
 * The first byte says what they are. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <yaml.h>

#include "tests/unit/import/files.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must_be_yaml(const struct fp_doc *d)
{
	yaml_parser_t p;
	yaml_event_t e;
	int documents = 0;
	bool end = false;

	yaml_parser_initialize(&p);
	yaml_parser_set_input_string(&p, (const unsigned char *)d->at, d->len);
	while (!end) {
		if (!yaml_parser_parse(&p, &e))
			abort();
		documents += e.type == YAML_DOCUMENT_START_EVENT;
		end = e.type == YAML_STREAM_END_EVENT;
		yaml_event_delete(&e);
	}
	yaml_parser_delete(&p);
	if (documents != 1)
		abort();
}

static void run(const char *kind, const char *const *words, size_t count)
{
	struct import_result a, b;

	if (memory_import(kind, words, count, &a) < 0 || memory_import(kind, words, count, &b) < 0)
		abort();
	if (strcmp(a.yaml.at, b.yaml.at) != 0 || strlen(a.yaml.at) != a.yaml.len)
		abort();
	must_be_yaml(&a.yaml);
	import_result_fini(&a);
	import_result_fini(&b);
}

/* Words end in a NUL byte or a line feed. */
static void run_words(const uint8_t *data, size_t size)
{
	enum { MOST = 64 };
	const char *words[MOST];
	char *copy = calloc(1, size + 1), *at = copy;
	size_t n = 0;

	if (copy == NULL)
		return;
	for (size_t i = 0; i < size; i++)
		copy[i] = (char)(data[i] == '\n' ? '\0' : data[i]);
	for (; n < MOST && at < copy + size; at += strlen(at) + 1)
		words[n++] = at;
	run("spawn-fcgi", words, n);
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const file[] = {"/etc/php/8.2/fpm/a.conf"};

	if (size == 0)
		return 0;
	memory_put(0, file[0], (const char *)data + 1, size - 1);
	if (data[0] == 's')
		run_words(data + 1, size - 1);
	else
		run(data[0] == 'h' ? "mod-fcgid" : "php-fpm", file, 1);
	return 0;
}
