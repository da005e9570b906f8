/* The module itself (runs in httpd). */
#ifndef MOD_FCGIPM_MODULE_H
#define MOD_FCGIPM_MODULE_H

#include <httpd.h>
#include <http_config.h>

extern __attribute__((visibility("default"))) module AP_MODULE_DECLARE_DATA fcgipm_module;

#endif
