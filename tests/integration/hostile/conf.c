/* A reader of the configuration that has been taken over.  It stands in fcgipm-conf's place and answers with what the file `play` beside it names: a
 * spec that is good but for one thing, or something that is no answer at all. */
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fcgipm/base/fd.h"
#include "fcgipm/base/log.h"
#include "fcgipm/settings/settings.h"
#include "fcgipm/spec/spec.h"
#include "fcgipm/wire/conf.h"
#include "fcgipm/wire/dgram.h"

static struct wire_dgram out, in;

/* What is sent, and what an attack changes of it. */
static struct answer {
	struct spec_manager manager;
	struct spec_pool pool;
	struct spec_profile profile;
	unsigned profiles; /* copies of it */
	const char *entry_name; /* beside the name in the pool's own spec */
	unsigned copies; /* of the pool */
	uint32_t errors, warnings;
	uint16_t type;
	unsigned fds; /* how many descriptors go with it */
	bool unsealed;
	size_t cut; /* bytes that are missing at the end of the spec */
	size_t added; /* bytes too many */
	const char *text;
} a;

static uint32_t uid_of(const char *name)
{
	const struct passwd *pw = getpwnam(name);

	return pw != NULL ? pw->pw_uid : 0;
}

/* ---- attacks ---- */

static void honest(void)
{
}
static void uid_0(void)
{
	a.pool.uid = 0;
}
static void gid_0(void)
{
	a.pool.gid = 0;
}
static void group_0(void)
{
	a.pool.groups[a.pool.group_count++] = 0;
}
static void uid_minus_1(void)
{
	a.pool.uid = UINT32_MAX;
}
static void gid_minus_1(void)
{
	a.pool.gid = UINT32_MAX;
}
static void account_of_the_manager(void)
{
	a.pool.uid = a.manager.uid;
}
static void account_of_conf(void)
{
	a.pool.uid = getuid();
}
static void group_of_the_manager(void)
{
	a.pool.groups[a.pool.group_count++] = a.manager.gid;
}
static void manager_is_root(void)
{
	a.manager.uid = 0;
}
static void manager_is_conf(void)
{
	a.manager.uid = getuid();
}
static void relative_executable(void)
{
	a.pool.argv[0] = "bin/sh";
}
static void no_executable(void)
{
	a.pool.argv[0] = NULL;
}
static void relative_chroot(void)
{
	a.pool.chroot = "srv";
}
static void chroot_with_dots(void)
{
	a.pool.chroot = "/srv/../etc";
}
static void relative_directory(void)
{
	a.pool.directory = "tmp";
}
static void capability_sys_admin(void)
{
	a.pool.capabilities = 1ULL << CAP_SYS_ADMIN;
}
static void capability_setuid(void)
{
	a.pool.capabilities = 1ULL << CAP_SETUID;
}
static void capability_unknown(void)
{
	a.pool.capabilities = 1ULL << 63;
}
static void control_socket_as_address(void)
{
	a.pool.address = "/run/fcgipm/control.sock", a.manager.runtime_directory = "/run/fcgipm";
}
static void relative_address(void)
{
	a.pool.address = "app.sock";
}
static void private_elsewhere(void)
{
	a.pool.private_socket = true;
}
static void name_of_two(void)
{
	a.entry_name = "another";
}
static void name_with_slash(void)
{
	a.pool.name = a.entry_name = "../x";
}
static void twice(void)
{
	a.copies = 2;
}
static void no_workers_at_all(void)
{
	a.manager.max_workers = 0;
}
static void nice_beyond(void)
{
	a.pool.nice = -100;
}
static void mode_with_setuid(void)
{
	a.pool.socket_mode = 04777;
}
static void stop_signal_0(void)
{
	a.pool.stop_signal = 0;
}
static void stop_timeout_for_ever(void)
{
	a.pool.stop_timeout_ms = UINT64_MAX;
}
static const uint32_t gid_0_alone[] = {0};

