/* SPDX-License-Identifier: Apache-2.0 */
/* Links: tests/agent/agent-host.c tests/agent/memory-search.c protocol/*.c */
/* A container's secrets in the real agent: what the container sees, when they go, and that the
 * agent's own memory keeps none. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "../../protocol/secret-stream.h"
#include "agent-host.h"
#include "memory-search.h"

#define ID "5ec4e75"
#define ARGS(...) ((const char *const[]){ "probe", __VA_ARGS__, NULL })
#define MIB (1024 * 1024)

#define TWO_FILES                                                                                  \
  ",{\"destination\":\"/run/secrets\",\"type\":\"secrets\",\"files\":[\"tok\",\"app.conf\"],"      \
  "\"links\":[\"app.conf /etc/app.conf\"]}"
#define ONE_FILE ",{\"destination\":\"/run/secrets\",\"type\":\"secrets\",\"files\":[\"tok\"]}"

static guint32 next_stream = 40000;
static guint32 next_exec = 1;

static gint32
create (Host *host, const char *mounts)
{
  HostContainer container = { .id = ID, .args = ARGS ("sleep"), .mounts = mounts };

  return host_create (host, &container);
}

/* SECRET alone. */
static guint32
begin (Host *host, const char *name, guint32 mode, guint32 uid)
{
  DnMsgSecret message = { .request = host_next_request (host),
                          .stream = next_stream += DN_STREAMS_PER_PROCESS,
                          .mode = mode,
                          .uid = uid,
                          .gid = uid };
  guint8 payload[160];

  g_strlcpy (message.container, ID, sizeof message.container);
  g_strlcpy (message.name, name, sizeof message.name);
  host_send (host, DN_MSG_SECRET, 0, payload,
             (gsize) dn_msg_secret_pack (&message, payload, sizeof payload));
  return message.request;
}

/* Frames that end anywhere in a piece, as the relay's do. */
static void
send_frames (Host *host, const guint8 *bytes, gsize size)
{
  HostStream *stream = host_stream (host, next_stream);

  for (gsize at = 0; at < size && !stream->was_reset;)
    {
      gsize n = MIN (MIN (size - at, 8180), stream->credit);

      if (n == 0 && !host_pump (host, HOST_WAIT_MS))
        g_error ("no credit for the rest of a secret");
      if (n > 0)
        host_send (host, DN_MSG_DATA, next_stream, bytes + at, n);
      stream->credit -= (guint32) n;
      at += n;
    }
}

static void
send_pieces (Host *host, const void *content, gsize size, gboolean has_end)
{
  g_autoptr (GByteArray) all = g_byte_array_new ();
  guint8 header[DN_SECRET_PIECE_HEADER_BYTES];

  for (gsize at = 0; at < size;)
    {
      gsize n = MIN (size - at, 4094);

      dn_secret_encode_header (header, (guint16) n);
      g_byte_array_append (all, header, sizeof header);
      g_byte_array_append (all, (const guint8 *) content + at, (guint) n);
      at += n;
    }
  dn_secret_encode_header (header, 0);
  if (has_end)
    g_byte_array_append (all, header, sizeof header);
  send_frames (host, all->data, all->len);
  host_send (host, DN_MSG_EOF, next_stream, NULL, 0);
}

static gint32
put (Host *host, const char *name, const void *content, gsize size)
{
  guint32 request = begin (host, name, 0400, DN_SECRET_OF_USER);

  send_pieces (host, content, size, TRUE);
  return host_await_reply (host, request);
}

static gint32
keep (Host *host, gboolean is_kept)
{
  DnMsgSecretKeep message = { .request = host_next_request (host), .keep = is_kept != FALSE };
  guint8 payload[64];

  g_strlcpy (message.container, ID, sizeof message.container);
  host_send (host, DN_MSG_SECRET_KEEP, 0, payload,
             (gsize) dn_msg_secret_keep_pack (&message, payload, sizeof payload));
  return host_await_reply (host, message.request);
}

static char *
exec_output (Host *host, const char *const *args, guint32 *ret_code)
{
  guint32 number = next_exec++;
  guint32 output = host_streams (ID, number) + DN_STREAM_STDOUT;
  guint32 code;

  g_assert_cmpint (host_exec (host, ID, number, 0, args, NULL), ==, 0);
  code = host_await_exited (host, ID, number)->code;
  g_assert_true (host_await_eof (host, output));
  if (ret_code != NULL)
    *ret_code = code;
  return g_strndup ((char *) host_stream (host, output)->bytes->data,
                    host_stream (host, output)->bytes->len);
}

