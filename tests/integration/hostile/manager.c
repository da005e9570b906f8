/* A manager that has been taken over.  It stands in fcgipm-manager's place, starts one worker of the pool "app" as an honest one would, and then does what
 * the file `play` beside it says: every attack of the table in turn ("refusals"), or one that takes its whole life.  Of each attack it writes the
 * launcher's answer into the log: "hostile NAME CODE TEXT", code -1 where no answer came. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fcgipm/base/clock.h"
#include "fcgipm/base/fd.h"
#include "fcgipm/wire/dgram.h"
#include "fcgipm/wire/exec.h"
#include "fcgipm/wire/launcher.h"

enum { ANSWER_MS = 3000, SILENCE_MS = 200, RATE_FLOOD = 3000, DEAF_FLOOD = 1000000 };

static struct wire_dgram out, in;
static uint32_t next_seq, generation;
static uint64_t worker; /* of app */
static int log_fd = -1; /* as HELLO brought it */

/* ---- talking to the launcher ---- */

static void say(const char *name, int code, const char *text)
{
	dprintf(STDERR_FILENO, "hostile %s %d %s\n", name, code, text);
}

/* Takes what the launcher sends until it answers seq (0: until type comes).  False: nothing came in ms. */
static bool take(uint32_t seq, uint16_t type, int ms)
{
	int64_t end = fp_now_ms() + ms;
	struct pollfd p = {.fd = WIRE_LAUNCHER_FD, .events = POLLIN};

	for (;;) {
		int64_t left = end - fp_now_ms();
		struct wire_rd r;
		struct wire_pool m;

		if (left < 0 || poll(&p, 1, (int)left) <= 0)
			return false;
		switch (wire_recv(WIRE_LAUNCHER_FD, &in)) {
		case 1:
			break;
		case -EAGAIN:
			continue;
		default:
			_exit(0);
		}
		r = wire_body(&in);
		if (in.type == WIRE_POOL && wire_read_pool(&r, &m) && strcmp(m.pool, "app") == 0)
			generation = m.generation;
		if (in.type == WIRE_HELLO)
			log_fd = wire_take_fd(&in, 1);
		if (seq != 0 ? in.type == WIRE_ANSWER && in.seq == seq : in.type == type)
			return true;
		wire_dgram_close(&in);
	}
}

static struct wire_wr begin(uint16_t type)
{
	struct wire_wr w;

	wire_begin(&out, &w, type, ++next_seq);
	return w;
}

static void send_raw(const void *bytes, size_t len)
{
	while (send(WIRE_LAUNCHER_FD, bytes, len, MSG_NOSIGNAL) < 0 && errno == EAGAIN)
		usleep(1000);
}

static void put(struct wire_wr w, const int *fds, unsigned nfds)
{
	if (wire_end(&out, &w) < 0)
		abort();
	while (wire_send(WIRE_LAUNCHER_FD, &out, fds, nfds) == -EAGAIN)
		usleep(1000);
}

/* The answer to the last request, into the log; true when there is one. */
static bool report(const char *name, int ms, struct wire_answer *ret)
{
	struct wire_answer a = {.code = -1, .text = "no answer"};
	struct wire_rd r;
	bool came = take(next_seq, 0, ms);

	if (came) {
		r = wire_body(&in);
		wire_read_answer(&r, &a);
	}
	if (name != NULL)
		say(name, a.code, a.text);
	if (came)
		wire_dgram_close(&in);
	if (ret != NULL)
		*ret = a;
	return came;
}

/* One message each. */
static void do_bind(const char *pool, uint32_t gen)
{
	struct wire_wr w = begin(WIRE_BIND);

	wire_put_bind(&w, &(struct wire_bind){.pool = pool, .generation = gen});
	put(w, NULL, 0);
}

static void do_spawn(const char *pool, uint32_t gen)
{
	struct wire_wr w = begin(WIRE_SPAWN);

	wire_put_spawn(&w, &(struct wire_spawn){.pool = pool, .generation = gen, .tag = 0});
	put(w, NULL, 0);
}

