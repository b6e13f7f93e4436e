/* SPDX-License-Identifier: Apache-2.0 */
#include "adopt.h"

#include <unistd.h>

#include "../common/json.h"
#include "../network/container-resolver.h"
#include "../network/guest-network.h"
#include "../volumes/volume-part.h"
#include "container-call.h"
#include "container-end.h"
#include "container-file.h"
#include "container-part.h"
#include "container-start.h"
#include "context-freeze.h"
#include "context-guest.h"
#include "handlers.h"
#include "lifetime.h"
#include "settings-file.h"

/* Numbers of processes that ended unseen are not given out again. */
#define PROCESS_GAP 1000
/* Guests whose containers are looked at at the same time: mostly that is waiting for their agents.
 */
#define ADOPTIONS_AT_ONCE 32

/* Under the daemon's lock. */
static DnContext *
find_context (DnDaemon *daemon, const char *guest_id)
{
  GHashTableIter iter;
  DnContext *context;

  g_hash_table_iter_init (&iter, daemon->contexts);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &context))
    if (context->guest_id[0] != '\0' && g_str_equal (context->guest_id, guest_id))
      return context;
  return NULL;
}

static gboolean
choose (const char *guest_id, const char *context, DnGuestHandlers *ret_handlers, gpointer data)
{
  DnDaemon *daemon = data;
  gboolean is_ours;

  (void) context;
  g_mutex_lock (&daemon->lock);
  is_ours = find_context (daemon, guest_id) != NULL;
  g_mutex_unlock (&daemon->lock);
  if (is_ours)
    dn_handlers_init (ret_handlers, daemon);
  return is_ours;
}

static const DnGuestProcess *
find_process (const GArray *processes, const char *container, guint32 number)
{
  for (guint i = 0; i < processes->len; i++)
    {
      const DnGuestProcess *process = &g_array_index (processes, DnGuestProcess, i);

      if (process->entry.process == number && g_str_equal (process->entry.container, container))
        return process;
    }
  return NULL;
}

static void
add_process (DnContainer *container, DnGuest *guest, const DnMsgListEntry *entry)
{
  g_autoptr (DnSettings) settings = dn_settings_get (container->daemon);
  DnMsgProcess message
      = { .process = entry->process, .streams = entry->streams, .flags = entry->flags };
  int logs[2] = { -1, -1 };
  g_autoptr (GError) error = NULL;

  g_strlcpy (message.container, container->id, sizeof message.container);
  if (entry->process == 0)
    {
      message.log_bytes = settings->log_bytes;
      message.log_rate = settings->log_rate;
      (void) dn_container_open_logs (container, logs, &error);
    }
  if (error == NULL)
    (void) dn_guest_add_process (guest, &message, logs, &error);
  if (error != NULL)
    g_warning ("container %s: %s", container->id, error->message);
  for (guint i = 0; i < 2; i++)
    if (logs[i] >= 0)
      (void) close (logs[i]);
}

/* Under the daemon's lock: it is in the guest, so the context counts it. */
static void
count_in (DnContainer *container)
{
  DnContext *context = container->context;
  DnImage image = { .id = container->image_id };
  char serial[DN_DISK_SERIAL_BYTES + 1];
  gpointer users;

  dn_volume_count_in (container);
  context->users++;
  context->slots |= G_GUINT64_CONSTANT (1) << container->slot;
  if (container->pod != NULL)
    return;
  dn_image_disk_serial (&image, serial);
  users = g_hash_table_lookup (context->disks, serial);
  g_hash_table_insert (context->disks, g_strdup (serial),
                       GUINT_TO_POINTER (GPOINTER_TO_UINT (users) + 1));
}

static void
delete_in_guest (DnGuest *guest, const char *id)
{
  DnMsgDelete message = { 0 };
  g_autoptr (GError) error = NULL;

  g_strlcpy (message.container, id, sizeof message.container);
  if (!dn_container_call (guest, DN_MSG_DELETE, &message, (DnPackFunc) dn_msg_delete_pack,
                          DN_CALL_TIMEOUT_MS, &error))
    g_warning ("container %s: deleting it in its guest: %s", id, error->message);
  (void) dn_guest_forget_process (guest, id, 0, NULL);
}