static void
assert_look (Host *host, const char *path, const char *expected)
{
  g_autofree char *text = exec_output (host, ARGS ("look", path), NULL);

  g_assert_cmpstr (text, ==, expected);
}

static gboolean
has_vault (Host *host)
{
  g_autofree char *path = g_build_filename (host->dir, "run", "vaults", ID, NULL);

  return g_file_test (path, G_FILE_TEST_EXISTS);
}

static guint
count_pending (Host *host)
{
  g_autofree char *path = g_build_filename (host->dir, "run", "vaults", ID, "new", NULL);
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  guint count = 0;

  g_assert_nonnull (dir);
  while (g_dir_read_name (dir) != NULL)
    count++;
  return count;
}

static void delete (Host *host)
{
  g_assert_cmpint (host_simple (host, DN_MSG_DELETE, ID), ==, 0);
  g_array_set_size (host->exited, 0);
}

static void
test_a_program_finds_its_secrets (void)
{
  Host *host = host_new ();
  g_autofree char *mounts = NULL;
  guint32 request;

  g_assert_cmpint (create (host, TWO_FILES), ==, 0);
  /* Nothing runs without what it was to have. */
  g_assert_cmpint (host_start (host, ID), ==, -ENOKEY);
  g_assert_nonnull (strstr (host->reply.message, "'tok'"));
  g_assert_cmpint (put (host, "tok", "hunter2", 7), ==, 0);
  g_assert_cmpint (host_start (host, ID), ==, -ENOKEY);
  g_assert_nonnull (strstr (host->reply.message, "'app.conf'"));
  request = begin (host, "app.conf", 0444, 0);
  send_pieces (host, "a=1", 3, TRUE);
  g_assert_cmpint (host_await_reply (host, request), ==, 0);
  g_assert_cmpint (host_start (host, ID), ==, 0);

  assert_look (host, "/run/secrets", "/run/secrets 0:493 app.conf tok \n");
  assert_look (host, "/run/secrets/tok", "/run/secrets/tok 1000:256 hunter2");
  assert_look (host, "/run/secrets/app.conf", "/run/secrets/app.conf 0:292 a=1");
  assert_look (host, "/etc/app.conf", "/etc/app.conf 0:511 a=1");
  mounts = exec_output (host, ARGS ("cat", "/proc/self/mountinfo"), NULL);
  g_assert_nonnull (strstr (mounts, " /run/secrets ro,nosuid,nodev,noexec"));
  /* Where it is written is nowhere in the container. */
  g_assert_null (strstr (mounts, "vaults"));
  delete (host);
  g_assert_false (has_vault (host));
  host_free (host);
}

static void
test_a_container_without_the_right_name_gets_none (void)
{
  Host *host = host_new ();
  guint32 request;

  g_assert_cmpint (create (host, ONE_FILE), ==, 0);
  request = begin (host, "other", 0400, DN_SECRET_OF_USER);
  g_assert_cmpint (host_await_reply (host, request), ==, -EINVAL);
  /* An id outside the container's range. */
  request = begin (host, "tok", 0400, 65536);
  g_assert_cmpint (host_await_reply (host, request), ==, -EINVAL);
  g_assert_cmpuint (count_pending (host), ==, 0);
  delete (host);
  request = begin (host, "tok", 0400, DN_SECRET_OF_USER);
  g_assert_cmpint (host_await_reply (host, request), ==, -ESRCH);
  host_free (host);
}

static void
test_refuses_mounts_that_are_none (void)
{
  static const char *const mounts[] = {
    ",{\"destination\":\"/run/secrets\",\"type\":\"secrets\"}",
    ",{\"destination\":\"/run/secrets\",\"type\":\"secrets\",\"files\":[\"..\"]}",
    ",{\"destination\":\"/run/secrets\",\"type\":\"secrets\",\"files\":[\"a/b\"]}",
    ",{\"destination\":\"/run/secrets\",\"type\":\"secrets\",\"files\":[\"a\",\"a\"]}",
    ",{\"destination\":\"/run/secrets\",\"type\":\"secrets\",\"files\":[\"a\"],"
    "\"links\":[\"b /etc/b\"]}",
    ",{\"destination\":\"/run/secrets\",\"type\":\"secrets\",\"files\":[\"a\"],"
    "\"links\":[\"a etc/b\"]}",
    ONE_FILE ONE_FILE,
  };
  Host *host = host_new ();

  for (guint i = 0; i < G_N_ELEMENTS (mounts); i++)
    g_assert_cmpint (create (host, mounts[i]), ==, -EINVAL);
  /* The image has a directory there, or a way out of itself. */
  g_assert_cmpint (create (host, ",{\"destination\":\"/run/secrets\",\"type\":\"secrets\","
                                 "\"files\":[\"a\"],\"links\":[\"a /home/app\"]}"),
                   ==, -EIO);
  g_assert_nonnull (strstr (host->reply.message, "has a directory there"));
  /* It is cleaned up after the answer; the id is free when that is over. */
  while (create (host, ONE_FILE) == -EEXIST)
    g_usleep (10000);
  g_assert_cmpint (put (host, "tok", "x", 1), ==, 0);
  delete (host);
  g_assert_false (has_vault (host));
  host_free (host);
}

