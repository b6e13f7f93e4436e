/* SPDX-License-Identifier: Apache-2.0 */
#include "judge.h"

#include <string.h>

#include "../common/names.h"

#define TEXT_BYTES 400
#define OTHERS_SHOWN 3

const char *const dn_verdict_words[] = { "ok", "DIFFERS", "UNKNOWN", "absent" };

static DnVerdict
verdict_of (gboolean is_kept)
{
  return is_kept ? DN_VERDICT_OK : DN_VERDICT_DIFFERS;
}

/* Exactly one number, or a word for the greatest. */
static gboolean
read_number (const char *text, gint64 *ret_number)
{
  if (g_str_equal (text, "unlimited") || g_str_equal (text, "max"))
    *ret_number = G_MAXINT64;
  else if (!g_ascii_string_to_signed (text, 10, G_MININT64, G_MAXINT64, ret_number, NULL))
    return FALSE;
  return TRUE;
}

static DnVerdict
judge_subset (const char *promised, const char *value)
{
  guint64 wanted, found;

  if (!g_ascii_string_to_unsigned (promised, 16, 0, G_MAXUINT64, &wanted, NULL)
      || !g_ascii_string_to_unsigned (value, 16, 0, G_MAXUINT64, &found, NULL))
    return DN_VERDICT_UNKNOWN;
  return verdict_of ((found & ~wanted) == 0);
}

/* Rows of as many numbers, each pair in order. */
static DnVerdict
judge_numbers (const char *lower, const char *upper)
{
  g_auto (GStrv) lows = g_strsplit (lower, " ", -1);
  g_auto (GStrv) highs = g_strsplit (upper, " ", -1);
  guint count = g_strv_length (lows);

  if (count == 0 || count != g_strv_length (highs))
    return DN_VERDICT_UNKNOWN;
  for (guint i = 0; i < count; i++)
    {
      gint64 low, high;

      if (!read_number (lows[i], &low) || !read_number (highs[i], &high))
        return DN_VERDICT_UNKNOWN;
      if (low > high)
        return DN_VERDICT_DIFFERS;
    }
  return DN_VERDICT_OK;
}

static DnVerdict
judge_ids (const DnVerifyPromise *promise, const char *value)
{
  g_auto (GStrv) ids = g_strsplit (value, " ", -1);

  for (guint i = 0; ids[i] != NULL; i++)
    {
      guint64 id;

      if (ids[i][0] == '\0')
        continue;
      if (!g_ascii_string_to_unsigned (ids[i], 10, 0, G_MAXUINT32, &id, NULL))
        return DN_VERDICT_UNKNOWN;
      if (id < promise->low || id > promise->high)
        return DN_VERDICT_DIFFERS;
    }
  return DN_VERDICT_OK;
}

static gboolean
has_words (const char *value, const char *words)
{
  g_auto (GStrv) found = g_strsplit_set (value, " ,", -1);
  g_auto (GStrv) wanted = g_strsplit_set (words, " ,", -1);

  for (guint i = 0; wanted[i] != NULL; i++)
    if (!g_strv_contains ((const char *const *) found, wanted[i]))
      return FALSE;
  return TRUE;
}

/* What lies over a hidden path: /dev/null, or an empty directory that nobody can write to. */
static gboolean
is_hidden (const char *value)
{
  return g_str_equal (value, "absent") || g_str_has_prefix (value, "devtmpfs /null ")
         || (g_str_has_prefix (value, "tmpfs / ") && has_words (value, "ro"));
}

static gboolean
is_one_of (const char *words, const char *value)
{
  g_auto (GStrv) list = g_strsplit (words, " or ", -1);

  return g_strv_contains ((const char *const *) list, value);
}

DnVerdict
dn_verify_judge_value (const DnVerifyPromise *promise, const char *value)
{
  if (g_str_has_prefix (value, "unknown"))
    return DN_VERDICT_UNKNOWN;
  switch (promise->how)
    {
    case DN_HOW_EQUAL:
      return verdict_of (g_str_equal (value, promise->promised));
    case DN_HOW_EQUAL_OR_ABSENT:
      return verdict_of (g_str_equal (value, promise->promised) || g_str_equal (value, "absent"));
    case DN_HOW_ONE_OF:
      return verdict_of (is_one_of (promise->promised, value));
    case DN_HOW_SUBSET:
      return judge_subset (promise->promised, value);
    case DN_HOW_AT_MOST:
      return judge_numbers (value, promise->promised);
    case DN_HOW_AT_LEAST:
      return judge_numbers (promise->promised, value);
    case DN_HOW_IDS:
      return judge_ids (promise, value);
    case DN_HOW_WORDS:
      return verdict_of (has_words (value, promise->promised));
    case DN_HOW_SET:
      return verdict_of (has_words (value, promise->promised)
                         && has_words (promise->promised, value));
    case DN_HOW_MOUNT:
      return verdict_of (g_str_equal (value, "absent") || has_words (value, promise->promised));
    case DN_HOW_HIDDEN:
      return verdict_of (is_hidden (value));
    case DN_HOW_REFUSED:
      return verdict_of (g_str_has_prefix (value, "refused ")
                         || g_str_has_prefix (value, "not tried"));
    case DN_HOW_NOTHING:
      return DN_VERDICT_ABSENT;
    case DN_HOW_NO_OTHERS:
      break;
    }
  return DN_VERDICT_UNKNOWN;
}

