/* The capability table and the dropping of the rest (launcher process).  Whoever adds a row adds the step that needs it and the reason. */
#include "fcgipm/priv/caps.h"

#include <errno.h>
#include <sys/capability.h>
#include <sys/prctl.h>

const struct priv_cap_row priv_caps[] = {
	{CAP_SETUID, "CAP_SETUID", "spawn: setresuid to the pool's account", "run a pool as another account", false},
	{CAP_SETGID, "CAP_SETGID", "spawn: setgroups and setresgid to the pool's groups", "run a pool under another group", false},
	{CAP_SETPCAP, "CAP_SETPCAP", "spawn: drop the bounding set, raise what sandbox.capabilities names", "empty the bounding set of a worker", false},
	{CAP_SYS_CHROOT, "CAP_SYS_CHROOT", "spawn: chroot, after the change of account", "jail a pool", false},
	{CAP_KILL, "CAP_KILL", "retire, stop: signal a worker of another account", "signal workers", false},
	{CAP_CHOWN, "CAP_CHOWN", "bind: give a socket its owner and group", "give a socket to a frontend's group", false},
	{CAP_NET_BIND_SERVICE, "CAP_NET_BIND_SERVICE", "bind: TCP ports below 1024", "listen on a TCP port below 1024", false},
	{CAP_SYS_PTRACE, "CAP_SYS_PTRACE", "look, retire: read a worker's descriptors in /proc; start: take a listener back from its holder",
	 "see whether a worker serves; it is then ended without a look", true},
	{CAP_SYS_NICE, "CAP_SYS_NICE", "start, spawn: a lower nice value", "raise a pool's priority, and our own above the workers'", true},
	{CAP_SYS_RESOURCE, "CAP_SYS_RESOURCE", "start, spawn: raise hard limits", "raise a limit above the one that fcgipm was started with", true},
};
const size_t priv_cap_count = sizeof(priv_caps) / sizeof(priv_caps[0]);

static uint64_t table_bits(void)
{
	uint64_t bits = 0;

	for (size_t i = 0; i < priv_cap_count; i++)
		bits |= 1ull << priv_caps[i].cap;
	return bits;
}

static uint64_t permitted_bits(cap_t caps)
{
	uint64_t bits = 0;

	for (int c = 0; c < cap_max_bits() && c < 64; c++) {
		cap_flag_value_t on = CAP_CLEAR;

		if (cap_get_flag(caps, c, CAP_PERMITTED, &on) == 0 && on == CAP_SET)
			bits |= 1ull << c;
	}
	return bits;
}

static int drop_bounding(uint64_t keep)
{
	for (int c = 0; c < cap_max_bits() && c < 64; c++) {
		if ((keep >> c & 1) != 0 || cap_get_bound(c) != CAP_SET)
			continue;
		if (cap_drop_bound(c) < 0)
			return -errno;
	}
	return 0;
}

static int set_exactly(uint64_t keep)
{
	cap_t caps = cap_init();
	int r = caps == NULL ? -ENOMEM : 0;

	for (int c = 0; r == 0 && c < cap_max_bits() && c < 64; c++) {
		cap_value_t v = c;

		if ((keep >> c & 1) == 0)
			continue;
		if (cap_set_flag(caps, CAP_PERMITTED, 1, &v, CAP_SET) < 0 || cap_set_flag(caps, CAP_EFFECTIVE, 1, &v, CAP_SET) < 0)
			r = -errno;
	}
	if (r == 0 && cap_set_proc(caps) < 0)
		r = -errno;
	if (caps != NULL)
		cap_free(caps);
	return r;
}

int priv_caps_keep(uint64_t extra, uint64_t *ret_missing, struct fp_err *err)
{
	cap_t now = cap_get_proc();
	uint64_t have, keep;
	int r;

	if (now == NULL)
		return fp_fail(err, errno, "cannot read our capabilities: %m");
	have = permitted_bits(now);
	cap_free(now);
	keep = have & (table_bits() | extra);
	/* Without CAP_SETPCAP the bounding set stays; the missing row says so. */
	r = (have >> CAP_SETPCAP & 1) != 0 ? drop_bounding(keep) : 0;
	if (r == 0)
		r = set_exactly(keep);
	if (r < 0)
		return fp_fail(err, -r, "cannot drop capabilities: %m");
	*ret_missing = table_bits() & ~have;
	return 0;
}

bool priv_caps_have(int cap)
{
	cap_t now = cap_get_proc();
	cap_flag_value_t on = CAP_CLEAR;

	if (now == NULL)
		return false;
	cap_get_flag(now, cap, CAP_EFFECTIVE, &on);
	cap_free(now);
	return on == CAP_SET;
}

uint64_t priv_caps_permitted(void)
{
	cap_t now = cap_get_proc();
	uint64_t have = now != NULL ? permitted_bits(now) : 0;

	if (now != NULL)
		cap_free(now);
	return have;
}

uint64_t priv_caps_bounding(void)
{
	uint64_t bits = 0;
	int has;

	for (int c = 0; c < 64 && (has = cap_get_bound((cap_value_t)c)) >= 0; c++)
		bits |= (uint64_t)has << c;
	return bits;
}
