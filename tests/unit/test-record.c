/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/record/line.c launcher/record/anchor.c launcher/record/check.c
 * launcher/record/files.c launcher/record/entry.c launcher/record/args.c launcher/record/bucket.c
 * launcher/common/error.c launcher/common/json.c launcher/common/names.c */
/* The pure half of the audit record: form, chain, check, what is recorded, how much. */
#include <string.h>

#include "../../launcher/common/error.h"
#include "../../launcher/common/json.h"
#include "../../launcher/record/anchor.h"
#include "../../launcher/record/args.h"
#include "../../launcher/record/bucket.h"
#include "../../launcher/record/check.h"
#include "../../launcher/record/entry.h"

#define LINES 6

/* A record of LINES lines. (transfer full) (element-type utf8): lines with their newlines */
static GPtrArray *
make_lines (DnRecordHead *ret_last)
{
  GPtrArray *lines = g_ptr_array_new_with_free_func (g_free);
  DnRecordHead head = { .time_us = 1764455972000000 };

  g_strlcpy (head.hash, DN_RECORD_NO_HASH, sizeof head.hash);
  for (guint i = 0; i < LINES; i++)
    {
      g_autofree char *body = g_strdup_printf ("{\"verb\":\"gc\",\"n\":%u}", i);

      g_strlcpy (head.prev, head.hash, sizeof head.prev);
      head.seq++;
      head.time_us += 1000;
      g_ptr_array_add (lines, dn_record_line_seal (body, &head));
    }
  *ret_last = head;
  return lines;
}

static void
feed (DnRecordCheck *check, const char *text, gsize size)
{
  const char *at = text, *newline;

  dn_record_check_file (check, "0001.jsonl");
  while ((newline = memchr (at, '\n', size - (gsize) (at - text))) != NULL)
    {
      (void) dn_record_check_line (at, (gsize) (newline - at), TRUE, check);
      at = newline + 1;
    }
  if (at < text + size)
    (void) dn_record_check_line (at, size - (gsize) (at - text), FALSE, check);
}

/* The findings about @text, which @anchor (or nobody) vouches for. */
static guint
count_findings (const char *text, gsize size, const DnRecordHead *anchor)
{
  g_autoptr (DnRecordCheck) check = dn_record_check_new (1);

  if (anchor != NULL)
    dn_record_check_anchor (check, anchor, "anchor", TRUE);
  feed (check, text, size);
  dn_record_check_end (check);
  return check->findings->len;
}

static char *
join (GPtrArray *lines)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < lines->len; i++)
    g_string_append (text, lines->pdata[i]);
  return g_string_free (text, FALSE);
}

static void
test_a_line_has_one_form (void)
{
  DnRecordHead head = { .seq = 17, .time_us = 1764455972000000 }, read;
  static const char expected[]
      = "{\"seq\":17,\"time_us\":1764455972000000,\"prev\":\"" DN_RECORD_NO_HASH
        "\",\"verb\":\"gc\",\"hash\":\""
        "@HASH@\"}\n";
  g_autofree char *line = NULL, *hash = NULL, *start = NULL;
  gboolean is_true;

  g_strlcpy (head.prev, DN_RECORD_NO_HASH, sizeof head.prev);
  line = dn_record_line_seal ("{\"verb\":\"gc\"}", &head);
  start = g_strndup (expected, (gsize) (strstr (expected, ",\"hash\"") - expected));
  hash = g_compute_checksum_for_string (G_CHECKSUM_SHA256, start, -1);
  g_assert_cmpstr (head.hash, ==, hash);
  g_assert_true (g_str_has_prefix (line, start));
  g_assert_true (dn_record_line_read (line, strlen (line) - 1, &read, &is_true));
  g_assert_true (is_true);
  g_assert_cmpuint (read.seq, ==, 17);
  g_assert_cmpint (read.time_us, ==, 1764455972000000);
  g_assert_cmpstr (read.prev, ==, head.prev);
  g_assert_cmpstr (read.hash, ==, head.hash);
}

