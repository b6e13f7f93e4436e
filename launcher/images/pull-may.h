/* SPDX-License-Identifier: Apache-2.0 */
/* What has to hold before a registry is asked anything. */
#pragma once

#include "../daemon/settings.h"

/* Whether a registry may be asked for @reference with these credentials (-1: as nobody):
 * danchi.conf permits the name, and the credentials are sealed.  DN_ERROR_DENIED, _USAGE. */
gboolean dn_pull_may_ask (const DnSettings *settings, const char *reference, int auth_fd,
                          GError **error);
