/* SPDX-License-Identifier: Apache-2.0 */
#include "gpg-status.h"

#include <string.h>

#define PREFIX "[GNUPG:] "
#define FIELDS_MAX 16

/* Of VALIDSIG, counted from the word. */
#define FIELD_TIME 3
#define FIELD_PRIMARY 10

typedef struct
{
  guint good, valid, bad, expired_key, revoked_key, expired, unknown, plaintexts;
  char valid_id[DN_KEY_ID_MAX_BYTES + 1];
  char other_id[DN_KEY_ID_MAX_BYTES + 1];
  gint64 signed_s;
} Count;

/* Copies an id of hexadecimal digits; "" where it is none. */
static void
take_id (char to[DN_KEY_ID_MAX_BYTES + 1], const char *from)
{
  gsize length = strlen (from);

  to[0] = '\0';
  if (length <= DN_KEY_ID_MAX_BYTES && strspn (from, "0123456789ABCDEF") == length)
    memcpy (to, from, length + 1);
}

static void
take_valid (Count *count, char **fields, guint n)
{
  guint64 time;

  count->valid++;
  if (n <= FIELD_PRIMARY || count->valid > 1)
    return;
  take_id (count->valid_id, fields[FIELD_PRIMARY]);
  if (g_ascii_string_to_unsigned (fields[FIELD_TIME], 10, 0, G_MAXINT64, &time, NULL))
    count->signed_s = (gint64) time;
}

static void
take_line (Count *count, const char *line)
{
  g_auto (GStrv) fields = g_strsplit (line, " ", FIELDS_MAX);
  guint n = g_strv_length (fields);
  const struct
  {
    const char *word;
    guint *counter;
  } words[] = {
    { "GOODSIG", &count->good },          { "BADSIG", &count->bad },
    { "EXPKEYSIG", &count->expired_key }, { "REVKEYSIG", &count->revoked_key },
    { "EXPSIG", &count->expired },        { "ERRSIG", &count->unknown },
    { "PLAINTEXT", &count->plaintexts },
  };

  if (n == 0)
    return;
  if (g_str_equal (fields[0], "VALIDSIG"))
    take_valid (count, fields, n);
  for (gsize i = 0; i < G_N_ELEMENTS (words); i++)
    if (g_str_equal (fields[0], words[i].word))
      {
        (*words[i].counter)++;
        if (words[i].counter != &count->good && words[i].counter != &count->plaintexts && n > 1)
          take_id (count->other_id, fields[1]);
      }
}

/* What makes any signature of a keyring's keys unfit makes all unfit: which of two was meant is not
 * known.  Signatures of other keys do not count. */
static DnGpgFinding
judge (const Count *count)
{
  if (count->bad > 0)
    return DN_GPG_BAD;
  if (count->revoked_key > 0)
    return DN_GPG_KEY_REVOKED;
  if (count->expired_key > 0)
    return DN_GPG_KEY_EXPIRED;
  if (count->expired > 0)
    return DN_GPG_EXPIRED;
  if (count->plaintexts > 1)
    return DN_GPG_NONE;
  if (count->good > 0 && count->valid == count->good && count->valid_id[0] != '\0')
    return DN_GPG_GOOD;
  return count->good == 0 && count->unknown > 0 ? DN_GPG_NO_KEY : DN_GPG_NONE;
}

DnGpgFinding
dn_gpg_status_read (const char *text, gsize size, char ret_id[DN_KEY_ID_MAX_BYTES + 1],
                    gint64 *ret_signed_s)
{
  g_autofree char *copy = g_strndup (text, size);
  g_auto (GStrv) lines = g_strsplit (copy, "\n", -1);
  Count count = { 0 };
  DnGpgFinding finding;

  for (char **line = lines; *line != NULL; line++)
    if (g_str_has_prefix (*line, PREFIX))
      take_line (&count, *line + strlen (PREFIX));
  finding = judge (&count);
  g_strlcpy (ret_id, finding == DN_GPG_GOOD ? count.valid_id : count.other_id,
             DN_KEY_ID_MAX_BYTES + 1);
  *ret_signed_s = finding == DN_GPG_GOOD ? count.signed_s : 0;
  return finding;
}
