/* SPDX-License-Identifier: Apache-2.0 */
/* The API between danchid and its clients (danchi, later the shim): JSON messages on a unix socket.
 *
 * A message is a u32 length, big endian, and that many bytes of JSON.  Descriptors travel with its
 * first byte.  A client sends a request {"verb": V, "args": {...}} and reads answers:
 *
 *     {"progress": {...}}   any number, while it takes long
 *     {"event": {...}}      any number, for verbs that follow something
 *     {"ok": {...}}         the last one, or
 *     {"error": {"code": C, "message": M, "hint": H}}
 *
 * then it may send the next request on the same connection.  Closing it gives up what it asked for
 * where that is still under way.  Verbs, arguments and answers: docs/api.md.
 *
 * The same calls serve both ends.  Blocking; a deadline comes from SO_RCVTIMEO and SO_SNDTIMEO.
 */
#pragma once

#include <json-glib/json-glib.h>

#include "../base/fdpass.h"

#define DN_API_REQUEST_MAX_BYTES (1024 * 1024)
#define DN_API_ANSWER_MAX_BYTES (64 * 1024 * 1024)
#define DN_API_SOCKET "/run/danchi/danchid.sock"

/* Sends one message.  @fds may be NULL; they stay the caller's.  DN_ERROR_FAILED when the peer is
 * gone. */
gboolean dn_api_send (int socket, JsonNode *message, const DnFdList *fds, GError **error);

/**
 * dn_api_receive:
 * @size_max: %DN_API_REQUEST_MAX_BYTES or %DN_API_ANSWER_MAX_BYTES
 * @fds: descriptors that came along are appended; NULL when none is expected, then any are closed
 *
 * Returns: (transfer full): an object; NULL without an error at the end of the stream; NULL with
 *   DN_ERROR_PROTOCOL for a broken message, DN_ERROR_FAILED for a broken socket
 */
JsonNode *dn_api_receive (int socket, gsize size_max, DnFdList *fds, GError **error);
