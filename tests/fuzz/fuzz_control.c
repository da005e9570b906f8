/* The manager with hostile clients on its control socket: messages of any form from two peers at once, while the launcher (a well-behaved fake) answers.
 *
 * The input is a row of steps: a byte that says which, a byte with a length, that many bytes.  Bit 0 is the peer; bits 1 to 6 the type of a message whose
 * body the bytes are, 63: a datagram of just these bytes, 62: the peer goes and another comes, 61: a message with a descriptor.
 */
#include "tests/unit/manager/fake_launcher.h"

#include <sys/un.h>

#include "fcgipm/wire/control.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { RAW = 63, LEAVES = 62, WITH_FD = 61, PEERS = 2 };

static struct fake *f;

static void start(void)
{
	void *state = NULL;

	if (fake_setup(&state) != 0)
		abort();
	f = state;
	fake_hello(f, -1);
	fake_settings(f, 100);
	fake_pool(f, "blog", 1, 0, NULL);
	fake_go(f);
	fake_until(f, f->m->running && fake_asked(f, "NOTICE 0\n"));
}

static int connected(void)
{
	struct sockaddr_un a;
	socklen_t len = sizeof(a);
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (getsockname(f->control, (struct sockaddr *)&a, &len) < 0 || connect(fd, (struct sockaddr *)&a, len) < 0)
		abort();
	return fd;
}

static void drain(int fd)
{
	static struct wire_dgram in;

	while (wire_recv(fd, &in) == 1)
		wire_dgram_close(&in);
}

static void take_step(int *peer, uint8_t what, const uint8_t *bytes, size_t len)
{
	static struct wire_dgram out;
	struct wire_wr w;

	if (what == WIRE_C_SHUTDOWN || (what == WITH_FD && len > 0 && bytes[0] == WIRE_C_SHUTDOWN))
		return; /* an operator may end the manager, and we are one */
	if (what == LEAVES) {
		close(*peer);
		*peer = connected();
	} else if (what == RAW) {
		(void)!send(*peer, bytes, len, MSG_NOSIGNAL);
	} else {
		wire_begin(&out, &w, what == WITH_FD && len > 0 ? bytes[0] : what, 5);
		for (size_t i = what == WITH_FD; i < len; i++)
			wire_put_u8(&w, bytes[i]);
		if (wire_end(&out, &w) == 0)
			(void)wire_send(*peer, &out, &f->log, what == WITH_FD);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int peers[PEERS];

	if (f == NULL)
		start();
	for (unsigned i = 0; i < PEERS; i++)
		peers[i] = connected();
	while (size >= 2) {
		size_t len = data[1] < size - 2 ? data[1] : size - 2;

		take_step(&peers[data[0] & 1], data[0] >> 1 & 63, data + 2, len);
		fake_turn(f);
		drain(peers[data[0] & 1]);
		data += 2 + len;
		size -= 2 + len;
	}
	for (unsigned i = 0; i < PEERS; i++)
		close(peers[i]);
	fake_turn(f);
	fake_forget(f);
	if (f->m->exit_code != 0 || f->m->link.is_lost)
		abort(); /* no client ends a manager */
	return 0;
}
