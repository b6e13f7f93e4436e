/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/common/api.c launcher/common/json.c launcher/common/error.c
   launcher/base/fdpass.c */
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../launcher/common/api.h"
#include "../../launcher/common/error.h"
#include "../../launcher/common/json.h"

typedef struct
{
  int ends[2];
} Pair;

static void
set_up (Pair *pair, gconstpointer data)
{
  (void) data;
  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair->ends), ==, 0);
}

static void
tear_down (Pair *pair, gconstpointer data)
{
  (void) data;
  for (int i = 0; i < 2; i++)
    if (pair->ends[i] >= 0)
      (void) close (pair->ends[i]);
}

static void
hang_up (Pair *pair)
{
  (void) close (pair->ends[0]);
  pair->ends[0] = -1;
}

/* Sends raw bytes, as a broken or hostile client would. */
static void
send_raw (Pair *pair, guint32 length, const char *text, gsize size)
{
  guint8 bytes[64];
  guint32 header = GUINT32_TO_BE (length);

  g_assert_cmpuint (size, <=, sizeof bytes - 4);
  memcpy (bytes, &header, 4);
  memcpy (bytes + 4, text, size);
  g_assert_cmpint (write (pair->ends[0], bytes, 4 + size), ==, (gssize) (4 + size));
}

static guint
count_fds (void)
{
  g_autoptr (GDir) directory = g_dir_open ("/proc/self/fd", 0, NULL);
  guint count = 0;

  while (g_dir_read_name (directory) != NULL)
    count++;
  return count;
}

static void
test_a_message_arrives_with_its_descriptors (Pair *pair, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) sent = dn_json_parse ("{\"verb\":\"x\"}", 12, 100, "m", NULL), got = NULL;
  DnFdList out = { .fds = { 0, 1 }, .count = 2 }, in = DN_FD_LIST_INIT;
  g_autofree char *text = NULL;

  (void) data;
  g_assert_true (dn_api_send (pair->ends[0], sent, &out, &error));
  got = dn_api_receive (pair->ends[1], DN_API_REQUEST_MAX_BYTES, &in, &error);
  g_assert_no_error (error);
  text = dn_json_to_text (got, FALSE);
  g_assert_cmpstr (text, ==, "{\"verb\":\"x\"}");
  g_assert_cmpuint (in.count, ==, 2);
  for (gsize i = 0; i < in.count; i++)
    g_assert_cmpint (fcntl (in.fds[i], F_GETFD) & FD_CLOEXEC, !=, 0);
  dn_fd_list_clear (&in);
}

static void
test_unexpected_descriptors_are_closed (Pair *pair, gconstpointer data)
{
  g_autoptr (JsonNode) sent = dn_json_parse ("{}", 2, 100, "m", NULL), got = NULL;
  DnFdList out = { .fds = { 0, 1, 2 }, .count = 3 };
  guint before = count_fds ();

  (void) data;
  g_assert_true (dn_api_send (pair->ends[0], sent, &out, NULL));
  got = dn_api_receive (pair->ends[1], 100, NULL, NULL);
  g_assert_nonnull (got);
  g_assert_cmpuint (count_fds (), ==, before);
}

static void
test_the_end_of_the_stream_is_no_error (Pair *pair, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  (void) data;
  hang_up (pair);
  g_assert_null (dn_api_receive (pair->ends[1], 100, NULL, &error));
  g_assert_no_error (error);
}

static void
test_an_end_in_the_middle_is_an_error (Pair *pair, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  gsize sent = GPOINTER_TO_SIZE (data);

  send_raw (pair, 10, "{\"a\":1}   ", sent);
  hang_up (pair);
  g_assert_null (dn_api_receive (pair->ends[1], 100, NULL, &error));
  g_assert_error (error, DN_ERROR, DN_ERROR_PROTOCOL);
}

static void
test_a_length_over_the_limit_is_refused_unread (Pair *pair, gconstpointer data)
{
  static const guint32 lengths[] = { 101, 0x7fffffff, 0xffffffff };

  (void) data;
  for (guint i = 0; i < G_N_ELEMENTS (lengths); i++)
    {
      g_autoptr (GError) error = NULL;

      send_raw (pair, lengths[i], "", 0);
      g_assert_null (dn_api_receive (pair->ends[1], 100, NULL, &error));
      g_assert_error (error, DN_ERROR, DN_ERROR_PROTOCOL);
    }
}

static void
test_what_is_no_object_is_refused (Pair *pair, gconstpointer data)
{
  static const char *const texts[] = { "[]", "1", "\"{}\"", "{", "{}{}", "", "{\"a\":1,\"a\":2}" };

  (void) data;
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autoptr (GError) error = NULL;

      send_raw (pair, (guint32) strlen (texts[i]), texts[i], strlen (texts[i]));
      g_assert_null (dn_api_receive (pair->ends[1], 100, NULL, &error));
      g_assert_nonnull (error);
    }
}

static void
test_nobody_there_is_an_error_and_no_signal (Pair *pair, gconstpointer data)
{
  g_autoptr (JsonNode) sent = dn_json_parse ("{}", 2, 100, "m", NULL);
  g_autoptr (GError) error = NULL;

  (void) data;
  (void) close (pair->ends[1]);
  pair->ends[1] = -1;
  g_assert_false (dn_api_send (pair->ends[0], sent, NULL, &error));
  g_assert_error (error, DN_ERROR, DN_ERROR_FAILED);
}

static gpointer
receive_in_thread (gpointer data)
{
  return dn_api_receive (GPOINTER_TO_INT (data), DN_API_ANSWER_MAX_BYTES, NULL, NULL);
}

static void
test_a_large_message_arrives_whole (Pair *pair, gconstpointer data)
{
  g_autofree char *long_text = g_strnfill (3 * 1024 * 1024, 'x');
  g_autoptr (JsonNode) sent = json_node_new (JSON_NODE_OBJECT), got = NULL;
  GThread *reader;

  (void) data;
  json_node_take_object (sent, json_object_new ());
  json_object_set_string_member (json_node_get_object (sent), "x", long_text);
  reader = g_thread_new ("reader", receive_in_thread, GINT_TO_POINTER (pair->ends[1]));
  g_assert_true (dn_api_send (pair->ends[0], sent, NULL, NULL));
  got = g_thread_join (reader);
  g_assert_nonnull (got);
  g_assert_cmpstr (json_object_get_string_member (json_node_get_object (got), "x"), ==, long_text);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, data, function) g_test_add ("/api/" name, Pair, data, set_up, function, tear_down)
  ADD ("a-message-arrives-with-its-descriptors", NULL, test_a_message_arrives_with_its_descriptors);
  ADD ("unexpected-descriptors-are-closed", NULL, test_unexpected_descriptors_are_closed);
  ADD ("the-end-of-the-stream-is-no-error", NULL, test_the_end_of_the_stream_is_no_error);
  ADD ("an-end-after-the-length-is-an-error", GSIZE_TO_POINTER (0),
       test_an_end_in_the_middle_is_an_error);
  ADD ("an-end-in-the-middle-is-an-error", GSIZE_TO_POINTER (5),
       test_an_end_in_the_middle_is_an_error);
  ADD ("a-length-over-the-limit-is-refused-unread", NULL,
       test_a_length_over_the_limit_is_refused_unread);
  ADD ("what-is-no-object-is-refused", NULL, test_what_is_no_object_is_refused);
  ADD ("nobody-there-is-an-error-and-no-signal", NULL, test_nobody_there_is_an_error_and_no_signal);
  ADD ("a-large-message-arrives-whole", NULL, test_a_large_message_arrives_whole);
  return g_test_run ();
}
