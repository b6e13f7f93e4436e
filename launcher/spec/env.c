/* SPDX-License-Identifier: Apache-2.0 */
#include "env.h"

#include <string.h>

#include "../common/error.h"

/* Kubernetes' pattern: what shells can set, and the dots and dashes that programs use besides. */
static gboolean
is_name (const char *text, gsize length)
{
  if (length == 0 || g_ascii_isdigit (text[0]))
    return FALSE;
  for (gsize i = 0; i < length; i++)
    if (!g_ascii_isalnum (text[i]) && strchr ("_.-", text[i]) == NULL)
      return FALSE;
  return TRUE;
}

/* Names only, never values, go into errors: values are often secrets. */
gboolean
dn_env_check (char **env, const char *what, int code, GError **error)
{
  gsize total = 0;
  guint i;

  for (i = 0; env != NULL && env[i] != NULL; i++)
    {
      const char *equals = strchr (env[i], '=');
      gsize length = equals != NULL ? (gsize) (equals - env[i]) : strlen (env[i]);

      if (!is_name (env[i], length))
        return dn_throw (error, (DnError) code,
                         "%s: variable %u: its name is not made of letters, digits and _ . -, "
                         "beginning with none of the digits",
                         what, i + 1);
      if (equals == NULL)
        return dn_throw (error, (DnError) code, "%s '%s': has no value\nwrite %s=VALUE", what,
                         env[i], env[i]);
      if (strlen (env[i]) > DN_ENV_VALUE_MAX_BYTES)
        return dn_throw (error, (DnError) code, "%s '%.*s': longer than %d bytes", what,
                         (int) MIN (length, 64), env[i], DN_ENV_VALUE_MAX_BYTES);
      total += strlen (env[i]) + 1;
    }
  if (i > DN_ENV_MAX)
    return dn_throw (error, (DnError) code, "%s: more than %d variables", what, DN_ENV_MAX);
  if (total > DN_ENV_TOTAL_MAX_BYTES)
    return dn_throw (error, (DnError) code, "%s: more than %d bytes altogether", what,
                     DN_ENV_TOTAL_MAX_BYTES);
  return TRUE;
}

static gboolean
find (GPtrArray *list, const char *name, gsize length, guint *ret_index)
{
  for (guint i = 0; i < list->len; i++)
    {
      const char *entry = g_ptr_array_index (list, i);

      if (strncmp (entry, name, length) == 0 && entry[length] == '=')
        {
          *ret_index = i;
          return TRUE;
        }
    }
  return FALSE;
}

void
dn_env_merge (GPtrArray *list, char **env)
{
  for (guint i = 0; env != NULL && env[i] != NULL; i++)
    {
      guint index;

      if (find (list, env[i], strcspn (env[i], "="), &index))
        {
          g_free (g_ptr_array_index (list, index));
          g_ptr_array_index (list, index) = g_strdup (env[i]);
        }
      else
        g_ptr_array_add (list, g_strdup (env[i]));
    }
}

gboolean
dn_env_has (GPtrArray *list, const char *name)
{
  guint index;

  return find (list, name, strlen (name), &index);
}
