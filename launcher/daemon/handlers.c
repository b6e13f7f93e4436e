/* SPDX-License-Identifier: Apache-2.0 */
#include "handlers.h"

#include <string.h>

#include "../common/names.h"
#include "../health/health.h"
#include "container-end.h"
#include "container.h"
#include "context-guest.h"
#include "daemon-record.h"
#include "refusal.h"

#define REASON_BYTES 400
/* What a guest says becomes an event of a log that all contexts share: a guest that lies must not
 * be able to wash the others' events out of it. */
#define OOM_EVENT_EVERY_US G_TIME_SPAN_SECOND
#define REFUSED_EVENTS_MOST (DN_REFUSALS_MAX + 7)
#define REFUSED_EVENTS_WHILE_US (20 * G_TIME_SPAN_SECOND)

/* Under the daemon's lock.  Borrowed, or NULL: no such container in this guest. */
static DnContainer *
find (DnDaemon *daemon, DnGuest *guest, const char *id)
{
  DnContainer *container = g_hash_table_lookup (daemon->containers, id);

  if (container == NULL || !container->in_guest
      || !g_str_equal (container->context->guest_id, dn_guest_id (guest)))
    return NULL;
  return container;
}

typedef struct
{
  DnContainer *container; /* a reference */
  DnGuest *guest;         /* a reference */
  guint32 process;
} Process;

static void
forget_process (gpointer data)
{
  Process *process = data;
  g_autoptr (GError) error = NULL;

  if (!dn_guest_forget_process (process->guest, process->container->id, process->process, &error))
    g_debug ("container %s: process %u: %s", process->container->id, process->process,
             error->message);
  dn_container_unref (process->container);
  dn_guest_unref (process->guest);
  g_free (process);
}

/* Under the daemon's lock: whether there can have been this end of an exec. */
static gboolean
count_exec_end (DnContainer *container, guint32 process)
{
  return process < container->next_process && container->exec_ends < container->next_process
         && ++container->exec_ends > 0;
}

static void
exited (DnGuest *guest, const DnMsgExited *message, gpointer data)
{
  DnDaemon *daemon = data;
  g_autoptr (DnContainer) container = NULL;
  gboolean is_exec = FALSE;

  g_mutex_lock (&daemon->lock);
  container = find (daemon, guest, message->container);
  if (container != NULL)
    dn_container_ref (container);
  if (container != NULL && message->process == 0)
    dn_container_end (container, message);
  else if (container != NULL)
    is_exec = count_exec_end (container, message->process);
  g_mutex_unlock (&daemon->lock);
  if (is_exec)
    {
      g_autofree char *process = g_strdup_printf ("%u", message->process);
      g_autofree char *code = g_strdup_printf (
          "%u", message->signal != 0 ? 128 + (message->signal & 127) : message->code);

      dn_container_event (container, "exec_die",
                          (const char *const[]){ "process", process, "exit_code", code, NULL });
    }
}

static void
drained (DnGuest *guest, const char *id, guint32 number, gpointer data)
{
  DnDaemon *daemon = data;
  DnContainer *container;
  Process *process = NULL;

  g_mutex_lock (&daemon->lock);
  container = find (daemon, guest, id);
  if (container != NULL && number == 0)
    {
      container->is_drained = TRUE;
      g_cond_broadcast (&daemon->changed);
    }
  else if (container != NULL)
    {
      process = g_new0 (Process, 1);
      process->container = dn_container_ref (container);
      process->guest = dn_guest_ref (guest);
      process->process = number;
    }
  g_mutex_unlock (&daemon->lock);
  if (process != NULL)
    dn_daemon_work (daemon, forget_process, process);
}

static void
oom_victim (DnGuest *guest, const DnMsgOomVictim *message, gpointer data)
{
  DnDaemon *daemon = data;
  DnContainer *container;

  g_mutex_lock (&daemon->lock);
  container = find (daemon, guest, message->container);
  if (container != NULL)
    dn_oom_victim_take (&container->oom, message, g_get_real_time ());
  g_mutex_unlock (&daemon->lock);
}

