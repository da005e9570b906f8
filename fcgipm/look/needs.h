/* What programs are known to need beside their libraries: by language, one table row each, and what any program needs for names, TLS and time. */
#ifndef FCGIPM_LOOK_NEEDS_H
#define FCGIPM_LOOK_NEEDS_H

#include "fcgipm/look/libraries.h"
#include "fcgipm/look/program.h"
#include "fcgipm/look/view.h"

/* All of these warn. */
void needs_of_languages(struct view *v, const struct program *p, struct libraries *l);
void needs_of_names(struct view *v, struct libraries *l);
void needs_of_tls(struct view *v, const struct libraries *l);
void needs_of_time(struct view *v);
void needs_of_devices(struct view *v);

#endif