static void
test_other_forms_are_no_lines (void)
{
  static const char *const forms[] = {
    "",
    "{}",
    "{\"seq\":0,\"time_us\":1,\"prev\":\"" DN_RECORD_NO_HASH
    "\",\"a\":1,\"hash\":\"" DN_RECORD_NO_HASH "\"}",
    "{\"seq\":01,\"time_us\":1,\"prev\":\"" DN_RECORD_NO_HASH
    "\",\"a\":1,\"hash\":\"" DN_RECORD_NO_HASH "\"}",
    "{\"seq\":1,\"time_us\":-1,\"prev\":\"" DN_RECORD_NO_HASH
    "\",\"a\":1,\"hash\":\"" DN_RECORD_NO_HASH "\"}",
    "{\"seq\":99999999999999999999,\"time_us\":1,\"prev\":\"" DN_RECORD_NO_HASH
    "\",\"a\":1,\"hash\":\"" DN_RECORD_NO_HASH "\"}",
    "{\"seq\":1,\"time_us\":1,\"prev\":\"" DN_RECORD_NO_HASH "\",\"hash\":\"" DN_RECORD_NO_HASH
    "\"}",
    "{\"seq\":1, \"time_us\":1,\"prev\":\"" DN_RECORD_NO_HASH
    "\",\"a\":1,\"hash\":\"" DN_RECORD_NO_HASH "\"}",
    "{\"seq\":1,\"time_us\":1,\"prev\":\"" DN_RECORD_NO_HASH
    "\",\"a\":1,\"hash\":\"" DN_RECORD_NO_HASH "\"} ",
  };
  DnRecordHead head;
  gboolean is_true;

  for (gsize i = 0; i < G_N_ELEMENTS (forms); i++)
    if (dn_record_line_read (forms[i], strlen (forms[i]), &head, &is_true))
      g_error ("form %zu was taken", i);
}

static void
test_a_whole_record_is_whole (void)
{
  DnRecordHead last;
  g_autoptr (GPtrArray) lines = make_lines (&last);
  g_autofree char *text = join (lines);

  g_assert_cmpuint (count_findings (text, strlen (text), NULL), ==, 0);
  g_assert_cmpuint (count_findings (text, strlen (text), &last), ==, 0);
}

/* Each byte, each of three other values. */
static void
test_each_changed_byte_is_found (void)
{
  DnRecordHead last;
  g_autoptr (GPtrArray) lines = make_lines (&last);
  g_autofree char *text = join (lines);
  static const guchar masks[] = { 0x01, 0x20, 0xff };
  gsize size = strlen (text);

  for (gsize at = 0; at < size; at++)
    for (gsize i = 0; i < G_N_ELEMENTS (masks); i++)
      {
        g_autofree char *changed = g_memdup2 (text, size);

        changed[at] ^= (char) masks[i];
        if (count_findings (changed, size, &last) == 0 || count_findings (changed, size, NULL) == 0)
          g_error ("byte %zu with %02x went unseen", at, masks[i]);
      }
}

typedef enum
{
  REMOVE,
  REPEAT,
  SWAP,
  TRUNCATE,
  TEAR,
  INSERT_OTHERS,
  INSERT_SEALED,
} Tampering;

/* Does it to line @at.  @ret_is_at_end: only an anchor can tell. */
static char *
tamper (Tampering how, guint at, gboolean *ret_is_at_end)
{
  DnRecordHead last, forged = { .time_us = 1764455972000000 };
  g_autoptr (GPtrArray) lines = make_lines (&last);
  GString *text = g_string_new (NULL);
  g_autofree char *sealed = NULL;
  gboolean is_true;

  *ret_is_at_end = FALSE;
  for (guint i = 0; i < LINES; i++)
    {
      const char *line = lines->pdata[i];
      const char *next = lines->pdata[(i + 1) % LINES];

      if (i != at)
        {
          /* With SWAP the next one has been written already. */
          if (!(how == SWAP && i == at + 1))
            g_string_append (text, line);
          continue;
        }
      switch (how)
        {
        case REMOVE:
          *ret_is_at_end = i == LINES - 1;
          break;
        case REPEAT:
          g_string_append_printf (text, "%s%s", line, line);
          break;
        case SWAP:
          g_string_append_printf (text, "%s%s", next, line);
          break;
        case TRUNCATE:
          *ret_is_at_end = TRUE;
          return g_string_free (text, FALSE);
        case TEAR:
          g_string_append_len (text, line, 40);
          return g_string_free (text, FALSE);
        case INSERT_OTHERS:
          g_string_append_printf (text, "%s{\"verb\":\"gc\"}\n", line);
          break;
        case INSERT_SEALED:
          /* As good as one can: sealed after this line. */
          g_string_append (text, line);
          g_assert_true (dn_record_line_read (line, strlen (line) - 1, &forged, &is_true));
          g_strlcpy (forged.prev, forged.hash, sizeof forged.prev);
          forged.seq++;
          sealed = dn_record_line_seal ("{\"verb\":\"forged\"}", &forged);
          g_string_append (text, sealed);
          /* At the end that is a record that goes on: whoever may write it can add to it. */
          if (i == LINES - 1)
            return g_string_free (text, FALSE);
          break;
        }
    }
  return g_string_free (text, FALSE);
}

