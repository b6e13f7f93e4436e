/* SPDX-License-Identifier: Apache-2.0 */
/* Requests to a guest's agent and their answers. */
#include <errno.h>
#include <string.h>

#include "../../protocol/pack.h"
#include "../common/error.h"
#include "guest-private.h"

#define LIST_TIMEOUT_MS 10000
/* PART's fields before its bytes. */
#define PART_HEADER_BYTES 5

guint32
dn_guest_take_request (DnGuest *guest)
{
  guint32 request;

  g_mutex_lock (&guest->lock);
  /* A number that is still waited for is passed over: there are far more numbers than calls. */
  do
    {
      request = guest->next_request++;
      if (guest->next_request > DN_GUEST_REQUEST_MAX)
        guest->next_request = 1;
    }
  while (g_hash_table_contains (guest->calls, GUINT_TO_POINTER (request)));
  g_mutex_unlock (&guest->lock);
  return request;
}

void
dn_guest_take_reply (DnGuest *guest, const DnMsgReply *reply)
{
  DnGuestPending *pending;

  g_mutex_lock (&guest->lock);
  pending = g_hash_table_lookup (guest->calls, GUINT_TO_POINTER (reply->request));
  /* None: its caller's time was up, or it is of a session's signal. */
  if (pending != NULL && !pending->is_done)
    {
      pending->reply = *reply;
      pending->is_done = TRUE;
      g_cond_broadcast (&guest->changed);
    }
  g_mutex_unlock (&guest->lock);
}

void
dn_guest_take_answer (DnGuest *guest, guint16 type, const guint8 *payload, guint32 size)
{
  DnUnpacker unpacker = { .bytes = payload, .size = size };
  guint32 request = dn_unpack_u32 (&unpacker);
  DnGuestPending *pending;

  g_mutex_lock (&guest->lock);
  pending = g_hash_table_lookup (guest->calls, GUINT_TO_POINTER (request));
  if (unpacker.failed || pending == NULL || pending->is_done)
    pending = NULL;
  else if (pending->collect != NULL)
    pending->collect (type, payload, size, pending->answer_data);
  else if (pending->answer != NULL)
    {
      /* Not under the lock: it is foreign code.  Its data is the caller's, who therefore waits for
       * the flag even when the time is up. */
      pending->is_answering = TRUE;
      g_mutex_unlock (&guest->lock);
      pending->answer (type, payload, size, pending->answer_data);
      g_mutex_lock (&guest->lock);
      pending->is_answering = FALSE;
      g_cond_broadcast (&guest->changed);
    }
  g_mutex_unlock (&guest->lock);
}

void
dn_guest_lose_calls (DnGuest *guest)
{
  GHashTableIter iter;
  gpointer value;

  g_mutex_lock (&guest->lock);
  g_hash_table_iter_init (&iter, guest->calls);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      DnGuestPending *pending = value;

      pending->is_lost = !pending->is_done;
    }
  g_cond_broadcast (&guest->changed);
  g_mutex_unlock (&guest->lock);
}

static gboolean
throw_reply (DnGuest *guest, const DnGuestCall *call, const DnMsgReply *reply, GError **error)
{
  g_autofree char *message = dn_guest_escape (reply->message);
  const char *name = dn_wire_name (&dn_guest_wire, call->type);
  gboolean runs_a_command = call->type == DN_MSG_START || call->type == DN_MSG_EXEC;
  DnError code = DN_ERROR_GUEST;

  if (runs_a_command && reply->status == -ENOENT)
    code = DN_ERROR_NO_COMMAND;
  else if (runs_a_command
           && (reply->status == -EACCES || reply->status == -ENOEXEC || reply->status == -EISDIR))
    code = DN_ERROR_CANNOT_RUN;
  if (message[0] != '\0')
    return dn_throw (error, code, "%s", message);
  /* A guest may send any number: only errno's own have words. */
  return dn_throw (error, code, "guest of context '%s': %s: %s", guest->context, name,
                   reply->status < 0 && reply->status > -4096 ? g_strerror (-reply->status)
                                                              : "it failed");
}