static void do_worker(uint16_t type, uint64_t id)
{
	struct wire_wr w = begin(type);

	wire_put_worker_id(&w, &(struct wire_worker_id){.worker = id});
	put(w, NULL, 0);
}

static void do_signal(uint64_t id, int signo)
{
	struct wire_wr w = begin(WIRE_SIGNAL);

	wire_put_signal(&w, &(struct wire_signal){.worker = id, .signal = signo});
	put(w, NULL, 0);
}

static void do_cut(uint64_t id)
{
	struct wire_wr w = begin(WIRE_CUT);

	wire_put_cut(&w, &(struct wire_cut){.worker = id, .since_ns = 0});
	put(w, NULL, 0);
}

static void do_commit(uint16_t type, const char *pool, uint32_t gen)
{
	struct wire_wr w = begin(type);

	wire_put_commit(&w, &(struct wire_commit){.pool = pool, .generation = gen});
	put(w, NULL, 0);
}

static void do_byte(uint16_t type, uint8_t what)
{
	struct wire_wr w = begin(type);

	wire_put_u8(&w, what);
	put(w, NULL, 0);
}

static void do_empty(uint16_t type, const int *fds, unsigned nfds)
{
	put(begin(type), fds, nfds);
}

/* ---- attacks of one message ---- */

/* Bytes behind, or too few: a SPAWN that is right but for its length. */
static void spawn_of_length(size_t len)
{
	uint8_t bytes[512] = {0};
	struct wire_wr w = begin(WIRE_SPAWN);

	wire_put_spawn(&w, &(struct wire_spawn){.pool = "app", .generation = generation, .tag = 0});
	if (wire_end(&out, &w) < 0)
		abort();
	memcpy(bytes, out.bytes, out.len);
	send_raw(bytes, len);
}

static void truncated(const char *name)
{
	/* header 8, length 4, "app" and its NUL 4, two numbers of 4 */
	for (size_t len = WIRE_HEADER_LEN; len < WIRE_HEADER_LEN + 16; len++) {
		struct wire_answer a;

		spawn_of_length(len);
		if (!report(NULL, ANSWER_MS, &a) || a.code == 0) {
			say(name, (int)len, "was not refused");
			return;
		}
	}
	say(name, EPROTO, "malformed");
}

static void header_alone(const char *name)
{
	send_raw("1234567", 7);
	report(name, SILENCE_MS, NULL);
}

static void surplus_descriptors(const char *name)
{
	int fds[1] = {STDERR_FILENO};
	struct wire_wr w = begin(WIRE_SPAWN);

	wire_put_spawn(&w, &(struct wire_spawn){.pool = "app", .generation = generation, .tag = 0});
	put(w, fds, 1);
	report(name, ANSWER_MS, NULL);
}

/* More than a message may hold at all. */
static void many_descriptors(const char *name)
{
	union {
		char bytes[CMSG_SPACE(64 * sizeof(int))];
		struct cmsghdr align;
	} control = {0};
	struct wire_wr w = begin(WIRE_STATE);
	struct iovec iov = {.iov_base = out.bytes};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof(control.bytes)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	if (wire_end(&out, &w) < 0)
		abort();
	iov.iov_len = out.len;
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(64 * sizeof(int));
	for (unsigned i = 0; i < 64; i++)
		((int *)(void *)CMSG_DATA(c))[i] = STDERR_FILENO;
	while (sendmsg(WIRE_LAUNCHER_FD, &msg, MSG_NOSIGNAL) < 0 && errno == EAGAIN)
		usleep(1000);
	report(name, SILENCE_MS, NULL);
}

static void oversized_datagram(const char *name)
{
	static char huge[WIRE_DGRAM_MAX + 4096];

	send_raw(huge, sizeof(huge));
	report(name, SILENCE_MS, NULL);
}

static void unterminated_name(const char *name)
{
	struct wire_wr w = begin(WIRE_BIND);

	wire_put_u32(&w, 3);
	wire_put_u8(&w, 'a'), wire_put_u8(&w, 'p'), wire_put_u8(&w, 'p'), wire_put_u8(&w, '!');
	wire_put_u32(&w, generation);
	wire_put_u8(&w, 0);
	put(w, NULL, 0);
	report(name, ANSWER_MS, NULL);
}

