/* The members of the settings structs by their rows: for this folder alone. */
#ifndef FCGIPM_SETTINGS_ROW_H
#define FCGIPM_SETTINGS_ROW_H

#include "fcgipm/settings/settings.h"

/* Any number fits an int64_t: sizes are at most INT64_MAX. */
int64_t settings_number(const void *s, const struct settings_row *row);
void settings_put_number(void *s, const struct settings_row *row, int64_t v);
const char **settings_text(void *s, const struct settings_row *row);
struct settings_list *settings_list(void *s, const struct settings_row *row);
/* "" for NULL. */
const char *settings_get_text(const void *s, const struct settings_row *row);
const struct settings_list *settings_get_list(const void *s, const struct settings_row *row);

int settings_list_add(struct settings_list *l, const char *item);
/* In order of name; replaces one of the same name. */
int settings_list_add_pair(struct settings_list *l, const char *item);
void settings_list_free(struct settings_list *l);

#endif
