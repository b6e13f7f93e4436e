/* SPDX-License-Identifier: Apache-2.0 */
/* What the relay is told of a guest's processes: streams, logs, sessions, transfers. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../common/error.h"
#include "guest-private.h"

#define PAYLOAD_BYTES 256

void
dn_guest_known_process_free (DnGuestKnownProcess *process)
{
  if (process == NULL)
    return;
  for (guint i = 0; i < G_N_ELEMENTS (process->log_fds); i++)
    if (process->log_fds[i] >= 0)
      (void) close (process->log_fds[i]);
  g_free (process);
}

static DnGuestKnownProcess *
known_process_new (const DnMsgProcess *message, const int log_fds[2], GError **error)
{
  DnGuestKnownProcess *process = g_new0 (DnGuestKnownProcess, 1);

  process->message = *message;
  for (guint i = 0; i < G_N_ELEMENTS (process->log_fds); i++)
    process->log_fds[i] = -1;
  for (guint i = 0; i < G_N_ELEMENTS (process->log_fds); i++)
    if (log_fds[i] >= 0 && (process->log_fds[i] = fcntl (log_fds[i], F_DUPFD_CLOEXEC, 0)) < 0)
      {
        dn_throw_errno (error, "log of container '%s'", message->container);
        dn_guest_known_process_free (process);
        return NULL;
      }
  return process;
}

static gboolean
send_process (DnGuest *guest, const DnMsgProcess *message, const int log_fds[2], GError **error)
{
  uint8_t payload[PAYLOAD_BYTES];
  int size = dn_msg_process_pack (message, payload, sizeof payload);
  DnFdList fds = DN_FD_LIST_INIT;

  if (size < 0)
    return dn_throw (error, DN_ERROR_FAILED, "container '%s': PROCESS cannot be packed",
                     message->container);
  for (guint i = 0; i < 2 && log_fds[0] >= 0 && log_fds[1] >= 0; i++)
    fds.fds[fds.count++] = log_fds[i];
  return dn_guest_send (guest, DN_MSG_PROCESS, payload, (guint32) size, &fds, error);
}

/* Under the guest's lock. */
static gboolean
find_process (DnGuest *guest, const char *container, guint32 process, guint *ret_index)
{
  for (guint i = 0; i < guest->processes->len; i++)
    {
      const DnGuestKnownProcess *known = g_ptr_array_index (guest->processes, i);

      if (known->message.process == process && strcmp (known->message.container, container) == 0)
        {
          *ret_index = i;
          return TRUE;
        }
    }
  return FALSE;
}

gboolean
dn_guest_add_process (DnGuest *guest, const DnMsgProcess *process, const int log_fds[2],
                      GError **error)
{
  DnGuestKnownProcess *known = known_process_new (process, log_fds, error);
  gboolean has_room;
  guint index;

  if (known == NULL)
    return FALSE;
  dn_guest_wait_mended (guest);
  g_mutex_lock (&guest->lock);
  if (find_process (guest, process->container, process->process, &index))
    g_ptr_array_remove_index_fast (guest->processes, index);
  has_room = guest->processes->len < DN_GUEST_PROCESSES_MAX;
  /* Known before it is sent: a relay that ends in between is told by the mender. */
  if (has_room)
    g_ptr_array_add (guest->processes, known);
  g_mutex_unlock (&guest->lock);
  if (!has_room)
    {
      dn_guest_known_process_free (known);
      return dn_throw (error, DN_ERROR_LIMIT, "guest of context '%s': over %d processes",
                       guest->context, DN_GUEST_PROCESSES_MAX);
    }
  return send_process (guest, process, log_fds, error);
}

gboolean
dn_guest_forget_process (DnGuest *guest, const char *container, guint32 process, GError **error)
{
  DnMsgForget forget = { .process = process };
  uint8_t payload[PAYLOAD_BYTES];
  guint index;
  int size;

  g_mutex_lock (&guest->lock);
  if (find_process (guest, container, process, &index))
    g_ptr_array_remove_index_fast (guest->processes, index);
  g_mutex_unlock (&guest->lock);
  g_strlcpy (forget.container, container, sizeof forget.container);
  size = dn_msg_forget_pack (&forget, payload, sizeof payload);
  return dn_guest_send (guest, DN_MSG_FORGET, payload, (guint32) size, NULL, error);
}