static void endless_name(const char *name)
{
	struct wire_wr w = begin(WIRE_BIND);

	wire_put_u32(&w, UINT32_MAX);
	wire_put_u8(&w, 'a');
	put(w, NULL, 0);
	report(name, ANSWER_MS, NULL);
}

#define ATTACK(name, send)                                                                                                                                     \
	static void name(const char *said)                                                                                                                     \
	{                                                                                                                                                      \
		send;                                                                                                                                          \
		report(said, ANSWER_MS, NULL);                                                                                                                 \
	}
ATTACK(bind_unknown_pool, do_bind("nobody", generation))
ATTACK(bind_path_as_pool, do_bind("../../etc", generation))
ATTACK(bind_unknown_generation, do_bind("app", generation + 7))
ATTACK(spawn_unknown_pool, do_spawn("nobody", generation))
ATTACK(spawn_unknown_generation, do_spawn("app", UINT32_MAX))
ATTACK(spawn_unbound, do_spawn("other", generation))
ATTACK(commit_unknown_generation, do_commit(WIRE_COMMIT, "app", generation + 1))
ATTACK(forget_a_pool_of_the_file, do_commit(WIRE_COMMIT, "app", 0))
ATTACK(output_unknown_pool, do_commit(WIRE_OUTPUT, "nobody", generation))
ATTACK(output_where_none_is, do_commit(WIRE_OUTPUT, "app", generation))
ATTACK(signal_pid_1, do_signal(1, SIGTERM))
ATTACK(signal_launcher, do_signal((uint64_t)getppid(), SIGKILL))
ATTACK(signal_number_of_the_future, do_signal(worker + (1ULL << 40), SIGTERM))
ATTACK(signal_everybody, do_signal(UINT64_MAX, SIGKILL))
ATTACK(signal_stop, do_signal(worker, SIGSTOP))
ATTACK(signal_none, do_signal(worker, 0))
ATTACK(signal_negative, do_signal(worker, -9))
ATTACK(look_unknown, do_worker(WIRE_LOOK, 1))
ATTACK(retire_unknown, do_worker(WIRE_RETIRE, UINT64_MAX - 1))
ATTACK(cut_unknown, do_cut(UINT64_MAX - 2))
ATTACK(state_without_descriptor, do_empty(WIRE_STATE, NULL, 0))
ATTACK(state_with_two, do_empty(WIRE_STATE, (const int[]){STDERR_FILENO, STDERR_FILENO}, 2))
ATTACK(unknown_type, do_empty(40, NULL, 0))
ATTACK(type_of_the_launcher, do_empty(WIRE_HELLO, NULL, 0))
ATTACK(type_beyond_the_table, do_empty(60000, NULL, 0))
ATTACK(unknown_notice, do_byte(WIRE_NOTICE, 200))
ATTACK(unknown_end, do_byte(WIRE_END, 3))
ATTACK(surplus_bytes, spawn_of_length(WIRE_HEADER_LEN + 17))
ATTACK(too_long, spawn_of_length(400))

/* The second is refused while the first is under way. */
static void reload_twice(const char *name)
{
	do_empty(WIRE_RELOAD, NULL, 0);
	do_empty(WIRE_RELOAD, NULL, 0);
	report(name, ANSWER_MS, NULL);
	next_seq--;
	report("first_reload", ANSWER_MS, NULL);
	next_seq++;
}

