/* SPDX-License-Identifier: Apache-2.0 */
#include "capability.h"

#include "../common/error.h"

/* By number. */
static const char *const known[] = {
#define DN_CAPABILITY(name) name,
#include "../../protocol/capability.def"
#undef DN_CAPABILITY
};

gboolean
dn_capability_bit (const char *name, guint64 *ret_bit)
{
  const char *bare = g_ascii_strncasecmp (name, "CAP_", 4) == 0 ? name + 4 : name;

  for (guint i = 0; i < G_N_ELEMENTS (known); i++)
    if (g_ascii_strcasecmp (bare, known[i]) == 0)
      {
        *ret_bit = G_GUINT64_CONSTANT (1) << i;
        return TRUE;
      }
  return FALSE;
}

char **
dn_capability_names (guint64 set)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();

  for (guint i = 0; i < G_N_ELEMENTS (known); i++)
    if ((set >> i & 1) != 0)
      g_ptr_array_add (names, g_strdup (known[i]));
  g_ptr_array_add (names, NULL);
  return (char **) (void *) g_ptr_array_free (g_steal_pointer (&names), FALSE);
}

static gboolean
is_all (const char *name)
{
  return g_ascii_strcasecmp (name, "ALL") == 0;
}

static gboolean
check_name (const char *flag, const char *name, GError **error)
{
  guint64 bit;

  if (dn_capability_bit (name, &bit))
    return TRUE;
  return dn_throw (error, DN_ERROR_USAGE,
                   "%s '%s': no such capability\n"
                   "names are as in capabilities(7), with or without CAP_",
                   flag, name);
}

gboolean
dn_capability_check (char **add, char **drop, GError **error)
{
  for (guint i = 0; drop != NULL && drop[i] != NULL; i++)
    if (!is_all (drop[i]) && !check_name ("--cap-drop", drop[i], error))
      return FALSE;
  for (guint i = 0; add != NULL && add[i] != NULL; i++)
    {
      if (is_all (add[i]))
        return dn_throw (error, DN_ERROR_DENIED,
                         "--cap-add ALL: never permitted\n"
                         "name the one capability that the program needs");
      if (!check_name ("--cap-add", add[i], error))
        return FALSE;
    }
  return TRUE;
}

guint64
dn_capability_set (char **names)
{
  guint64 set = 0, bit = 0;

  for (guint i = 0; names != NULL && names[i] != NULL; i++)
    if (is_all (names[i]))
      set = (G_GUINT64_CONSTANT (1) << G_N_ELEMENTS (known)) - 1;
    else if (dn_capability_bit (names[i], &bit))
      set |= bit;
  return set;
}
