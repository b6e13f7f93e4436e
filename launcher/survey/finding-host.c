/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "../cli/answer.h"
#include "end-of-life.h"
#include "finding-private.h"

#define SOON_DAYS 180

/* "YYYY-MM-DD..." as days of the calendar; 0 for what is no date. */
static guint32
parse_day (const char *text)
{
  g_autofree char *day = g_strndup (text, strlen ("YYYY-MM-DD"));
  GDate date;

  g_date_clear (&date, 1);
  g_date_set_parse (&date, day);
  return g_date_valid (&date) ? g_date_get_julian (&date) : 0;
}

static const char *
name_distribution (JsonObject *distribution)
{
  const char *name = distribution != NULL ? dn_answer_text (distribution, "name") : "";

  return *name != '\0' ? name : "the host";
}

void
dn_find_end_of_life (DnFindingLook *look)
{
  JsonObject *distribution = dn_finding_host (look, "distribution");

  if (distribution != NULL && dn_answer_is (distribution, "is_over"))
    dn_finding_add (look, name_distribution (distribution), NULL, "security updates ended on %s",
                    dn_answer_text (distribution, "end_of_life"));
}

void
dn_find_end_of_life_soon (DnFindingLook *look)
{
  JsonObject *distribution = dn_finding_host (look, "distribution");
  guint32 end, now = parse_day (dn_answer_text (look->document, "generated"));

  if (distribution == NULL || dn_answer_is (distribution, "is_over"))
    return;
  end = parse_day (dn_answer_text (distribution, "end_of_life"));
  if (end != 0 && now != 0 && end < now + SOON_DAYS)
    dn_finding_add (look, name_distribution (distribution), NULL, "security updates end on %s",
                    dn_answer_text (distribution, "end_of_life"));
}

void
dn_find_end_of_life_unknown (DnFindingLook *look)
{
  JsonObject *distribution = dn_finding_host (look, "distribution");

  if (!dn_finding_is_known (distribution, "end_of_life"))
    dn_finding_add (look, name_distribution (distribution), NULL,
                    "not in the table of ends of life, which is of " DN_END_OF_LIFE_TABLE_DATE);
}

/* Those that a process can use against itself and its like, or that only stop the machine: no way
 * from one guest into another's memory. */
static gboolean
is_local (const char *flaw)
{
  static const char *const names[]
      = { "spectre_v1", "spec_store_bypass", "itlb_multihit", "old_microcode", NULL };

  return g_strv_contains (names, flaw);
}

static void
find_flaws (DnFindingLook *look, gboolean wants_local)
{
  JsonObject *cpu = dn_finding_host (look, "cpu");
  JsonArray *flaws = cpu != NULL ? dn_answer_array (cpu, "vulnerabilities") : NULL;

  for (guint i = 0; i < dn_answer_length (flaws); i++)
    {
      JsonObject *flaw = dn_answer_nth (flaws, i);

      if (flaw != NULL && dn_answer_is (flaw, "is_vulnerable")
          && is_local (dn_answer_text (flaw, "name")) == wants_local)
        dn_finding_add (look, dn_answer_text (flaw, "name"), NULL,
                        "the processor's flaw is open: %s", dn_answer_text (flaw, "state"));
    }
}

void
dn_find_flaws (DnFindingLook *look)
{
  find_flaws (look, FALSE);
}

void
dn_find_flaws_local (DnFindingLook *look)
{
  find_flaws (look, TRUE);
}

void
dn_find_flaws_smt (DnFindingLook *look)
{
  JsonObject *cpu = dn_finding_host (look, "cpu");
  JsonArray *flaws = cpu != NULL ? dn_answer_array (cpu, "vulnerabilities") : NULL;

  for (guint i = 0; i < dn_answer_length (flaws); i++)
    {
      JsonObject *flaw = dn_answer_nth (flaws, i);

      if (flaw != NULL && !dn_answer_is (flaw, "is_vulnerable")
          && strstr (dn_answer_text (flaw, "state"), "SMT vulnerable") != NULL)
        dn_finding_add (look, dn_answer_text (flaw, "name"), NULL,
                        "mitigated but for guests that share a core: %s",
                        dn_answer_text (flaw, "state"));
    }
}

void
dn_find_flaws_unknown (DnFindingLook *look)
{
  JsonObject *cpu = dn_finding_host (look, "cpu");
  JsonArray *flaws = cpu != NULL ? dn_answer_array (cpu, "vulnerabilities") : NULL;

  if (dn_answer_length (flaws) == 0)
    dn_finding_add (look, "processor", NULL, "the kernel says nothing of the processor's flaws");
  for (guint i = 0; i < dn_answer_length (flaws); i++)
    {
      JsonObject *flaw = dn_answer_nth (flaws, i);

      if (flaw != NULL && g_str_has_prefix (dn_answer_text (flaw, "state"), "Unknown"))
        dn_finding_add (look, dn_answer_text (flaw, "name"), NULL, "%s",
                        dn_answer_text (flaw, "state"));
    }
}

