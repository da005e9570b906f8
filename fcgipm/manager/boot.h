/* From exec to the first accept: the worker is looked at, often at first, then less, until it waits for a connection or serves one. */
#ifndef FCGIPM_MANAGER_BOOT_H
#define FCGIPM_MANAGER_BOOT_H

#include <stdint.h>

struct worker;

/* It has exec'd: looks begin. */
void boot_watch(struct worker *w);
void boot_look(struct worker *w);
/* Its max_lifetime runs. */
void lifetime_watch(struct worker *w);
/* Pure: the wait before the next look, after so many looks, so long after exec. */
int64_t boot_wait_ms(unsigned looks, int64_t since_exec_ms);

#endif
