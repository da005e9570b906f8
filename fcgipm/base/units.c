/* Values as administrators write them (every process).  Pure. */
#include "fcgipm/base/units.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

/* Digits at the front of text; *ret_end: what follows. */
static int parse_digits(const char *text, unsigned base, uint64_t *ret, const char **ret_end)
{
	uint64_t v = 0;
	const char *p = text;

	for (; *p >= '0' && (unsigned)(*p - '0') < base; p++) {
		if (__builtin_mul_overflow(v, base, &v) || __builtin_add_overflow(v, (uint64_t)(*p - '0'), &v))
			return -ERANGE;
	}
	if (p == text)
		return -EINVAL;
	*ret = v;
	*ret_end = p;
	return 0;
}

int fp_parse_u64(const char *text, uint64_t *ret)
{
	const char *end;
	uint64_t v;
	int r = parse_digits(text, 10, &v, &end);

	if (r < 0 || *end != '\0')
		return r < 0 ? r : -EINVAL;
	*ret = v;
	return 0;
}

struct unit {
	const char *suffix;
	uint64_t factor;
};

static const struct unit durations[] = {{"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}, {NULL, 0}};
static const struct unit sizes[] = {{"T", 1ull << 40}, {"G", 1ull << 30}, {"M", 1ull << 20}, {"K", 1ull << 10}, {"", 1}, {NULL, 0}};

static int parse_unit(const char *text, const struct unit *units, uint64_t max, uint64_t *ret)
{
	const char *end;
	uint64_t v;
	int r = parse_digits(text, 10, &v, &end);

	if (r < 0)
		return r;
	if (v == 0 && *end == '\0') {
		*ret = 0;
		return 0;
	}
	for (; units->suffix != NULL; units++) {
		if (strcmp(units->suffix, end) != 0)
			continue;
		if (__builtin_mul_overflow(v, units->factor, &v) || v > max)
			return -ERANGE;
		*ret = v;
		return 0;
	}
	return -EINVAL;
}

int fp_parse_duration_ms(const char *text, int64_t *ret_ms)
{
	uint64_t v;
	int r = parse_unit(text, durations, INT64_MAX, &v);

	if (r == 0)
		*ret_ms = (int64_t)v;
	return r;
}

int fp_parse_size(const char *text, uint64_t *ret_bytes)
{
	return parse_unit(text, sizes, UINT64_MAX - 1, ret_bytes);
}

int fp_parse_mode(const char *text, unsigned *ret_mode)
{
	const char *end;
	uint64_t v;
	int r = parse_digits(text, 8, &v, &end);

	if (r < 0 || *end != '\0')
		return r < 0 ? r : -EINVAL;
	if (v > 07777)
		return -ERANGE;
	*ret_mode = (unsigned)v;
	return 0;
}

static const struct {
	const char *name;
	int number;
} signals[] = {
	{"none", 0},       {"HUP", SIGHUP},   {"INT", SIGINT},   {"QUIT", SIGQUIT}, {"ILL", SIGILL},       {"TRAP", SIGTRAP}, {"ABRT", SIGABRT},
	{"BUS", SIGBUS},   {"FPE", SIGFPE},   {"KILL", SIGKILL}, {"USR1", SIGUSR1}, {"SEGV", SIGSEGV},     {"USR2", SIGUSR2}, {"PIPE", SIGPIPE},
	{"ALRM", SIGALRM}, {"TERM", SIGTERM}, {"CHLD", SIGCHLD}, {"CONT", SIGCONT}, {"STOP", SIGSTOP},     {"TSTP", SIGTSTP}, {"TTIN", SIGTTIN},
	{"TTOU", SIGTTOU}, {"URG", SIGURG},   {"XCPU", SIGXCPU}, {"XFSZ", SIGXFSZ}, {"VTALRM", SIGVTALRM}, {"PROF", SIGPROF}, {"WINCH", SIGWINCH},
	{"IO", SIGIO},     {"PWR", SIGPWR},   {"SYS", SIGSYS},
};

int fp_parse_signal(const char *text, int *ret_signo)
{
	const char *name = strncmp(text, "SIG", 3) == 0 ? text + 3 : text;
	uint64_t v;

	for (size_t i = name != text; i < sizeof(signals) / sizeof(signals[0]); i++) { /* there is no SIGnone */
		if (strcmp(signals[i].name, name) != 0)
			continue;
		*ret_signo = signals[i].number;
		return 0;
	}
	if (fp_parse_u64(text, &v) < 0)
		return -EINVAL;
	if (v == 0 || v > (uint64_t)SIGRTMAX)
		return -ERANGE;
	*ret_signo = (int)v;
	return 0;
}

static const char *format_unit(uint64_t v, const struct unit *units, char *buf, size_t cap)
{
	while (v == 0 || v % units->factor != 0) {
		if (v == 0) {
			snprintf(buf, cap, "0");
			return buf;
		}
		units++;
	}
	snprintf(buf, cap, "%llu%s", (unsigned long long)(v / units->factor), units->suffix);
	return buf;
}

const char *fp_format_duration_ms(int64_t ms, char *buf, size_t cap)
{
	if (ms == 0) {
		snprintf(buf, cap, "0s");
		return buf;
	}
	return format_unit((uint64_t)ms, durations, buf, cap);
}

const char *fp_format_size(uint64_t bytes, char *buf, size_t cap)
{
	return format_unit(bytes, sizes, buf, cap);
}

const char *fp_signal_name(int signo)
{
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		if (signals[i].number == signo)
			return signals[i].name;
	return "?";
}
