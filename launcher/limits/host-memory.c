/* SPDX-License-Identifier: Apache-2.0 */
#include "host-memory.h"

#include <string.h>

#include "../common/error.h"

static guint64
find_kib (const char *meminfo, const char *name)
{
  const char *at = g_str_has_prefix (meminfo, name) ? meminfo : strstr (meminfo, name);

  while (at != NULL && at != meminfo && at[-1] != '\n')
    at = strstr (at + 1, name);
  return at != NULL ? g_ascii_strtoull (at + strlen (name), NULL, 10) : 0;
}

gboolean
dn_host_memory_parse (const char *meminfo, DnHostMemory *ret_memory)
{
  DnHostMemory memory = { .total_bytes = find_kib (meminfo, "MemTotal:") * 1024,
                          .available_bytes = find_kib (meminfo, "MemAvailable:") * 1024 };

  if (memory.total_bytes == 0)
    return FALSE;
  *ret_memory = memory;
  return TRUE;
}

gboolean
dn_host_memory_read (DnHostMemory *ret_memory)
{
  g_autofree char *text = NULL;

  return g_file_get_contents ("/proc/meminfo", &text, NULL, NULL)
         && dn_host_memory_parse (text, ret_memory);
}

gboolean
dn_host_memory_check (const DnHostMemory *memory, guint64 promised_bytes, guint64 wanted_bytes,
                      guint64 percent, GError **error)
{
  guint64 most = memory->total_bytes / 100 * percent + memory->total_bytes % 100 * percent / 100;

  if (percent == 0)
    return TRUE;
  if (promised_bytes + wanted_bytes > most)
    return dn_throw (error, DN_ERROR_LIMIT,
                     "memory of this host: %" G_GUINT64_FORMAT " MiB, of which %" G_GUINT64_FORMAT
                     " MiB are promised to guests and %" G_GUINT64_FORMAT
                     " MiB are wanted for this one; at most %" G_GUINT64_FORMAT
                     "%% may be promised, which leaves %" G_GUINT64_FORMAT " MiB\n"
                     "end another guest, make this one smaller, or raise [host] "
                     "memory_overcommit_percent",
                     memory->total_bytes >> 20, promised_bytes >> 20, wanted_bytes >> 20, percent,
                     promised_bytes < most ? (most - promised_bytes) >> 20 : 0);
  if (wanted_bytes > memory->available_bytes)
    return dn_throw (error, DN_ERROR_LIMIT,
                     "memory of this host: %" G_GUINT64_FORMAT
                     " MiB are free now, and %" G_GUINT64_FORMAT " MiB are wanted for this guest\n"
                     "end what uses the host's memory, or make the guest smaller; [host] "
                     "memory_overcommit_percent = 0 starts it all the same",
                     memory->available_bytes >> 20, wanted_bytes >> 20);
  return TRUE;
}