static void
test_each_tampering_is_found (void)
{
  static const char *const words[]
      = { "remove", "repeat", "swap", "truncate", "tear", "insert", "insert a sealed line" };
  DnRecordHead last;
  g_autoptr (GPtrArray) lines = make_lines (&last);

  for (guint how = REMOVE; how <= INSERT_SEALED; how++)
    for (guint at = 0; at < LINES; at++)
      {
        gboolean is_at_end;
        g_autofree char *text = tamper ((Tampering) how, at, &is_at_end);

        if (how == SWAP && at == LINES - 1)
          continue;
        if (how == INSERT_SEALED && at == LINES - 1)
          continue;
        if (count_findings (text, strlen (text), &last) == 0)
          g_error ("%s line %u went unseen", words[how], at);
        if (!is_at_end && count_findings (text, strlen (text), NULL) == 0)
          g_error ("%s line %u went unseen without an anchor", words[how], at);
      }
}

static void
test_a_finding_names_file_and_line (void)
{
  DnRecordHead last;
  g_autoptr (GPtrArray) lines = make_lines (&last);
  g_autoptr (DnRecordCheck) check = dn_record_check_new (1);
  g_autofree char *text = NULL;
  DnRecordFinding *finding;

  *strchr (lines->pdata[2], 'g') = 'h';
  text = join (lines);
  feed (check, text, strlen (text));
  dn_record_check_end (check);
  g_assert_cmpuint (check->findings->len, ==, 1);
  finding = check->findings->pdata[0];
  g_assert_cmpstr (finding->file, ==, "0001.jsonl");
  g_assert_cmpuint (finding->line, ==, 3);
  g_assert_nonnull (strstr (finding->words, "seq 3"));
}

static void
test_archived_lines_are_no_finding_when_said_so (void)
{
  DnRecordHead last, first = { .seq = 1 };
  g_autoptr (GPtrArray) lines = make_lines (&last);
  g_autofree char *text = NULL;

  g_ptr_array_remove_range (lines, 0, 2);
  text = join (lines);
  for (guint64 from = 1; from <= 3; from++)
    {
      g_autoptr (DnRecordCheck) check = dn_record_check_new (from);

      dn_record_check_anchor (check, &last, "anchor", TRUE);
      feed (check, text, strlen (text));
      dn_record_check_end (check);
      g_assert_cmpuint (check->findings->len, ==, from < 3);
    }
  {
    g_autoptr (DnRecordCheck) check = dn_record_check_new (3);

    g_strlcpy (first.hash, DN_RECORD_NO_HASH, sizeof first.hash);
    dn_record_check_anchor (check, &first, "old", FALSE);
    feed (check, text, strlen (text));
    dn_record_check_end (check);
    g_assert_cmpuint (check->findings->len, ==, 0);
    g_assert_cmpuint (check->remarks->len, ==, 1);
  }
}

/* One kept elsewhere, from the middle: what was before it cannot be written anew any more. */
static void
test_an_old_anchor_vouches_for_what_was_before_it (void)
{
  DnRecordHead last, middle;
  g_autoptr (GPtrArray) lines = make_lines (&last);
  g_autofree char *text = join (lines), *forged = NULL;
  DnRecordHead head = { 0 };
  GString *other = g_string_new (NULL);
  gboolean is_true;

  g_assert_true (
      dn_record_line_read (lines->pdata[3], strlen (lines->pdata[3]) - 1, &middle, &is_true));
  g_assert_cmpuint (count_findings (text, strlen (text), &middle), ==, 0);
  /* All written anew with another second line: chained as it should be. */
  g_strlcpy (head.hash, DN_RECORD_NO_HASH, sizeof head.hash);
  for (guint i = 0; i < LINES; i++)
    {
      g_autofree char *line = NULL;

      g_strlcpy (head.prev, head.hash, sizeof head.prev);
      head.seq++;
      line = dn_record_line_seal (i == 1 ? "{\"verb\":\"nothing\"}" : "{\"verb\":\"gc\"}", &head);
      g_string_append (other, line);
    }
  forged = g_string_free (other, FALSE);
  g_assert_cmpuint (count_findings (forged, strlen (forged), NULL), ==, 0);
  g_assert_cmpuint (count_findings (forged, strlen (forged), &middle), ==, 1);
}

