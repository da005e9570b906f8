/* Scoreboards (launcher process). */
#include "fcgipm/launcher/board.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fcgipm/base/fd.h"
#include "fcgipm/launcher/launcher.h"
#include "fcgipm/launcher/link.h"
#include "fcgipm/wire/dgram.h"
#include "include/fcgipm/board.h"

static int make_memory(void)
{
	const uint32_t magic = BOARD_MAGIC;
	int fd = memfd_create("fcgipm-board", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return -errno;
	if (ftruncate(fd, sizeof(struct board)) == 0 && pwrite(fd, &magic, sizeof(magic), offsetof(struct board, head.magic)) == sizeof(magic) &&
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
		return fd;
	fp_close(&fd);
	return -EIO;
}

int board_make(struct launcher *l, struct pool *p)
{
	int pair[2] = {-1, -1};
	struct board_fds b = BOARD_FDS_NONE;

	if (p->board.memory >= 0)
		return 0;
	b.memory = make_memory();
	if (b.memory < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0) {
		board_close(&b);
		return -errno;
	}
	wire_let_fds(pair[1], false); /* the manager reads it, who need not close what workers send */
	b.bell = pair[0];
	b.heard = pair[1];
	p->board = b;
	link_board(l, p);
	return 0;
}

void board_close(struct board_fds *b)
{
	fp_close(&b->memory);
	fp_close(&b->bell);
	fp_close(&b->heard);
}

bool board_is_busy_since(const struct board_fds *b, uint32_t slot, int64_t since_ns)
{
	struct board_slot line;

	if (slot >= BOARD_SLOTS || pread(b->memory, &line, sizeof(line), (off_t)(offsetof(struct board, slots) + slot * sizeof(line))) != sizeof(line))
		return false;
	return line.state == BOARD_BUSY && line.since_ns == since_ns;
}

void board_clear(const struct board_fds *b, uint32_t slot)
{
	static const struct board_slot empty;

	if (slot < BOARD_SLOTS)
		(void)!pwrite(b->memory, &empty, sizeof(empty), (off_t)(offsetof(struct board, slots) + slot * sizeof(empty)));
}