static const struct {
	const char *name;
	void (*run)(const char *name);
} attacks[] = {
#define ROW(name) {#name, name},
	/* first what cannot be answered: the log names each of the first refusals */
	ROW(header_alone) ROW(many_descriptors) ROW(oversized_datagram) ROW(bind_unknown_pool) ROW(bind_path_as_pool) ROW(bind_unknown_generation)
		ROW(spawn_unknown_pool) ROW(spawn_unknown_generation) ROW(spawn_unbound) ROW(commit_unknown_generation) ROW(forget_a_pool_of_the_file)
			ROW(output_unknown_pool) ROW(output_where_none_is) ROW(signal_pid_1) ROW(signal_launcher) ROW(signal_number_of_the_future)
				ROW(signal_everybody) ROW(signal_stop) ROW(signal_none) ROW(signal_negative) ROW(look_unknown) ROW(retire_unknown)
					ROW(cut_unknown) ROW(state_without_descriptor) ROW(state_with_two) ROW(unknown_type) ROW(type_of_the_launcher)
						ROW(type_beyond_the_table) ROW(unknown_notice) ROW(unknown_end) ROW(surplus_bytes) ROW(too_long) ROW(truncated)
							ROW(surplus_descriptors) ROW(unterminated_name) ROW(endless_name) ROW(reload_twice)
#undef ROW
};

/* ---- plays: one a life ---- */

static void play_refusals(void)
{
	for (size_t i = 0; i < sizeof(attacks) / sizeof(attacks[0]); i++)
		attacks[i].run(attacks[i].name);
}

/* What the launcher says on a connection that it was handed: a refusal's number, -1 for silence. */
static int exec_answer(int sock)
{
	static struct wire_dgram got;
	struct pollfd p = {.fd = sock, .events = POLLIN};
	struct wire_x_refused m = {.code = 0};
	struct wire_rd r;

	if (poll(&p, 1, ANSWER_MS) <= 0 || wire_recv(sock, &got) != 1)
		return -1;
	r = wire_body(&got);
	return got.type == WIRE_X_REFUSED && wire_read_x_refused(&r, &m) ? (int)m.code : got.type;
}

/* No word of ours says who a client is: the socket does, and its other end is ours. */
static void play_exec(void)
{
	int pair[2], ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0 || pipe(ends) < 0)
		abort();
	do_empty(WIRE_EXEC, &pair[1], 1);
	report("exec_handed", ANSWER_MS, NULL);
	say("exec_forged_client", exec_answer(pair[0]), "");
	do_empty(WIRE_EXEC, &ends[0], 1);
	report("exec_with_a_pipe", ANSWER_MS, NULL);
	do_empty(WIRE_EXEC, NULL, 0);
	report("exec_without_descriptor", ANSWER_MS, NULL);
	do_empty(WIRE_EXEC, ends, 2);
	report("exec_with_two", ANSWER_MS, NULL);
}

/* Spawns until the launcher says no; its words, how many were granted. */
static unsigned spawn_all(const char *pool, const char *name, unsigned most)
{
	struct wire_answer a = {0};
	unsigned granted = 0;

	do_bind(pool, generation);
	report(NULL, ANSWER_MS, NULL);
	while (granted < most) {
		do_spawn(pool, generation);
		if (!report(NULL, ANSWER_MS, &a) || a.code != 0)
			break;
		granted++;
	}
	do_spawn(pool, generation);
	report(name, ANSWER_MS, NULL);
	return granted;
}

static void play_flood(void)
{
	say("pool_granted", (int)spawn_all("other", "spawn_over_pool", 100), "");
	say("total_granted", (int)spawn_all("crowd", "spawn_over_total", 1000), "");
}

/* Templates that serve, and are workers once that has been seen twice. */
static void play_templates(void)
{
	enum { MOST = 100, LOOKS = 1000 };
	struct wire_answer a = {0};
	unsigned granted;

	for (granted = 0; granted < MOST; granted++) {
		struct wire_spawn m = {.pool = "app", .generation = generation, .how = WIRE_START_TEMPLATE, .slot = granted + 1};
		struct wire_wr w = begin(WIRE_SPAWN);
		uint64_t id;

		wire_put_spawn(&w, &m);
		put(w, NULL, 0);
		if (!report(NULL, ANSWER_MS, &a) || a.code != 0)
			break;
		id = a.value;
		for (unsigned n = 0, idle = 0; n < LOOKS && idle < 2; n++) {
			usleep(2000);
			do_worker(WIRE_LOOK, id);
			report(NULL, ANSWER_MS, &a);
			idle = a.number == WIRE_LOOK_IDLE ? idle + 1 : 0;
		}
	}
	say("templates_granted", (int)granted, a.text);
}

