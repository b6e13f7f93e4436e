/* SPDX-License-Identifier: Apache-2.0 */
#include "twin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Lines of @listed that lie inside of the object: rules, and for a chain with a hook that. */
static char *
copy_body (const char *listed)
{
  char *text = listed == NULL ? NULL : strdup (listed), *rest = text, *line, *body = NULL;
  size_t size = 0;
  FILE *to = text == NULL ? NULL : open_memstream (&body, &size);

  while (to != NULL && (line = strsep (&rest, "\n")) != NULL)
    if (line[0] == '\t' && line[1] == '\t')
      fprintf (to, "%s\n", line + 2);
  if (to != NULL)
    (void) fclose (to);
  free (text);
  return body;
}

char *
dn_twin_list (DnNetwork *network, const char *kind, const char *family, const char *table,
              const char *name)
{
  char object[128];

  (void) snprintf (object, sizeof object, "%s %s %s %s", kind, family, table, name);
  return copy_body (dn_nft_list (&network->nft, object));
}

/* @hook: the first line that the real one has and its twin has not, or NULL.  Returns: whether
 * they are the same, else in @why the first line that differs. */
static bool
compare (const char *real, const char *twin, const char *hook, char *why, size_t size)
{
  if (real == NULL || twin == NULL)
    {
      (void) snprintf (why, size, "not there");
      return false;
    }
  if (hook != NULL)
    {
      size_t length = strlen (hook);

      if (strncmp (real, hook, length) != 0 || real[length] != '\n')
        {
          (void) snprintf (why, size, "'%.*s'", (int) strcspn (real, "\n"), real);
          return false;
        }
      real += length + 1;
    }
  while (*real != '\0' || *twin != '\0')
    {
      size_t a = strcspn (real, "\n"), b = strcspn (twin, "\n");

      if (a != b || strncmp (real, twin, a) != 0)
        {
          (void) snprintf (why, size, "'%.*s' in place of '%.*s'", (int) (a < 150 ? a : 150), real,
                           (int) (b < 150 ? b : 150), twin);
          return false;
        }
      real += a + (real[a] == '\n');
      twin += b + (twin[b] == '\n');
    }
  return true;
}

bool
dn_twin_compare (DnNetwork *network, const DnTwin *twin, char *why, size_t size)
{
  char *one = dn_twin_list (network, twin->kind, twin->family, twin->table, twin->name);
  char *other = dn_twin_list (network, twin->kind, twin->family, twin->twin, twin->name);
  char detail[400];
  bool is_same = compare (one, other, twin->hook, detail, sizeof detail);

  if (!is_same)
    (void) snprintf (why, size, "%s %s: %s", twin->kind, twin->name, detail);
  free (one);
  free (other);
  return is_same;
}
