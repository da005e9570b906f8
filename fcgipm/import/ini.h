/* One line of a php-fpm configuration, as PHP's scanner of INI files reads it (Zend/zend_ini_scanner.l; php-fpm gives it one line at a time, so
 * that nothing goes on in the next one).  Pure. */
#ifndef FCGIPM_IMPORT_INI_H
#define FCGIPM_IMPORT_INI_H

#include <stdbool.h>

#include "fcgipm/import/keep.h"

enum ini_kind { INI_NOTHING, INI_SECTION, INI_ENTRY, INI_WRONG };

struct ini_line {
	enum ini_kind kind;
	const char *name; /* of the section or the entry; of INI_WRONG what is wrong */
	const char *index; /* of name[index] = value, else NULL */
	const char *value; /* as PHP reads it: without quotes, on/yes/true as 1, off/no/none as nothing */
	const char *raw; /* as it is written, without comment */
	bool computed; /* PHP would calculate it (| & ^ ~ ! parentheses): value is as written */
	bool asks_environment; /* it holds ${NAME} */
};

/* The texts live as long as k.  line has no line feed; it may hold any other byte. */
struct ini_line ini_read(struct keep *k, const char *line, size_t len);

#endif
