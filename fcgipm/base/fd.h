/* File descriptors: ownership, sealing, whole reads and writes.  Async-signal-safe where it says so. */
#ifndef FCGIPM_BASE_FD_H
#define FCGIPM_BASE_FD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <unistd.h>

/* Closes *fd when it is not negative and sets it to -1; errno is kept.  Async-signal-safe. */
void fp_close(int *fd);

#define fp_autoclose __attribute__((cleanup(fp_close)))
#define fp_autofree  __attribute__((cleanup(fp_free_ptr)))
void fp_free_ptr(void *ptr_to_ptr);

/* Hands the descriptor on and leaves -1 behind, so that fp_autoclose does nothing. */
static inline int fp_take_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}
#define FP_TAKE_FD(fd) fp_take_fd(&(fd))

/* 0 or -errno. */
int fp_set_cloexec(int fd, bool on); /* async-signal-safe */
int fp_set_nonblock(int fd, bool on); /* async-signal-safe */
/* A close-on-exec descriptor of 0 to 2 gets a number above them: who has one of those closed would hand it on as standard input, output or error.  0 or -errno. */
int fp_above_stdio(int *fd);
int fp_close_from(int first); /* closes all descriptors from first on; async-signal-safe */

/* Read or write exactly len bytes; -EPIPE on an early end.  For regular files, memfds and blocking pipes. */
int fp_read_full(int fd, void *buf, size_t len);
int fp_write_full(int fd, const void *buf, size_t len);
/* Reads to the end, or until buf is full: how many bytes, or -errno.  Async-signal-safe. */
ssize_t fp_read_to_end(int fd, void *buf, size_t cap);

/* One descriptor over a unix stream socket, without wire/'s datagrams.  Async-signal-safe.  fp_receive_fd does not wait: the close-on-exec
 * descriptor, or -errno (-EIO: none came, or not exactly one). */
int fp_send_fd(int sock, int fd);
int fp_receive_fd(int sock);

/* A close-on-exec memfd that holds data and is sealed against any change.  0 or -errno. */
int fp_memfd_sealed(const char *name, const void *data, size_t len, int *ret_fd);

/* Maps fd read-only after checking that it is a memfd with F_SEAL_WRITE|SHRINK|GROW|SEAL and at most max bytes.
 * -EPERM: not sealed; -EFBIG: too large.  Unmap with munmap(*ret, *ret_len); an empty file gives NULL and 0. */
int fp_memfd_map(int fd, size_t max, const void **ret, size_t *ret_len);

#endif
