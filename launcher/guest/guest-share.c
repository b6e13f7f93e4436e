/* SPDX-License-Identifier: Apache-2.0 */
/* A guest's share: virtiofsd's start and end, and what is put into it. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <glib-unix.h>

#include "../common/autofd.h"
#include "../common/error.h"
#include "guest-private.h"
#include "process.h"
#include "share-server.h"
#include "transport.h"

#define KILL_WAIT_MS 5000
#define LOST_TIMEOUT_MS 20000

char *
dn_guest_share_socket (const DnGuest *guest)
{
  return g_build_filename (guest->directory, "share.sock", NULL);
}

gboolean
dn_guest_start_share (DnGuest *guest, const DnGuestPlan *plan, GError **error)
{
  DnJournalEntry *entry = guest->entry;
  g_autofree char *path = dn_guest_share_socket (guest);
  DnShareOrder order = { .verb = DN_SHARE_START,
                         .process = { .uid = entry->uid, .gid = entry->gid },
                         .guest_uid = plan->pod_first_id,
                         .guest_gid = plan->pod_first_id };
  DnShareAnswer answer;
  dn_autofd int listening = -1;

  if (!entry->has_share)
    return TRUE;
  /* The guest's uid's: QEMU connects to it, once. */
  listening = dn_transport_listen_unix (path, 0600, entry->uid, entry->gid, error);
  if (listening < 0
      || !dn_share_server_order (&order, listening, "share of the guest", &answer, error))
    return FALSE;
  g_mutex_lock (&guest->journal_lock);
  entry->share_pid = answer.pid;
  entry->share_start_ticks = answer.ticks;
  g_mutex_unlock (&guest->journal_lock);
  return dn_guest_write_journal (guest, error);
}

static void
fill_process (DnGuest *guest, DnShareProcess *ret_process)
{
  const DnJournalEntry *entry = guest->entry;

  g_mutex_lock (&guest->journal_lock);
  *ret_process = (DnShareProcess){
    .pid = entry->share_pid, .ticks = entry->share_start_ticks, .uid = entry->uid, .gid = entry->gid
  };
  g_mutex_unlock (&guest->journal_lock);
}

void
dn_guest_limit_share (DnGuest *guest)
{
  DnShareOrder order = { .verb = DN_SHARE_JOIN };
  g_autoptr (GError) error = NULL;
  DnShareAnswer answer;

  if (!dn_guest_has_share (guest))
    return;
  fill_process (guest, &order.process);
  g_mutex_lock (&guest->lock);
  order.qemu = (DnShareProcess){ .pid = guest->info.qemu_pid, .ticks = guest->qemu_start_ticks };
  g_mutex_unlock (&guest->lock);
  /* As with QEMU's own limits: verify and doctor say where there is no group. */
  if (!dn_share_server_order (&order, -1, "limits of the guest's share", &answer, &error))
    g_info ("guest '%s' of context '%s': %s", guest->id, guest->context, error->message);
}

/* By number: one that has been taken over may have changed its uid. */
gboolean
dn_guest_end_share (const DnJournalEntry *entry)
{
  return !dn_process_is_alive (entry->share_pid, entry->share_start_ticks)
         || dn_process_kill (entry->share_pid, entry->share_start_ticks, KILL_WAIT_MS);
}

gboolean
dn_guest_has_share (DnGuest *guest)
{
  /* Fixed from before anybody else knows the guest, so without the lock, which is held for long. */
  return guest->entry->has_share;
}

guint
dn_guest_uid (DnGuest *guest)
{
  return guest->entry->uid; /* likewise */
}

gboolean
dn_guest_bind (DnGuest *guest, const DnGuestBind *bind, DnShareAnswer *ret_answer, GError **error)
{
  DnShareOrder order = { .verb = bind->verb,
                         .number = bind->number,
                         .guest_uid = bind->guest_uid,
                         .guest_gid = bind->guest_gid,
                         .source = *bind->source };

  fill_process (guest, &order.process);
  return dn_share_server_order (&order, -1, bind->what, ret_answer, error);
}

void
dn_guest_unbind (DnGuest *guest, guint number)
{
  DnShareOrder order = { .verb = DN_SHARE_UNBIND, .number = number };
  g_autoptr (GError) error = NULL;
  DnShareAnswer answer;

  fill_process (guest, &order.process);
  if (!dn_guest_is_running (guest) || order.process.pid == 0
      || dn_share_server_order (&order, -1, "share of the guest", &answer, &error)
      || g_error_matches (error, DN_ERROR, DN_ERROR_GUEST))
    return;
  g_warning ("guest '%s': bind %u: %s", guest->id, number, error->message);
}

/* Whoever waits for the host in the guest is told that nobody answers there any more. */
static void
lose_share (DnGuest *guest)
{
  DnMsgShareLost message = { 0 };
  DnGuestCall call = { .type = DN_MSG_SHARE_LOST,
                       .message = &message,
                       .pack = (int (*) (const void *, guint8 *, gsize)) dn_msg_share_lost_pack,
                       .timeout_ms = LOST_TIMEOUT_MS };
  g_autoptr (GError) error = NULL;

  if (!dn_guest_is_running (guest) || !dn_guest_qemu_is_alive (guest))
    return;
  g_warning ("guest '%s' of context '%s': its virtiofsd has ended", guest->id, guest->context);
  if (!dn_guest_call (guest, &call, &error))
    g_warning ("guest '%s': %s", guest->id, error->message);
  if (guest->handlers.share_lost != NULL)
    guest->handlers.share_lost (guest, guest->handlers.data);
}

static gboolean
share_ended (gint fd, GIOCondition condition, gpointer data)
{
  DnGuest *guest = data;

  (void) condition;
  (void) close (fd);
  dn_guest_spawn (guest, "share-end", lose_share);
  dn_guest_unref (guest);
  return G_SOURCE_REMOVE;
}

void
dn_guest_watch_share (DnGuest *guest)
{
  DnShareProcess process;
  dn_autofd int fd = -1;

  fill_process (guest, &process);
  if (process.pid == 0)
    return;
  /* Opened before its age is looked at: then it is that process's. */
  fd = (int) syscall (SYS_pidfd_open, process.pid, 0);
  if (fd < 0 || !dn_process_is_alive (process.pid, process.ticks))
    {
      dn_guest_spawn (guest, "share-end", lose_share);
      return;
    }
  (void) g_unix_fd_add (g_steal_fd (&fd), G_IO_IN, share_ended, dn_guest_ref (guest));
}
