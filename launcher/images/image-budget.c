/* SPDX-License-Identifier: Apache-2.0 */
#include "image-budget.h"

#include "../../protocol/protocol.h"
#include "../common/error.h"

static gboolean
is_same (const DnReadingEntry *a, const DnReadingEntry *b)
{
  return a->offset == b->offset && g_strcmp0 (a->sha256, b->sha256) == 0
         && (a->offset == DN_UNPACK_ELSEWHERE || a->bytes == b->bytes);
}

guint
dn_image_budget_find_same (const GPtrArray *entries, guint index)
{
  guint i = 0;

  while (i < index && !is_same (entries->pdata[i], entries->pdata[index]))
    i++;
  return i;
}

gboolean
dn_image_budget_check_ranges (const GPtrArray *entries, guint64 file_bytes, GError **error)
{
  guint64 left = file_bytes;

  for (guint i = 0; i < entries->len; i++)
    {
      const DnReadingEntry *entry = entries->pdata[i];

      if (entry->offset == DN_UNPACK_ELSEWHERE || dn_image_budget_find_same (entries, i) < i)
        continue;
      if (entry->bytes > left)
        return dn_throw (error, DN_ERROR_GUEST,
                         "archive: its layers are more than the archive has, so they overlap");
      left -= entry->bytes;
    }
  return TRUE;
}

gboolean
dn_image_budget_take (guint64 *left, guint64 bytes, GError **error)
{
  if (bytes > *left)
    return dn_throw (error, DN_ERROR_LIMIT,
                     "archive: its layers together unpack to more than this host permits "
                     "([images] unpacked_limit_mib)");
  *left -= bytes;
  return TRUE;
}
