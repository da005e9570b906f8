/* A message is a row of fields: from one list come the struct, the writer, the reader and the least length.
 *
 *   #define WIRE_FIELDS_spawn(F) F(str, pool) F(u32, generation) F(u32, tag)
 *   WIRE_MESSAGE(spawn)
 *
 * gives struct wire_spawn { const char *pool; uint32_t generation; uint32_t tag; },
 *   void wire_put_spawn(struct wire_wr *, const struct wire_spawn *) and
 *   bool wire_read_spawn(struct wire_rd *, struct wire_spawn *), true when all was well; it does not ask that the buffer ends.
 * Texts and blobs point into the buffer that was read.
 */
#ifndef FCGIPM_WIRE_FIELDS_H
#define FCGIPM_WIRE_FIELDS_H

#include "fcgipm/wire/cursor.h"

/* clang-format off */

typedef uint8_t wire_type_u8;
typedef uint16_t wire_type_u16;
typedef uint32_t wire_type_u32;
typedef uint64_t wire_type_u64;
typedef int32_t wire_type_i32;
typedef int64_t wire_type_i64;
typedef const char *wire_type_str;
typedef struct wire_blob wire_type_blob;

#define WIRE_F_MEMBER(type, name) wire_type_##type name;
#define WIRE_F_PUT(type, name) wire_put_##type(w, m->name);
#define WIRE_F_GET(type, name) m->name = wire_get_##type(r);

#define WIRE_MESSAGE(msg)                                                                         \
	struct wire_##msg {                                                                        \
		WIRE_FIELDS_##msg(WIRE_F_MEMBER)                                                   \
	};                                                                                         \
	static inline void wire_put_##msg(struct wire_wr *w, const struct wire_##msg *m)           \
	{                                                                                          \
		(void)w;                                                                           \
		(void)m;                                                                           \
		WIRE_FIELDS_##msg(WIRE_F_PUT)                                                      \
	}                                                                                          \
	static inline bool wire_read_##msg(struct wire_rd *r, struct wire_##msg *m)                \
	{                                                                                          \
		(void)m;                                                                           \
		WIRE_FIELDS_##msg(WIRE_F_GET) return !r->bad;                                      \
	}

#endif