/* Of the profile beside the pool. */
static void profile_uid_0(void)
{
	a.profile.uid = 0;
}
static void profile_gid_0(void)
{
	a.profile.gid = 0;
}
static void profile_group_0(void)
{
	a.profile.groups = (struct spec_ids){1, gid_0_alone};
}
static void profile_owner_with_group_0(void)
{
	a.profile.owner = true, a.profile.groups = (struct spec_ids){1, gid_0_alone};
}
static void profile_uid_minus_1(void)
{
	a.profile.uid = UINT32_MAX;
}
static void profile_account_of_the_manager(void)
{
	a.profile.uid = a.manager.uid;
}
static void profile_account_of_conf(void)
{
	a.profile.uid = getuid();
}
static void profile_group_of_the_manager(void)
{
	a.profile.gid = a.manager.gid;
}
static void profile_min_uid_0(void)
{
	a.profile.owner = true, a.profile.min_uid = 0;
}
static void profile_min_gid_0(void)
{
	a.profile.owner = true, a.profile.min_gid = 0;
}
static void profile_no_root(void)
{
	a.profile.roots[0] = NULL;
}
static void profile_root_is_all(void)
{
	a.profile.roots[0] = "/";
}
static void profile_root_with_dots(void)
{
	a.profile.roots[0] = "/srv/../etc";
}
static void profile_root_half_a_pattern(void)
{
	a.profile.roots[0] = "/srv/[a";
}
static void profile_preload_set(void)
{
	a.profile.envp[0] = "LD_PRELOAD=/tmp/x.so";
}
static void profile_preload_allowed(void)
{
	a.profile.allow[0] = "LD_PRELOAD";
}
static void profile_all_variables(void)
{
	a.profile.allow[0] = "*";
}
static void profile_capability_setuid(void)
{
	a.profile.capabilities = 1ULL << CAP_SETUID;
}
static void profile_relative_chroot(void)
{
	a.profile.chroot = "srv";
}
static void profile_relative_directory(void)
{
	a.profile.directory = "tmp";
}
static void profile_named_local(void)
{
	a.profile.name = "local";
}
static void profile_name_with_slash(void)
{
	a.profile.name = "../x";
}
static void profile_twice(void)
{
	a.profiles = 2;
}
static void profile_running_beyond(void)
{
	a.profile.max_running = UINT32_MAX;
}
static void profile_queue_beyond(void)
{
	a.profile.queue_limit = UINT32_MAX;
}
static void profile_timeout_for_ever(void)
{
	a.profile.timeout_ms = UINT64_MAX;
}
static void not_sealed(void)
{
	a.unsealed = true;
}
static void truncated(void)
{
	a.cut = 9;
}
static void trailing(void)
{
	a.added = 3;
}
static void errors_with_a_spec(void)
{
	a.errors = 1;
}
static void no_spec(void)
{
	a.fds = 1;
}
static void no_descriptor(void)
{
	a.fds = 0;
}
static void three_descriptors(void)
{
	a.fds = 3;
}
static void unknown_type(void)
{
	a.type = 77;
}
static void answer_of_look(void)
{
	a.type = WIRE_LOOK_RESULT;
}
static void controls_in_the_text(void)
{
	a.errors = 1, a.fds = 1, a.text = "\033]0;owned\007pools.yaml: \033[31mfine\n";
}

static void silent_end(void)
{
	_exit(0);
}

static void dies_by_signal(void)
{
	raise(SIGKILL);
}

/* Is ended by the launcher's own limit. */
static void silent(void)
{
	pause();
}

static void send_bytes(const void *bytes, size_t len)
{
	(void)!send(WIRE_CONF_FD, bytes, len, MSG_NOSIGNAL);
	pause();
}

static void half_a_header(void)
{
	send_bytes("abc", 3);
}

static void oversized(void)
{
	static char huge[WIRE_DGRAM_MAX + 100];

	send_bytes(huge, sizeof(huge));
}

static void ask_include(const char *pattern)
{
	struct wire_wr w;

	wire_begin(&out, &w, WIRE_CONF_INCLUDE, 0);
	wire_put_conf_include(&w, &(struct wire_conf_include){pattern});
	if (wire_end(&out, &w) < 0 || wire_send(WIRE_CONF_FD, &out, NULL, 0) < 0)
		_exit(0);
}

/* Shows in its own error text what it got. */
static void report_include(const char *pattern)
{
	static char text[256];
	struct wire_conf_files m = {0};
	struct wire_rd r;

	ask_include(pattern);
	if (wire_recv(WIRE_CONF_FD, &in) == 1) {
		r = wire_body(&in);
		wire_read_conf_files(&r, &m);
	}
	snprintf(text, sizeof(text), "include: code %d, descriptors %u\n", m.code, in.nfds);
	a.text = text;
	a.errors = a.fds = 1;
}

static void include_above(void)
{
	report_include("../../../etc/shadow");
}
static void include_absolute(void)
{
	report_include("/etc/shadow");
}
static void include_through_a_link(void)
{
	report_include("link-to-shadow");
}

/* Asks again and again and never reads. */
static void include_flood(void)
{
	for (unsigned i = 0; i < 1000000; i++)
		ask_include("*");
	pause();
}

