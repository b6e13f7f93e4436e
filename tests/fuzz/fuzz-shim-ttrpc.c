/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/shim/frame.c launcher/shim/bootstrap.c launcher/shim/log-uri.c
 * launcher/common/error.c build/gen/shim/ttrpc.pb-c.c build/gen/shim/task.pb-c.c
 * build/gen/shim/wellknown.pb-c.c build/gen/shim/runtime.pb-c.c */
/* Packages: glib-2.0 libprotobuf-c */
/* What the shim reads of a peer: frames in pieces as the first byte says, the request in each, and
 * in that the message that its method's first letter stands for. */
#include <stdlib.h>

#include "../../launcher/shim/bootstrap.h"
#include "../../launcher/shim/frame.h"
#include "../../launcher/shim/log-uri.h"
#include "shim/task.pb-c.h"
#include "shim/ttrpc.pb-c.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void
read_message (const Pb__Request *request)
{
  static const ProtobufCMessageDescriptor *const messages[]
      = { &pb__create_request__descriptor, &pb__exec_request__descriptor,
          &pb__update_request__descriptor, &pb__kill_request__descriptor };
  ProtobufCMessage *message
      = protobuf_c_message_unpack (messages[(guint8) request->method[0] % G_N_ELEMENTS (messages)],
                                   NULL, request->payload.len, request->payload.data);
  DnLogUri uri = { 0 };

  if (message == NULL)
    return;
  if (message->descriptor == &pb__create_request__descriptor
      && !dn_log_uri_read (((Pb__CreateRequest *) message)->stdout, &uri, NULL)
      && uri.kind != DN_LOG_NONE)
    abort ();
  dn_log_uri_clear (&uri);
  protobuf_c_message_free_unpacked (message, NULL);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  DnTtrpcReader reader;
  DnTtrpcHeader header;
  const guint8 *payload;
  DnTtrpcTaken taken;
  DnBootstrap bootstrap;
  size_t piece;

  if (size < 1)
    return 0;
  bootstrap = dn_bootstrap_read (data, size, "abc");
  g_free (bootstrap.socket_dir);
  piece = (size_t) data[0] * 5 + 1;
  dn_ttrpc_reader_init (&reader);
  for (size_t at = 1; at < size; at += piece)
    {
      dn_ttrpc_reader_add (&reader, data + at, MIN (piece, size - at));
      while ((taken = dn_ttrpc_reader_next (&reader, &header, &payload)) != DN_TTRPC_MORE)
        {
          Pb__Request *request
              = taken == DN_TTRPC_FRAME ? pb__request__unpack (NULL, header.length, payload) : NULL;

          if (request != NULL)
            {
              read_message (request);
              pb__request__free_unpacked (request, NULL);
            }
        }
    }
  if (reader.bytes->len > size)
    abort ();
  dn_ttrpc_reader_clear (&reader);
  return 0;
}