static gboolean
send_parts (DnGuest *guest, guint32 request, guint8 kind, const guint8 *bytes, gsize size,
            GError **error)
{
  g_autofree guint8 *payload = NULL;
  gsize sent = 0;

  if (size > DN_PART_TOTAL_BYTES)
    return dn_throw (error, DN_ERROR_LIMIT,
                     "guest of context '%s': a document of %" G_GSIZE_FORMAT
                     " bytes is over the limit of %d",
                     guest->context, size, DN_PART_TOTAL_BYTES);
  payload = g_malloc (DN_FRAME_PAYLOAD_MAX_BYTES);
  while (sent < size)
    {
      gsize piece = MIN (size - sent, DN_FRAME_PAYLOAD_MAX_BYTES - PART_HEADER_BYTES);
      DnMsgPart part = {
        .request = request, .kind = kind, .bytes = bytes + sent, .bytes_bytes = (guint32) piece
      };
      int packed = dn_msg_part_pack (&part, payload, DN_FRAME_PAYLOAD_MAX_BYTES);

      if (packed < 0)
        return dn_throw (error, DN_ERROR_FAILED, "guest of context '%s': PART cannot be packed",
                         guest->context);
      if (!dn_guest_send (guest, DN_MSG_PART, payload, (guint32) packed, NULL, error))
        return FALSE;
      sent += piece;
    }
  return TRUE;
}

static gboolean
send_layers (DnGuest *guest, guint32 request, const GArray *layers, GError **error)
{
  for (guint i = 0; i < layers->len; i++)
    {
      DnMsgDiskLayer layer = g_array_index (layers, DnMsgDiskLayer, i);
      guint8 payload[128];
      int size;

      layer.request = request;
      size = dn_msg_disk_layer_pack (&layer, payload, sizeof payload);
      if (size < 0)
        return dn_throw (error, DN_ERROR_FAILED, "guest of context '%s': DISK_LAYER: too long",
                         guest->context);
      if (!dn_guest_send (guest, DN_MSG_DISK_LAYER, payload, (guint32) size, NULL, error))
        return FALSE;
    }
  return TRUE;
}

static guint32
generation_of (DnGuest *guest)
{
  guint32 generation;

  g_mutex_lock (&guest->lock);
  generation = guest->generation;
  g_mutex_unlock (&guest->lock);
  return generation;
}

static gboolean
send_request (DnGuest *guest, DnGuestCall *call, guint32 request, GError **error)
{
  g_autofree guint8 *payload = g_malloc (DN_FRAME_PAYLOAD_MAX_BYTES);
  gconstpointer seccomp = NULL;
  gsize seccomp_size = 0;
  int size;

  /* `request` is the first field of every request's struct: protocol.def. */
  memcpy (call->message, &request, sizeof request);
  size = call->pack (call->message, payload, DN_FRAME_PAYLOAD_MAX_BYTES);
  if (size < 0)
    return dn_throw (error, DN_ERROR_LIMIT, "guest of context '%s': %s: a field is too long",
                     guest->context, dn_wire_name (&dn_guest_wire, call->type));
  if (call->seccomp != NULL)
    seccomp = g_bytes_get_data (call->seccomp, &seccomp_size);
  return (call->config == NULL
          || send_parts (guest, request, DN_PART_CONFIG, (const guint8 *) call->config,
                         strlen (call->config), error))
         && send_parts (guest, request, DN_PART_SECCOMP, seccomp, seccomp_size, error)
         && (call->disk_layers == NULL || generation_of (guest) < DN_PROTOCOL_GENERATION_LAYERS
             || send_layers (guest, request, call->disk_layers, error))
         && dn_guest_send (guest, call->type, payload, (guint32) size, NULL, error);
}

static gboolean
wait_for_reply (DnGuest *guest, const DnGuestCall *call, DnGuestPending *pending, gint64 end_us,
                GError **error)
{
  const char *name = dn_wire_name (&dn_guest_wire, call->type);

  while (!pending->is_done && !pending->is_lost
         && g_cond_wait_until (&guest->changed, &guest->lock, end_us))
    ;
  if (pending->is_done)
    return TRUE;
  if (pending->is_lost)
    return dn_throw (error, DN_ERROR_GUEST,
                     "guest of context '%s': %s: the connection broke before the answer",
                     guest->context, name);
  return dn_throw (error, DN_ERROR_GUEST, "guest of context '%s': %s: no answer within %u ms",
                   guest->context, name, call->timeout_ms);
}

