/* The keys of fcgipm top, one row a key: what they do, what the line at the bottom and the help say. */
#ifndef FCGIPM_CLI_TOP_KEYS_H
#define FCGIPM_CLI_TOP_KEYS_H

#include "fcgipm/base/text.h"
#include "fcgipm/view/browse.h"

enum { TOP_KEY_CODES = 4, TOP_KEY_ERASE = 8, TOP_KEY_ENTER = 10, TOP_KEY_ESCAPE = 27 };

enum top_action { TOP_BROWSE, TOP_NOW, TOP_QUIT };

struct top_key {
	int codes[TOP_KEY_CODES]; /* of curses, or those above; 0: none */
	const char *name;
	const char *label; /* in the line at the bottom; NULL: not there */
	const char *help;
	enum top_action action;
	enum browse_command command; /* of TOP_BROWSE */
};

/* Does what a key is for; what is not the view's own is the caller's to do. */
enum top_action top_keys_press(struct browse *b, int code);
/* "q quit  Enter detail  ..." */
void top_keys_line(struct fp_doc *d, const struct browse *b);
/* Every key, and the letters that sort. */
void top_keys_help(struct fp_doc *d);

#endif
