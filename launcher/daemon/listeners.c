/* SPDX-License-Identifier: Apache-2.0 */
#include "listeners.h"

#include <string.h>

#include "../common/error.h"
#include "container-call.h"
#include "json-build.h"
#include "listener-json.h"

/* What a guest said of one container. */
typedef struct
{
  JsonArray *sockets; /* owned */
  guint32 left_out;
} Found;

/* One guest being asked.  While it is under way its thread alone touches it; who waits looks at
 * `is_done` only. */
typedef struct
{
  gint references;
  DnGuest *guest; /* owned */
  guint timeout_ms;
  GHashTable *found; /* owned: container id → Found */
  char *error;       /* owned */
  gboolean is_done;  /* under `lock` */
} Ask;

struct DnListeners
{
  GHashTable *asks; /* owned: guest id → Ask, a reference */
};

static GMutex lock;
static GCond answered;

static void
found_free (gpointer data)
{
  Found *found = data;

  json_array_unref (found->sockets);
  g_free (found);
}

static void
ask_unref (gpointer data)
{
  Ask *ask = data;

  if (!g_atomic_int_dec_and_test (&ask->references))
    return;
  dn_guest_unref (ask->guest);
  g_hash_table_unref (ask->found);
  g_free (ask->error);
  g_free (ask);
}

static void
take_listener (guint16 type, const guint8 *payload, guint32 size, gpointer data)
{
  Ask *ask = data;
  DnMsgListenerEntry entry;
  JsonObject *object;
  Found *found;

  if (type != DN_MSG_LISTENER_ENTRY || dn_msg_listener_entry_unpack (payload, size, &entry) != 0)
    return;
  found = g_hash_table_lookup (ask->found, entry.container);
  if (found == NULL && g_hash_table_size (ask->found) < DN_CONTEXT_SLOTS)
    {
      found = g_new0 (Found, 1);
      found->sockets = json_array_new ();
      g_hash_table_insert (ask->found, g_strdup (entry.container), found);
    }
  if (found == NULL)
    return;
  found->left_out = entry.left_out;
  if (json_array_get_length (found->sockets) >= DN_LISTENERS_MAX
      || (object = dn_listener_to_json (&entry)) == NULL)
    return;
  json_array_add_object_element (found->sockets, object);
}

static gpointer
run_ask (gpointer data)
{
  Ask *ask = data;
  DnMsgListeners message = { 0 };
  DnGuestCall call = { .type = DN_MSG_LISTENERS,
                       .message = &message,
                       .pack = (DnPackFunc) dn_msg_listeners_pack,
                       .timeout_ms = ask->timeout_ms,
                       .answer = take_listener,
                       .answer_data = ask };
  g_autoptr (GError) error = NULL;

  if (!dn_guest_call (ask->guest, &call, &error))
    ask->error = g_strndup (error->message, strcspn (error->message, "\n"));
  g_mutex_lock (&lock);
  ask->is_done = TRUE;
  g_cond_broadcast (&answered);
  g_mutex_unlock (&lock);
  ask_unref (ask);
  return NULL;
}

static Ask *
ask_new (DnGuest *guest, guint timeout_ms)
{
  Ask *ask = g_new0 (Ask, 1);

  ask->references = 2; /* the table's and the thread's */
  ask->guest = dn_guest_ref (guest);
  ask->timeout_ms = timeout_ms;
  ask->found = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, found_free);
  return ask;
}

static void
wait_for_all (GHashTable *asks, gint64 end_us)
{
  GHashTableIter iter;
  Ask *ask;

  g_mutex_lock (&lock);
  g_hash_table_iter_init (&iter, asks);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &ask))
    while (!ask->is_done && g_cond_wait_until (&answered, &lock, end_us))
      ;
  g_mutex_unlock (&lock);
}

DnListeners *
dn_listeners_ask (DnDaemon *daemon, guint timeout_ms)
{
  DnListeners *listeners = g_new0 (DnListeners, 1);
  g_autoptr (GPtrArray) contexts = dn_context_list (daemon);
  gint64 end_us = g_get_monotonic_time () + timeout_ms * G_TIME_SPAN_MILLISECOND;

  listeners->asks = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, ask_unref);
  for (guint i = 0; i < contexts->len; i++)
    {
      DnContext *context = contexts->pdata[i];
      g_autoptr (DnGuest) guest = NULL;
      Ask *ask;

      g_mutex_lock (&daemon->lock);
      guest = context->guest != NULL ? dn_guest_ref (context->guest) : NULL;
      g_mutex_unlock (&daemon->lock);
      if (guest == NULL || !dn_guest_is_running (guest))
        continue;
      ask = ask_new (guest, timeout_ms);
      g_hash_table_insert (listeners->asks, g_strdup (dn_guest_id (guest)), ask);
      g_thread_unref (g_thread_new ("listeners", run_ask, ask));
    }
  wait_for_all (listeners->asks, end_us);
  return listeners;
}

void
dn_listeners_free (DnListeners *listeners)
{
  if (listeners == NULL)
    return;
  g_hash_table_unref (listeners->asks);
  g_free (listeners);
}

static void
add_unknown (JsonObject *object, const char *why)
{
  json_object_set_null_member (object, "listeners");
  json_object_set_int_member (object, "listeners_left_out", 0);
  json_object_set_string_member (object, "listeners_error", why);
}

void
dn_listeners_add_to (const DnListeners *listeners, DnContainer *container, gboolean is_running,
                     JsonObject *object)
{
  g_autofree char *guest_id = NULL;
  const Found *found;
  gboolean is_done;
  Ask *ask;

  g_mutex_lock (&container->daemon->lock);
  guest_id = g_strdup (container->context->guest_id);
  g_mutex_unlock (&container->daemon->lock);
  ask = g_hash_table_lookup (listeners->asks, guest_id);
  g_mutex_lock (&lock);
  is_done = ask != NULL && ask->is_done;
  g_mutex_unlock (&lock);
  if (is_running && !is_done)
    {
      add_unknown (object, ask != NULL ? "the guest did not answer in time"
                                       : "the guest was not running when it was asked");
      return;
    }
  if (is_running && ask->error != NULL)
    {
      add_unknown (object, ask->error);
      return;
    }
  found = is_running ? g_hash_table_lookup (ask->found, container->id) : NULL;
  json_object_set_array_member (
      object, "listeners", found != NULL ? json_array_ref (found->sockets) : json_array_new ());
  json_object_set_int_member (object, "listeners_left_out", found != NULL ? found->left_out : 0);
  json_object_set_null_member (object, "listeners_error");
}