/* The state as the guest has it. */
static void
apply_state (DnContainer *container, const DnGuestProcess *process)
{
  g_mutex_lock (&container->daemon->lock);
  count_in (container);
  container->has_session = FALSE;
  container->is_provisional = FALSE;
  if (process->entry.state == DN_PROCESS_EXITED)
    {
      gint64 finished_us = container->state == DN_CONTAINER_EXITED ? container->finished_us : 0;

      /* As if it had just ended, also where that was known: its output may still come. */
      container->state = DN_CONTAINER_RUNNING;
      if (process->has_exited)
        dn_container_end (container, &process->exited);
      else
        dn_container_end (container, &(DnMsgExited){ .code = 255 });
      if (finished_us != 0)
        container->finished_us = finished_us;
    }
  else
    container->state
        = process->entry.state == DN_PROCESS_PAUSED ? DN_CONTAINER_PAUSED : DN_CONTAINER_RUNNING;
  /* Its start was not over when danchid ended. */
  if (container->started_us == 0)
    container->started_us = g_get_real_time ();
  g_mutex_unlock (&container->daemon->lock);
}

/* (transfer full): the text of its state file */
static char *
print_state (DnContainer *container)
{
  g_autoptr (JsonNode) node = NULL;

  g_mutex_lock (&container->daemon->lock);
  node = dn_container_state_file_print (container);
  g_mutex_unlock (&container->daemon->lock);
  return dn_json_to_text (node, FALSE);
}

static void
reconcile_container (DnContainer *container, DnGuest *guest, const GArray *processes)
{
  const DnGuestProcess *first = find_process (processes, container->id, 0);
  g_autofree char *before = print_state (container);
  g_autofree char *after = NULL;
  guint32 highest = 0;

  if (first == NULL || first->entry.state == DN_PROCESS_CREATED)
    {
      /* Never started, or unknown to the guest: the start is undone, a run is over. */
      if (first != NULL)
        delete_in_guest (guest, container->id);
      g_mutex_lock (&container->daemon->lock);
      if (container->state == DN_CONTAINER_RUNNING || container->state == DN_CONTAINER_PAUSED)
        {
          container->state = DN_CONTAINER_EXITED;
          container->exit_code = DN_EXIT_GUEST_GONE;
          container->finished_us = g_get_real_time ();
          g_free (container->reason);
          container->reason = g_strdup ("its guest does not know it any more");
        }
      container->in_guest = FALSE;
      g_mutex_unlock (&container->daemon->lock);
      dn_container_save_state_or_warn (container);
      return;
    }
  add_process (container, guest, &first->entry);
  for (guint i = 0; i < processes->len; i++)
    {
      const DnGuestProcess *process = &g_array_index (processes, DnGuestProcess, i);

      if (process->entry.process == 0 || !g_str_equal (process->entry.container, container->id))
        continue;
      highest = MAX (highest, process->entry.process);
      add_process (container, guest, &process->entry);
    }
  apply_state (container, first);
  g_mutex_lock (&container->daemon->lock);
  container->next_process = highest + PROCESS_GAP;
  g_mutex_unlock (&container->daemon->lock);
  if (container->in_guest && first->entry.state != DN_PROCESS_EXITED)
    dn_container_parts_resume (container, guest);
  after = print_state (container);
  /* Mostly it went on as if nothing had happened, and a file costs two fsync(2). */
  if (!g_str_equal (before, after))
    dn_container_save_state_or_warn (container);
}

/* Ends what the guest runs and nobody wrote down. */
static void
delete_strangers (DnDaemon *daemon, DnGuest *guest, const GArray *processes)
{
  for (guint i = 0; i < processes->len; i++)
    {
      const DnMsgListEntry *entry = &g_array_index (processes, DnGuestProcess, i).entry;
      DnContainer *container;
      gboolean is_known;

      g_mutex_lock (&daemon->lock);
      container = g_hash_table_lookup (daemon->containers, entry->container);
      is_known = container != NULL && container->in_guest
                 && g_str_equal (container->context->guest_id, dn_guest_id (guest));
      g_mutex_unlock (&daemon->lock);
      if (entry->process == 0 && !is_known)
        delete_in_guest (guest, entry->container);
    }
}

