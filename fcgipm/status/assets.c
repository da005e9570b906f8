/* Files in the executable (status page). */
#include "fcgipm/status/assets.h"

#define ASSET(name, file) __asm__(".pushsection .rodata\n.globl " #name "\n" #name ":\n.incbin \"fcgipm/status/" file "\"\n.byte 0\n.popsection\n")
ASSET(asset_style, "page.css");
ASSET(asset_script, "page.js");
