/* Whole looks at trees of made-up ELF files, as whoever runs the test. */
#include "fcgipm/look/look.h"

#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/look/memory.h"

#define LINKER "/lib64/ld-linux-x86-64.so.2"
#define MUSL   "/lib/ld-musl-x86_64.so.1"

static char root[64];
static const char *argv[4], *envp[4], *environment_file, *output_path;
static char errors[4096], warnings[4096];
static struct look_report report;

/* ---- trees ---- */

static const char *inside(const char *path)
{
	static char full[4096];

	snprintf(full, sizeof(full), "%s%s", root, path);
	return full;
}

static void parents(const char *path)
{
	char full[4096];

	snprintf(full, sizeof(full), "%s", inside(path));
	for (char *at = strchr(full + strlen(root) + 1, '/'); at != NULL; at = strchr(at + 1, '/')) {
		*at = '\0';
		mkdir(full, 0755);
		*at = '/';
	}
}

static void put(const char *path, const void *bytes, size_t len)
{
	int fd;

	parents(path);
	fd = open(inside(path), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	close(fd);
}

static void put_text(const char *path, const char *text)
{
	put(path, text, strlen(text));
}

struct made {
	const char *interpreter, *soname, *rpath, *runpath, *needed[8];
	uint16_t machine; /* 0: this one */
};

/* What the running program is made for. */
static struct recipe native(void)
{
	static struct memory self;
	struct recipe r = {.type = ET_DYN};
	FILE *f = fopen("/proc/self/exe", "rb");

	assert_non_null(f);
	self.len = fread(self.at, 1, sizeof(self.at), f);
	fclose(f);
	r.class = self.at[EI_CLASS];
	memcpy(&r.machine, self.at + EI_NIDENT + sizeof(uint16_t), sizeof(r.machine));
	return r;
}

static void put_elf(const char *path, const struct made *e)
{
	static struct memory m;
	struct recipe r = native();
	int64_t tags[16] = {DT_DEBUG};
	const char *strings[16] = {""};
	const struct {
		int64_t tag;
		const char *text;
	} texts[] = {{DT_SONAME, e->soname}, {DT_RPATH, e->rpath}, {DT_RUNPATH, e->runpath}};
	size_t n = 1;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (texts[i].text == NULL)
			continue;
		tags[n] = texts[i].tag;
		strings[n++] = texts[i].text;
	}
	for (size_t i = 0; e->needed[i] != NULL; i++) {
		tags[n] = DT_NEEDED;
		strings[n++] = e->needed[i];
	}
	r.tags = tags;
	r.strings = strings;
	r.interpreter = e->interpreter;
	if (e->machine != 0)
		r.machine = e->machine;
	make_elf(&m, &r);
	put(path, m.at, 0x1000);
}
#define PROGRAM(path, ...) put_elf(path, &(struct made){.interpreter = LINKER, __VA_ARGS__})
#define LIBRARY(path, ...) put_elf(path, &(struct made){__VA_ARGS__})

static int setup(void **state)
{
	(void)state;
	snprintf(root, sizeof(root), "/tmp/fcgipm-look.XXXXXX");
	assert_non_null(mkdtemp(root));
	chmod(root, 0755);
	memset(argv, 0, sizeof(argv));
	memset(envp, 0, sizeof(envp));
	argv[0] = "/bin/app";
	envp[0] = "PATH=/usr/bin:/bin";
	environment_file = "";
	output_path = NULL;
	LIBRARY(LINKER, .soname = "ld-linux-x86-64.so.2");
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st, (void)kind, (void)ftw;
	return remove(path);
}