/* On a thread of the pool; each has a guest and thereby containers of its own. */
static void
reconcile (DnContext *context, DnGuest *guest, const GArray *processes)
{
  g_autoptr (GPtrArray) containers = dn_container_list (context->daemon);

  for (guint i = 0; i < containers->len; i++)
    {
      DnContainer *container = containers->pdata[i];

      if (container->in_guest && container->context == context)
        reconcile_container (container, guest, processes);
    }
}

/* Under the daemon's lock: those that were in the guest are counted, or not any more. */
static void
count_all (DnContext *context, gboolean is_in)
{
  GHashTableIter iter;
  DnContainer *container;

  if (!is_in)
    {
      context->users = 0;
      context->slots = 0;
      g_hash_table_iter_init (&iter, context->disks);
      while (g_hash_table_iter_next (&iter, NULL, NULL))
        g_hash_table_iter_replace (&iter, GUINT_TO_POINTER (0));
      return;
    }
  g_hash_table_iter_init (&iter, context->daemon->containers);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &container))
    if (container->in_guest && container->context == context)
      count_in (container);
}

void
dn_adopt_thawed (DnContext *context, DnGuest *guest)
{
  DnDaemon *daemon = context->daemon;
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) processes = NULL;
  gboolean is_new;

  processes = dn_guest_list_processes (guest, &error);
  if (processes == NULL)
    {
      g_warning ("context '%s': after its thaw: %s", context->name, error->message);
      return;
    }
  delete_strangers (daemon, guest, processes);
  g_mutex_lock (&daemon->lock);
  is_new = context->is_unreconciled && context->guest == guest;
  if (is_new)
    {
      context->is_unreconciled = FALSE;
      count_all (context, FALSE);
    }
  g_mutex_unlock (&daemon->lock);
  if (is_new)
    reconcile (context, guest, processes);
}

static void
adopt (gpointer item, gpointer data)
{
  DnGuest *guest = item;
  DnDaemon *daemon = data;
  gboolean is_frozen = dn_guest_is_frozen (guest);
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) processes = is_frozen ? NULL : dn_guest_list_processes (guest, &error);
  DnContext *context;

  g_mutex_lock (&daemon->lock);
  context = find_context (daemon, dn_guest_id (guest));
  if (context != NULL)
    context->guest = dn_guest_ref (guest);
  if (context != NULL)
    dn_volume_adopt (daemon, context->name, guest);
  if (context != NULL && is_frozen)
    {
      context->is_unreconciled = TRUE;
      count_all (context, TRUE);
    }
  g_mutex_unlock (&daemon->lock);
  /* Everything is as it was written down, until the thaw. */
  if (is_frozen)
    {
      if (context != NULL && dn_guest_is_frozen_in_passing (guest))
        dn_daemon_work (daemon, dn_context_thaw_later, dn_context_ref (context));
      return;
    }
  if (processes == NULL)
    {
      g_warning ("guest %s: %s; it is ended", dn_guest_id (guest), error->message);
      dn_guest_destroy (guest);
      dn_context_guest_gone (daemon, dn_guest_id (guest), "its agent did not answer");
      return;
    }
  delete_strangers (daemon, guest, processes);
  if (context != NULL)
    {
      reconcile (context, guest, processes);
      dn_lifetime_adopt (context);
    }
  if (!dn_guest_is_running (guest))
    dn_context_guest_gone (daemon, dn_guest_id (guest), "the guest is gone");
}

