/* What the pages load beside themselves, as it stands in the files page.css and page.js. */
#ifndef FCGIPM_STATUS_ASSETS_H
#define FCGIPM_STATUS_ASSETS_H

extern const char asset_style[], asset_script[];

#endif