static gboolean
is_promised (const GPtrArray *promises, const DnVerifyPromise *except, const char *fact)
{
  for (guint i = 0; i < promises->len; i++)
    {
      const DnVerifyPromise *promise = promises->pdata[i];

      if (promise != except && g_str_equal (promise->fact, fact))
        return TRUE;
    }
  return except->others != NULL && g_strv_contains (except->others, fact + strlen (except->fact));
}

static void
judge_others (const GPtrArray *promises, const DnVerifyPromise *promise, const DnVerifyFacts *facts,
              DnVerifyLine *line)
{
  g_autoptr (GPtrArray) names = dn_verify_facts_list (facts, promise->fact);
  g_autoptr (GString) found = g_string_new (NULL);
  guint count = 0;

  for (guint i = 0; i < names->len; i++)
    if (!is_promised (promises, promise, names->pdata[i]) && count++ < OTHERS_SHOWN)
      g_string_append_printf (found, "%s%s", found->len > 0 ? ", " : "",
                              (const char *) names->pdata[i] + strlen (promise->fact));
  if (count > OTHERS_SHOWN)
    g_string_append_printf (found, " and %u more", count - OTHERS_SHOWN);
  line->actual = g_strdup (count > 0 ? found->str : "none");
  line->verdict = names->len == 0 ? DN_VERDICT_UNKNOWN : verdict_of (count == 0);
}

/* Of one name's values the worst is the line's. */
static void
judge_values (const DnVerifyPromise *promise, const GPtrArray *values, DnVerifyLine *line)
{
  for (guint i = 0; values != NULL && i < values->len; i++)
    {
      const DnVerifyFact *fact = values->pdata[i];
      DnVerdict verdict = dn_verify_judge_value (promise, fact->value);

      if (line->actual != NULL && (verdict == DN_VERDICT_OK || line->verdict != DN_VERDICT_OK))
        continue;
      g_free (line->actual);
      line->verdict = verdict;
      line->actual = fact->pid != 0 && verdict != DN_VERDICT_OK
                         ? g_strdup_printf ("%s (guest pid %u)", fact->value, fact->pid)
                         : g_strdup (fact->value[0] != '\0' ? fact->value : "none");
    }
}

static DnVerifyLine *
judge_one (const GPtrArray *promises, const DnVerifyPromise *promise, const DnVerifyFacts *facts)
{
  DnVerifyLine *line = g_new0 (DnVerifyLine, 1);
  g_autofree char *inside = g_strconcat ("exec.", promise->fact, NULL);

  line->control = dn_text_clean (promise->control, TEXT_BYTES);
  line->demand = g_strdup (promise->demand);
  line->promised
      = dn_text_clean (promise->promised[0] != '\0' ? promise->promised : "none", TEXT_BYTES);
  if (promise->how == DN_HOW_NO_OTHERS)
    judge_others (promises, promise, facts, line);
  else
    {
      const GPtrArray *values = dn_verify_facts_find (facts, promise->fact);

      judge_values (promise, values, line);
      /* What joined the container is held to the same, but shows nothing about the others. */
      if (values != NULL)
        judge_values (promise, dn_verify_facts_find (facts, inside), line);
    }
  if (line->actual == NULL)
    {
      line->actual = g_strdup ("not reported");
      line->verdict = promise->how == DN_HOW_NOTHING ? DN_VERDICT_ABSENT : DN_VERDICT_UNKNOWN;
    }
  return line;
}

static void
line_free (gpointer data)
{
  DnVerifyLine *line = data;

  g_free (line->control);
  g_free (line->demand);
  g_free (line->promised);
  g_free (line->actual);
  g_free (line);
}

GPtrArray *
dn_verify_judge (const GPtrArray *promises, const DnVerifyFacts *facts)
{
  GPtrArray *lines = g_ptr_array_new_with_free_func (line_free);
  gboolean is_complete = dn_verify_facts_are_complete (facts);
  DnVerifyLine *whole = g_new0 (DnVerifyLine, 1);

  for (guint i = 0; i < promises->len; i++)
    g_ptr_array_add (lines, judge_one (promises, promises->pdata[i], facts));
  whole->control = g_strdup ("observed");
  whole->demand = g_strdup ("R2.7");
  whole->promised = g_strdup ("everything");
  whole->actual = g_strdup (is_complete ? "everything" : "a part");
  whole->verdict = is_complete ? DN_VERDICT_OK : DN_VERDICT_UNKNOWN;
  g_ptr_array_add (lines, whole);
  return lines;
}
