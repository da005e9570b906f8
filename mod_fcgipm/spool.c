/* Collected bytes (runs in httpd). */
#include "mod_fcgipm/spool.h"

#include <apr_strings.h>
#include <fcntl.h>
#include <util_filter.h>

#include "mod_fcgipm/file.h"

enum { IN_MEMORY = 65536 };

void spool_init(struct spool *s, request_rec *r)
{
	*s = (struct spool){.r = r, .in_memory = apr_brigade_create(r->pool, r->connection->bucket_alloc)};
}

/* A file without a name. */
static apr_status_t make_file(request_rec *r, apr_file_t **ret)
{
	const char *dir = NULL;
	apr_status_t rv = apr_temp_dir_get(&dir, r->pool);
	int fd;

	if (rv != APR_SUCCESS)
		return rv;
	fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd >= 0) {
		*ret = file_of(r, fd, APR_FOPEN_READ | APR_FOPEN_WRITE | APR_FOPEN_BINARY);
		return *ret != NULL ? APR_SUCCESS : APR_ENOMEM;
	}
	return apr_file_mktemp(ret, apr_pstrcat(r->pool, dir, "/fcgipm.XXXXXX", NULL), 0, r->pool);
}

static apr_status_t write_all(apr_file_t *f, apr_bucket_brigade *bb)
{
	apr_status_t rv = APR_SUCCESS;

	for (apr_bucket *e = APR_BRIGADE_FIRST(bb); e != APR_BRIGADE_SENTINEL(bb) && rv == APR_SUCCESS; e = APR_BUCKET_NEXT(e)) {
		const char *at;
		apr_size_t len;

		rv = apr_bucket_read(e, &at, &len, APR_BLOCK_READ);
		if (rv == APR_SUCCESS)
			rv = apr_file_write_full(f, at, len, NULL);
	}
	apr_brigade_cleanup(bb);
	return rv;
}

apr_status_t spool_take(struct spool *s, apr_bucket_brigade *bb)
{
	apr_off_t n = 0;
	apr_status_t rv = apr_brigade_length(bb, 1, &n);

	if (rv != APR_SUCCESS)
		return rv;
	s->length += n;
	if (s->file == NULL && s->length <= IN_MEMORY)
		return ap_save_brigade(NULL, &s->in_memory, &bb, s->r->pool);
	if (s->file == NULL) {
		rv = make_file(s->r, &s->file);
		if (rv == APR_SUCCESS)
			rv = write_all(s->file, s->in_memory);
		if (rv != APR_SUCCESS)
			return rv;
	}
	return write_all(s->file, bb);
}

apr_bucket_brigade *spool_end(struct spool *s)
{
	if (s->file != NULL)
		apr_brigade_insert_file(s->in_memory, s->file, 0, s->length, s->r->pool);
	return s->in_memory;
}
