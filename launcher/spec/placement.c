/* SPDX-License-Identifier: Apache-2.0 */
#include "placement.h"

#include <string.h>

#include "../common/names.h"

const char *const dn_label_words[DN_LABELS] = { "tenant", "stage", "tier" };

/* The value of an entry that is about @label, or NULL. (transfer none) */
static const char *
value_of (const char *entry, DnLabel label)
{
  gsize size = strlen (dn_label_words[label]);

  return strncmp (entry, dn_label_words[label], size) == 0 && entry[size] == ':' ? entry + size + 1
                                                                                 : NULL;
}

gboolean
dn_placement_check_accepts (char **accepts, const char *what, const DnKeyPlaces *places,
                            GError **error)
{
  for (char **entry = accepts; *entry != NULL; entry++)
    {
      const char *value = NULL;

      for (DnLabel label = 0; label < DN_LABELS && value == NULL; label++)
        value = value_of (*entry, label);
      if (value == NULL || !dn_name_is_valid (value))
        return dn_key_file_throw (error, what, places, "host", "accepts",
                                  "'%s': must be tenant:NAME, stage:NAME or tier:NAME", *entry);
    }
  return TRUE;
}

static gboolean
takes_label (char **accepts, DnLabel label, const char *found)
{
  gboolean is_free = TRUE;

  for (char **entry = accepts; *entry != NULL; entry++)
    {
      const char *value = value_of (*entry, label);

      if (value != NULL && g_str_equal (value, found))
        return TRUE;
      is_free = is_free && value == NULL;
    }
  return is_free;
}

gboolean
dn_placement_is_accepted (char **accepts, const DnLabels *context, DnLabel *ret_label)
{
  for (DnLabel label = 0; label < DN_LABELS; label++)
    if (!takes_label (accepts, label, context->values[label]))
      {
        *ret_label = label;
        return FALSE;
      }
  return TRUE;
}

char *
dn_placement_list (char **accepts, DnLabel label)
{
  GString *list = g_string_new (NULL);

  for (char **entry = accepts; *entry != NULL; entry++)
    {
      const char *value = value_of (*entry, label);

      if (value != NULL)
        g_string_append_printf (list, "%s%s", list->len > 0 ? ", " : "", value);
    }
  return g_string_free (list, FALSE);
}