static void
oom (DnGuest *guest, const char *id, gpointer data)
{
  DnDaemon *daemon = data;
  gint64 now_us = g_get_monotonic_time ();
  g_autoptr (DnContainer) container = NULL;
  gboolean is_told = FALSE;
  g_auto (GStrv) attributes = NULL;

  g_mutex_lock (&daemon->lock);
  container = find (daemon, guest, id);
  if (container != NULL)
    {
      dn_container_ref (container);
      dn_oom_victim_count (&container->oom);
      attributes = dn_oom_victim_to_attributes (&container->oom);
      is_told
          = container->oom_told_us == 0 || now_us - container->oom_told_us >= OOM_EVENT_EVERY_US;
      if (is_told)
        container->oom_told_us = now_us;
    }
  g_mutex_unlock (&daemon->lock);
  if (is_told)
    dn_container_event (container, "oom", (const char *const *) attributes);
}

/* As many in a while as there are kinds of refusals, and a few: what else a guest tells is in
 * inspect alone.  Under the daemon's lock. */
static gboolean
may_tell_refusal (DnContainer *container)
{
  gint64 now_us = g_get_monotonic_time ();

  if (now_us - container->refused_since_us >= REFUSED_EVENTS_WHILE_US)
    {
      container->refused_since_us = now_us;
      container->refused_events = 0;
    }
  return ++container->refused_events <= REFUSED_EVENTS_MOST;
}

static void
refused (DnGuest *guest, const DnMsgRefused *message, gpointer data)
{
  DnDaemon *daemon = data;
  g_autoptr (DnContainer) container = NULL;
  gboolean is_event_due = FALSE;
  DnRefusal refusal;

  g_mutex_lock (&daemon->lock);
  container = find (daemon, guest, message->container);
  if (container != NULL)
    {
      dn_container_ref (container);
      is_event_due = dn_refusals_take (&container->refusals, message, g_get_real_time (), &refusal)
                     && may_tell_refusal (container);
    }
  g_mutex_unlock (&daemon->lock);
  if (is_event_due)
    {
      g_autofree char *call = dn_refusal_call_name (&refusal);
      g_autofree char *action = dn_refusal_action_name (&refusal);
      g_autofree char *count = g_strdup_printf ("%" G_GUINT64_FORMAT, refusal.count);

      dn_container_event (container, "refused",
                          (const char *const[]){ "call", call, "answer", action, "count", count,
                                                 "program", refusal.program, NULL });
    }
}

static void
health (DnGuest *guest, const DnMsgHealth *message, gpointer data)
{
  DnDaemon *daemon = data;
  g_autoptr (DnContainer) container = NULL;

  g_mutex_lock (&daemon->lock);
  container = find (daemon, guest, message->container);
  if (container != NULL)
    dn_container_ref (container);
  g_mutex_unlock (&daemon->lock);
  if (container != NULL)
    dn_health_told (container, message);
}

/* Under the daemon's lock: those that run there on the disk, and have news of it. (transfer full)
 */
static GPtrArray *
take_damage (DnDaemon *daemon, DnGuest *guest, const DnMsgDiskDamage *message)
{
  GPtrArray *told = g_ptr_array_new_with_free_func ((GDestroyNotify) dn_container_unref);
  gint64 now_us = g_get_real_time ();
  GHashTableIter iter;
  DnContainer *container;

  g_hash_table_iter_init (&iter, daemon->containers);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &container))
    if (container->in_guest && g_str_equal (container->context->guest_id, dn_guest_id (guest))
        && strncmp (container->image_id, message->disk, DN_DISK_SERIAL_BYTES) == 0
        && dn_damage_take (&container->damage, message, now_us))
      g_ptr_array_add (told, dn_container_ref (container));
  return told;
}

