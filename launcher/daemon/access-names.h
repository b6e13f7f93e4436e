/* SPDX-License-Identifier: Apache-2.0 */
/* Names in rules of access that this host knows no user or group by.
 *
 * Such an entry gives nobody anything and is no error, since a host may come to know it later (a
 * directory service that is not reached yet); so it is shown, by inspect and doctor.
 * Asks the host's databases (nsswitch.conf(5)): may block, not under a lock.
 */
#pragma once

#include "../spec/access.h"

/* "users: alisha", in the order of the keys. (transfer full) (element-type utf8) */
GPtrArray *dn_access_names_unknown (const DnAccessRules *rules);

/* Likewise of two lists, whose keys are @users_key and @groups_key; adds to @ret_unknown. */
void dn_access_names_add_unknown (char **users, const char *users_key, char **groups,
                                  const char *groups_key, GPtrArray *ret_unknown);