static const struct {
	const char *name;
	void (*run)(void);
} attacks[] = {
#define ROW(name) {#name, name},
	ROW(honest) ROW(uid_0) ROW(gid_0) ROW(group_0) ROW(uid_minus_1) ROW(gid_minus_1) ROW(account_of_the_manager) ROW(account_of_conf) ROW(
		group_of_the_manager) ROW(manager_is_root) ROW(manager_is_conf) ROW(relative_executable) ROW(no_executable) ROW(relative_chroot)
		ROW(chroot_with_dots) ROW(relative_directory) ROW(capability_sys_admin) ROW(capability_setuid) ROW(capability_unknown) ROW(
			control_socket_as_address) ROW(relative_address) ROW(private_elsewhere) ROW(name_of_two) ROW(name_with_slash) ROW(twice)
			ROW(no_workers_at_all) ROW(nice_beyond) ROW(mode_with_setuid) ROW(stop_signal_0) ROW(stop_timeout_for_ever) ROW(profile_uid_0) ROW(
				profile_gid_0) ROW(profile_group_0) ROW(profile_owner_with_group_0) ROW(profile_uid_minus_1) ROW(profile_account_of_the_manager)
				ROW(profile_account_of_conf) ROW(profile_group_of_the_manager) ROW(profile_min_uid_0) ROW(profile_min_gid_0)
					ROW(profile_no_root) ROW(profile_root_is_all) ROW(profile_root_with_dots) ROW(profile_root_half_a_pattern) ROW(
						profile_preload_set) ROW(profile_preload_allowed) ROW(profile_all_variables) ROW(profile_capability_setuid)
						ROW(profile_relative_chroot) ROW(profile_relative_directory) ROW(profile_named_local)
							ROW(profile_name_with_slash) ROW(profile_twice) ROW(profile_running_beyond) ROW(profile_queue_beyond)
								ROW(profile_timeout_for_ever) ROW(not_sealed) ROW(truncated) ROW(trailing)
									ROW(errors_with_a_spec) ROW(no_spec) ROW(no_descriptor) ROW(three_descriptors)
										ROW(unknown_type) ROW(answer_of_look) ROW(controls_in_the_text) ROW(silent_end)
											ROW(dies_by_signal) ROW(silent) ROW(half_a_header) ROW(oversized)
												ROW(include_above) ROW(include_absolute)
													ROW(include_through_a_link) ROW(include_flood)
#undef ROW
};

/* ---- a spec that is good ---- */

static struct wire_blob copy(const struct wire_wr *w)
{
	uint8_t *bytes = malloc(w->len + 1);

	if (bytes == NULL || w->bad)
		abort();
	memcpy(bytes, w->at, w->len);
	return (struct wire_blob){bytes, w->len};
}

static struct wire_wr room(void)
{
	static uint8_t bytes[1 << 20];

	return (struct wire_wr){.at = bytes, .cap = sizeof(bytes)};
}

static struct wire_blob pool_settings_blob(void)
{
	struct pool_settings s = {0};
	struct wire_wr w = room();

	if (settings_preset_all(&s, &settings_pool_table, NULL) < 0)
		abort();
	settings_put_text(&s.name, a.entry_name);
	settings_put_text(&s.listen, a.pool.address);
	s.workers_min = 1;
	s.workers_max = 1;
	settings_pool_encode(&w, &s);
	return copy(&w);
}

static struct wire_blob manager_settings_blob(void)
{
	struct manager_settings s = {0};
	struct wire_wr w = room();

	if (settings_preset_all(&s, &settings_manager_table, NULL) < 0)
		abort();
	settings_manager_encode(&w, &s);
	return copy(&w);
}

