/* SPDX-License-Identifier: Apache-2.0 */
#include "cpu-list.h"

#include <string.h>

static gboolean
take_number (const char **text, guint *ret_number)
{
  guint64 number;
  char *end;

  if (!g_ascii_isdigit (**text))
    return FALSE;
  number = g_ascii_strtoull (*text, &end, 10);
  *text = end;
  *ret_number = (guint) MIN (number, DN_CPU_LIST_MOST + 1);
  return number <= DN_CPU_LIST_MOST;
}

/* "3" or "3-5" */
static gboolean
take_range (const char **text, gboolean *cpus)
{
  guint first, last;

  if (!take_number (text, &first))
    return FALSE;
  last = first;
  if (**text == '-')
    {
      (*text)++;
      if (!take_number (text, &last) || last < first)
        return FALSE;
    }
  for (guint cpu = first; cpu <= last; cpu++)
    cpus[cpu] = TRUE;
  return TRUE;
}

char *
dn_cpu_list_parse (const char *text, guint *ret_highest)
{
  gboolean cpus[DN_CPU_LIST_MOST + 2] = { FALSE };
  g_autoptr (GString) list = g_string_new (NULL);
  guint highest = 0;

  for (;; text++)
    {
      if (!take_range (&text, cpus) || (*text != ',' && *text != '\0'))
        return NULL;
      if (*text == '\0')
        break;
    }
  for (guint cpu = 0; cpu <= DN_CPU_LIST_MOST; cpu++)
    {
      guint last = cpu;

      if (!cpus[cpu])
        continue;
      while (cpus[last + 1])
        last++;
      g_string_append_printf (list, last > cpu ? "%s%u-%u" : "%s%u", list->len > 0 ? "," : "", cpu,
                              last);
      highest = cpu = last;
    }
  if (ret_highest != NULL)
    *ret_highest = highest;
  return g_string_free (g_steal_pointer (&list), FALSE);
}
