/* The log (every process).  To a descriptor it is one write(2) an event and never more than PIPE_BUF bytes, so that lines of several processes on one
 * descriptor do not mix (pipe(7)); to a socket one datagram an event.  It never ends the process (main ignores SIGPIPE), and never waits for long. */
#include "fcgipm/base/log.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "fcgipm/base/clock.h"
#include "fcgipm/base/fd.h"
#include "fcgipm/base/log_form.h"
#include "fcgipm/base/text.h"

/* One line is waited for so long, all of them for no more than a tenth of the time: who reads slowly slows us no further. */
enum { PATIENCE_MS = 100, CREDIT_MAX_MS = 1000, CREDIT_PART = 10, SEND_BUFFER_BYTES = 8 << 20 };

static struct {
	struct fp_log_to to;
	uint64_t dropped; /* lines since the last one that was written */
	int64_t credit_ms, credited_ms; /* what may still be waited, and as of when */
} logger = {.to = {.fd = STDERR_FILENO, .level = FP_LOG_INFO}, .credit_ms = CREDIT_MAX_MS};

static const char *const level_names[] = {[FP_LOG_ERROR] = "error", [FP_LOG_WARN] = "warn", [FP_LOG_INFO] = "info", [FP_LOG_DEBUG] = "debug"};
static const char *const format_names[] = {[FP_LOG_LOGFMT] = "logfmt", [FP_LOG_JSON] = "json"};

static int index_of(const char *const *names, int count, const char *name)
{
	while (count-- > 0)
		if (strcmp(names[count], name) == 0)
			break;
	return count;
}

int fp_log_level_of(const char *name)
{
	return index_of(level_names, sizeof(level_names) / sizeof(level_names[0]), name);
}

int fp_log_format_of(const char *name)
{
	return index_of(format_names, sizeof(format_names) / sizeof(format_names[0]), name);
}

const char *fp_log_address(enum fp_log_sink sink)
{
	static const char *const addresses[FP_LOG_SINK_COUNT] = {[FP_LOG_SYSLOG] = "/dev/log", [FP_LOG_JOURNAL] = "/run/systemd/journal/socket"};

	return addresses[sink];
}

void fp_log_setup_to(const struct fp_log_to *to)
{
	logger.to = *to;
	if (to->address == NULL)
		logger.to.address = fp_log_address(to->sink);
}

void fp_log_setup(int fd, enum fp_log_level level, enum fp_log_format format)
{
	fp_log_setup_to(&(struct fp_log_to){.fd = fd, .level = level, .format = format});
}

/* The more fits into the socket, the later anything waits; the system has a bound of its own (net.core.wmem_max). */
int fp_log_socket(void)
{
	const struct timeval patience = {.tv_usec = PATIENCE_MS * 1000};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &(int){SEND_BUFFER_BYTES}, sizeof(int));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	return fd;
}

struct fp_kv fp_kv_str(const char *key, const char *text)
{
	if (text == NULL)
		text = "";
	return (struct fp_kv){.key = key, .text = text, .len = strlen(text)};
}

/* ---- waiting ---- */

/* A reader of the log that has stopped must not stop us: it is waited for once, then not until it goes on. */
static int patience_ms(void)
{
	int64_t gained = (fp_now_ms() - logger.credited_ms) / CREDIT_PART;

	logger.credited_ms += gained * CREDIT_PART;
	logger.credit_ms += gained;
	if (logger.credit_ms > CREDIT_MAX_MS)
		logger.credit_ms = CREDIT_MAX_MS;
	if (logger.dropped > 0 || logger.credit_ms <= 0)
		return 0;
	return logger.credit_ms < PATIENCE_MS ? (int)logger.credit_ms : PATIENCE_MS;
}

static void charge_wait(int64_t since_ms)
{
	logger.credit_ms -= fp_now_ms() - since_ms;
}

/* ---- to a descriptor ---- */

static bool writable(int fd, int wait_ms)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	int n;

	do
		n = poll(&p, 1, wait_ms);
	while (n < 0 && errno == EINTR);
	return n > 0;
}

static bool wait_for(int fd)
{
	int ms = patience_ms();
	int64_t since_ms = fp_now_ms();
	bool yes = ms > 0 && writable(fd, ms);

	charge_wait(since_ms);
	return yes;
}

