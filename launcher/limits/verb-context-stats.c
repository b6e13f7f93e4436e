/* SPDX-License-Identifier: Apache-2.0 */
/* The verb context-stats: what guests use, on the host and as they see it themselves. */
#include "../common/error.h"
#include "../daemon/container-call.h"
#include "../daemon/lookup.h"
#include "../daemon/verbs.h"
#include "host-group.h"
#include "host-use.h"

#define ASK_TIMEOUT_MS 5000

/* One guest's, asked for on a thread of its own: one that does not answer holds up no other. */
typedef struct
{
  DnContext *context; /* a reference */
  DnGuest *guest;     /* a reference */
  GThread *thread;
  gboolean has_entry;
  DnMsgStatsEntry entry;
} Sample;

static void
clear_sample (gpointer data)
{
  Sample *sample = data;

  dn_guest_unref (sample->guest);
  dn_context_unref (sample->context);
}

static void
take_entry (guint16 type, const guint8 *payload, guint32 size, gpointer data)
{
  Sample *sample = data;

  if (type == DN_MSG_STATS_ENTRY)
    sample->has_entry = dn_msg_stats_entry_unpack (payload, size, &sample->entry) == 0;
}

/* A guest that is frozen, hangs, or was started before agents knew it is told of by the host. */
static gpointer
ask (gpointer data)
{
  Sample *sample = data;
  DnMsgStats message = { 0 };
  DnGuestCall call = { .type = DN_MSG_STATS,
                       .message = &message,
                       .pack = (DnPackFunc) dn_msg_stats_pack,
                       .timeout_ms = ASK_TIMEOUT_MS,
                       .answer = take_entry,
                       .answer_data = sample };
  g_autoptr (GError) error = NULL;

  if (!dn_guest_call (sample->guest, &call, &error))
    sample->has_entry = FALSE;
  return NULL;
}

/* What there is of it in @processes, and added to @sum. */
static void
add_process (JsonArray *processes, DnHostUse *sum, const char *name, gint pid)
{
  JsonObject *object;
  DnHostUse use;

  if (!dn_host_use_read ("", pid, &use))
    return;
  sum->cpu_user_us += use.cpu_user_us;
  sum->cpu_system_us += use.cpu_system_us;
  sum->memory_bytes += use.memory_bytes;
  object = json_object_new ();
  json_object_set_string_member (object, "name", name);
  json_object_set_int_member (object, "pid", pid);
  json_object_set_int_member (object, "cpu_us", (gint64) (use.cpu_user_us + use.cpu_system_us));
  json_object_set_int_member (object, "memory_bytes", (gint64) use.memory_bytes);
  json_array_add_object_element (processes, object);
}

/* Members as container-stats has them, so that both stand side by side. */
static JsonObject *
sample_to_json (const Sample *sample)
{
  JsonObject *object = json_object_new ();
  JsonArray *processes = json_array_new ();
  DnHostGroup group = { 0 };
  DnHostUse sum = { 0 };
  DnGuestInfo info = { 0 };

  dn_guest_get_info (sample->guest, &info);
  add_process (processes, &sum, "qemu", info.qemu_pid);
  add_process (processes, &sum, "relay", info.relay_pid);
  add_process (processes, &sum, "virtiofsd", info.share_pid);
  (void) dn_host_group_read ("", info.qemu_pid, &group);
  json_object_set_string_member (object, "context", sample->context->name);
  json_object_set_int_member (object, "time_ns", g_get_real_time () * 1000);
  json_object_set_int_member (object, "cpu_us", (gint64) (sum.cpu_user_us + sum.cpu_system_us));
  json_object_set_int_member (object, "cpu_user_us", (gint64) sum.cpu_user_us);
  json_object_set_int_member (object, "cpu_system_us", (gint64) sum.cpu_system_us);
  json_object_set_int_member (object, "memory_bytes", (gint64) sum.memory_bytes);
  json_object_set_int_member (object, "memory_limit_bytes",
                              group.memory_bytes != 0 ? (gint64) group.memory_bytes : -1);
  json_object_set_int_member (object, "vcpus", info.vcpus);
  json_object_set_int_member (object, "guest_memory_bytes", (gint64) info.memory_bytes);
  if (sample->has_entry)
    {
      json_object_set_int_member (object, "guest_memory_used_bytes",
                                  (gint64) sample->entry.guest_memory_used_bytes);
      json_object_set_int_member (object, "pids", (gint64) sample->entry.pids);
    }
  json_object_set_array_member (object, "processes", processes);
  dn_guest_info_clear (&info);
  return object;
}

/* Those of @contexts that have a guest; others are left out. */
static GArray *
sample_guests (GPtrArray *contexts)
{
  GArray *samples = g_array_new (FALSE, TRUE, sizeof (Sample));

  g_array_set_clear_func (samples, clear_sample);
  for (guint i = 0; i < contexts->len; i++)
    {
      DnContext *context = contexts->pdata[i];
      Sample sample = { 0 };

      g_mutex_lock (&context->daemon->lock);
      if (context->guest != NULL)
        sample.guest = dn_guest_ref (context->guest);
      g_mutex_unlock (&context->daemon->lock);
      if (sample.guest == NULL)
        continue;
      sample.context = dn_context_ref (context);
      g_array_append_val (samples, sample);
    }
  for (guint i = 0; i < samples->len; i++)
    {
      Sample *sample = &g_array_index (samples, Sample, i);

      sample->thread = g_thread_new ("guest-stats", ask, sample);
    }
  for (guint i = 0; i < samples->len; i++)
    (void) g_thread_join (g_array_index (samples, Sample, i).thread);
  return samples;
}

static GPtrArray *
choose_contexts (DnRequest *request, char **names, GError **error)
{
  g_autoptr (GPtrArray) contexts = NULL;

  if (names == NULL || names[0] == NULL)
    return dn_lookup_contexts (request);
  contexts = g_ptr_array_new_with_free_func ((GDestroyNotify) dn_context_unref);
  for (guint i = 0; names[i] != NULL; i++)
    {
      DnContext *context = dn_lookup_context (request, names[i], error);

      if (context == NULL)
        return NULL;
      g_ptr_array_add (contexts, context);
    }
  return g_steal_pointer (&contexts);
}

DN_VERB (context_stats)
{
  g_auto (GStrv) names = NULL;
  const DnJsonField fields[]
      = { { "contexts", DN_JSON_STRINGS, FALSE, &names }, { NULL, DN_JSON_STRING, FALSE, NULL } };
  g_autoptr (GPtrArray) contexts = NULL;
  g_autoptr (GArray) samples = NULL;
  JsonArray *array;
  JsonObject *ok;

  (void) ret_fds;
  if (!dn_request_read (request, fields, error)
      || (contexts = choose_contexts (request, names, error)) == NULL)
    return NULL;
  samples = sample_guests (contexts);
  array = json_array_new ();
  for (guint i = 0; i < samples->len; i++)
    json_array_add_object_element (array, sample_to_json (&g_array_index (samples, Sample, i)));
  ok = json_object_new ();
  json_object_set_array_member (ok, "stats", array);
  return ok;
}