static void
tell_damage (DnContainer *container, const DnMsgDiskDamage *message)
{
  g_autofree char *layer = g_strdup_printf ("%u", message->layer);
  g_autofree char *block = g_strdup_printf ("%" G_GUINT64_FORMAT, message->block);
  g_autofree char *count = g_strdup_printf ("%" G_GUINT64_FORMAT, message->count);
  g_autofree char *words = g_strdup_printf ("image '%s': layer %s, block %s is not what it was "
                                            "when the image was unpacked; the container "
                                            "gets EIO",
                                            container->image, layer, block);

  g_warning (
      "container %s: %s\ncheck the image with 'danchi image verify %.12s', then load or pull "
      "it again",
      container->id, words, container->image_id);
  dn_daemon_record_container (container, "image-damage", "ok", words);
  dn_container_image_event (container, "damage",
                            (const char *const[]){ "container", container->id, "layer", layer,
                                                   "block", block, "count", count, NULL });
}

static void
disk_damage (DnGuest *guest, const DnMsgDiskDamage *message, gpointer data)
{
  DnDaemon *daemon = data;
  g_autoptr (GPtrArray) told = NULL;

  g_mutex_lock (&daemon->lock);
  told = take_damage (daemon, guest, message);
  g_mutex_unlock (&daemon->lock);
  for (guint i = 0; i < told->len; i++)
    tell_damage (told->pdata[i], message);
}

static void
log_dropped (DnGuest *guest, const char *id, guint64 lines, guint64 bytes, gpointer data)
{
  DnDaemon *daemon = data;
  gboolean is_ours;

  g_mutex_lock (&daemon->lock);
  is_ours = find (daemon, guest, id) != NULL;
  g_mutex_unlock (&daemon->lock);
  if (is_ours)
    g_debug ("container %s: %" G_GUINT64_FORMAT " lines and %" G_GUINT64_FORMAT
             " bytes were over its log's rate",
             id, lines, bytes);
}

/* (transfer full): or NULL */
static DnContext *
find_context (DnDaemon *daemon, DnGuest *guest)
{
  GHashTableIter iter;
  DnContext *context, *found = NULL;

  g_mutex_lock (&daemon->lock);
  g_hash_table_iter_init (&iter, daemon->contexts);
  while (found == NULL && g_hash_table_iter_next (&iter, NULL, (gpointer *) &context))
    if (g_str_equal (context->guest_id, dn_guest_id (guest)))
      found = dn_context_ref (context);
  g_mutex_unlock (&daemon->lock);
  return found;
}

static void
share_lost (DnGuest *guest, gpointer data)
{
  DnDaemon *daemon = data;
  g_autoptr (DnContext) context = find_context (daemon, guest);

  if (context == NULL)
    return;
  dn_daemon_record_act (daemon, "share-lost", context->name, dn_guest_id (guest));
  dn_context_event (context, "share_lost",
                    (const char *const[]){ "guest", dn_guest_id (guest), NULL });
}

static void
gone (DnGuest *guest, gboolean is_suspect, const char *reason, gpointer data)
{
  g_autofree char *clean
      = dn_text_clean (reason != NULL ? reason : "no reason known", REASON_BYTES);
  g_autofree char *words = g_strdup_printf (
      "%s: %s", is_suspect ? "the guest broke the protocol" : "the guest is gone", clean);

  g_message ("guest %s: %s", dn_guest_id (guest), words);
  dn_context_guest_gone (data, dn_guest_id (guest), words);
}

void
dn_handlers_init (DnGuestHandlers *ret_handlers, DnDaemon *daemon)
{
  *ret_handlers = (DnGuestHandlers){ .exited = exited,
                                     .drained = drained,
                                     .oom = oom,
                                     .oom_victim = oom_victim,
                                     .refused = refused,
                                     .health = health,
                                     .disk_damage = disk_damage,
                                     .log_dropped = log_dropped,
                                     .share_lost = share_lost,
                                     .gone = gone,
                                     .data = daemon };
}
