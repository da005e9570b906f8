/* What a run's process finds out before it is anybody's: the descriptors that its client gave, its program, and as whom it is to run. */
#ifndef FCGIPM_START_SEARCH_H
#define FCGIPM_START_SEARCH_H

#include "fcgipm/priv/jail.h"

/* Fills in the jail's descriptors, program and account, where it has an errand.  0, or -1 and *ret. */
int start_search(struct priv_jail *j, struct priv_report *ret);

#endif