/* Registers @pending, sends the request and waits. */
static gboolean
exchange (DnGuest *guest, DnGuestCall *call, DnGuestPending *pending, GError **error)
{
  gint64 end_us = g_get_monotonic_time () + call->timeout_ms * G_TIME_SPAN_MILLISECOND;
  guint32 request = dn_guest_take_request (guest);
  gboolean is_done;

  g_mutex_lock (&guest->lock);
  is_done = g_hash_table_size (guest->calls) < DN_GUEST_CALLS_MAX;
  if (is_done)
    g_hash_table_insert (guest->calls, GUINT_TO_POINTER (request), pending);
  g_mutex_unlock (&guest->lock);
  if (!is_done)
    return dn_throw (error, DN_ERROR_LIMIT, "guest of context '%s': over %d requests under way",
                     guest->context, DN_GUEST_CALLS_MAX);
  is_done = send_request (guest, call, request, error)
            && (call->sent == NULL || call->sent (call->sent_data, error));
  g_mutex_lock (&guest->lock);
  is_done = is_done && wait_for_reply (guest, call, pending, end_us, error);
  g_hash_table_remove (guest->calls, GUINT_TO_POINTER (request));
  while (pending->is_answering)
    g_cond_wait (&guest->changed, &guest->lock);
  g_mutex_unlock (&guest->lock);
  return is_done
         && (pending->reply.status == 0 || throw_reply (guest, call, &pending->reply, error));
}

gboolean
dn_guest_call_in_any_state (DnGuest *guest, DnGuestCall *call, GError **error)
{
  DnGuestPending pending
      = { .type = call->type, .answer = call->answer, .answer_data = call->answer_data };

  return exchange (guest, call, &pending, error);
}

/* Under the lock: a link that is just being mended is waited for. */
static void
wait_while_mending (DnGuest *guest, guint timeout_ms)
{
  gint64 end_us = g_get_monotonic_time () + timeout_ms * G_TIME_SPAN_MILLISECOND;

  while (guest->state == DN_GUEST_RUNNING && (!guest->is_linked || guest->is_mending)
         && !dn_guest_is_frozen (guest)
         && g_cond_wait_until (&guest->changed, &guest->lock, end_us))
    ;
}

void
dn_guest_wait_mended (DnGuest *guest)
{
  g_mutex_lock (&guest->lock);
  wait_while_mending (guest, DN_GUEST_MENDED_WAIT_MS);
  g_mutex_unlock (&guest->lock);
}

static gboolean
wait_until_usable (DnGuest *guest, guint timeout_ms, GError **error)
{
  DnGuestState state;
  gboolean is_usable;

  if (!dn_guest_check_thawed (guest, error))
    return FALSE;
  g_mutex_lock (&guest->lock);
  wait_while_mending (guest, timeout_ms);
  state = guest->state;
  is_usable = state == DN_GUEST_RUNNING && guest->is_linked && !guest->is_mending;
  g_mutex_unlock (&guest->lock);
  if (is_usable)
    return TRUE;
  if (state != DN_GUEST_RUNNING)
    return dn_throw (error, DN_ERROR_GUEST, "guest of context '%s': it is not running any more",
                     guest->context);
  return dn_throw (error, DN_ERROR_GUEST, "guest of context '%s': its agent is not connected",
                   guest->context);
}

/* To an agent of before, an unknown request is a violation, and it would end the link. */
static gboolean
check_generation (DnGuest *guest, const DnGuestCall *call, GError **error)
{
  guint32 generation = generation_of (guest);

  if (call->disk_layers != NULL && call->disk_layers->len > 1
      && generation < DN_PROTOCOL_GENERATION_LAYERS)
    return dn_throw (error, DN_ERROR_GUEST,
                     "guest of context '%s': its agent knows no images of several layers: it was "
                     "started before an update of Danchi\nstop the context and start it again",
                     guest->context);
  if (call->type >= DN_PROTOCOL_OUTSIDE_FIRST && generation < DN_PROTOCOL_GENERATION_OUTSIDE)
    return dn_throw (
        error, DN_ERROR_GUEST,
        "guest of context '%s': its agent knows no %s: it was started before an update "
        "of Danchi\nstop the context and start it again",
        guest->context, dn_wire_name (&dn_guest_wire, call->type));
  return call->type != DN_MSG_LISTENERS || generation >= DN_PROTOCOL_GENERATION_LISTENERS
         || dn_throw (error, DN_ERROR_GUEST,
                      "guest of context '%s': its agent is too old to tell: it was started before "
                      "an update of Danchi",
                      guest->context);
}

