/* A snapshot in the OpenMetrics text format 1.0 (openmetrics.io), which Prometheus and others read. */
#ifndef FCGIPM_CLIENT_OPENMETRICS_H
#define FCGIPM_CLIENT_OPENMETRICS_H

#include "fcgipm/base/text.h"
#include "fcgipm/client/snapshot.h"

#define OPENMETRICS_CONTENT_TYPE "application/openmetrics-text; version=1.0.0; charset=utf-8"

/* What is unknown has no sample.  Counters go on across managers and reloads, and begin anew with the launcher or when a pool was removed. */
void openmetrics_render(struct fp_doc *d, const struct snapshot *s);

#endif
