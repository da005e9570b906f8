/* The places that pools name for sockets and output files, looked at without touching them. */
#ifndef FCGIPM_LAUNCHER_PLACES_H
#define FCGIPM_LAUNCHER_PLACES_H

struct load;

/* For check and reload: what would keep a socket from being bound or an output file from being opened with the launcher's own rights becomes a finding of the
 * pools that are wanted.  What is the account's to do is seen by its look. */
void places_check(struct load *ld);

#endif
