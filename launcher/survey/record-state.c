/* SPDX-License-Identifier: Apache-2.0 */
#include "record-state.h"

#include <string.h>

#include "../record/anchor.h"
#include "../record/check.h"
#include "fact.h"

/* Older than any line: whatever the record begins with is right. */
#define ANY_FIRST_SEQ G_MAXUINT64

static gboolean
check_all (DnRecordCheck *check, const char *directory, const char *anchor, GError **error)
{
  DnRecordHead head;

  /* Before the files: a record that is being written is longer than its anchor, never shorter. */
  if (!dn_record_anchor_load (anchor, &head, error))
    return FALSE;
  dn_record_check_anchor (check, &head, anchor, TRUE);
  return dn_record_check_directory (check, directory, error);
}

/* The first problem's place and words. (transfer full); NULL where there is none */
static char *
describe (const DnRecordCheck *check)
{
  const DnRecordFinding *first;

  if (check->findings->len == 0)
    return NULL;
  first = check->findings->pdata[0];
  return first->line > 0 ? g_strdup_printf ("%s:%" G_GUINT64_FORMAT ": %s", first->file,
                                            first->line, first->words)
                         : g_strdup (first->words);
}

JsonObject *
dn_record_state_read (const char *directory, const char *anchor)
{
  g_autoptr (DnRecordCheck) check = dn_record_check_new (ANY_FIRST_SEQ);
  g_autoptr (GError) error = NULL;
  gboolean is_read = check_all (check, directory, anchor, &error);
  guint64 problems = check->findings->len + check->more;
  g_autofree char *problem = describe (check);
  JsonObject *facts = json_object_new ();

  if (is_read)
    json_object_set_boolean_member (facts, "is_whole", problems == 0);
  else
    json_object_set_null_member (facts, "is_whole");
  json_object_set_int_member (facts, "files", (gint64) check->files);
  json_object_set_int_member (facts, "lines", (gint64) check->lines);
  json_object_set_int_member (facts, "problems", (gint64) problems);
  dn_fact_set_text (facts, "problem", problem);
  if (error != NULL)
    error->message[strcspn (error->message, "\n")] = '\0';
  dn_fact_set_text (facts, "error", error != NULL ? error->message : NULL);
  return facts;
}
