/* What mod_status shows of us, for people and machines (runs in httpd). */
#ifndef MOD_FCGIPM_REPORT_H
#define MOD_FCGIPM_REPORT_H

#include <httpd.h>
#include <stdbool.h>

struct counters;
struct lessor;

void report_counters(request_rec *r, const struct counters *all, bool for_machines);

/* The leases of this process. */
void report_leases(request_rec *r, struct lessor *l, bool for_machines);

#endif
