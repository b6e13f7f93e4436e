/* SPDX-License-Identifier: Apache-2.0 */
#include "call.h"

#include "shim/ttrpc.pb-c.h"

struct DnCall
{
  DnTtrpcConnection *connection; /* a reference */
  guint32 stream;
};

DnCall *
dn_call_new (DnTtrpcConnection *connection, guint32 stream)
{
  DnCall *call = g_new0 (DnCall, 1);

  call->connection = dn_ttrpc_connection_ref (connection);
  call->stream = stream;
  return call;
}

gboolean
dn_call_is_awaited (const DnCall *call)
{
  return dn_ttrpc_connection_is_open (call->connection);
}

static void
answer (DnCall *call, const Pb__Response *response)
{
  gsize size = pb__response__get_packed_size (response);
  g_autofree guint8 *bytes = g_malloc (size + 1);
  const DnTtrpcHeader header
      = { .length = (guint32) size, .stream = call->stream, .type = DN_TTRPC_RESPONSE };

  (void) pb__response__pack (response, bytes);
  dn_ttrpc_connection_send (call->connection, &header, bytes);
  dn_ttrpc_connection_unref (call->connection);
  g_free (call);
}

void
dn_call_reply (DnCall *call, const ProtobufCMessage *message)
{
  Pb__Response response = PB__RESPONSE__INIT;
  gsize size = message != NULL ? protobuf_c_message_get_packed_size (message) : 0;
  g_autofree guint8 *payload = g_malloc (size + 1);

  if (message != NULL)
    (void) protobuf_c_message_pack (message, payload);
  response.payload = (ProtobufCBinaryData){ .len = size, .data = payload };
  answer (call, &response);
}

static void
fail_with (DnCall *call, DnStatus code, char *text)
{
  Pb__Status status = PB__STATUS__INIT;
  Pb__Response response = PB__RESPONSE__INIT;

  status.code = (gint32) code;
  status.message = text;
  response.status = &status;
  answer (call, &response);
}

static const char *
class_of (DnStatus status)
{
  switch (status)
    {
    case DN_STATUS_INVALID_ARGUMENT:
      return ": invalid argument";
    case DN_STATUS_NOT_FOUND:
      return ": not found";
    case DN_STATUS_ALREADY_EXISTS:
      return ": already exists";
    case DN_STATUS_PERMISSION_DENIED:
      return ": permission denied";
    case DN_STATUS_RESOURCE_EXHAUSTED:
      return ": resource exhausted";
    case DN_STATUS_FAILED_PRECONDITION:
      return ": failed precondition";
    case DN_STATUS_UNIMPLEMENTED:
      return ": not implemented";
    case DN_STATUS_OK:
    case DN_STATUS_UNKNOWN:
    case DN_STATUS_UNAVAILABLE:
      return "";
    }
  return "";
}

void
dn_call_fail (DnCall *call, DnStatus status, const char *format, ...)
{
  g_autofree char *what = NULL, *text = NULL;
  va_list arguments;

  va_start (arguments, format);
  what = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  text = g_strconcat (what, class_of (status), NULL);
  fail_with (call, status, text);
}

void
dn_call_fail_error (DnCall *call, const GError *error)
{
  DnStatus status = dn_status_of_error (error);
  g_autofree char *what = dn_status_text (error);
  g_autofree char *text = g_strconcat (what, class_of (status), NULL);

  g_message ("%s", text);
  fail_with (call, status, text);
}
