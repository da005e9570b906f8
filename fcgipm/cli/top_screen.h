/* The screen of fcgipm top: curses is spoken here alone. */
#ifndef FCGIPM_CLI_TOP_SCREEN_H
#define FCGIPM_CLI_TOP_SCREEN_H

#include <stdio.h>

#include "fcgipm/view/browse.h"

struct top_screen;

/* NULL: this kind of terminal cannot do what is needed, and nothing was changed. */
struct top_screen *top_screen_open(FILE *in, FILE *out);
/* The terminal as it was before. */
void top_screen_close(struct top_screen **s);
/* The terminal may have another size. */
void top_screen_resize(struct top_screen *s);
/* news: what a person should know of the manager, or NULL. */
void top_screen_draw(struct top_screen *s, struct browse *b, const char *news);
/* The next key that was pressed, as curses names it, or -1. */
int top_screen_key(struct top_screen *s);

#endif
