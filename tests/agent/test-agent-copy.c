/* SPDX-License-Identifier: Apache-2.0 */
/* Links: tests/agent/agent-host.c tests/agent/agent-sleeper.c protocol/*.c */
/* Files out of and into a container. */
#include <errno.h>
#include <string.h>

#include "../../protocol/copy.h"
#include "agent-sleeper.h"

static guint32
send_copy (Host *host, gboolean is_out, guint32 stream, const char *path)
{
  DnMsgCopyOut copy = { .request = host_next_request (host), .stream = stream };
  g_autofree guint8 *payload = g_malloc (8192);

  g_strlcpy (copy.container, ID, sizeof copy.container);
  g_strlcpy (copy.path, path, sizeof copy.path);
  host_send (host, is_out ? DN_MSG_COPY_OUT : DN_MSG_COPY_IN, 0, payload,
             (gsize) dn_msg_copy_out_pack (&copy, payload, 8192));
  return copy.request;
}

static int
compare_texts (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

/* The names of the entries, each with its kind, in the order of the names. */
static char *
list_copy (const GByteArray *bytes)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  GString *list = g_string_new (NULL);
  gsize at = 0;

  while (at + DN_COPY_HEADER_BYTES <= bytes->len)
    {
      DnCopyEntry entry;

      g_assert_cmpint (dn_copy_decode (bytes->data + at, &entry), ==, 0);
      at += DN_COPY_HEADER_BYTES;
      if (entry.kind == DN_COPY_END)
        break;
      g_ptr_array_add (names, g_strdup_printf ("%d:%.*s ", (int) entry.kind, entry.name_bytes,
                                               (char *) bytes->data + at));
      at += entry.name_bytes + entry.link_bytes + entry.size_bytes;
    }
  g_assert_cmpuint (at, ==, bytes->len);
  g_ptr_array_sort (names, compare_texts);
  for (guint i = 0; i < names->len; i++)
    g_string_append (list, g_ptr_array_index (names, i));
  return g_string_free (list, FALSE);
}

static void
test_copies_files_out_and_in (void)
{
  Host *host = host_new ();
  const guint8 hello[] = "hello";
  DnCopyEntry entry = { .kind = DN_COPY_FILE, .mode = 0640, .size_bytes = 5, .name_bytes = 3 };
  DnCopyEntry end = { .kind = DN_COPY_END };
  guint8 header[DN_COPY_HEADER_BYTES];
  g_autofree char *tree = NULL;
  g_autofree char *file = NULL;
  g_autofree char *read_back = NULL;
  guint32 request;

  agent_start_sleeper (host);
  request = send_copy (host, TRUE, 8, "/data");
  g_assert_true (host_await_eof (host, 8));
  g_assert_cmpint (host_await_reply (host, request), ==, 0);
  tree = list_copy (host_stream (host, 8)->bytes);
  g_assert_cmpstr (tree, ==, "1:data/file 2:data 3:data/top 3:data/up ");
  /* A link that climbs ends at the container's root. */
  request = send_copy (host, TRUE, 12, "/data/up");
  g_assert_cmpint (host_await_reply (host, request), ==, 0);
  file = g_strndup ((char *) host_stream (host, 12)->bytes->data + DN_COPY_HEADER_BYTES + 2, 9);
  g_assert_cmpstr (file, ==, "testhost\n");
  request = send_copy (host, TRUE, 16, "/nowhere");
  g_assert_cmpint (host_await_reply (host, request), ==, -ENOENT);

  request = send_copy (host, FALSE, 20, "/tmp");
  dn_copy_encode (header, &entry);
  host_send (host, DN_MSG_DATA, 20, header, sizeof header);
  host_send (host, DN_MSG_DATA, 20, "new", 3);
  host_send (host, DN_MSG_DATA, 20, hello, 5);
  dn_copy_encode (header, &end);
  host_send (host, DN_MSG_DATA, 20, header, sizeof header);
  host_send (host, DN_MSG_EOF, 20, NULL, 0);
  g_assert_cmpint (host_await_reply (host, request), ==, 0);
  read_back = agent_exec_output (host, 1, ARGS ("cat", "/tmp/new"), ",\"user\":{\"uid\":0}");
  g_assert_cmpstr (read_back, ==, "hello");
  /* Into the read-only root, and out of the directory. */
  request = send_copy (host, FALSE, 24, "/etc");
  dn_copy_encode (header, &entry);
  host_send (host, DN_MSG_DATA, 24, header, sizeof header);
  host_send (host, DN_MSG_DATA, 24, "newhello", 8);
  g_assert_cmpint (host_await_reply (host, request), ==, -EROFS);
  request = send_copy (host, FALSE, 28, "/tmp");
  host_send (host, DN_MSG_DATA, 28, header, sizeof header);
  host_send (host, DN_MSG_DATA, 28, "../hello", 8);
  g_assert_cmpint (host_await_reply (host, request), ==, -EPROTO);
  g_assert_cmpint (host_simple (host, DN_MSG_DELETE, ID), ==, 0);
  host_free (host);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  if (getuid () != 0)
    return 77;
#define TEST(name) g_test_add_func ("/agent-copy/" #name, test_##name)
  TEST (copies_files_out_and_in);
  return g_test_run ();
}