/* A copy of what is known, with descriptors of its own: sending may block, and processes may be
 * forgotten meanwhile. */
static GPtrArray *
copy_processes (DnGuest *guest)
{
  GPtrArray *copies = g_ptr_array_new_with_free_func ((GDestroyNotify) dn_guest_known_process_free);

  g_mutex_lock (&guest->lock);
  for (guint i = 0; i < guest->processes->len; i++)
    {
      const DnGuestKnownProcess *known = g_ptr_array_index (guest->processes, i);
      DnGuestKnownProcess *copy = known_process_new (&known->message, known->log_fds, NULL);

      if (copy != NULL)
        g_ptr_array_add (copies, copy);
    }
  g_mutex_unlock (&guest->lock);
  return copies;
}

gboolean
dn_guest_resend_processes (DnGuest *guest, GError **error)
{
  g_autoptr (GPtrArray) processes = copy_processes (guest);

  for (guint i = 0; i < processes->len; i++)
    {
      const DnGuestKnownProcess *known = g_ptr_array_index (processes, i);

      if (!send_process (guest, &known->message, known->log_fds, error))
        return FALSE;
    }
  return TRUE;
}

/* Control, standard input, output, error: @near for the client, @far for the relay. */
static gboolean
make_pairs (DnFdList *near, DnFdList *far, GError **error)
{
  for (guint i = 0; i < DN_CONTROL_FDS_MAX; i++)
    {
      int pair[2];

      if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        return dn_throw_errno (error, "sockets of a session");
      near->fds[near->count++] = pair[0];
      far->fds[far->count++] = pair[1];
    }
  return TRUE;
}

gboolean
dn_guest_open_session (DnGuest *guest, const char *container, guint32 process, guint32 flags,
                       DnFdList *ret_client, GError **error)
{
  DnFdList near = DN_FD_LIST_INIT;
  DnFdList far = DN_FD_LIST_INIT;
  DnMsgSession session = { .process = process, .flags = flags };
  uint8_t payload[PAYLOAD_BYTES];
  gboolean is_open;
  int size;

  dn_guest_wait_mended (guest);
  g_strlcpy (session.container, container, sizeof session.container);
  size = dn_msg_session_pack (&session, payload, sizeof payload);
  is_open = make_pairs (&near, &far, error)
            && dn_guest_send (guest, DN_MSG_SESSION, payload, (guint32) size, &far, error);
  dn_fd_list_clear (&far);
  if (is_open)
    *ret_client = near;
  else
    dn_fd_list_clear (&near);
  return is_open;
}

gboolean
dn_guest_transfer (DnGuest *guest, guint32 stream, gboolean to_guest, int fd, GError **error)
{
  DnMsgTransfer transfer = { .stream = stream, .to_guest = to_guest != FALSE };
  DnFdList fds = { .fds = { fd }, .count = 1 };
  uint8_t payload[PAYLOAD_BYTES];
  int size = dn_msg_transfer_pack (&transfer, payload, sizeof payload);

  dn_guest_wait_mended (guest);
  return dn_guest_send (guest, DN_MSG_TRANSFER, payload, (guint32) size, &fds, error);
}

gboolean
dn_guest_transfer_secret (DnGuest *guest, guint32 stream, int fd, GError **error)
{
  DnMsgSecretTransfer transfer = { .stream = stream };
  DnFdList fds = { .fds = { fd }, .count = 1 };
  uint8_t payload[PAYLOAD_BYTES];
  int size = dn_msg_secret_transfer_pack (&transfer, payload, sizeof payload);
  DnGuestInfo info = { 0 };
  guint32 generation;

  dn_guest_wait_mended (guest);
  dn_guest_get_info (guest, &info);
  generation = info.generation;
  dn_guest_info_clear (&info);
  /* Agreed on by agent and relay, so it says of both what they know. */
  if (generation < DN_PROTOCOL_GENERATION_OUTSIDE)
    return dn_throw (error, DN_ERROR_GUEST,
                     "guest of context '%s': it knows no secrets: it was started before an update "
                     "of Danchi\nstop the context and start it again",
                     guest->context);
  return dn_guest_send (guest, DN_MSG_SECRET_TRANSFER, payload, (guint32) size, &fds, error);
}