void
dn_find_smt (DnFindingLook *look)
{
  JsonObject *cpu = dn_finding_host (look, "cpu");

  if (cpu != NULL && g_str_equal (dn_answer_text (cpu, "smt"), "on"))
    dn_finding_add (look, "SMT", NULL, "two guests may run on one core at the same time");
}

void
dn_find_ksm (DnFindingLook *look)
{
  JsonObject *memory = dn_finding_host (look, "memory");

  if (memory != NULL && dn_answer_is (memory, "ksm"))
    dn_finding_add (look, "KSM", NULL,
                    "the kernel merges equal pages, so a process can find out what is in another's "
                    "memory; guests of Danchi opt out, others do not");
}

static void
find_swaps (DnFindingLook *look, gboolean wants_known, const char *what)
{
  JsonObject *memory = dn_finding_host (look, "memory");
  JsonArray *swaps = memory != NULL ? dn_answer_array (memory, "swaps") : NULL;

  for (guint i = 0; i < dn_answer_length (swaps); i++)
    {
      JsonObject *swap = dn_answer_nth (swaps, i);

      if (swap != NULL && dn_finding_is_known (swap, "is_encrypted") == wants_known
          && !dn_answer_is (swap, "is_encrypted"))
        dn_finding_add (look, dn_answer_text (swap, "name"), NULL, "%s", what);
    }
}

void
dn_find_swap_plain (DnFindingLook *look)
{
  find_swaps (look, TRUE, "guests' memory may be written to swap that is not encrypted");
}

void
dn_find_swap_unknown (DnFindingLook *look)
{
  find_swaps (look, FALSE,
              "guests' memory may be written to swap; whether it is encrypted is not "
              "known");
}

gboolean
dn_finding_has_lsm (const DnFindingLook *look)
{
  JsonObject *lsm = dn_finding_host (look, "lsm");

  return lsm != NULL
         && (g_str_equal (dn_answer_text (lsm, "apparmor"), "enforcing")
             || g_str_equal (dn_answer_text (lsm, "selinux"), "enforcing"));
}

void
dn_find_lsm_off (DnFindingLook *look)
{
  JsonObject *lsm = dn_finding_host (look, "lsm");

  if (lsm == NULL || dn_finding_has_lsm (look))
    return;
  if (g_str_equal (dn_answer_text (lsm, "apparmor"), "off"))
    dn_finding_add (look, "AppArmor", NULL, "it is switched off");
  if (g_str_equal (dn_answer_text (lsm, "selinux"), "off"))
    dn_finding_add (look, "SELinux", NULL, "it is switched off");
  if (g_str_equal (dn_answer_text (lsm, "selinux"), "permissive"))
    dn_finding_add (look, "SELinux", NULL, "it is permissive: it notes and forbids nothing");
}

void
dn_find_lsm_absent (DnFindingLook *look)
{
  JsonObject *lsm = dn_finding_host (look, "lsm");

  if (lsm != NULL && g_str_equal (dn_answer_text (lsm, "apparmor"), "absent")
      && g_str_equal (dn_answer_text (lsm, "selinux"), "absent"))
    dn_finding_add (look, "AppArmor, SELinux", NULL,
                    "the host has neither: guests are kept apart by uid alone (no sVirt label)");
}

void
dn_find_danchid_unconfined (DnFindingLook *look)
{
  JsonObject *lsm = dn_finding_host (look, "lsm");
  const char *label;

  if (lsm == NULL || !dn_finding_has_lsm (look))
    return;
  label = dn_answer_text (lsm, "danchid_label");
  if (*label == '\0' || strstr (label, "unconfined") != NULL)
    dn_finding_add (look, "danchid", NULL, "no profile of AppArmor or SELinux confines it");
}

void
dn_find_record_changed (DnFindingLook *look)
{
  JsonObject *record = dn_answer_object (look->document, "record");

  if (record != NULL && dn_answer_int (record, "problems", 0) > 0)
    dn_finding_add (look, "audit record", NULL,
                    "somebody changed it or lines are lost: %" G_GINT64_FORMAT
                    " problems, the first is %s",
                    dn_answer_int (record, "problems", 0), dn_answer_text (record, "problem"));
}

void
dn_find_record_unknown (DnFindingLook *look)
{
  JsonObject *record = dn_answer_object (look->document, "record");

  if (record != NULL && !dn_finding_is_known (record, "is_whole"))
    dn_finding_add (look, "audit record", NULL, "whether it is whole is not known: %s",
                    dn_answer_text (record, "error"));
}
