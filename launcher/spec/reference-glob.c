/* SPDX-License-Identifier: Apache-2.0 */
#include "reference-glob.h"

#include <string.h>

#define LOCAL "localhost/"

const char *
dn_reference_glob_find_fault (const char *pattern)
{
  const char *last = strrchr (pattern, '/');

  last = last != NULL ? last + 1 : pattern;
  if (strlen (pattern) > DN_REFERENCE_GLOB_MAX_BYTES)
    return "is longer than a reference can be";
  for (const char *at = pattern; *at != '\0'; at++)
    if (!g_ascii_isalnum (*at) && strchr ("._-/:@*?", *at) == NULL)
      return "has characters that no reference has";
  /* It would match nothing: every reference has a tag or a digest. */
  if (strpbrk (last, ":@*") == NULL)
    return "names no tag; add :* for all of them";
  return NULL;
}

/* Whether the first part says where the image is from. */
static gboolean
has_registry (const char *pattern)
{
  const char *slash = strchr (pattern, '/');
  gsize size = slash != NULL ? (gsize) (slash - pattern) : strlen (pattern);

  if (g_str_has_prefix (pattern, "**"))
    return TRUE;
  if (slash == NULL)
    return FALSE;
  for (gsize i = 0; i < size; i++)
    if (strchr (".:*?", pattern[i]) != NULL)
      return TRUE;
  return strncmp (pattern, LOCAL, strlen (LOCAL)) == 0;
}

/* One token of the pattern: which beginnings of the reference all tokens so far match.  @reached
 * has a place for each length of a beginning. */
static void
take_token (char token, gboolean is_double, const char *reference, gsize size, gboolean *reached)
{
  if (token == '*')
    {
      for (gsize i = 1; i <= size; i++)
        reached[i] = reached[i] || (reached[i - 1] && (is_double || reference[i - 1] != '/'));
      return;
    }
  for (gsize i = size; i > 0; i--)
    reached[i]
        = reached[i - 1] && (token == '?' ? reference[i - 1] != '/' : reference[i - 1] == token);
  reached[0] = FALSE;
}

gboolean
dn_reference_glob_matches (const char *pattern, const char *reference)
{
  g_autofree char *whole = g_strconcat (has_registry (pattern) ? "" : LOCAL, pattern, NULL);
  gsize size = strlen (reference);
  g_autofree gboolean *reached = g_new0 (gboolean, size + 1);

  reached[0] = TRUE;
  for (const char *at = whole; *at != '\0'; at++)
    {
      gboolean is_double = at[0] == '*' && at[1] == '*';

      take_token (*at, is_double, reference, size, reached);
      at += is_double ? 1 : 0;
    }
  return reached[size];
}
