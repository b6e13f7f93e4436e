/* SPDX-License-Identifier: Apache-2.0 */
#include "line.h"

#include <string.h>

#define HASH_KEY ",\"hash\":\""
#define TAIL_BYTES (sizeof HASH_KEY - 1 + DN_RECORD_HASH_DIGITS + 2) /* with "} */

static void
hash_bytes (const char *bytes, gsize size, char ret_hash[DN_RECORD_HASH_DIGITS + 1])
{
  g_autofree char *hash
      = g_compute_checksum_for_data (G_CHECKSUM_SHA256, (const guchar *) bytes, size);

  g_strlcpy (ret_hash, hash, DN_RECORD_HASH_DIGITS + 1);
}

char *
dn_record_line_seal (const char *body, DnRecordHead *head)
{
  GString *line = g_string_sized_new (1024);
  gsize size = strlen (body);

  g_assert (size > 2 && size <= DN_RECORD_BODY_MAX_BYTES && body[0] == '{'
            && body[size - 1] == '}');
  g_string_append_printf (
      line, "{\"seq\":%" G_GUINT64_FORMAT ",\"time_us\":%" G_GINT64_FORMAT ",\"prev\":\"%s\",",
      head->seq, head->time_us, head->prev);
  g_string_append_len (line, body + 1, (gssize) size - 2);
  hash_bytes (line->str, line->len, head->hash);
  g_string_append_printf (line, HASH_KEY "%s\"}\n", head->hash);
  return g_string_free (line, FALSE);
}

/* What is read is taken from the front of @at. */
typedef struct
{
  const char *at;
  gsize left;
} Rest;

static gboolean
take_text (Rest *rest, const char *text)
{
  gsize size = strlen (text);

  if (rest->left < size || memcmp (rest->at, text, size) != 0)
    return FALSE;
  rest->at += size;
  rest->left -= size;
  return TRUE;
}

static gboolean
take_number (Rest *rest, guint64 most, guint64 *ret_number)
{
  guint64 number = 0;
  gsize digits = 0;

  for (; digits < rest->left && g_ascii_isdigit (rest->at[digits]); digits++)
    {
      guint64 digit = (guint64) (rest->at[digits] - '0');

      if ((digits > 0 && rest->at[0] == '0') || number > (most - digit) / 10)
        return FALSE;
      number = number * 10 + digit;
    }
  rest->at += digits;
  rest->left -= digits;
  *ret_number = number;
  return digits > 0;
}

static gboolean
take_hash (Rest *rest, char ret_hash[DN_RECORD_HASH_DIGITS + 1])
{
  if (rest->left < DN_RECORD_HASH_DIGITS)
    return FALSE;
  for (gsize i = 0; i < DN_RECORD_HASH_DIGITS; i++)
    if (!g_ascii_isdigit (rest->at[i]) && (rest->at[i] < 'a' || rest->at[i] > 'f'))
      return FALSE;
  memcpy (ret_hash, rest->at, DN_RECORD_HASH_DIGITS);
  ret_hash[DN_RECORD_HASH_DIGITS] = '\0';
  rest->at += DN_RECORD_HASH_DIGITS;
  rest->left -= DN_RECORD_HASH_DIGITS;
  return TRUE;
}

gboolean
dn_record_line_read (const char *line, gsize size, DnRecordHead *ret_head, gboolean *ret_is_true)
{
  DnRecordHead head = { 0 };
  char hash[DN_RECORD_HASH_DIGITS + 1];
  Rest rest = { line, size };
  guint64 time_us;

  if (size >= DN_RECORD_LINE_MAX_BYTES || size < TAIL_BYTES || !take_text (&rest, "{\"seq\":")
      || !take_number (&rest, G_MAXUINT64 - 1, &head.seq) || head.seq == 0
      || !take_text (&rest, ",\"time_us\":") || !take_number (&rest, G_MAXINT64, &time_us)
      || !take_text (&rest, ",\"prev\":\"") || !take_hash (&rest, head.prev)
      || !take_text (&rest, "\",") || rest.left <= TAIL_BYTES
      || memchr (rest.at, '\n', rest.left) != NULL || memchr (rest.at, '\0', rest.left) != NULL)
    return FALSE;
  hash_bytes (line, size - TAIL_BYTES, hash);
  rest = (Rest){ line + size - TAIL_BYTES, TAIL_BYTES };
  if (!take_text (&rest, HASH_KEY) || !take_hash (&rest, head.hash) || !take_text (&rest, "\"}"))
    return FALSE;
  head.time_us = (gint64) time_us;
  *ret_head = head;
  *ret_is_true = strcmp (hash, head.hash) == 0;
  return TRUE;
}
