/* SPDX-License-Identifier: Apache-2.0 */
#include "api.h"

#include <errno.h>
#include <string.h>

#include "error.h"
#include "json.h"

#define LENGTH_BYTES 4

static gboolean
send_all (int socket, const void *bytes, gsize size, const DnFdList *fds, GError **error)
{
  const guint8 *at = bytes;

  while (size > 0)
    {
      ssize_t n = dn_fdpass_send (socket, at, size, fds);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return dn_throw_errno (error, "sending to the other side");
      fds = NULL;
      at += n;
      size -= (gsize) n;
    }
  return TRUE;
}

gboolean
dn_api_send (int socket, JsonNode *message, const DnFdList *fds, GError **error)
{
  g_autofree char *text = dn_json_to_text (message, FALSE);
  gsize size = strlen (text);
  g_autofree guint8 *frame = NULL;
  guint32 length;

  if (size > DN_API_ANSWER_MAX_BYTES)
    return dn_throw (error, DN_ERROR_LIMIT, "message of %" G_GSIZE_FORMAT " bytes: too large",
                     size);
  length = GUINT32_TO_BE ((guint32) size);
  frame = g_malloc (LENGTH_BYTES + size);
  memcpy (frame, &length, LENGTH_BYTES);
  memcpy (frame + LENGTH_BYTES, text, size);
  return send_all (socket, frame, LENGTH_BYTES + size, fds, error);
}

/* Reads exactly @size bytes.  Returns 1, 0 when the stream ended before the first, -1 with @error.
 */
static int
receive_all (int socket, void *bytes, gsize size, DnFdList *fds, GError **error)
{
  guint8 *at = bytes;
  gsize left = size;

  while (left > 0)
    {
      ssize_t n = dn_fdpass_receive (socket, at, left, fds);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        {
          dn_throw_errno (error, "receiving from the other side");
          return -1;
        }
      if (n == 0)
        {
          if (left == size)
            return 0;
          dn_throw (error, DN_ERROR_PROTOCOL, "the other side closed in the middle of a message");
          return -1;
        }
      at += n;
      left -= (gsize) n;
    }
  return 1;
}

JsonNode *
dn_api_receive (int socket, gsize size_max, DnFdList *fds, GError **error)
{
  DnFdList unwanted = DN_FD_LIST_INIT;
  g_autofree char *text = NULL;
  JsonNode *node = NULL;
  guint32 length;
  int r;

  r = receive_all (socket, &length, LENGTH_BYTES, fds != NULL ? fds : &unwanted, error);
  if (r <= 0)
    goto out;
  length = GUINT32_FROM_BE (length);
  if (length > size_max)
    {
      dn_throw (error, DN_ERROR_PROTOCOL, "message of %u bytes: over the limit of %" G_GSIZE_FORMAT,
                length, size_max);
      goto out;
    }
  text = g_malloc ((gsize) length + 1);
  r = receive_all (socket, text, length, fds != NULL ? fds : &unwanted, error);
  if (r == 0 && length > 0)
    dn_throw (error, DN_ERROR_PROTOCOL, "the other side closed in the middle of a message");
  if (r <= 0 && length > 0)
    goto out;
  node = dn_json_parse (text, length, size_max, "message", error);
  if (node != NULL && !JSON_NODE_HOLDS_OBJECT (node))
    {
      g_clear_pointer (&node, json_node_unref);
      dn_throw (error, DN_ERROR_PROTOCOL, "message: not an object");
    }
out:
  dn_fd_list_clear (&unwanted);
  return node;
}