static int teardown(void **state)
{
	(void)state;
	return nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* ---- looks ---- */

static void look_as(bool deep, const char *chroot)
{
	const struct spec_pool p = {
		.name = "app",
		.uid = geteuid(),
		.gid = getegid(),
		.argv = argv,
		.envp = envp,
		.chroot = chroot,
		.directory = "/",
		.environment_file = environment_file,
		.listen = SPEC_LISTEN_TCP,
		.address = "127.0.0.1:9000",
		.output = output_path != NULL ? SPEC_OUTPUT_FILE : SPEC_OUTPUT_LOG,
		.output_path = output_path != NULL ? output_path : "",
	};

	errors[0] = warnings[0] = '\0';
	report = (struct look_report){.errors = FP_TEXT(errors), .warnings = FP_TEXT(warnings)};
	look_at_pool(&p, deep, &report);
}

static void look(void)
{
	look_as(true, root);
}

static void assert_in(const char *part, const char *text)
{
	if (strstr(text, part) == NULL)
		fail_msg("\"%s\" is not in:\n%s", part, text);
}
#define assert_no_errors() assert_string_equal(errors, "")

static void a_whole_program_has_no_errors(void **state)
{
	(void)state;
	PROGRAM("/bin/app", .needed = {"liba.so.1", "libc.so.6"});
	LIBRARY("/lib/liba.so.1", .needed = {"libb.so.1", "ld-linux-x86-64.so.2"});
	LIBRARY("/usr/lib/libb.so.1", .needed = {"liba.so.1"});
	LIBRARY("/lib/libc.so.6", .needed = {"ld-linux-x86-64.so.2"});
	look();
	assert_no_errors();
	assert_in("chroot\t/dev/null in the chroot: No such file or directory (mkdir -p", warnings);
	look_as(false, root);
	assert_no_errors();
	assert_string_equal(warnings, "");
}

static void what_is_missing_is_said_at_once_and_once(void **state)
{
	(void)state;
	PROGRAM("/bin/app", .needed = {"libnowhere.so.1", "liba.so.1"});
	LIBRARY("/lib/liba.so.1", .needed = {"libnowhere.so.1", "libnone.so.2"});
	look();
	assert_int_equal(report.error_count, 2);
	assert_in("command\t/bin/app in the chroot needs libnowhere.so.1, which is not there", errors);
	assert_in("command\t/lib/liba.so.1 in the chroot needs libnone.so.2, which is not there", errors);
	look_as(false, root); /* start and reload look at the program alone */
	assert_no_errors();
}

static void a_missing_command_is_looked_at_in_the_real_root(void **state)
{
	(void)state;
	argv[0] = "/usr/bin/env";
	look();
	assert_in("command\t/usr/bin/env in the chroot: No such file or directory (install -D /usr/bin/env /tmp/", errors);
	assert_in("needs libc", errors);
	look_as(false, root);
	assert_int_equal(report.error_count, 1);
}

static void a_path_as_seen_from_outside_is_named(void **state)
{
	char outside[128];

	(void)state;
	PROGRAM("/bin/app", .soname = NULL);
	snprintf(outside, sizeof(outside), "%s/bin/app", root);
	argv[0] = outside;
	look();
	assert_in("(write /bin/app: the path is seen from inside the chroot)", errors);
}

/* ---- the search ---- */

static void rpath_counts_for_what_is_below_and_runpath_does_not(void **state)
{
	(void)state;
	LIBRARY("/opt/lib/liba.so", .needed = {"libb.so"});
	LIBRARY("/opt/lib/libb.so", .soname = "libb.so");
	PROGRAM("/bin/app", .rpath = "/opt/lib", .needed = {"liba.so"});
	look();
	assert_no_errors();
	PROGRAM("/bin/app", .runpath = "/opt/lib", .needed = {"liba.so"});
	look();
	assert_int_equal(report.error_count, 1);
	assert_in("/opt/lib/liba.so in the chroot needs libb.so", errors);
	PROGRAM("/bin/app", .rpath = "/opt/lib", .runpath = "/none", .needed = {"liba.so"}); /* the one with a RUNPATH has no RPATH */
	look();
	assert_in("/bin/app in the chroot needs liba.so", errors);
	PROGRAM("/bin/app", .rpath = "/opt/lib", .needed = {"liba.so"});
	LIBRARY("/opt/lib/liba.so", .runpath = "/none", .needed = {"libb.so"});
	look();
	assert_in("/opt/lib/liba.so in the chroot needs libb.so", errors);
}

static void variables_are_put_in_their_places(void **state)
{
	(void)state;
	PROGRAM("/opt/bin/app", .runpath = "/none:$ORIGIN/../libs:${ORIGIN}/x", .needed = {"liba.so", "libb.so"});
	argv[0] = "/opt/bin/app";
	LIBRARY("/opt/libs/liba.so", .runpath = "$ORIGIN/deep", .needed = {"libc.so", "libd.so"});
	LIBRARY("/opt/bin/x/libb.so", .soname = "libb.so");
	LIBRARY("/opt/libs/deep/libc.so", .soname = "libc.so");
	LIBRARY("/opt/libs/deep/libd.so", .soname = "libd.so");
	look();
	assert_in("$ORIGIN is not known without /proc (mkdir -p ", errors); /* the program's own is asked of /proc/self/exe */
	parents("/proc/self/exe");
	look();
	assert_no_errors();
}

static void the_pools_library_path_counts(void **state)
{
	(void)state;
	PROGRAM("/bin/app", .needed = {"liba.so"});
	LIBRARY("/srv/lib/liba.so", .soname = "liba.so");
	envp[1] = "LD_LIBRARY_PATH=/none:/srv/lib";
	look();
	assert_no_errors();
	envp[1] = NULL;
	look();
	assert_int_equal(report.error_count, 1);
}

static void the_environment_file_counts(void **state)
{
	char path[4096];

	(void)state;
	PROGRAM("/bin/app", .needed = {"liba.so"});
	LIBRARY("/srv/lib/liba.so", .soname = "liba.so");
	put_text("/secrets", "TZ=Europe/Nowhere\nLD_LIBRARY_PATH=/srv/lib\n");
	snprintf(path, sizeof(path), "%s", inside("/secrets"));
	environment_file = path;
	look();
	assert_no_errors();
	assert_in("~environment_file\t", warnings);
	assert_in("every account can read it (chmod o-r)", warnings);
	assert_in("~chroot\tTZ=Europe/Nowhere: there is no", warnings);
	put_text("/secrets", "A=b\nnonsense\n");
	look_as(false, root);
	assert_in("/secrets:2: not NAME=VALUE", errors);
}

static void what_every_account_can_change_is_not_run(void **state)
{
	char path[4096];

	(void)state;
	PROGRAM("/srv/app/bin", .needed = {});
	argv[0] = "/srv/app/bin";
	chmod(inside("/srv/app"), 01777); /* nobody else can replace what is in it */
	look();
	assert_no_errors();
	chmod(inside("/srv/app"), 0777);
	look_as(false, root);
	assert_in("command\t/srv/app/bin in the chroot: every account can change /srv/app (chmod o-w ", errors);
	chmod(inside("/srv/app"), 0755);
	chmod(inside("/srv/app/bin"), 0757);
	look_as(false, root);
	assert_in("command\t/srv/app/bin in the chroot: every account can change it (chmod o-w ", errors);
	chmod(inside("/srv/app/bin"), 0755);
	put_text("/secrets", "A=b\n");
	snprintf(path, sizeof(path), "%s", inside("/secrets"));
	chmod(path, 0646);
	environment_file = path;
	look_as(false, root);
	assert_in("/secrets: every account can change it (chmod o-rw)", errors);
}

static void the_accounts_own_places_are_looked_at(void **state)
{
	char path[4096];

	(void)state;
	PROGRAM("/bin/app", .needed = {});
	snprintf(path, sizeof(path), "%s", inside("/log/out"));
	output_path = path;
	look_as(false, root);
	assert_in("output\t", errors);
	assert_in("/log: No such file or directory (a directory that uid ", errors);
	put_text("/log/other", "");
	look_as(false, root);
	assert_string_equal(errors, "");
	assert_int_equal(mkfifo(path, 0666), 0);
	look_as(false, root);
	assert_in("/log/out: something else than a regular file is there (remove it, or name another path)", errors);
}

static void a_name_with_a_slash_is_a_path(void **state)
{
	(void)state;
	PROGRAM("/bin/app", .needed = {"/opt/liba.so", "opt/libb.so", "/opt/none.so"});
	LIBRARY("/opt/liba.so", .soname = "liba.so.1");
	LIBRARY("/opt/libb.so", .needed = {"liba.so.1"}); /* which has been loaded under another name */
	look();
	assert_int_equal(report.error_count, 1);
	assert_in("needs /opt/none.so", errors);
}

static void another_machines_library_is_passed_over(void **state)
{
	(void)state;
	PROGRAM("/bin/app", .runpath = "/a:/b", .needed = {"liba.so"});
	LIBRARY("/a/liba.so", .machine = EM_SPARCV9);
	look();
	assert_in("needs liba.so and gets /a/liba.so, which is for another machine", errors);
	LIBRARY("/b/liba.so", .soname = "liba.so");
	look();
	assert_no_errors();
}

static void the_cache_counts_as_ldconfig_wrote_it(void **state)
{
	char cache[48 + 24 + 64] = "glibc-ld.so.cache1.1";
	uint32_t one = 1, key = 72, value = 82;

	(void)state;
	memcpy(cache + 20, &one, sizeof(one));
	memcpy(cache + 48 + 4, &key, sizeof(key));
	memcpy(cache + 48 + 8, &value, sizeof(value));
	memcpy(cache + 72, "liba.so.1\0/opt/x/liba.so.1.2", 28);
	PROGRAM("/bin/app", .needed = {"liba.so.1"});
	LIBRARY("/opt/x/liba.so.1.2", .soname = "liba.so.1");
	look();
	assert_int_equal(report.error_count, 1);
	put("/etc/ld.so.cache", cache, sizeof(cache));
	look();
	assert_no_errors();
	put_text("/etc/ld.so.cache", "glibc-ld.so.cache1.1 is what this is not");
	look();
	assert_int_equal(report.error_count, 1);
	assert_in("chroot\t/etc/ld.so.cache in the chroot cannot be used (ldconfig -r /tmp/", warnings);
}

static void the_linkers_own_directories_count(void **state)
{
	static const char dirs[] = "/lib64/\0/usr/lib64/";
	int fd = open(inside(LINKER), O_WRONLY | O_APPEND | O_CLOEXEC);

	(void)state;
	assert_int_equal(write(fd, dirs, sizeof(dirs)), sizeof(dirs));
	close(fd);
	PROGRAM("/bin/app", .needed = {"liba.so", "libb.so", "libc.so"});
	LIBRARY("/lib/liba.so", .soname = "liba.so");
	LIBRARY("/usr/lib64/libb.so", .soname = "libb.so");
	LIBRARY("/lib64/libc.so", .soname = "libc.so");
	look();
	assert_int_equal(report.error_count, 1);
	assert_in("needs liba.so", errors);
}

static void musl_looks_elsewhere(void **state)
{
	(void)state;
	put_elf("/bin/app", &(struct made){.interpreter = MUSL, .runpath = "/opt/lib", .needed = {"libc.so", "libm.so.6", "liba.so"}});
	LIBRARY(MUSL, .soname = "libc.so");
	LIBRARY("/opt/lib/liba.so", .needed = {"libb.so"}); /* found by the program's RUNPATH, for musl */
	LIBRARY("/opt/lib/libb.so", .needed = {"libd.so"});
	LIBRARY("/usr/local/lib/libd.so", .soname = "libd.so");
	look();
	assert_no_errors();
	put_text("/etc/ld-musl-x86_64.path", "/none\n/else:/more");
	look();
	assert_in("/opt/lib/libb.so in the chroot needs libd.so", errors);
	LIBRARY("/more/libd.so", .soname = "libd.so");
	look();
	assert_no_errors();
}

/* ---- interpreters ---- */

static void chains_of_interpreters_are_followed(void **state)
{
	char path[32], line[64];

	(void)state;
	PROGRAM("/bin/real", .needed = {"libnowhere.so"});
	put_text("/bin/app", "#!/bin/second\n");
	put_text("/bin/second", "#! /bin/real -x\n");
	look();
	assert_in("/bin/real in the chroot needs libnowhere.so", errors);
	for (unsigned i = 0; i < 8; i++) {
		snprintf(path, sizeof(path), i == 0 ? "/bin/app" : "/bin/app%u", i);
		snprintf(line, sizeof(line), "#!/bin/app%u\n", i + 1);
		put_text(path, line);
	}
	look();
	assert_in("too many interpreters", errors);
	put_text("/bin/app", "#!/bin/app\n");
	look_as(false, root);
	assert_in("too many interpreters", errors);
}

static void what_env_runs_is_looked_for_along_the_path(void **state)
{
	(void)state;
	put_text("/bin/app", "#!/usr/bin/env tool\n");
	PROGRAM("/usr/bin/env", .soname = NULL);
	look();
	assert_in("what env runs, tool in the chroot: not along the PATH /usr/bin:/bin", errors);
	PROGRAM("/bin/tool", .needed = {"libnowhere.so"});
	look();
	assert_in("/bin/tool in the chroot needs libnowhere.so", errors);
	put_text("/bin/app", "#!/usr/bin/env tool -w\n");
	look();
	assert_in("(write env -S tool -w)", errors);
	put_text("/bin/app", "#!/usr/bin/env -S A=b tool -w\n");
	look();
	assert_in("/bin/tool in the chroot needs libnowhere.so", errors);
}

static void what_no_kernel_can_run_is_named(void **state)
{
	(void)state;
	put_text("/bin/app", "print 1\n");
	look();
	assert_in("neither an ELF file nor a #! line", warnings);
	put("/bin/app", "\177ELF\2\1\1", 7);
	look();
	assert_in("a broken #! line or ELF header", errors);
	PROGRAM("/bin/app", .machine = EM_SPARCV9);
	look();
#if defined(__x86_64__) || defined(__aarch64__)
	assert_in("/bin/app in the chroot: for another machine (SPARC V9)", errors);
#endif
	PROGRAM("/bin/app", .soname = NULL);
	put_text(LINKER, "no linker");
	look_as(false, root);
	assert_in("its program interpreter " LINKER " in the chroot: a broken ELF header", errors);
}

/* ---- what is known to be needed ---- */

static void languages_need_their_libraries(void **state)
{
	static const struct {
		const char *program, *lacks, *file;
	} rows[] = {
		{"/usr/bin/php-cgi8.2", "PHP needs the time zones", "/usr/share/zoneinfo/UTC"},
		{"/usr/bin/perl", "Perl needs its library", "/usr/lib/x/perl-base/strict.pm"},
		{"/opt/bin/perl5.40", "Perl needs its library", "/opt/lib/perl5/5.40/strict.pm"},
		{"/usr/bin/ruby3.1", "Ruby needs its library (set.rb)", "/usr/lib/ruby/3.1.0/set.rb"},
		{"/usr/bin/python3.11", "Python needs its library", "/usr/lib/python3.11/os.py"},
		{"/usr/local/bin/sbcl", "SBCL needs its core", "/usr/local/lib/sbcl/sbcl.core"},
		{"/usr/bin/clisp", "CLISP needs its memory image", "/usr/lib/clisp-2.49/base/lispinit.mem"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		argv[0] = rows[i].program;
		PROGRAM(argv[0], .soname = NULL);
		look();
		assert_in(rows[i].lacks, warnings);
		put_text(rows[i].file, "");
		look();
		assert_null(strstr(warnings, rows[i].lacks));
		unlink(inside(rows[i].file));
	}
	argv[0] = "/bin/app"; /* a program of one's own, linked with a language */
	PROGRAM("/bin/app", .needed = {"libperl.so.5.36"});
	LIBRARY("/lib/libperl.so.5.36", .soname = "libperl.so.5.36");
	look();
	assert_no_errors();
	assert_in("Perl needs its library", warnings);
}

static void modules_in_the_chroot_need_libraries_too(void **state)
{
	(void)state;
	argv[0] = "/usr/bin/perl";
	PROGRAM(argv[0], .soname = NULL);
	LIBRARY("/usr/lib/x/perl5/5.36/auto/FCGI/FCGI.so", .needed = {"libnowhere.so.0"});
	look();
	assert_no_errors();
	assert_in("command\t/usr/lib/x/perl5/5.36/auto/FCGI/FCGI.so in the chroot needs libnowhere.so.0", warnings);
}

static void scripts_among_the_arguments_are_to_be_there(void **state)
{
	char outside[128];

	(void)state;
	argv[0] = "/usr/bin/perl";
	PROGRAM(argv[0], .soname = NULL);
	argv[1] = "-T";
	argv[2] = "/srv/app.pl";
	look();
	assert_in("Perl is handed /srv/app.pl: No such file or directory in the chroot (put it there)", warnings);
	put_text("/srv/app.pl", "");
	look();
	assert_null(strstr(warnings, "is handed"));
	snprintf(outside, sizeof(outside), "%s/srv/app.pl", root);
	argv[2] = outside;
	look();
	assert_in("(write /srv/app.pl: the path is seen from inside the chroot)", warnings);
}

static void names_need_their_files_and_modules(void **state)
{
	(void)state;
	PROGRAM("/bin/app", .soname = "getaddrinfo", .needed = {"libc.so.6"}); /* a word among its strings, as of an import */
	LIBRARY("/lib/libc.so.6", .soname = "libc.so.6");
	look();
	assert_in("/etc/resolv.conf in the chroot: No such file", warnings);
	assert_in("/etc/hosts in the chroot: No such file", warnings);
	assert_in("/etc/nsswitch.conf in the chroot: No such file", warnings);
	put_text("/etc/resolv.conf", "");
	put_text("/etc/hosts", "");
	put_text("/etc/nsswitch.conf", "# hosts: commented\nhosts: [NOTFOUND=return] files elsewhere ../../evil dns# x\n");
	look();
	assert_null(strstr(warnings, "/etc/resolv.conf"));
	assert_null(strstr(warnings, "elsewhere")); /* which the real root has not either */
	assert_null(strstr(warnings, "evil"));
	assert_in("names files, and libnss_files.so.2 is not there", warnings);
	assert_in("names dns, and libnss_dns.so.2 is not there", warnings);
	LIBRARY("/lib/libnss_files.so.2", .needed = {"libnowhere.so"});
	look();
	assert_in("/lib/libnss_files.so.2 in the chroot needs libnowhere.so", warnings);
	LIBRARY("/lib/libc.so.6", .soname = "libc.so.6", .rpath = "GLIBC_2.34"); /* has both built in */
	look();
	assert_null(strstr(warnings, "libnss"));
	PROGRAM("/bin/app", .needed = {"libc.so.6"}); /* who asks for no names needs none of it */
	unlink(inside("/etc/resolv.conf"));
	look();
	assert_null(strstr(warnings, "/etc/resolv.conf"));
}

static void tls_and_time_need_their_files(void **state)
{
	(void)state;
	PROGRAM("/bin/app", .needed = {"libssl.so.3"});
	LIBRARY("/lib/libssl.so.3", .soname = "libssl.so.3");
	envp[1] = "TZ=Europe/Nowhere";
	look();
	assert_in("TLS needs certificates", warnings);
	assert_in("TZ=Europe/Nowhere: there is no /usr/share/zoneinfo/Europe/Nowhere in the chroot", warnings);
	put_text("/etc/ssl/certs/ca-certificates.crt", "");
	envp[1] = "TZ=CET-1CEST";
	look();
	assert_null(strstr(warnings, "TLS"));
	assert_null(strstr(warnings, "TZ="));
	unlink(inside("/etc/ssl/certs/ca-certificates.crt"));
	envp[1] = "SSL_CERT_FILE=/srv/ca.pem";
	look();
	assert_null(strstr(warnings, "TLS"));
}

static void a_file_is_no_device(void **state)
{
	(void)state;
	PROGRAM("/bin/app", .soname = NULL);
	put_text("/dev/null", "");
	look();
	assert_in("chroot\t/dev/null in the chroot is not the device (1, 3) (mkdir -p ", warnings);
	assert_in("/dev/null && mknod -m 666 ", warnings);
}

/* ---- hostile trees: each of these would hold, crash or mislead a look that trusts ---- */

static void fifos_and_directories_are_not_opened(void **state)
{
	(void)state;
	assert_int_equal(mkfifo(inside("/fifo"), 0777), 0);
	argv[0] = "/fifo";
	look();
	assert_in("command\t/fifo in the chroot: not a regular file", errors);
	argv[0] = "/bin/app";
	PROGRAM("/bin/app", .needed = {"/fifo", "/bin"});
	parents("/etc/x");
	assert_int_equal(mkfifo(inside("/etc/ld.so.cache"), 0777), 0);
	look();
	assert_in("needs /fifo and gets /fifo, which is no regular file", errors);
	assert_in("needs /bin and gets /bin, which is no regular file", errors);
	assert_in("/etc/ld.so.cache in the chroot cannot be used", warnings);
	put_text("/bin/app", "#!/fifo\n");
	look();
	assert_in("its #! interpreter /fifo in the chroot: not a regular file", errors);
	assert_int_equal(unlink(inside(LINKER)), 0);
	assert_int_equal(mkfifo(inside(LINKER), 0777), 0);
	PROGRAM("/bin/app", .soname = NULL);
	look();
	assert_in("its program interpreter " LINKER " in the chroot: not a regular file", errors);
}

static void links_neither_loop_nor_lead_out(void **state)
{
	(void)state;
	PROGRAM("/bin/app", .needed = {"liba.so", "libc.so.6"});
	parents("/lib/x");
	assert_int_equal(symlink("liba.so", inside("/lib/liba.so")), 0);
	assert_int_equal(symlink("../../../../../../../../../../lib/x86_64-linux-gnu/libc.so.6", inside("/lib/libc.so.6")), 0);
	look();
	assert_in("needs liba.so and gets /lib/liba.so, where links lead in a circle", errors);
	assert_in("needs libc.so.6, which is not there", errors);
}

/* Only as much is read as a parser asks for, wherever a file ends. */
static void files_of_100_gigabytes_are_no_reading_matter(void **state)
{
	static const char *const huge[] = {"/bin/app", "/lib/liba.so", "/etc/ld.so.cache", "/etc/nsswitch.conf", LINKER};

	(void)state;
	PROGRAM("/bin/app", .needed = {"liba.so", "libb.so"});
	LIBRARY("/lib/liba.so", .soname = "getaddrinfo");
	put_text("/etc/ld.so.cache", "glibc-ld.so.cache1.1");
	put_text("/etc/nsswitch.conf", "hosts: files\n");
	for (size_t i = 0; i < sizeof(huge) / sizeof(huge[0]); i++)
		assert_int_equal(truncate(inside(huge[i]), (off_t)100 << 30), 0);
	look();
	assert_int_equal(report.error_count, 1);
	assert_in("needs libb.so, which is not there", errors);
	assert_in("/etc/ld.so.cache in the chroot cannot be used", warnings);
}

static void a_crowd_of_libraries_is_bounded(void **state)
{
	char path[64], next[2][32];

	(void)state;
	PROGRAM("/bin/app", .needed = {"lib0.so"});
	for (unsigned i = 0; i < 600; i++) {
		snprintf(path, sizeof(path), "/lib/lib%u.so", i);
		snprintf(next[0], sizeof(next[0]), "lib%u.so", i + 1);
		snprintf(next[1], sizeof(next[1]), "lib%u.so", i + 2);
		LIBRARY(path, .needed = {next[0], next[1]});
	}
	look();
	assert_no_errors();
	assert_in("more than 512 libraries: the rest was not looked at", warnings);
}

static void more_than_fits_is_said_so(void **state)
{
	char path[64], name[4][200];

	(void)state;
	for (unsigned i = 0; i < 4; i++)
		memset(name[i], 'a' + (int)i, sizeof(name[i]) - 1), name[i][sizeof(name[i]) - 1] = '\0';
	PROGRAM("/bin/app", .needed = {"lib0.so", "lib1.so", "lib2.so", "lib3.so", "lib4.so", "lib5.so", "lib6.so"});
	for (unsigned i = 0; i < 7; i++) {
		snprintf(path, sizeof(path), "/lib/lib%u.so", i);
		for (unsigned n = 0; n < 4; n++)
			name[n][0] = (char)('0' + i);
		LIBRARY(path, .needed = {name[0], name[1], name[2], name[3]});
	}
	look();
	assert_true(report.errors.cut);
	assert_in("\npool\tthere is more than fits here\n", errors);
	for (const char *at = errors; *at != '\0'; at = strchr(at, '\n') + 1) {
		assert_non_null(strchr(at, '\n'));
		report.error_count--;
	}
	assert_int_equal(report.error_count, 0);
}

/* A remedy goes into root's shell. */
static void no_command_holds_what_a_shell_would_make_more_of(void **state)
{
	(void)state;
	PROGRAM("/bin/app", .needed = {"$(reboot)", "a;reboot", "`x`", "/lib/../../etc/x", "b c", "x\ny"});
	look();
	assert_null(strstr(errors, "install -D"));
	assert_null(strstr(errors, "apt-file"));
	put_text("/bin/app", "#!/bin/sh;reboot\n");
	look();
	assert_null(strstr(errors, "apt-file"));
}

/* What only root may read is not offered for copying, and no link leads the copy out of the chroot. */
static void a_copy_stays_in_the_chroot(void **state)
{
	char want[256];

	(void)state;
	argv[0] = "/usr/bin/env";
	parents("/srv/real/x");
	parents("/usr/x");
	assert_int_equal(symlink("/srv/real", inside("/usr/bin")), 0);
	look();
	snprintf(want, sizeof(want), "(install -D /usr/bin/env %s/srv/real/env)", root);
	assert_in(want, errors);
}

static void a_directory_that_is_none_is_named(void **state)
{
	(void)state;
	look_as(true, inside("/none"));
	assert_in("chroot\t", errors);
	assert_in("/none: No such file or directory (make the directory", errors);
	look_as(true, inside(LINKER));
	assert_in("Not a directory", errors);
}

static void another_account_is_refused(void **state)
{
	const struct spec_pool p = {.name = "app",
				    .uid = geteuid() + 1,
				    .gid = getegid(),
				    .argv = argv,
				    .envp = envp,
				    .chroot = root,
				    .directory = "/",
				    .environment_file = "",
				    .listen = SPEC_LISTEN_TCP,
				    .address = ""};

	(void)state;
	errors[0] = '\0';
	report = (struct look_report){.errors = FP_TEXT(errors), .warnings = FP_TEXT(warnings)};
	look_at_pool(&p, true, &report);
	assert_in("user\tlooked with uid", errors);
	assert_int_equal(report.error_count, 1);
}

static void the_real_root_is_looked_at_without_a_chroot(void **state)
{
	(void)state;
	argv[0] = "/proc/self/exe"; /* no link of procfs is followed */
	look_as(true, "");
	assert_int_equal(report.error_count, 1);
	argv[0] = "/bin/sh";
	look_as(true, "");
	assert_no_errors();
	assert_null(strstr(warnings, "/bin/sh"));
	argv[0] = "/usr/bin/there-is-no-such-program";
	look_as(true, "");
	assert_in("(install the package that has it: apt-file search /usr/bin/there-is-no-such-program)", errors);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_whole_program_has_no_errors),
		TEST(what_is_missing_is_said_at_once_and_once),
		TEST(a_missing_command_is_looked_at_in_the_real_root),
		TEST(a_path_as_seen_from_outside_is_named),
		TEST(rpath_counts_for_what_is_below_and_runpath_does_not),
		TEST(variables_are_put_in_their_places),
		TEST(the_pools_library_path_counts),
		TEST(the_environment_file_counts),
		TEST(what_every_account_can_change_is_not_run),
		TEST(the_accounts_own_places_are_looked_at),
		TEST(a_name_with_a_slash_is_a_path),
		TEST(another_machines_library_is_passed_over),
		TEST(the_cache_counts_as_ldconfig_wrote_it),
		TEST(the_linkers_own_directories_count),
		TEST(musl_looks_elsewhere),
		TEST(chains_of_interpreters_are_followed),
		TEST(what_env_runs_is_looked_for_along_the_path),
		TEST(what_no_kernel_can_run_is_named),
		TEST(languages_need_their_libraries),
		TEST(modules_in_the_chroot_need_libraries_too),
		TEST(scripts_among_the_arguments_are_to_be_there),
		TEST(names_need_their_files_and_modules),
		TEST(tls_and_time_need_their_files),
		TEST(a_file_is_no_device),
		TEST(fifos_and_directories_are_not_opened),
		TEST(links_neither_loop_nor_lead_out),
		TEST(files_of_100_gigabytes_are_no_reading_matter),
		TEST(a_crowd_of_libraries_is_bounded),
		TEST(more_than_fits_is_said_so),
		TEST(no_command_holds_what_a_shell_would_make_more_of),
		TEST(a_copy_stays_in_the_chroot),
		TEST(a_directory_that_is_none_is_named),
		TEST(another_account_is_refused),
		TEST(the_real_root_is_looked_at_without_a_chroot),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