static int put_line(int fd, const struct fp_log_event *e)
{
	char buf[FP_LOG_LINE_BYTES];
	struct fp_text t = FP_TEXT(buf);

	if (!writable(fd, 0) && !wait_for(fd))
		return -EAGAIN;
	fp_log_form_line(&t, e);
	return write(fd, t.at, t.len) == (ssize_t)t.len ? 0 : -EIO;
}

/* ---- to a socket ---- */

struct dgram {
	struct sockaddr_un to;
	struct iovec bytes;
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
	struct msghdr head;
};

static void dgram_init(struct dgram *d, struct fp_text *t)
{
	*d = (struct dgram){.to = {.sun_family = AF_UNIX}, .bytes = {t->at, t->len}};
	strncpy(d->to.sun_path, logger.to.address, sizeof(d->to.sun_path) - 1);
	d->head = (struct msghdr){.msg_name = &d->to, .msg_namelen = sizeof(d->to), .msg_iov = &d->bytes, .msg_iovlen = 1};
}

/* What is too long for a datagram travels as a sealed memfd. */
static int dgram_into_memfd(struct dgram *d, int *ret_fd)
{
	struct cmsghdr *c = (struct cmsghdr *)d->control;
	int r = fp_memfd_sealed("fcgipm-log", d->bytes.iov_base, d->bytes.iov_len, ret_fd);

	if (r < 0)
		return r;
	*c = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int))};
	memcpy(CMSG_DATA(c), ret_fd, sizeof(int));
	d->head.msg_control = d->control;
	d->head.msg_controllen = sizeof(d->control);
	d->head.msg_iovlen = 0;
	return 0;
}

/* SO_SNDTIMEO bounds the wait: poll(2) does not know to whom an unconnected socket will send. */
static int dgram_send(const struct dgram *d)
{
	int r = sendmsg(logger.to.fd, &d->head, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
	int64_t since_ms;

	if (r != -EAGAIN || patience_ms() == 0)
		return r;
	since_ms = fp_now_ms();
	r = sendmsg(logger.to.fd, &d->head, MSG_NOSIGNAL) < 0 ? -errno : 0;
	charge_wait(since_ms);
	return r;
}

static int put_datagram(const struct fp_log_event *e)
{
	static char buf[FP_LOG_ENTRY_BYTES]; /* too much for the stack of every caller */
	struct fp_text t = {.at = buf, .cap = logger.to.sink == FP_LOG_JOURNAL ? sizeof(buf) : FP_LOG_SYSLOG_BYTES};
	fp_autoclose int memfd = -1;
	struct dgram d;
	int r;

	if (logger.to.sink == FP_LOG_JOURNAL)
		fp_log_form_journal(&t, e);
	else
		fp_log_form_syslog(&t, e);
	dgram_init(&d, &t);
	r = dgram_send(&d);
	if (r == -EMSGSIZE && logger.to.sink == FP_LOG_JOURNAL) {
		r = dgram_into_memfd(&d, &memfd);
		if (r == 0)
			r = dgram_send(&d);
	}
	return r;
}

/* ---- an event ---- */

static int put_event(enum fp_log_level level, const struct fp_kv *line)
{
	struct fp_log_event e = {.level = level, .format = logger.to.format, .line = line, .pid = (int)getpid()};

	clock_gettime(CLOCK_REALTIME, &e.at);
	return logger.to.sink == FP_LOG_LINES ? put_line(logger.to.fd, &e) : put_datagram(&e);
}

/* The first event that found nobody: whoever looks at our standard error learns why there is no log. */
static void say_unreachable(int r)
{
	struct fp_log_event e = {.level = FP_LOG_WARN, .format = logger.to.format};

	e.line = FP_LOG_LINE("log.unreachable", KS("target", logger.to.address), KS("error", strerror(-r)));
	clock_gettime(CLOCK_REALTIME, &e.at);
	put_line(STDERR_FILENO, &e);
}

static void count_dropped(int r)
{
	if (logger.dropped++ == 0 && r != -EAGAIN && r != -EINTR && logger.to.sink != FP_LOG_LINES)
		say_unreachable(r);
}

void fp_log(enum fp_log_level level, const struct fp_kv *line)
{
	int saved = errno, r = 0;

	if (level > logger.to.level)
		return;
	if (logger.dropped > 0) {
		r = put_event(FP_LOG_WARN, FP_LOG_LINE("log.dropped", KI("lines", logger.dropped)));
		if (r == 0)
			logger.dropped = 0;
	}
	if (r == 0)
		r = put_event(level, line);
	if (r < 0)
		count_dropped(r);
	errno = saved;
}
