/* Finding functions in what is loaded, by the objects' own tables: dlsym() has a version that old libraries do not know. */
#include <elf.h>
#include <link.h>

#include "fcgipm/prefork/prefork.h"

struct wanted {
	const char *name;
	uint32_t gnu_hash;
	uintptr_t address; /* asked for, when there is no name */
	void *found;
};

struct tables {
	const ElfW(Sym) * symbols;
	const char *strings;
	const uint32_t *gnu;
	uintptr_t base;
};

static bool same(const char *a, const char *b)
{
	while (*a != '\0' && *a == *b)
		a++, b++;
	return *a == *b;
}

static uint32_t hash_of(const char *name)
{
	uint32_t h = 5381;

	while (*name != '\0')
		h = h * 33 + (unsigned char)*name++;
	return h;
}

/* glibc has made the pointers absolute, musl has not. */
static uintptr_t absolute(uintptr_t base, uintptr_t p)
{
	return p < base ? base + p : p;
}

static bool tables_of(const struct dl_phdr_info *info, struct tables *t)
{
	const ElfW(Dyn) *d = NULL;

	*t = (struct tables){.base = info->dlpi_addr};
	for (int i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_DYNAMIC)
			d = (const void *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
	for (; d != NULL && d->d_tag != DT_NULL; d++) {
		uintptr_t p = absolute(t->base, d->d_un.d_ptr);

		if (d->d_tag == DT_SYMTAB)
			t->symbols = (const void *)p;
		else if (d->d_tag == DT_STRTAB)
			t->strings = (const void *)p;
		else if (d->d_tag == DT_GNU_HASH)
			t->gnu = (const void *)p;
	}
	return t->symbols != NULL && t->strings != NULL && t->gnu != NULL;
}

/* The GNU hash table: buckets, and chains of hashes whose last one has bit 0 set. */
static void *look_up(const struct tables *t, const struct wanted *w)
{
	uint32_t buckets = t->gnu[0], first = t->gnu[1], words = t->gnu[2] * (uint32_t)(sizeof(ElfW(Addr)) / 4);
	const uint32_t *bucket = t->gnu + 4 + words, *chain = bucket + buckets;
	uint32_t i = buckets == 0 ? 0 : bucket[w->gnu_hash % buckets];

	if (i < first)
		return NULL;
	for (;; i++) {
		const ElfW(Sym) *s = &t->symbols[i];

		if ((chain[i - first] | 1) == (w->gnu_hash | 1) && s->st_shndx != SHN_UNDEF && s->st_value != 0 && same(t->strings + s->st_name, w->name))
			return (void *)(t->base + s->st_value);
		if ((chain[i - first] & 1) != 0)
			return NULL;
	}
}

static bool holds(const struct dl_phdr_info *info, uintptr_t at)
{
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];

		if (p->p_type == PT_LOAD && at >= info->dlpi_addr + p->p_vaddr && at < info->dlpi_addr + p->p_vaddr + p->p_memsz)
			return true;
	}
	return false;
}

static int visit(struct dl_phdr_info *info, size_t size, void *ctx)
{
	struct wanted *w = ctx;
	struct tables t;

	(void)size;
	if (w->name == NULL)
		w->found = holds(info, w->address) ? info : NULL;
	else if (!holds(info, (uintptr_t)&prefork) && tables_of(info, &t))
		w->found = look_up(&t, w);
	return w->found != NULL;
}

void *symbol_find(const char *name)
{
	struct wanted w = {.name = name, .gnu_hash = hash_of(name)};

	dl_iterate_phdr(visit, &w);
	return w.found;
}

bool symbol_is_mapped(const void *address)
{
	struct wanted w = {.address = (uintptr_t)address};

	return dl_iterate_phdr(visit, &w) != 0;
}
