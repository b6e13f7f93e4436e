/* SPDX-License-Identifier: Apache-2.0 */
#include "secret-send.h"

#include <errno.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../protocol/secret-stream.h"
#include "../common/autofd.h"
#include "../common/error.h"
#include "../daemon/json-build.h"

typedef struct
{
  DnGuest *guest;
  guint32 stream;
  const char *name;
  DnRequest *request; /* who is asked; NULL: @file has the bytes */
  int file;
} Sending;

/* The client's end is not kept here: what it closes is the end of file for the relay, and the other
 * way round.  So neither need be watched. */
static gboolean
ask (const Sending *sending, int fd, GError **error)
{
  JsonObject *object = json_object_new ();
  g_autoptr (JsonNode) event = dn_json_node_take (object);
  DnFdList fds = { .fds = { fd }, .count = 1 };

  json_object_set_string_member (object, "secret", sending->name);
  return dn_request_event (sending->request, event, &fds, error);
}

static gboolean
put_header (int fd, guint16 length)
{
  guint8 header[DN_SECRET_PIECE_HEADER_BYTES];

  dn_secret_encode_header (header, length);
  return send (fd, header, sizeof header, MSG_NOSIGNAL) == sizeof header;
}

/* One piece and the end: less than any socket's buffer, so it does not wait for the relay. */
static gboolean
put_file (const Sending *sending, int fd, GError **error)
{
  off_t at = 0;
  struct stat status;

  if (fstat (sending->file, &status) < 0)
    return dn_throw_errno (error, "key '%s'", sending->name);
  if (!S_ISREG (status.st_mode) || status.st_size < 1 || status.st_size > DN_KEY_BYTES)
    return dn_throw (error, DN_ERROR_LIMIT, "key '%s': must be a file of 1 to %d bytes",
                     sending->name, DN_KEY_BYTES);
  if (!put_header (fd, (guint16) status.st_size)
      || sendfile (fd, sending->file, &at, (size_t) status.st_size) != status.st_size
      || !put_header (fd, 0))
    return dn_throw (error, DN_ERROR_FAILED, "key '%s': it cannot be read: %s", sending->name,
                     g_strerror (errno));
  return TRUE;
}

/* The agent knows the stream when its first byte comes: SECRET and KEY go before. */
static gboolean
give (gpointer data, GError **error)
{
  Sending *sending = data;
  int pair[2];
  gboolean is_fine;

  if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
    return dn_throw_errno (error, "secret '%s': making a socket pair", sending->name);
  is_fine = dn_guest_transfer_secret (sending->guest, sending->stream, pair[1], error)
            && (sending->request != NULL ? ask (sending, pair[0], error)
                                         : put_file (sending, pair[0], error));
  (void) close (pair[0]);
  (void) close (pair[1]);
  return is_fine;
}

static gboolean
call (Sending *sending, guint16 type, gpointer message,
      int (*pack) (const void *message, guint8 *ret_bytes, gsize size), gint64 end_us,
      GError **error)
{
  gint64 left_us = end_us - g_get_monotonic_time ();
  guint timeout_ms = (guint) MAX (left_us / G_TIME_SPAN_MILLISECOND, 1);
  DnGuestCall order = { .type = type,
                        .message = message,
                        .pack = pack,
                        .timeout_ms = timeout_ms,
                        .sent = give,
                        .sent_data = sending };

  return dn_guest_call (sending->guest, &order, error);
}

gboolean
dn_secret_send (DnGuest *guest, DnRequest *request, const char *name, DnMsgSecret *message,
                gint64 end_us, GError **error)
{
  Sending sending = {
    .guest = guest, .stream = dn_guest_take_streams (guest), .name = name, .request = request
  };

  message->stream = sending.stream;
  return call (&sending, DN_MSG_SECRET, message,
               (int (*) (const void *, guint8 *, gsize)) dn_msg_secret_pack, end_us, error);
}

static gboolean
send_key (Sending *sending, GError **error)
{
  DnMsgKey message = { 0 };

  sending->stream = dn_guest_take_streams (sending->guest);
  message.stream = sending->stream;
  if (g_strlcpy (message.name, sending->name, sizeof message.name) >= sizeof message.name)
    return dn_throw (error, DN_ERROR_LIMIT, "key '%s': its name is too long", sending->name);
  return call (sending, DN_MSG_KEY, &message,
               (int (*) (const void *, guint8 *, gsize)) dn_msg_key_pack,
               g_get_monotonic_time () + DN_SECRETS_TIMEOUT_US, error);
}

gboolean
dn_secret_ask_key (DnGuest *guest, DnRequest *request, const char *name, GError **error)
{
  Sending sending = { .guest = guest, .name = name, .request = request };

  return send_key (&sending, error);
}

gboolean
dn_secret_send_key (DnGuest *guest, const char *name, int fd, GError **error)
{
  Sending sending = { .guest = guest, .name = name, .file = fd };

  return send_key (&sending, error);
}
