/* Bytes that are collected, for their number has to be known before they go on: in memory, and beyond a limit in a file (runs in httpd). */
#ifndef MOD_FCGIPM_SPOOL_H
#define MOD_FCGIPM_SPOOL_H

#include <httpd.h>
#include <apr_buckets.h>
#include <apr_file_io.h>

struct spool {
	request_rec *r;
	apr_bucket_brigade *in_memory;
	apr_file_t *file;
	apr_off_t length;
};

void spool_init(struct spool *s, request_rec *r);
/* Takes all of bb, which holds no metadata. */
apr_status_t spool_take(struct spool *s, apr_bucket_brigade *bb);
/* What was collected; of the request's pool. */
apr_bucket_brigade *spool_end(struct spool *s);

#endif
