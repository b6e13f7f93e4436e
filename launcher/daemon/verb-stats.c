/* SPDX-License-Identifier: Apache-2.0 */
/* The verb container-stats. */
#include "../common/error.h"
#include "container-call.h"
#include "lookup.h"
#include "verbs.h"

#define ASK_TIMEOUT_MS 10000

/* One container's statistics, asked for on a thread of its own: a guest that does not answer holds
 * up no other's. */
typedef struct
{
  DnContainer *container; /* a reference */
  GThread *thread;
  gboolean has_entry;
  DnMsgStatsEntry entry;
  gboolean has_card;
  DnMsgCardStats card;
  GError *error;
} Sample;

static void
take_stats (guint16 type, const guint8 *payload, guint32 size, gpointer data)
{
  Sample *sample = data;

  if (type == DN_MSG_STATS_ENTRY)
    sample->has_entry = dn_msg_stats_entry_unpack (payload, size, &sample->entry) == 0;
  else if (type == DN_MSG_CARD_STATS)
    sample->has_card = dn_msg_card_stats_unpack (payload, size, &sample->card) == 0;
}

static gpointer
ask_stats (gpointer data)
{
  Sample *sample = data;
  g_autoptr (DnGuest) guest = dn_container_get_guest (sample->container, &sample->error);
  DnMsgStats message = { 0 };
  DnGuestCall call = { .type = DN_MSG_STATS,
                       .message = &message,
                       .pack = (DnPackFunc) dn_msg_stats_pack,
                       .timeout_ms = ASK_TIMEOUT_MS,
                       .answer = take_stats,
                       .answer_data = sample };

  if (guest == NULL)
    return NULL;
  g_strlcpy (message.container, sample->container->id, sizeof message.container);
  if (dn_guest_call (guest, &call, &sample->error) && !sample->has_entry)
    dn_throw (&sample->error, DN_ERROR_GUEST, "container '%s': the guest reported nothing",
              sample->container->name);
  return NULL;
}

static void
clear_sample (gpointer data)
{
  Sample *sample = data;

  dn_container_unref (sample->container);
  g_clear_error (&sample->error);
}

typedef struct
{
  const char *name;
  guint64 value;
} Member;

static void
add_members (JsonObject *object, const Member *members, gsize count)
{
  for (gsize i = 0; i < count; i++)
    json_object_set_int_member (object, members[i].name, (gint64) members[i].value);
}

/* Of a container with a card: one without says nothing, as it can do nothing. */
static void
add_card (JsonObject *object, const DnMsgCardStats *card)
{
  const Member members[] = {
    { "network_received_bytes", card->received_bytes },
    { "network_received_packets", card->received_packets },
    { "network_received_dropped", card->received_dropped },
    { "network_sent_bytes", card->sent_bytes },
    { "network_sent_packets", card->sent_packets },
    { "network_sent_dropped", card->sent_dropped },
  };

  add_members (object, members, G_N_ELEMENTS (members));
}

static JsonObject *
sample_to_json (const Sample *sample)
{
  const DnMsgStatsEntry *entry = &sample->entry;
  const Member members[] = {
    { "time_ns", entry->time_ns },
    { "cpu_us", entry->cpu_us },
    { "cpu_user_us", entry->cpu_user_us },
    { "cpu_system_us", entry->cpu_system_us },
    { "throttled_us", entry->throttled_us },
    { "memory_bytes", entry->memory_bytes },
    { "memory_cache_bytes", entry->memory_cache_bytes },
    { "memory_limit_bytes", entry->memory_limit_bytes },
    { "oom_kills", entry->oom_kills },
    { "pids", entry->pids },
    { "pids_limit", entry->pids_limit },
    { "read_bytes", entry->read_bytes },
    { "written_bytes", entry->written_bytes },
    { "guest_memory_bytes", entry->guest_memory_bytes },
    { "guest_memory_used_bytes", entry->guest_memory_used_bytes },
  };
  JsonObject *object = dn_verb_answer (sample->container);

  json_object_set_string_member (object, "context", sample->container->context->name);
  /* "No limit" is the highest number there is, and comes out as -1. */
  add_members (object, members, G_N_ELEMENTS (members));
  if (sample->has_card)
    add_card (object, &sample->card);
  return object;
}

static GArray *
choose_samples (DnRequest *request, char **names, GError **error)
{
  g_autoptr (GArray) samples = g_array_new (FALSE, TRUE, sizeof (Sample));
  g_autoptr (GPtrArray) all = dn_lookup_containers (request);
  gboolean is_all = names == NULL || names[0] == NULL;

  g_array_set_clear_func (samples, clear_sample);
  for (guint i = 0; is_all && i < all->len; i++)
    {
      Sample sample = { .container = all->pdata[i] };

      if (dn_container_wait_ended (sample.container, 0))
        continue;
      dn_container_ref (sample.container);
      g_array_append_val (samples, sample);
    }
  for (guint i = 0; !is_all && names[i] != NULL; i++)
    {
      Sample sample = { .container = dn_lookup_container (request, names[i], error) };

      if (sample.container == NULL)
        return NULL;
      g_array_append_val (samples, sample);
    }
  return g_steal_pointer (&samples);
}

DN_VERB (container_stats)
{
  g_auto (GStrv) names = NULL;
  const DnJsonField fields[]
      = { { "containers", DN_JSON_STRINGS, FALSE, &names }, { NULL, DN_JSON_STRING, FALSE, NULL } };
  g_autoptr (GArray) samples = NULL;
  g_autoptr (JsonArray) array = json_array_new ();
  JsonObject *ok;

  (void) ret_fds;
  if (!dn_request_read (request, fields, error)
      || (samples = choose_samples (request, names, error)) == NULL)
    return NULL;
  for (guint i = 0; i < samples->len; i++)
    {
      Sample *sample = &g_array_index (samples, Sample, i);

      sample->thread = g_thread_new ("stats", ask_stats, sample);
    }
  for (guint i = 0; i < samples->len; i++)
    {
      Sample *sample = &g_array_index (samples, Sample, i);

      (void) g_thread_join (sample->thread);
      if (sample->has_entry)
        json_array_add_object_element (array, sample_to_json (sample));
      /* Of one that was asked for by name the reason is told; one of all may just have ended. */
      else if (names != NULL && names[0] != NULL && error != NULL && *error == NULL)
        g_propagate_error (error, g_steal_pointer (&sample->error));
    }
  if (error != NULL && *error != NULL)
    return NULL;
  ok = json_object_new ();
  json_object_set_array_member (ok, "stats", g_steal_pointer (&array));
  return ok;
}
