/* SPDX-License-Identifier: Apache-2.0 */
/* Links: guest-agent/agent/user.c guest-agent/agent/fault.c */
/* Packages: jansson */
/* The input is a user's words, a NUL, /etc/passwd, a NUL, /etc/group. */
#include <string.h>

#include "../../guest-agent/agent/user.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  const char *text = (const char *) data;
  const uint8_t *first = memchr (data, 0, size);
  const uint8_t *second
      = first != NULL ? memchr (first + 1, 0, size - (size_t) (first + 1 - data)) : NULL;
  DnUserFiles files;
  DnUser user;
  DnFault fault;

  if (second == NULL || size > 65536)
    return 0;
  files = (DnUserFiles){ .passwd = (char *) first + 1,
                         .passwd_bytes = (size_t) (second - first - 1),
                         .group = (char *) second + 1,
                         .group_bytes = size - (size_t) (second + 1 - data) };
  if (dn_user_resolve (text, &files, &user, &fault) < 0)
    return 0;
  if (user.uid >= DN_CONFIG_IDS_MAX || user.gid >= DN_CONFIG_IDS_MAX || user.home[0] != '/'
      || user.group_count > DN_CONFIG_GROUPS_MAX)
    __builtin_trap ();
  dn_user_find_home (&user, &files);
  return 0;
}