gboolean
dn_guest_call (DnGuest *guest, DnGuestCall *call, GError **error)
{
  return wait_until_usable (guest, call->timeout_ms, error) && check_generation (guest, call, error)
         && dn_guest_call_in_any_state (guest, call, error);
}

/* LIST: entries, and the ends of those that have ended. */
typedef struct
{
  DnGuestPending pending;
  GArray *processes; /* owned, of DnGuestProcess */
  gboolean is_broken;
} Listing;

static void
collect_entry (guint16 type, const guint8 *payload, guint32 size, gpointer data)
{
  Listing *listing = data;
  DnGuestProcess process = { 0 };

  if (type != DN_MSG_LIST_ENTRY || listing->processes->len >= DN_GUEST_PROCESSES_MAX
      || dn_msg_list_entry_unpack (payload, size, &process.entry) < 0
      || process.entry.state < DN_PROCESS_CREATED || process.entry.state > DN_PROCESS_EXITED)
    listing->is_broken = TRUE;
  else
    g_array_append_val (listing->processes, process);
}

gboolean
dn_guest_take_listed_exit (DnGuest *guest, const DnMsgExited *exited)
{
  GHashTableIter iter;
  gpointer value;
  gboolean is_wanted = FALSE;

  g_mutex_lock (&guest->lock);
  g_hash_table_iter_init (&iter, guest->calls);
  while (!is_wanted && g_hash_table_iter_next (&iter, NULL, &value))
    {
      DnGuestPending *pending = value;
      GArray *processes;

      if (pending->collect != collect_entry || pending->is_done)
        continue;
      processes = ((Listing *) pending->answer_data)->processes;
      for (guint i = 0; i < processes->len && !is_wanted; i++)
        {
          DnGuestProcess *process = &g_array_index (processes, DnGuestProcess, i);

          is_wanted = process->entry.state == DN_PROCESS_EXITED && !process->has_exited
                      && process->entry.process == exited->process
                      && strcmp (process->entry.container, exited->container) == 0;
          if (!is_wanted)
            continue;
          process->has_exited = TRUE;
          process->exited = *exited;
        }
    }
  g_mutex_unlock (&guest->lock);
  return is_wanted;
}

GArray *
dn_guest_list_in_any_state (DnGuest *guest, GError **error)
{
  DnMsgList message = { 0 };
  DnGuestCall call = { .type = DN_MSG_LIST,
                       .message = &message,
                       .pack = (int (*) (const void *, guint8 *, gsize)) dn_msg_list_pack,
                       .timeout_ms = LIST_TIMEOUT_MS };
  Listing listing = { .pending = { .type = DN_MSG_LIST, .collect = collect_entry } };
  g_autoptr (GArray) processes = g_array_new (FALSE, FALSE, sizeof (DnGuestProcess));

  listing.processes = processes;
  listing.pending.answer_data = &listing;
  if (!exchange (guest, &call, &listing.pending, error))
    return NULL;
  if (listing.is_broken)
    {
      dn_throw (error, DN_ERROR_PROTOCOL, "guest of context '%s': LIST: an impossible answer",
                guest->context);
      return NULL;
    }
  g_mutex_lock (&guest->lock);
  for (guint i = 0; i < processes->len; i++)
    {
      guint32 streams = g_array_index (processes, DnGuestProcess, i).entry.streams;

      /* Numbers that danchid's predecessor gave out are in use. */
      if (streams >= guest->next_streams && streams < G_MAXUINT32 / 2)
        guest->next_streams = (streams / DN_STREAMS_PER_PROCESS + 1) * DN_STREAMS_PER_PROCESS;
    }
  g_mutex_unlock (&guest->lock);
  return g_steal_pointer (&processes);
}

GArray *
dn_guest_list_processes (DnGuest *guest, GError **error)
{
  if (!wait_until_usable (guest, LIST_TIMEOUT_MS, error))
    return NULL;
  return dn_guest_list_in_any_state (guest, error);
}
