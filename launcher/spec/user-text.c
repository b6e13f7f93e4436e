/* SPDX-License-Identifier: Apache-2.0 */
#include "user-text.h"

#include <string.h>

#include "../common/error.h"
#include "quantity.h"

/* A name as useradd(8) permits it, and what adduser(8) does besides: capitals and dots. */
static gboolean
is_name (const char *text)
{
  gsize length = strlen (text);

  if (length == 0 || text[0] == '-')
    return FALSE;
  for (gsize i = 0; i < length; i++)
    if (!g_ascii_isalnum (text[i]) && strchr ("_.-", text[i]) == NULL
        && !(text[i] == '$' && i == length - 1))
      return FALSE;
  return TRUE;
}

/* Sets @ret_id where @text is a number; a name stays to be resolved. */
static gboolean
parse_part (const char *text, gint64 *ret_id, gboolean *ret_is_number)
{
  *ret_is_number = text[0] != '\0' && strspn (text, "0123456789") == strlen (text);
  if (*ret_is_number)
    return dn_quantity_parse_number (text, 10, DN_USER_ID_MAX, ret_id);
  return is_name (text);
}

gboolean
dn_user_text_parse (const char *text, const char *what, int code, DnUserText *ret_user,
                    GError **error)
{
  g_auto (GStrv) parts = NULL;
  DnUserText user = { 0, 0, TRUE };
  gboolean is_uid, is_gid;

  if (text == NULL || text[0] == '\0')
    {
      *ret_user = user;
      return TRUE;
    }
  parts = g_strsplit (text, ":", 2);
  if (strlen (text) > DN_USER_TEXT_MAX_BYTES || !parse_part (parts[0], &user.uid, &is_uid)
      || (parts[1] != NULL && !parse_part (parts[1], &user.gid, &is_gid)))
    {
      g_autofree char *shown = g_strescape (text, NULL);

      return dn_throw (error, (DnError) code,
                       "%s '%.*s': not USER[:GROUP], names or numbers up to %d", what,
                       DN_USER_TEXT_MAX_BYTES, shown, DN_USER_ID_MAX);
    }
  /* A number alone still has a group and further groups in the image's files. */
  user.is_resolved = parts[1] != NULL && is_uid && is_gid;
  *ret_user = user;
  return TRUE;
}
