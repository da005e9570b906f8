/* What the first bytes of an executable say of who runs it: a #! line or an ELF program interpreter.  Pure: foreign bytes in, bounded text out. */
#ifndef FCGIPM_LOOK_MAGIC_H
#define FCGIPM_LOOK_MAGIC_H

#include <stddef.h>
#include <sys/types.h>

enum magic_kind { MAGIC_OTHER, MAGIC_SCRIPT, MAGIC_ELF };

/* Reads at most len bytes at offset into buf: how magic_look sees the file.  Bytes read, or -errno. */
typedef ssize_t magic_read(void *ctx, void *buf, size_t len, off_t offset);
struct magic_file {
	magic_read *read_at;
	void *ctx;
};

/* *ret_interpreter (of cap bytes): the path behind "#!" or of PT_INTERP; "" for a static ELF file.  -ENOEXEC: a broken header. */
int magic_look(const struct magic_file *f, enum magic_kind *ret_kind, char *ret_interpreter, size_t cap);

#endif
