/* SPDX-License-Identifier: Apache-2.0 */
#include "no-rights.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Whether @status has the line "@name:" with exactly @value (tabs and blanks at the end aside). */
static bool
has_line (const char *status, const char *name, const char *value)
{
  size_t name_length = strlen (name), value_length = strlen (value);

  for (const char *line = status; line != NULL && *line != '\0';)
    {
      const char *end = strchr (line, '\n');

      if (strncmp (line, name, name_length) == 0 && line[name_length] == ':')
        {
          line += name_length + 1;
          line += *line == '\t';
          if (strncmp (line, value, value_length) != 0)
            return false;
          line += value_length;
          return line[strspn (line, " \t")] == '\n';
        }
      line = end == NULL ? NULL : end + 1;
    }
  return false;
}

int
dn_no_rights_check (int status_fd, const DnNoRights *promised)
{
  static const char *const sets[] = { "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb" };
  const uid_t uid = promised->uid;
  const gid_t gid = promised->gid;
  char status[8192], ids[64];
  ssize_t size = pread (status_fd, status, sizeof status - 1, 0);
  bool is_good;

  if (size <= 0)
    return size < 0 ? -errno : -EIO;
  status[size] = '\0';
  (void) snprintf (ids, sizeof ids, "%u\t%u\t%u\t%u", uid, uid, uid, uid);
  is_good = has_line (status, "Uid", ids);
  (void) snprintf (ids, sizeof ids, "%u\t%u\t%u\t%u", gid, gid, gid, gid);
  is_good = is_good && has_line (status, "Gid", ids);
  is_good = is_good && (promised->may_have_groups || has_line (status, "Groups", ""));
  for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++)
    is_good = is_good && has_line (status, sets[i], "0000000000000000");
  is_good = is_good && has_line (status, "NoNewPrivs", "1") && has_line (status, "Seccomp", "2");
  is_good = is_good && has_line (status, "Threads", "1");
  return is_good ? 0 : -EPERM;
}
