/* What other modules may call: include/fcgipm/httpd.h (runs in httpd). */
#ifndef MOD_FCGIPM_OFFER_H
#define MOD_FCGIPM_OFFER_H

/* Before other modules look for it. */
void offer_register(void);

#endif
