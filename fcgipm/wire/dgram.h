/* One seqpacket datagram and the descriptors that came with it. */
#ifndef FCGIPM_WIRE_DGRAM_H
#define FCGIPM_WIRE_DGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fcgipm/wire/cursor.h"

enum { WIRE_DGRAM_MAX = 32768, WIRE_FDS_MAX = 4, WIRE_HEADER_LEN = 8 };

/* Every message starts with: u16 type, u16 zero, u32 sequence number of the request (0: nobody asked). */
struct wire_dgram {
	uint16_t type;
	uint32_t seq;
	size_t len; /* of bytes, header included */
	bool fds_wait; /* of one that was peeked at: descriptors are with it in the socket */
	unsigned nfds;
	int fds[WIRE_FDS_MAX]; /* owned by the dgram until taken with wire_take_fd() */
	uint8_t bytes[WIRE_DGRAM_MAX];
};

/* Begins a message to send: header written, w ready for the fields. */
void wire_begin(struct wire_dgram *d, struct wire_wr *w, uint16_t type, uint32_t seq);
/* Ends it.  0, or -EMSGSIZE when the fields did not fit. */
int wire_end(struct wire_dgram *d, const struct wire_wr *w);
/* Sends d with fds (which stay the caller's).  0 or -errno; MSG_NOSIGNAL; -EAGAIN on a full non-blocking socket. */
int wire_send(int sock, const struct wire_dgram *d, const int *fds, unsigned nfds);

/* Receives one.  1: d is filled; 0: the peer is gone; -EAGAIN; -EMSGSIZE: longer than the cap; -EPROTO: surplus descriptors,
 * other control data or no header.  On any refusal every received descriptor is closed.  Descriptors arrive close-on-exec. */
int wire_recv(int sock, struct wire_dgram *d);
/* Whether sock may be sent descriptors; what is accepted from a listener inherits it.  Where not, the kernel refuses the sender (EPERM), from Linux 6.16 on.  What
 * we do not get we need not close: a file of a file system whose daemon hangs (FUSE, NFS) would hold us in its flush.  Older kernels know no such option. */
void wire_let_fds(int sock, bool let);
/* The next one without its descriptors, which stay with it in the socket: whoever is to have them calls wire_recv_fds(), and who refuses it wire_discard(). */
int wire_peek(int sock, struct wire_dgram *d);
void wire_discard(int sock);
/* The next one's descriptors alone; the rest is thrown away.  How many, or -errno; -EPROTO: none, or too many, of which some may stay open: for who ends then.
 * Async-signal-safe. */
int wire_recv_fds(int sock, int (*ret)[WIRE_FDS_MAX]);
/* A reader behind the header. */
struct wire_rd wire_body(const struct wire_dgram *d);
/* Takes descriptor i out of d; -1 when there is none. */
int wire_take_fd(struct wire_dgram *d, unsigned i);
/* Closes what was not taken. */
void wire_dgram_close(struct wire_dgram *d);

#endif