static void begin(const char *path)
{
	static const char *argv[] = {NULL, NULL}, *envp[] = {NULL};
	static const char *roots[] = {"/usr/lib/cgi-bin", NULL}, *setting[] = {"PATH=/bin", NULL}, *allow[] = {"TZ", NULL};
	static char runtime[512], address[600], app[600];
	const struct passwd *manager = getpwnam("fcgipm");

	if (manager == NULL)
		abort();
	snprintf(runtime, sizeof(runtime), "%.*s/run", (int)(strrchr(path, '/') - path), path);
	snprintf(address, sizeof(address), "%s/pools/app.sock", runtime);
	snprintf(app, sizeof(app), "%.*s/apps/app", (int)(strrchr(path, '/') - path), path);
	argv[0] = app;
	a = (struct answer){
		.manager = {.user = "fcgipm",
			    .uid = manager->pw_uid,
			    .gid = manager->pw_gid,
			    .runtime_directory = runtime,
			    .max_workers = 100,
			    .log_target = "stderr",
			    .log_level = FP_LOG_INFO},
		.pool = {.name = "app",
			 .uid = uid_of("nobody"),
			 .gid = uid_of("nobody"),
			 .argv = argv,
			 .envp = envp,
			 .chroot = "",
			 .directory = "/",
			 .umask = 022,
			 .limits = {SPEC_LIMIT_INHERIT, SPEC_LIMIT_INHERIT, 0, SPEC_LIMIT_INHERIT, SPEC_LIMIT_INHERIT},
			 .no_new_privileges = true,
			 .listen = SPEC_LISTEN_UNIX,
			 .address = address,
			 .socket_mode = 0666,
			 .backlog = 100,
			 .max_workers = 1,
			 .stop_signal = SIGTERM,
			 .stop_timeout_ms = 1000,
			 .output_path = ""},
		.profile = {.name = "cgi",
			    .roots = roots,
			    .arguments = envp,
			    .allow = allow,
			    .envp = setting,
			    .uid = uid_of("nobody"),
			    .gid = uid_of("nobody"),
			    .min_uid = 1000,
			    .min_gid = 100,
			    .chroot = "",
			    .directory = "",
			    .umask = 022,
			    .limits = {SPEC_LIMIT_INHERIT, SPEC_LIMIT_INHERIT, 0, SPEC_LIMIT_INHERIT, SPEC_LIMIT_INHERIT},
			    .no_new_privileges = true,
			    .max_running = 1},
		.entry_name = "app",
		.copies = 1,
		.profiles = 1,
		.type = WIRE_CONF_RESULT,
		.fds = 2,
		.text = "",
	};
}

static struct wire_blob spec_of_pool(void)
{
	struct wire_wr w = room();

	spec_pool_encode(&w, &a.pool);
	return copy(&w);
}

static struct wire_blob spec_of_profile(void)
{
	struct wire_wr w = room();

	spec_profile_encode(&w, &a.profile);
	return copy(&w);
}

static int spec_fd(void)
{
	struct wire_blob profile = spec_of_profile(), profiles[] = {profile, profile};
	struct spec_entry entries[2] = {{.name = a.entry_name, .pool = spec_of_pool(), .settings = pool_settings_blob()}};
	const char *files[] = {"pools.yaml"};
	struct spec_file f = {.manager = a.manager,
			      .file_count = 1,
			      .files = files,
			      .pool_count = a.copies,
			      .pools = entries,
			      .profile_count = a.profiles,
			      .profiles = profiles};
	struct wire_wr w;
	int fd = -1;

	entries[1] = entries[0];
	f.manager.settings = manager_settings_blob();
	w = room();
	spec_file_encode(&w, &f);
	if (w.bad || w.len + a.added > w.cap)
		abort();
	if (a.unsealed) {
		fd = memfd_create("unsealed", MFD_CLOEXEC | MFD_ALLOW_SEALING);
		if (fd < 0 || fp_write_full(fd, w.at, w.len) < 0)
			abort();
	} else if (fp_memfd_sealed("spec", w.at, w.len - a.cut + a.added, &fd) < 0) {
		abort();
	}
	return fd;
}

static void send_answer(void)
{
	struct wire_wr w;
	int text = -1, spec = spec_fd();

	if (fp_memfd_sealed("text", a.text, strlen(a.text), &text) < 0)
		abort();
	wire_begin(&out, &w, a.type, 0);
	wire_put_conf_result(&w, &(struct wire_conf_result){.errors = a.errors, .warnings = a.warnings});
	if (wire_end(&out, &w) == 0)
		wire_send(WIRE_CONF_FD, &out, (const int[]){text, spec, spec}, a.fds);
}

static void read_play(char *buf, size_t cap)
{
	char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 16);
	FILE *f;

	if (n < 0)
		_exit(9);
	path[n] = '\0';
	strcpy(strrchr(path, '/') + 1, "play");
	f = fopen(path, "re");
	if (f == NULL || fgets(buf, (int)cap, f) == NULL)
		_exit(9);
	fclose(f);
	buf[strcspn(buf, "\n")] = '\0';
}

int main(void)
{
	struct wire_conf_start m;
	struct wire_rd r;
	char play[64] = "";

	read_play(play, sizeof(play));
	if (wire_recv(WIRE_CONF_FD, &in) != 1)
		return 1;
	r = wire_body(&in);
	if (!wire_read_conf_start(&r, &m))
		return 1;
	begin(strdup(m.path));
	wire_dgram_close(&in);
	for (size_t i = 0; i < sizeof(attacks) / sizeof(attacks[0]); i++)
		if (strcmp(attacks[i].name, play) == 0)
			attacks[i].run();
	send_answer();
	return 0;
}