static void
test_danchids_own_words_are_told_and_nobody_elses (void)
{
  static const struct
  {
    const char *body;
    guint findings;
    guint remarks;
  } cases[] = {
    { "{\"verb\":\"record-broken\",\"phase\":\"act\"}", 1, 0 },
    { "{\"verb\":\"record-recovered\",\"phase\":\"act\"}", 0, 1 },
    { "{\"verb\":\"record-lost\",\"phase\":\"act\"}", 0, 1 },
    { "{\"verb\":\"gc\",\"message\":\"\\\",\\\"verb\\\":\\\"record-broken\\\"\"}", 0, 0 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (DnRecordCheck) check = dn_record_check_new (1);
      DnRecordHead head = { .seq = 1 };
      g_autofree char *line = NULL;

      g_strlcpy (head.prev, DN_RECORD_NO_HASH, sizeof head.prev);
      line = dn_record_line_seal (cases[i].body, &head);
      feed (check, line, strlen (line));
      dn_record_check_end (check);
      g_assert_cmpuint (check->findings->len, ==, cases[i].findings);
      g_assert_cmpuint (check->remarks->len, ==, cases[i].remarks);
    }
}

static void
test_an_anchor_is_read_as_it_was_printed (void)
{
  DnRecordHead head = { .seq = 17, .time_us = 1764455972000000 }, newer = { .seq = 18 }, read;
  g_autofree char *line = NULL, *next = NULL, *both = NULL;
  gsize size;

  memset (head.hash, 'a', DN_RECORD_HASH_DIGITS);
  memset (newer.hash, 'b', DN_RECORD_HASH_DIGITS);
  line = dn_record_anchor_print (&head);
  next = dn_record_anchor_print (&newer);
  size = strlen (line);
  g_assert_true (dn_record_anchor_parse (line, size, &read));
  g_assert_cmpuint (read.seq, ==, 17);
  g_assert_cmpstr (read.hash, ==, head.hash);
  for (gsize at = 0; at + 1 < size; at++)
    {
      g_autofree char *changed = g_memdup2 (line, size);

      changed[at] ^= 1;
      if (dn_record_anchor_parse (changed, size, &read))
        g_error ("byte %zu", at);
    }
  /* The higher of two, in any order; half of one costs that one alone. */
  both = g_strconcat (next, "    ", line, NULL);
  g_assert_true (dn_record_anchor_parse (both, strlen (both), &read));
  g_assert_cmpuint (read.seq, ==, 18);
  both[10] = 'x';
  g_assert_true (dn_record_anchor_parse (both, strlen (both), &read));
  g_assert_cmpuint (read.seq, ==, 17);
}

static DnRecordEntry *
full_entry (const char *text)
{
  DnRecordEntry *entry = dn_record_entry_new (DN_RECORD_REQUEST, text);
  char **const fields[]
      = { &entry->who.command,  &entry->context, &entry->tenant,          &entry->stage,
          &entry->tier,         &entry->image,   &entry->image_digest,    &entry->container,
          &entry->container_id, &entry->profile, &entry->profile_sha256,  &entry->rule,
          &entry->outcome,      &entry->message, &entry->image_signature, &entry->pod };

  for (gsize i = 0; i < G_N_ELEMENTS (fields); i++)
    dn_record_set_text (fields[i], text);
  entry->who.uid = entry->who.gid = entry->who.login_uid = G_MAXUINT32 - 1;
  entry->who.pid = G_MAXINT;
  entry->request = entry->unrecorded = G_MAXINT64;
  return entry;
}

/* Whatever callers say, it is one line of JSON, within the most, of which the rest can be cut. */
static void
test_every_text_fits_and_is_harmless (void)
{
  static const char *const patterns[]
      = { "\"", "\\", "a", "\n", "\x7f", "\xff", "\xe2\x80\xae", "\xf0\x9f\x8f\xa0", "\x01", "/" };

  for (gsize i = 0; i < G_N_ELEMENTS (patterns); i++)
    {
      g_autoptr (GString) text = g_string_new (NULL);
      g_autoptr (DnRecordEntry) entry = NULL;
      g_autofree char *body = NULL;
      g_autoptr (JsonNode) node = NULL;
      g_autoptr (JsonObject) args = json_object_new ();
      JsonArray *list = json_array_new ();
      g_autoptr (GError) error = NULL;

      for (guint k = 0; k < 400; k++)
        g_string_append (text, patterns[i]);
      entry = full_entry (text->str);
      if (g_utf8_validate (text->str, -1, NULL))
        {
          for (guint k = 0; k < 100; k++)
            json_array_add_string_element (list, text->str);
          json_object_set_array_member (args, "cap_add", json_array_ref (list));
          entry->args = dn_record_args_pick (args);
        }
      json_array_unref (list);
      body = dn_record_entry_print (entry);
      g_assert_cmpuint (strlen (body), <=, DN_RECORD_BODY_MAX_BYTES);
      g_assert_null (strchr (body, '\n'));
      node = dn_json_parse (body, strlen (body), DN_RECORD_LINE_MAX_BYTES, "line", &error);
      g_assert_no_error (error);
      g_assert_cmpint (json_object_get_boolean_member_with_default (json_node_get_object (node),
                                                                    "is_cut", FALSE),
                       ==, entry->args != NULL);
    }
}

static void
test_an_entry_is_printed_as_documented (void)
{
  g_autoptr (DnRecordEntry) entry = dn_record_entry_new (DN_RECORD_OUTCOME, "container-run");
  g_autofree char *body = NULL;

  entry->who.uid = 1000;
  entry->who.gid = 100;
  entry->who.pid = 4711;
  entry->who.login_uid = 1001;
  entry->request = 17;
  entry->is_denied = TRUE;
  dn_record_set_text (&entry->who.command, "/usr/bin/danchi");
  dn_record_set_text (&entry->context, "acme-web");
  dn_record_set_text (&entry->tenant, "acme");
  dn_record_set_text (&entry->container, "web");
  dn_record_set_text (&entry->image_digest, "abc");
  dn_record_set_text (&entry->profile, "strict");
  dn_record_set_text (&entry->rule, "capability NET_ADMIN");
  dn_record_set_text (&entry->outcome, "denied");
  body = dn_record_entry_print (entry);
  g_assert_cmpstr (
      body, ==,
      "{\"verb\":\"container-run\",\"phase\":\"outcome\",\"request\":17,\"who\":{\"uid\":1000,"
      "\"gid\":100,\"pid\":4711,\"login_uid\":1001,\"command\":\"/usr/bin/danchi\"},\"context\":{"
      "\"name\":\"acme-web\",\"tenant\":\"acme\"},\"container\":{\"name\":\"web\"},\"image\":{"
      "\"digest\":\"abc\"},\"profile\":{\"name\":\"strict\"},\"decision\":\"deny\",\"rule\":"
      "\"capability NET_ADMIN\",\"outcome\":\"denied\"}");
}

/* What is secret, and what nobody has named, is not recorded. */
static void
test_only_listed_arguments_are_picked (void)
{
  static const char text[]
      = "{\"container\":\"web\",\"env\":[\"PASSWORD=geheim\",\"A=b\"],\"command\":[\"mysql\","
        "\"-pgeheim\"],\"labels\":{\"token\":\"geheim\"},\"stdin\":\"geheim\",\"later\":\"geheim\","
        "\"profile_text\":\"geheim\",\"memory_bytes\":5,\"force\":true,\"cap_add\":[\"CHOWN\"],"
        "\"seccomp_json\":[1],\"name\":{\"a\":\"geheim\"}}";
  g_autoptr (JsonNode) node = dn_json_parse (text, strlen (text), 4096, "args", NULL);
  g_autoptr (JsonObject) picks = dn_record_args_pick (json_node_get_object (node));
  g_autoptr (JsonNode) out = json_node_new (JSON_NODE_OBJECT);
  g_autofree char *printed = NULL;

  json_node_set_object (out, picks);
  printed = dn_json_to_text (out, FALSE);
  g_assert_cmpstr (
      printed, ==,
      "{\"container\":\"web\",\"command\":\"mysql\",\"command_count\":2,\"force\":true,"
      "\"env_count\":2,\"profile_text_sha256\":"
      "\"addb0f5e7826c857d7376d1bd9bc33c0c544790a2eac96144a8af22b1298c940\","
      "\"cap_add\":[\"CHOWN\"],\"memory_bytes\":5}");
}

static void
test_a_bucket_runs_dry_fills_up_and_counts (void)
{
  g_autoptr (DnRecordBuckets) buckets = dn_record_buckets_new ();
  guint64 refused, looks = 0, acts = 0;
  gint64 now = 1;

  while (dn_record_buckets_take (buckets, 1000, 1024, TRUE, now, &refused))
    looks++;
  g_assert_cmpuint (looks, ==, (DN_RECORD_BUCKET_BYTES - DN_RECORD_BUCKET_LOOKS_BYTES) / 1024);
  /* What is left is for what ends and removes. */
  while (dn_record_buckets_take (buckets, 1000, 1024, FALSE, now, &refused))
    g_assert_cmpuint (refused, ==, acts++ == 0 ? 1 : 0);
  g_assert_cmpuint (acts, ==, DN_RECORD_BUCKET_LOOKS_BYTES / 1024);
  /* Neither root nor another user is held up by him. */
  for (guint i = 0; i < 10000; i++)
    g_assert_true (dn_record_buckets_take (buckets, 0, 4096, TRUE, now, &refused));
  g_assert_true (dn_record_buckets_take (buckets, 1001, 4096, TRUE, now, &refused));
  now += 3 * G_USEC_PER_SEC;
  g_assert_true (dn_record_buckets_take (buckets, 1000, 2048, FALSE, now, &refused));
  g_assert_cmpuint (refused, ==, 1);
  g_assert_false (dn_record_buckets_take (buckets, 1000, 2048, FALSE, now, &refused));
  now += 3600 * G_TIME_SPAN_SECOND;
  g_assert_true (dn_record_buckets_take (buckets, 1000, 1024, TRUE, now, &refused));
}

static void
test_buckets_are_bounded_and_full_ones_make_room (void)
{
  g_autoptr (DnRecordBuckets) buckets = dn_record_buckets_new ();
  guint64 refused;
  gint64 now = 1;

  for (guint uid = 1; uid <= DN_RECORD_BUCKETS_MAX; uid++)
    g_assert_true (dn_record_buckets_take (buckets, uid, 4096, TRUE, now, &refused));
  g_assert_false (dn_record_buckets_take (buckets, 100000, 1, TRUE, now, &refused));
  now += 5 * G_USEC_PER_SEC;
  g_assert_true (dn_record_buckets_take (buckets, 100000, 1, TRUE, now, &refused));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/record/a-line-has-one-form", test_a_line_has_one_form);
  g_test_add_func ("/record/other-forms-are-no-lines", test_other_forms_are_no_lines);
  g_test_add_func ("/record/a-whole-record-is-whole", test_a_whole_record_is_whole);
  g_test_add_func ("/record/each-changed-byte-is-found", test_each_changed_byte_is_found);
  g_test_add_func ("/record/each-tampering-is-found", test_each_tampering_is_found);
  g_test_add_func ("/record/a-finding-names-file-and-line", test_a_finding_names_file_and_line);
  g_test_add_func ("/record/archived-lines-are-no-finding-when-said-so",
                   test_archived_lines_are_no_finding_when_said_so);
  g_test_add_func ("/record/an-old-anchor-vouches-for-what-was-before-it",
                   test_an_old_anchor_vouches_for_what_was_before_it);
  g_test_add_func ("/record/danchids-own-words-are-told-and-nobody-elses",
                   test_danchids_own_words_are_told_and_nobody_elses);
  g_test_add_func ("/record/an-anchor-is-read-as-it-was-printed",
                   test_an_anchor_is_read_as_it_was_printed);
  g_test_add_func ("/record/every-text-fits-and-is-harmless", test_every_text_fits_and_is_harmless);
  g_test_add_func ("/record/an-entry-is-printed-as-documented",
                   test_an_entry_is_printed_as_documented);
  g_test_add_func ("/record/only-listed-arguments-are-picked",
                   test_only_listed_arguments_are_picked);
  g_test_add_func ("/record/a-bucket-runs-dry-fills-up-and-counts",
                   test_a_bucket_runs_dry_fills_up_and_counts);
  g_test_add_func ("/record/buckets-are-bounded-and-full-ones-make-room",
                   test_buckets_are_bounded_and_full_ones_make_room);
  return g_test_run ();
}
