/* SPDX-License-Identifier: Apache-2.0 */
/* The operator's profiles: CONFIG/profiles/NAME.conf, in a build tree config/profiles/NAME.conf.
 *
 * Nothing of them is compiled in.  A profile that is missing or damaged is an error: whoever asked
 * for it, strict included, gets no container.
 */
#pragma once

#include "profile.h"

/* DN_ERROR_NOT_FOUND, naming those that there are, or DN_ERROR_CONFIG.  @ret_text: (out)
 * (optional) (transfer full): the file as it is.  (transfer full) */
DnProfile *dn_profile_load (const char *name, char **ret_text, GError **error);

/* Names, sorted; what is in them is not looked at.  (transfer full): NULL-terminated */
char **dn_profile_list (void);
