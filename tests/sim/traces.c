/* What the simulated pools have to serve. */
#include <math.h>

#include "tests/sim/engine.h"

#define SECOND 1000000LL

/* A Poisson process of that many requests a second. */
static int64_t gap(struct sim *s, double rate)
{
	double us = -log(1 - sim_random(s)) / rate * SECOND;

	return us < 1 ? 1 : us > 1e15 ? (int64_t)1e15 : (int64_t)us;
}

/* Most requests are short, a few take long. */
static int64_t service(struct sim *s)
{
	return (int64_t)(0.02 * SECOND + -log(1 - sim_random(s)) * 0.08 * SECOND);
}

static bool burst(struct sim *s, int64_t after, int64_t *ret_at, int64_t *ret_service)
{
	enum { AT = 5, COUNT = 64 };
	int64_t n = after < AT * SECOND ? 0 : after - AT * SECOND + 1;

	(void)s;
	if (n >= COUNT)
		return false;
	*ret_at = AT * SECOND + n; /* a microsecond apart */
	*ret_service = SECOND;
	return true;
}

/* A day in two hours: from 1 to 40 requests a second and back. */
static bool diurnal(struct sim *s, int64_t after, int64_t *ret_at, int64_t *ret_service)
{
	double share = (double)after / (double)s->trace->length_us, rate = 1 + 39 * (1 - cos(2 * M_PI * share)) / 2;

	*ret_at = after + gap(s, rate);
	*ret_service = service(s);
	return *ret_at < s->trace->length_us;
}

/* 2 a second; from the fifth to the seventh minute 200. */
static bool flash_crowd(struct sim *s, int64_t after, int64_t *ret_at, int64_t *ret_service)
{
	bool crowd = after > 300 * SECOND && after < 420 * SECOND;

	*ret_at = after + gap(s, crowd ? 200 : 2);
	*ret_service = service(s);
	return *ret_at < s->trace->length_us;
}

/* One of thousands of small sites: a visit of some requests every ten minutes or so. */
static bool small_site(struct sim *s, int64_t after, int64_t *ret_at, int64_t *ret_service)
{
	bool more = sim_random(s) < 0.75;

	*ret_at = after + gap(s, more && after > 0 ? 2 : 1.0 / 600);
	*ret_service = service(s);
	return *ret_at < s->trace->length_us;
}

/* As many as the workers can just not serve. */
static bool saturated(struct sim *s, int64_t after, int64_t *ret_at, int64_t *ret_service)
{
	*ret_at = after + gap(s, 82);
	*ret_service = service(s);
	return *ret_at < s->trace->length_us;
}

const struct trace traces[] = {
	{"burst", 2, 64, 20000, 60 * SECOND, burst},
	{"diurnal", 1, 32, 20000, 7200 * SECOND, diurnal},
	{"flash crowd", 1, 64, 20000, 900 * SECOND, flash_crowd},
	{"flash crowd, 1 s to boot", 1, 64, 1000000, 900 * SECOND, flash_crowd},
	{"small sites", 0, 8, 20000, 3600 * SECOND, small_site},
	{"saturated", 1, 8, 20000, 120 * SECOND, saturated},
};
const size_t trace_count = sizeof(traces) / sizeof(traces[0]);
