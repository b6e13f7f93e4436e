/* SPDX-License-Identifier: Apache-2.0 */
/* Limits that are not there: of guests that run, as the host's kernel has them, and of containers
 * that share a guest. */
#include "../cli/answer.h"
#include "finding-private.h"

static JsonObject *
limits_of_guest (JsonObject *context)
{
  JsonObject *guest = dn_answer_object (context, "guest");

  return guest != NULL && dn_answer_is (guest, "is_running") ? dn_answer_object (guest, "limits")
                                                             : NULL;
}

static JsonObject *
context_nth (DnFindingLook *look, guint index)
{
  return dn_answer_nth (dn_answer_array (look->document, "contexts"), index);
}

static guint
count_contexts (DnFindingLook *look)
{
  return dn_answer_length (dn_answer_array (look->document, "contexts"));
}

/* What it was to have is of no use where the host's kernel knows nothing of it. */
void
dn_find_context_unenforced (DnFindingLook *look)
{
  for (guint i = 0; i < count_contexts (look); i++)
    {
      JsonObject *context = context_nth (look, i);
      JsonObject *limits = context != NULL ? limits_of_guest (context) : NULL;
      JsonObject *enforced = limits != NULL ? dn_answer_object (limits, "enforced") : NULL;
      gboolean has_cpu, has_memory;

      if (enforced == NULL)
        continue;
      has_cpu = !g_str_equal (dn_answer_text (enforced, "cpu"), "none");
      has_memory = !g_str_equal (dn_answer_text (enforced, "memory"), "none");
      if (!has_cpu || !has_memory)
        dn_finding_add (look, dn_answer_text (context, "name"), dn_answer_text (context, "name"),
                        "the host's kernel holds its guest to no limit of %s",
                        has_cpu      ? "memory"
                        : has_memory ? "processors"
                                     : "processors and memory");
    }
}

/* Weights share out what is short; these alone bound what it takes while nothing is. */
void
dn_find_context_unlimited (DnFindingLook *look)
{
  for (guint i = 0; i < count_contexts (look); i++)
    {
      JsonObject *context = context_nth (look, i);
      JsonObject *limits = context != NULL ? limits_of_guest (context) : NULL;
      g_autoptr (GString) missing = g_string_new (NULL);

      if (limits == NULL)
        continue;
      if (dn_answer_int (limits, "cpu_quota_percent", 0) == 0)
        g_string_append (missing, ", processors (cpu_quota_percent)");
      if (dn_answer_int (limits, "io_read_bytes_per_s", 0) == 0
          && dn_answer_int (limits, "io_read_per_s", 0) == 0)
        g_string_append (missing, ", reads of disks");
      if (dn_answer_int (limits, "io_write_bytes_per_s", 0) == 0
          && dn_answer_int (limits, "io_write_per_s", 0) == 0)
        g_string_append (missing, ", writes to disks");
      if (missing->len > 0)
        dn_finding_add (look, dn_answer_text (context, "name"), dn_answer_text (context, "name"),
                        "its guest has no limit of its own for: %s", missing->str + 2);
    }
}

static gboolean
is_running (JsonObject *container)
{
  const char *state = dn_answer_text (container, "state");

  return g_str_equal (state, "running") || g_str_equal (state, "paused");
}

static void
find_unlimited (DnFindingLook *look, JsonObject *container, const char *context)
{
  JsonObject *limits = dn_answer_object (container, "limits");
  gboolean has_memory, has_pids;

  if (limits == NULL || !is_running (container))
    return;
  has_memory = dn_finding_is_known (limits, "memory_bytes");
  has_pids = dn_finding_is_known (limits, "pids");
  if (!has_memory || !has_pids)
    dn_finding_add (look, dn_answer_text (container, "name"), context,
                    "it shares its guest with others, and has no %s",
                    has_pids     ? "--memory"
                    : has_memory ? "--pids-limit"
                                 : "--memory and no --pids-limit");
}

/* One that has its guest to itself is bounded by it. */
void
dn_find_container_unlimited (DnFindingLook *look)
{
  for (guint i = 0; i < count_contexts (look); i++)
    {
      JsonObject *context = context_nth (look, i);
      JsonArray *containers = context != NULL ? dn_answer_array (context, "containers") : NULL;
      guint running = 0;

      for (guint k = 0; k < dn_answer_length (containers); k++)
        running
            += dn_answer_nth (containers, k) != NULL && is_running (dn_answer_nth (containers, k));
      for (guint k = 0; k < dn_answer_length (containers) && running > 1; k++)
        if (dn_answer_nth (containers, k) != NULL)
          find_unlimited (look, dn_answer_nth (containers, k), dn_answer_text (context, "name"));
    }
}
