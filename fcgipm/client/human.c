/* Numbers as a person reads them (runs in a frontend or in the command line).  Pure. */
#include "fcgipm/client/human.h"

#include <inttypes.h>
#include <stdio.h>

#include "fcgipm/client/render.h"

static const char *plain(int64_t n, char *buf, size_t cap)
{
	if (n < 0)
		snprintf(buf, cap, "-");
	else
		snprintf(buf, cap, "%" PRId64, n);
	return buf;
}

/* Three digits and a unit; n is at least one unit of the smallest. */
static const char *scaled(int64_t n, int64_t base, const char *units, char *buf, size_t cap)
{
	int64_t unit = base;

	while (n / unit >= base && units[1] != '\0') {
		unit *= base;
		units++;
	}
	if (n / unit < 10)
		snprintf(buf, cap, "%" PRId64 ".%" PRId64 "%c", n / unit, n % unit * 10 / unit, *units);
	else
		snprintf(buf, cap, "%" PRId64 "%c", n / unit, *units);
	return buf;
}

const char *human_bytes(int64_t bytes, char *buf, size_t cap)
{
	return bytes < 1024 ? plain(bytes, buf, cap) : scaled(bytes, 1024, "KMGT", buf, cap);
}

const char *human_count(int64_t n, char *buf, size_t cap)
{
	return n < 100000 ? plain(n, buf, cap) : scaled(n, 1000, "kMGT", buf, cap);
}

const char *human_rate(int64_t milli, char *buf, size_t cap)
{
	if (milli <= 0 || milli >= 100000)
		return human_count(milli < 0 ? milli : milli / 1000, buf, cap);
	if (milli >= 1000)
		snprintf(buf, cap, "%" PRId64 ".%" PRId64, milli / 1000, milli % 1000 / 100);
	else
		snprintf(buf, cap, "0.%02" PRId64, milli / 10);
	return buf;
}

const char *human_ms(int64_t ms, char *buf, size_t cap)
{
	if (ms < 0)
		return plain(ms, buf, cap);
	if (ms >= 60000)
		return render_age(ms, buf, cap);
	if (ms < 1000)
		snprintf(buf, cap, "%" PRId64 " ms", ms);
	else
		snprintf(buf, cap, "%" PRId64 ".%" PRId64 " s", ms / 1000, ms % 1000 / 100);
	return buf;
}