static void
test_a_link_takes_the_place_of_an_images_file_and_stays_inside (void)
{
  Host *host = host_new ();

  /* data/top leads to "/", as the image sees it. */
  g_assert_cmpint (create (host, ",{\"destination\":\"/run/secrets\",\"type\":\"secrets\","
                                 "\"files\":[\"a\"],\"links\":[\"a /data/file\","
                                 "\"a /data/top/new/there\"]}"),
                   ==, 0);
  g_assert_cmpint (put (host, "a", "mine", 4), ==, 0);
  g_assert_cmpint (host_start (host, ID), ==, 0);
  assert_look (host, "/data/file", "/data/file 0:511 mine");
  assert_look (host, "/new/there", "/new/there 0:511 mine");
  g_assert_false (g_file_test ("/new/there", G_FILE_TEST_EXISTS));
  delete (host);
  host_free (host);
}

static void
test_what_has_no_end_is_no_secret (void)
{
  Host *host = host_new ();
  guint32 request;

  g_assert_cmpint (create (host, ONE_FILE), ==, 0);
  request = begin (host, "tok", 0400, DN_SECRET_OF_USER);
  send_pieces (host, "half of it", 10, FALSE);
  g_assert_cmpint (host_await_reply (host, request), ==, -EPIPE);
  g_assert_cmpuint (count_pending (host), ==, 0);
  g_assert_cmpint (host_start (host, ID), ==, -ENOKEY);
  g_assert_cmpint (put (host, "tok", "old", 3), ==, 0);
  g_assert_cmpint (host_start (host, ID), ==, 0);
  /* Nor does it take the place of what is there. */
  request = begin (host, "tok", 0400, DN_SECRET_OF_USER);
  send_pieces (host, "new, but not all", 16, FALSE);
  g_assert_cmpint (host_await_reply (host, request), ==, -EPIPE);
  assert_look (host, "/run/secrets/tok", "/run/secrets/tok 1000:256 old");
  /* Nor what goes on after it. */
  request = begin (host, "tok", 0400, DN_SECRET_OF_USER);
  send_frames (host, (const guint8 *) "\0\1x\0\0y", 6);
  g_assert_cmpint (host_await_reply (host, request), ==, -EINVAL);
  assert_look (host, "/run/secrets/tok", "/run/secrets/tok 1000:256 old");
  delete (host);
  host_free (host);
}

static void
test_a_link_that_breaks_leaves_nothing (void)
{
  Host *host = host_new ();

  g_assert_cmpint (create (host, ONE_FILE), ==, 0);
  (void) begin (host, "tok", 0400, DN_SECRET_OF_USER);
  send_frames (host, (const guint8 *) "\0\100half", 6);
  host_unlink (host);
  g_assert_true (host_link (host, host->secret));
  g_assert_cmpuint (count_pending (host), ==, 0);
  g_assert_cmpint (host_start (host, ID), ==, -ENOKEY);
  g_assert_cmpint (put (host, "tok", "", 0), ==, 0); /* an empty one is one */
  g_assert_cmpint (host_start (host, ID), ==, 0);
  assert_look (host, "/run/secrets/tok", "/run/secrets/tok 1000:256 ");
  delete (host);
  host_free (host);
}

static void
test_limits_hold (void)
{
  static const char mounts[] = ",{\"destination\":\"/run/secrets\",\"type\":\"secrets\","
                               "\"files\":[\"a\",\"b\",\"c\",\"d\",\"e\"]}";
  Host *host = host_new ();
  g_autofree guint8 *much = g_malloc0 (MIB + 1);
  g_autofree char *size = NULL;

  g_assert_cmpint (create (host, mounts), ==, 0);
  g_assert_cmpint (put (host, "a", much, MIB + 1), ==, -EFBIG);
  for (const char *name = "a\0b\0c\0d\0"; *name != '\0'; name += 2)
    g_assert_cmpint (put (host, name, much, MIB), ==, 0);
  g_assert_cmpint (put (host, "e", much, 1), ==, -EFBIG);
  /* What is replaced does not count. */
  g_assert_cmpint (put (host, "d", much, MIB - 1), ==, 0);
  g_assert_cmpint (put (host, "e", much, 1), ==, 0);
  g_assert_cmpuint (count_pending (host), ==, 0);
  delete (host);
  host_free (host);
}

