/* SPDX-License-Identifier: Apache-2.0 */
#include "digest.h"

char *
dn_digest_to_hex (const guint8 digest[DN_DIGEST_BYTES])
{
  char *text = g_malloc (DN_DIGEST_DIGITS + 1);

  for (guint i = 0; i < DN_DIGEST_BYTES; i++)
    g_snprintf (text + 2 * i, 3, "%02x", digest[i]);
  return text;
}

void
dn_digest_from_hex (const char *hex, guint8 ret_digest[DN_DIGEST_BYTES])
{
  for (guint i = 0; i < DN_DIGEST_BYTES; i++)
    ret_digest[i]
        = (guint8) (g_ascii_xdigit_value (hex[2 * i]) * 16 + g_ascii_xdigit_value (hex[2 * i + 1]));
}

gboolean
dn_digest_is_zero (const guint8 digest[DN_DIGEST_BYTES])
{
  for (guint i = 0; i < DN_DIGEST_BYTES; i++)
    if (digest[i] != 0)
      return FALSE;
  return TRUE;
}