/* One more answer, if one lies there. */
static bool take_any(struct wire_answer *ret)
{
	struct wire_rd r;

	if (wire_recv(WIRE_LAUNCHER_FD, &in) != 1)
		return false;
	ret->code = -1;
	r = wire_body(&in);
	if (in.type == WIRE_ANSWER)
		wire_read_answer(&r, ret);
	wire_dgram_close(&in);
	return true;
}

/* As many as it can send, without waiting for an answer. */
static void play_rate(void)
{
	unsigned sent = 0, answered = 0, granted = 0;
	int64_t begun;

	do_bind("crowd", generation);
	report(NULL, ANSWER_MS, NULL);
	begun = fp_now_ms();
	while (answered < RATE_FLOOD && fp_now_ms() - begun < 60000) {
		struct wire_answer a;

		if (sent < RATE_FLOOD) {
			struct wire_wr w = begin(WIRE_SPAWN);

			wire_put_spawn(&w, &(struct wire_spawn){.pool = "crowd", .generation = generation, .tag = 0});
			sent += wire_end(&out, &w) == 0 && wire_send(WIRE_LAUNCHER_FD, &out, NULL, 0) == 0;
		}
		while (take_any(&a)) {
			answered += a.code >= 0;
			granted += a.code == 0;
		}
	}
	say("rate_ms", (int)(fp_now_ms() - begun), "");
	say("rate_answered", (int)answered, "");
	say("rate_granted", (int)granted, "");
}