/* Contexts whose guest nobody found, and containers that were in it. */
static void
settle_lost (DnDaemon *daemon)
{
  g_autoptr (GPtrArray) contexts = dn_context_list (daemon);
  g_autoptr (GPtrArray) containers = dn_container_list (daemon);

  for (guint i = 0; i < containers->len; i++)
    {
      DnContainer *container = containers->pdata[i];

      /* So that the loss of the guest takes back what was never counted. */
      g_mutex_lock (&daemon->lock);
      if (container->context->guest == NULL && container->in_guest)
        count_in (container);
      g_mutex_unlock (&daemon->lock);
    }
  for (guint i = 0; i < contexts->len; i++)
    {
      DnContext *context = contexts->pdata[i];
      g_autofree char *lost = NULL;
      gboolean is_useless;

      g_mutex_lock (&daemon->lock);
      if (context->guest == NULL && context->guest_id[0] != '\0')
        lost = g_strdup (context->guest_id);
      g_mutex_unlock (&daemon->lock);
      if (lost != NULL)
        dn_context_guest_gone (daemon, lost, "the guest is gone");
      g_mutex_lock (&daemon->lock);
      is_useless = dn_context_goes_with_container (context)
                   && dn_context_count_containers (context) == 0
                   && !dn_context_is_frozen_locked (context);
      g_mutex_unlock (&daemon->lock);
      if (is_useless)
        {
          dn_context_stop_guest (context, 0, "its container is gone");
          dn_context_forget (context);
        }
      else if (dn_context_goes_with_container (context))
        dn_context_stop_idle_guest (context, 0, "the guest was stopped");
    }
}

/* A container that says it is in a guest while its context has none: danchid ended between two
 * writes.  It has ended. */
static void
settle_stranded (DnDaemon *daemon)
{
  g_autoptr (GPtrArray) containers = dn_container_list (daemon);

  for (guint i = 0; i < containers->len; i++)
    {
      DnContainer *container = containers->pdata[i];

      g_mutex_lock (&daemon->lock);
      if (container->in_guest && container->context->guest == NULL)
        dn_container_end_all (container->context, "the guest is gone");
      else if (!container->in_guest
               && (container->state == DN_CONTAINER_RUNNING
                   || container->state == DN_CONTAINER_PAUSED))
        {
          container->state = DN_CONTAINER_EXITED;
          container->exit_code = DN_EXIT_GUEST_GONE;
          container->finished_us = g_get_real_time ();
        }
      g_mutex_unlock (&daemon->lock);
    }
}

/* With --rm, and ended while nobody was there to remove it; or of a `run` that was cut short before
 * its start. */
static void
remove_ended (DnDaemon *daemon)
{
  g_autoptr (GPtrArray) containers = dn_container_list (daemon);

  for (guint i = 0; i < containers->len; i++)
    {
      DnContainer *container = containers->pdata[i];
      gboolean is_over;

      g_mutex_lock (&container->op_lock);
      g_mutex_lock (&daemon->lock);
      is_over
          = !container->is_removed && !container->in_guest
            && !dn_context_is_frozen_locked (container->context)
            && ((container->options->is_removed_at_exit && container->state == DN_CONTAINER_EXITED)
                || (container->is_provisional && container->state == DN_CONTAINER_CREATED));
      g_mutex_unlock (&daemon->lock);
      if (is_over)
        dn_container_forget (container);
      g_mutex_unlock (&container->op_lock);
    }
}

static void
restore_network (DnDaemon *daemon, DnGuest *guest)
{
  g_autoptr (DnContext) context = NULL;

  g_mutex_lock (&daemon->lock);
  context = find_context (daemon, dn_guest_id (guest));
  if (context != NULL)
    (void) dn_context_ref (context);
  g_mutex_unlock (&daemon->lock);
  if (context != NULL)
    dn_guest_network_adopt (context, guest);
}

gboolean
dn_adopt_all (DnDaemon *daemon, GError **error)
{
  g_autoptr (GPtrArray) guests = dn_guest_adopt_all (choose, daemon, error);
  GThreadPool *pool;

  if (guests == NULL)
    return FALSE;
  /* Before any container is in a network again. */
  for (guint i = 0; i < guests->len; i++)
    restore_network (daemon, guests->pdata[i]);
  dn_guest_network_watch (daemon);
  dn_container_resolver_watch ();
  pool = g_thread_pool_new (adopt, daemon, ADOPTIONS_AT_ONCE, FALSE, NULL);
  for (guint i = 0; i < guests->len; i++)
    (void) g_thread_pool_push (pool, guests->pdata[i], NULL);
  g_thread_pool_free (pool, FALSE, TRUE); /* when all are done */
  /* Before guests without containers go: some of these may want theirs. */
  dn_restart_adopt (daemon);
  settle_lost (daemon);
  settle_stranded (daemon);
  dn_restart_adopt (daemon);
  remove_ended (daemon);
  return TRUE;
}