static void
test_an_update_is_seen_whole (void)
{
  Host *host = host_new ();
  g_autofree guint8 *content = g_malloc (100000);
  guint32 output;
  g_autofree char *text = NULL;

  g_assert_cmpint (create (host, ONE_FILE), ==, 0);
  memset (content, 'a', 100000);
  g_assert_cmpint (put (host, "tok", content, 100000), ==, 0);
  g_assert_cmpint (host_start (host, ID), ==, 0);
  output = host_streams (ID, 1) + DN_STREAM_STDOUT;
  g_assert_cmpint (host_exec (host, ID, 1, 0, ARGS ("whole", "/run/secrets/tok", "z"), NULL), ==,
                   0);
  for (int letter = 'b'; letter <= 'z'; letter++)
    {
      g_usleep (10000);
      memset (content, letter, 100000);
      g_assert_cmpint (put (host, "tok", content, 100000), ==, 0);
    }
  g_assert_cmpuint (host_await_exited (host, ID, 1)->code, ==, 0);
  g_assert_true (host_await_eof (host, output));
  text = g_strndup ((char *) host_stream (host, output)->bytes->data,
                    host_stream (host, output)->bytes->len);
  g_test_message ("%s", text);
  next_exec = 2;
  delete (host);
  host_free (host);
  next_exec = 1;
}

static void
test_secrets_end_with_their_container (void)
{
  Host *host = host_new ();
  HostContainer container = { .id = ID, .args = ARGS ("sleep"), .mounts = ONE_FILE };

  g_assert_cmpint (host_create (host, &container), ==, 0);
  g_assert_cmpint (put (host, "tok", "hunter2", 7), ==, 0);
  g_assert_cmpint (host_start (host, ID), ==, 0);
  g_assert_true (has_vault (host));
  g_assert_cmpint (host_signal (host, ID, 0, SIGKILL, 0), ==, 0);
  (void) host_await_exited (host, ID, 0);
  /* Before DELETE, and whether or not anybody sends one. */
  g_assert_false (has_vault (host));
  delete (host);

  /* One that failed to start. */
  g_assert_cmpint (create (host, ONE_FILE), ==, 0);
  g_assert_cmpint (put (host, "tok", "hunter2", 7), ==, 0);
  delete (host);
  g_assert_false (has_vault (host));
  host_free (host);
}

static void
test_a_container_that_starts_again_keeps_what_was_asked_for (void)
{
  Host *host = host_new ();

  g_assert_cmpint (create (host, ONE_FILE), ==, 0);
  g_assert_cmpint (put (host, "tok", "hunter2", 7), ==, 0);
  g_assert_cmpint (keep (host, TRUE), ==, 0);
  g_assert_cmpint (host_start (host, ID), ==, 0);
  g_assert_cmpint (host_signal (host, ID, 0, SIGKILL, 0), ==, 0);
  (void) host_await_exited (host, ID, 0);
  delete (host);
  g_assert_true (has_vault (host));
  g_assert_cmpint (create (host, ONE_FILE), ==, 0);
  g_assert_cmpint (host_start (host, ID), ==, 0);
  assert_look (host, "/run/secrets/tok", "/run/secrets/tok 1000:256 hunter2");
  g_assert_cmpint (host_signal (host, ID, 0, SIGKILL, 0), ==, 0);
  (void) host_await_exited (host, ID, 0);
  delete (host);
  /* Other files: nothing of before. */
  g_assert_cmpint (create (host, TWO_FILES), ==, 0);
  g_assert_cmpint (host_start (host, ID), ==, -ENOKEY);
  delete (host);
  g_assert_false (has_vault (host));

  g_assert_cmpint (create (host, ONE_FILE), ==, 0);
  g_assert_cmpint (keep (host, TRUE), ==, 0);
  g_assert_cmpint (put (host, "tok", "hunter2", 7), ==, 0);
  delete (host);
  g_assert_true (has_vault (host));
  /* It is not started again after all. */
  g_assert_cmpint (keep (host, FALSE), ==, 0);
  g_assert_false (has_vault (host));
  host_free (host);
}

