/* Where the account itself will bind its socket and open its output file. */
#ifndef FCGIPM_LOOK_PLACES_H
#define FCGIPM_LOOK_PLACES_H

#include "fcgipm/look/view.h"

/* Reports what would keep it from that; v->host is open.  What the launcher does with its own rights is not seen here. */
void places_look(struct view *v);

#endif
