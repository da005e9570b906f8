/* The reference, from the rows of settings and commands (a program of the build, which `make docs` runs). */
#ifndef TOOLS_REFERENCE_H
#define TOOLS_REFERENCE_H

void reference_man(void);
void reference_schema(void);
void reference_completion(void);

#endif