static gint32
put_key (Host *host, const char *name, gsize size)
{
  DnMsgKey message
      = { .request = host_next_request (host), .stream = next_stream += DN_STREAMS_PER_PROCESS };
  g_autofree guint8 *bytes = g_malloc0 (size + 1);
  guint8 payload[128];

  g_strlcpy (message.name, name, sizeof message.name);
  host_send (host, DN_MSG_KEY, 0, payload,
             (gsize) dn_msg_key_pack (&message, payload, sizeof payload));
  send_pieces (host, bytes, size, TRUE);
  return host_await_reply (host, message.request);
}

static void
test_keys_are_kept_for_their_link (void)
{
  Host *host = host_new ();

  g_assert_cmpint (put_key (host, "volume", 64), ==, 0);
  g_assert_cmpint (put_key (host, "volume", 64), ==, -EEXIST);
  g_assert_cmpint (put_key (host, "nothing", 0), ==, -EINVAL);
  g_assert_cmpint (put_key (host, "most", DN_KEY_BYTES), ==, 0);
  g_assert_cmpint (put_key (host, "more", DN_KEY_BYTES + 1), ==, -EFBIG);
  for (guint i = 2; i < DN_KEYS_MAX; i++)
    {
      g_autofree char *name = g_strdup_printf ("k%u", i);

      g_assert_cmpint (put_key (host, name, 1), ==, 0);
    }
  g_assert_cmpint (put_key (host, "another", 1), ==, -ENOSPC);
  host_unlink (host);
  g_assert_true (host_link (host, host->secret));
  g_assert_cmpint (put_key (host, "volume", 64), ==, 0);
  host_free (host);
}

/* After a delivery, and after one that was cut: the agent has nothing of it but the file. */
static void
test_the_agents_memory_keeps_none (void)
{
  Host *host = host_new ();
  g_autofree char *control = memory_random_text ();
  g_autofree char *half = NULL;
  g_autofree char *whole = NULL;
  g_autofree guint8 *long_one = g_malloc0 (300000);
  g_autofree char *process = g_strdup_printf (",\"user\":{\"uid\":1000,\"gid\":1001},\"title\":"
                                              "\"%s\"",
                                              control);
  HostContainer container
      = { .id = ID, .args = ARGS ("sleep"), .mounts = ONE_FILE, .process = process };
  guint32 request;

  g_assert_cmpint (host_create (host, &container), ==, 0);
  /* The search finds what is there: a text of the configuration. */
  g_assert_cmpuint (memory_count (host->agent_pid, control), >, 0);
  request = begin (host, "tok", 0400, DN_SECRET_OF_USER);
  half = memory_random_text ();
  send_pieces (host, half, strlen (half), FALSE);
  g_assert_cmpint (host_await_reply (host, request), ==, -EPIPE);
  g_assert_cmpuint (memory_count (host->agent_pid, half), ==, 0);
  /* Long enough that frames are moved about in the channel's buffer. */
  whole = memory_random_text ();
  for (gsize at = 0; at + strlen (whole) < 300000; at += 1000)
    memcpy (long_one + at, whole, strlen (whole));
  g_assert_cmpint (put (host, "tok", long_one, 300000), ==, 0);
  g_assert_cmpuint (memory_count (host->agent_pid, whole), ==, 0);
  g_assert_cmpint (host_start (host, ID), ==, 0);
  g_assert_cmpuint (memory_count (host->agent_pid, whole), ==, 0);
#ifndef __SANITIZE_ADDRESS__ /* it makes nothing of mlock(2) */
  g_assert_cmpuint (memory_locked_kib (host->agent_pid), >, 128);
#endif
  delete (host);
  g_assert_cmpuint (memory_count (host->agent_pid, whole), ==, 0);
  host_free (host);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  if (getuid () != 0)
    return 77;
#define TEST(name) g_test_add_func ("/secrets/" #name, test_##name)
  TEST (a_program_finds_its_secrets);
  TEST (a_container_without_the_right_name_gets_none);
  TEST (refuses_mounts_that_are_none);
  TEST (a_link_takes_the_place_of_an_images_file_and_stays_inside);
  TEST (what_has_no_end_is_no_secret);
  TEST (a_link_that_breaks_leaves_nothing);
  TEST (limits_hold);
  TEST (an_update_is_seen_whole);
  TEST (secrets_end_with_their_container);
  TEST (a_container_that_starts_again_keeps_what_was_asked_for);
  TEST (keys_are_kept_for_their_link);
  TEST (the_agents_memory_keeps_none);
  return g_test_run ();
}