static int by_number(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

/* No attack: how long the launcher takes to answer, by kind of request, while it has 1,000 workers and starts and ends others (make bench). */
static void play_latency(void)
{
	enum { WORKERS = 1000, ROUNDS = 300, KINDS = 3 };
	static const char *const names[KINDS] = {"spawn", "look", "kill"};
	static int64_t took[KINDS][ROUNDS];
	struct wire_answer a = {0};

	say("crowd", (int)spawn_all("crowd", "crowd_full", WORKERS), "");
	for (unsigned i = 0; i < ROUNDS; i++) {
		uint64_t id;

		for (unsigned k = 0; k < KINDS; k++) {
			int64_t begun = fp_now_us();

			if (k == 0)
				do_spawn("other", generation);
			else if (k == 1)
				do_worker(WIRE_LOOK, id);
			else
				do_signal(id, SIGKILL);
			report(NULL, ANSWER_MS, &a);
			took[k][i] = fp_now_us() - begun;
			id = k == 0 ? a.value : id;
		}
		usleep(5000);
	}
	for (unsigned k = 0; k < KINDS; k++) {
		char text[96];

		qsort(took[k], ROUNDS, sizeof(took[k][0]), by_number);
		snprintf(text, sizeof(text), "%s median %lld p99 %lld", names[k], (long long)took[k][ROUNDS / 2], (long long)took[k][ROUNDS * 99 / 100]);
		say("latency_us", (int)took[k][ROUNDS - 1], text);
	}
}

/* Asks and never reads. */
static void play_deaf(void)
{
	for (unsigned i = 0; i < DEAF_FLOOD; i++) {
		struct wire_wr w = begin(WIRE_LOOK);

		wire_put_worker_id(&w, &(struct wire_worker_id){.worker = worker});
		if (wire_end(&out, &w) < 0)
			abort();
		while (wire_send(WIRE_LAUNCHER_FD, &out, NULL, 0) == -EAGAIN)
			usleep(100);
	}
}

/* No attack: retires each worker in the same breath in which it asked for it, and again while it is not signalled. */
static void play_hasty(void)
{
	enum { WORKERS = 40, TRIES = 1000 };
	int signalled = 0;

	do_bind("crowd", generation);
	report(NULL, ANSWER_MS, NULL);
	for (unsigned i = 0; i < WORKERS; i++) {
		struct wire_answer a = {0};
		uint64_t id;

		do_spawn("crowd", generation);
		report(NULL, ANSWER_MS, &a);
		id = a.value;
		for (unsigned n = 0; n < TRIES && (n == 0 || a.number != WIRE_LOOK_SIGNALLED); n++) {
			do_worker(WIRE_RETIRE, id);
			report(NULL, ANSWER_MS, &a);
		}
		signalled += a.number == WIRE_LOOK_SIGNALLED;
	}
	say("hasty_signalled", signalled, "");
}

static uint64_t start_of(enum wire_start how, uint64_t template_, uint32_t slot, int ms)
{
	struct wire_wr w = begin(WIRE_SPAWN);
	struct wire_answer a = {0};

	wire_put_spawn(&w, &(struct wire_spawn){.pool = "crowd", .generation = generation, .how = (uint8_t)how, .template_ = template_, .slot = slot});
	put(w, NULL, 0);
	report(NULL, ms, &a);
	return a.value;
}

/* Workers on one line, asked of a template that hears no order: they are given up one after the other. */
static void play_doubles(void)
{
	enum { ORDERS = 3, GIVEN_UP_MS = 8000 };
	uint64_t template_;

	do_bind("crowd", generation);
	report(NULL, ANSWER_MS, NULL);
	template_ = start_of(WIRE_START_TEMPLATE, 0, 0, ANSWER_MS);
	say("doubles_template", template_ != 0, "");
	usleep(1000000);
	for (uint32_t i = 0; i < ORDERS; i++)
		start_of(WIRE_START_FORK, template_, 1, SILENCE_MS);
	report("doubles_given_up", GIVEN_UP_MS, NULL);
	start_of(WIRE_START_FORK, template_, 1, SILENCE_MS);
}

/* Makes the socket to the log one that waits for ever and takes nothing, for everybody who has it. */
static void play_log(void)
{
	const struct timeval never = {0};

	say("log_timeout", setsockopt(log_fd, SOL_SOCKET, SO_SNDTIMEO, &never, sizeof(never)), "");
	say("log_shutdown", shutdown(log_fd, SHUT_RDWR), "");
}

/* Lets go of the launcher and lives on. */
static void play_mute(void)
{
	close(WIRE_LAUNCHER_FD);
	pause();
}

static void play_die(void)
{
	_exit(3);
}

/* It ends the service and then goes on as if nothing were. */
static void play_wrong_phase(void)
{
	do_byte(WIRE_END, 0);
	report("end", ANSWER_MS, NULL);
	do_bind("app", generation);
	report("bind_while_ending", ANSWER_MS, NULL);
	do_empty(WIRE_RELOAD, NULL, 0);
	report("reload_while_ending", ANSWER_MS, NULL);
}

static const struct {
	const char *name;
	void (*run)(void);
} plays[] = {
	{"refusals", play_refusals}, {"flood", play_flood},
	{"rate", play_rate},         {"latency", play_latency},
	{"deaf", play_deaf},         {"die", play_die},
	{"mute", play_mute},         {"wrong_phase", play_wrong_phase},
	{"doubles", play_doubles},   {"templates", play_templates},
	{"hasty", play_hasty},       {"log", play_log},
	{"exec", play_exec},
};

/* ---- the honest part ---- */

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

static void start_one(void)
{
	struct wire_answer a;

	do_bind("app", generation);
	if (!report(NULL, ANSWER_MS, &a) || a.code != 0)
		_exit(8);
	do_spawn("app", generation);
	if (!report(NULL, ANSWER_MS, &a))
		_exit(8);
	worker = a.value;
	if (a.code == 0)
		take(0, WIRE_STARTED, ANSWER_MS);
}

int main(void)
{
	char play[32] = "";

	signal(SIGPIPE, SIG_IGN);
	read_play(play, sizeof(play));
	if (!take(0, WIRE_GO, ANSWER_MS))
		_exit(7);
	start_one();
	say("started", 0, play);
	for (size_t i = 0; i < sizeof(plays) / sizeof(plays[0]); i++)
		if (strcmp(plays[i].name, play) == 0)
			plays[i].run();
	say("done", 0, play);
	while (take(0, UINT16_MAX, 60000))
		;
	return 0;
}
