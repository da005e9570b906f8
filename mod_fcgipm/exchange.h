/* One request on a connected socket: the codec's bytes go out, what comes in is handed on.  Knows no type of httpd's, never waits.
 *
 * The application may answer, and close, before it has read everything: when the socket takes no more (EPIPE), what has arrived is still read.
 */
#ifndef MOD_FCGIPM_EXCHANGE_H
#define MOD_FCGIPM_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fcgipm/fcgi/client.h"

struct exchange {
	int fd; /* non-blocking; -1: none */
	bool is_unix;
	struct fcgi_client codec;
	const uint8_t *left; /* what the socket did not take yet; the caller's memory, which it keeps */
	size_t left_len;
	bool deaf; /* the socket takes nothing more */
	bool answered; /* a byte has come */
	bool begun; /* somebody has begun to read what we sent */
	uint64_t written; /* bytes */
	uint64_t unread; /* SIOCOUTQ behind the last write */
};

/* Takes fd.  0, -EINVAL: a parameter that the protocol cannot say. */
int exchange_begin(struct exchange *x, int fd, bool is_unix, const struct fcgi_request *request);
void exchange_end(struct exchange *x);

/* Sends what the codec has, through buf, as few pieces as that can hold; feed, which may be NULL, is called when the codec wants more of a stream and says whether it got
 * any.  0: there is nothing more now; > 0: the socket is full, and so many bytes of buf are left: see that exchange_keep() is called with a copy of them; or the
 * socket is still full from before. */
typedef bool exchange_feed(void *ctx);
struct exchange_source {
	exchange_feed *feed;
	void *ctx;
};
size_t exchange_send(struct exchange *x, uint8_t *buf, size_t cap, const struct exchange_source *from);
void exchange_keep(struct exchange *x, const uint8_t *copy, size_t len);

/* Bytes that came, at most cap; 0: the application has closed; -EAGAIN: none now; -ECONNRESET and others: it was lost. */
long exchange_receive(struct exchange *x, uint8_t *buf, size_t cap);

/* Whether nobody has read a byte of what was sent.  Known of unix sockets alone (SIOCOUTQ, unix(7)): over TCP the kernel takes it. */
bool exchange_is_unread(struct exchange *x);

#endif
