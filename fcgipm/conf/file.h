/* What conf reads from the system: a file that it was given, and one number. */
#ifndef FCGIPM_CONF_FILE_H
#define FCGIPM_CONF_FILE_H

#include <stddef.h>
#include <stdint.h>

/* The whole of a regular file.  *ret is malloc'd.  0; -EFBIG: larger than CONF_FILE_MAX; -EINVAL: no regular file; -errno. */
int conf_file_read(int fd, char **ret, size_t *ret_len);
/* net.core.somaxconn; 4096, the kernel's own default, where it cannot be read. */
uint32_t conf_file_somaxconn(void);

/* Where the manager of that configuration listens for commands, as far as the file can be read: also one with errors.  0, -errno, or -ENAMETOOLONG. */
int conf_find_control(const char *path, char *buf, size_t cap);

#endif
