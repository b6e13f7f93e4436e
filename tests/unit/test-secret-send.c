/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/secrets/secret-send.c launcher/daemon/json-build.c launcher/common/[ej]*.c
   protocol/*.c */
/* Keys and secrets on their way from whoever has them to a guest's relay, which is the test: what
 * comes at its end, and what does not where something fails. */
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../launcher/common/error.h"
#include "../../launcher/secrets/secret-send.h"
#include "../../protocol/secret-stream.h"

/* The guest, its relay and the client. */
static struct
{
  gboolean is_relay_gone;
  gboolean is_client_gone;
  gboolean refuses; /* the agent, in the end */
  const guint8 *typed;
  gsize typed_size; /* what the client writes */
  /* What came of it. */
  guint calls;
  guint16 type;
  DnMsgKey key;
  DnMsgSecret secret;
  guint32 stream;
  char *asked;        /* owned */
  GByteArray *came;   /* owned */
  gboolean has_ended; /* with an end, and not just so */
} world;

guint32
dn_guest_take_streams (DnGuest *guest)
{
  (void) guest;
  return 4096;
}

static int relay_fd = -1;

gboolean
dn_guest_transfer_secret (DnGuest *guest, guint32 stream, int fd, GError **error)
{
  (void) guest;
  if (world.is_relay_gone)
    return dn_throw (error, DN_ERROR_GUEST, "the guest's relay is gone");
  world.stream = stream;
  relay_fd = fcntl (fd, F_DUPFD_CLOEXEC, 3);
  return TRUE;
}

gboolean
dn_request_event (DnRequest *request, JsonNode *event, const DnFdList *fds, GError **error)
{
  guint8 header[DN_SECRET_PIECE_HEADER_BYTES];

  (void) request;
  if (world.is_client_gone)
    return dn_throw (error, DN_ERROR_FAILED, "the client is gone");
  g_assert_cmpint (fds->count, ==, 1);
  world.asked = g_strdup (json_object_get_string_member (json_node_get_object (event), "secret"));
  dn_secret_encode_header (header, (guint16) world.typed_size);
  g_assert_cmpint (write (fds->fds[0], header, sizeof header), ==, sizeof header);
  g_assert_cmpint (write (fds->fds[0], world.typed, world.typed_size), ==, world.typed_size);
  dn_secret_encode_header (header, 0);
  g_assert_cmpint (write (fds->fds[0], header, sizeof header), ==, sizeof header);
  return TRUE;
}

/* As the relay and the agent read it, to its end: that it ends shows that danchid has closed what
 * it had. */
static void
read_all (void)
{
  DnSecretReader reader = { 0 };
  guint8 bytes[256];
  ssize_t n;

  while (relay_fd >= 0 && (n = read (relay_fd, bytes, sizeof bytes)) > 0)
    {
      const guint8 *at = bytes, *piece;
      gsize size = (gsize) n;
      gint64 length;

      while ((length = dn_secret_reader_next (&reader, &at, &size, &piece)) > 0)
        g_byte_array_append (world.came, piece, (guint) length);
      g_assert_cmpint (length, ==, 0);
    }
  world.has_ended = reader.has_ended;
  if (relay_fd >= 0)
    (void) close (relay_fd);
  relay_fd = -1;
}

gboolean
dn_guest_call (DnGuest *guest, DnGuestCall *call, GError **error)
{
  guint8 payload[512];
  int size = call->pack (call->message, payload, sizeof payload);

  (void) guest;
  g_assert_cmpint (size, >, 0);
  world.calls++;
  world.type = call->type;
  if (call->type == DN_MSG_KEY)
    g_assert_cmpint (dn_msg_key_unpack (payload, (gsize) size, &world.key), ==, 0);
  else
    g_assert_cmpint (dn_msg_secret_unpack (payload, (gsize) size, &world.secret), ==, 0);
  g_assert_cmpuint (call->timeout_ms, >, 0);
  g_assert_cmpuint (call->timeout_ms, <=, DN_SECRETS_TIMEOUT_US / 1000);
  if (!call->sent (call->sent_data, error))
    return FALSE;
  read_all ();
  return !world.refuses || dn_throw (error, DN_ERROR_GUEST, "the agent: no such thing");
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

typedef struct
{
  char *path; /* owned */
  int fd;
  guint fds;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  (void) data;
  memset (&world, 0, sizeof world);
  world.came = g_byte_array_new ();
  fixture->fd = g_file_open_tmp ("danchi-key-XXXXXX", &fixture->path, NULL);
  g_assert_cmpint (fixture->fd, >=, 0);
  fixture->fds = count_fds ();
}

/* What the relay was left with is closed as it closes it. */
static void
tear_down (Fixture *fixture, gconstpointer data)
{
  (void) data;
  read_all ();
  g_assert_cmpuint (count_fds (), ==, fixture->fds);
  (void) close (fixture->fd);
  (void) g_unlink (fixture->path);
  g_free (fixture->path);
  g_free (world.asked);
  g_byte_array_unref (world.came);
}

static void
fill (Fixture *fixture, gsize size)
{
  for (gsize i = 0; i < size; i++)
    {
      const guint8 byte = (guint8) (i * 7 + 1);

      g_assert_cmpint (write (fixture->fd, &byte, 1), ==, 1);
    }
}

static void
test_a_file_goes_whole_and_from_its_start (Fixture *fixture, gconstpointer data)
{
  static const gsize sizes[] = { 1, 64, DN_KEY_BYTES };
  g_autoptr (GError) error = NULL;

  (void) data;
  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      g_assert_cmpint (ftruncate (fixture->fd, 0), ==, 0);
      g_assert_cmpint (lseek (fixture->fd, 0, SEEK_SET), ==, 0);
      /* Its place is left at the end. */
      fill (fixture, sizes[i]);
      g_byte_array_set_size (world.came, 0);
      g_assert_true (dn_secret_send_key (NULL, "v0123", fixture->fd, &error));
      g_assert_no_error (error);
      g_assert_cmpint (world.type, ==, DN_MSG_KEY);
      g_assert_cmpstr (world.key.name, ==, "v0123");
      g_assert_cmpuint (world.key.stream, ==, world.stream);
      g_assert_cmpuint (world.came->len, ==, sizes[i]);
      for (guint k = 0; k < world.came->len; k++)
        g_assert_cmpuint (world.came->data[k], ==, (guint8) (k * 7 + 1));
      g_assert_true (world.has_ended);
      /* It stays the caller's, where it was. */
      g_assert_cmpint (lseek (fixture->fd, 0, SEEK_CUR), ==, (off_t) sizes[i]);
    }
}

/* The agent throws away what has no end. */
static void
assert_not_sent (DnError code, const char *words, const GError *error)
{
  g_assert_error (error, DN_ERROR, (gint) code);
  g_assert_nonnull (strstr (error->message, words));
  read_all ();
  g_assert_false (world.has_ended);
  g_assert_cmpuint (world.came->len, ==, 0);
}

static void
test_what_is_no_key_is_not_sent (Fixture *fixture, gconstpointer data)
{
  static const char long_name[] = "a-name-that-is-longer-than-that-of-any-key-of-a-guest-could-be"
                                  "-since-it-is-made-of-a-volumes-id";
  g_autoptr (GError) empty = NULL, large = NULL, directory = NULL, pipe_error = NULL, named = NULL;
  int top = open ("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC), ends[2];
  guint calls;

  (void) data;
  g_assert_false (dn_secret_send_key (NULL, "k", fixture->fd, &empty));
  assert_not_sent (DN_ERROR_LIMIT, "1 to 4096 bytes", empty);
  fill (fixture, DN_KEY_BYTES + 1);
  g_assert_false (dn_secret_send_key (NULL, "k", fixture->fd, &large));
  assert_not_sent (DN_ERROR_LIMIT, "1 to 4096 bytes", large);
  g_assert_false (dn_secret_send_key (NULL, "k", top, &directory));
  assert_not_sent (DN_ERROR_LIMIT, "must be a file", directory);
  g_assert_cmpint (pipe2 (ends, O_CLOEXEC), ==, 0);
  g_assert_cmpint (write (ends[1], "x", 1), ==, 1);
  /* Nor does anybody wait for it. */
  g_assert_false (dn_secret_send_key (NULL, "k", ends[0], &pipe_error));
  assert_not_sent (DN_ERROR_LIMIT, "must be a file", pipe_error);
  calls = world.calls;
  g_assert_false (dn_secret_send_key (NULL, long_name, fixture->fd, &named));
  assert_not_sent (DN_ERROR_LIMIT, "its name is too long", named);
  g_assert_cmpuint (world.calls, ==, calls);
  (void) close (top);
  (void) close (ends[0]);
  (void) close (ends[1]);
}

static void
test_a_file_that_may_not_be_read_is_an_error_that_says_so (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  int fd;

  (void) data;
  fill (fixture, 64);
  fd = open (fixture->path, O_WRONLY | O_CLOEXEC);
  g_assert_false (dn_secret_send_key (NULL, "k", fd, &error));
  assert_not_sent (DN_ERROR_FAILED, "it cannot be read", error);
  (void) close (fd);
}

static void
test_a_client_is_asked_by_name_and_writes_to_the_relay (Fixture *fixture, gconstpointer data)
{
  static const guint8 typed[] = "twelve bytes";
  g_autoptr (GError) error = NULL;
  DnRequest *request = (DnRequest *) fixture; /* only handed on */

  (void) data;
  world.typed = typed;
  world.typed_size = sizeof typed;
  g_assert_true (dn_secret_ask_key (NULL, request, "unlock", &error));
  g_assert_no_error (error);
  g_assert_cmpstr (world.asked, ==, "unlock");
  g_assert_cmpstr (world.key.name, ==, "unlock");
  g_assert_cmpmem (world.came->data, world.came->len, typed, sizeof typed);
  g_assert_true (world.has_ended);
}

static void
test_a_secret_goes_the_same_way_under_the_name_of_its_file (Fixture *fixture, gconstpointer data)
{
  static const guint8 typed[] = "hunter2";
  DnMsgSecret message = { .mode = 0400, .uid = 5, .gid = 6 };
  g_autoptr (GError) error = NULL;

  (void) data;
  world.typed = typed;
  world.typed_size = sizeof typed;
  g_strlcpy (message.container, "c1", sizeof message.container);
  g_strlcpy (message.name, "db-password", sizeof message.name);
  g_assert_true (dn_secret_send (NULL, (DnRequest *) fixture, "db", &message,
                                 g_get_monotonic_time () + G_USEC_PER_SEC, &error));
  g_assert_no_error (error);
  g_assert_cmpstr (world.asked, ==, "db");
  g_assert_cmpint (world.type, ==, DN_MSG_SECRET);
  g_assert_cmpstr (world.secret.name, ==, "db-password");
  g_assert_cmpuint (world.secret.stream, ==, world.stream);
  g_assert_cmpmem (world.came->data, world.came->len, typed, sizeof typed);
}

/* With the descriptors closed in each case: tear_down() counts them. */
static void
test_whoever_is_gone_leaves_nothing_half_sent (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) relay = NULL, client = NULL, agent = NULL;

  (void) data;
  fill (fixture, 64);
  world.is_relay_gone = TRUE;
  g_assert_false (dn_secret_send_key (NULL, "k", fixture->fd, &relay));
  assert_not_sent (DN_ERROR_GUEST, "relay is gone", relay);
  g_assert_null (world.asked);
  world.is_relay_gone = FALSE;
  world.is_client_gone = TRUE;
  g_assert_false (dn_secret_ask_key (NULL, (DnRequest *) fixture, "k", &client));
  assert_not_sent (DN_ERROR_FAILED, "client is gone", client);
  world.refuses = TRUE;
  g_assert_false (dn_secret_send_key (NULL, "k", fixture->fd, &agent));
  g_assert_error (agent, DN_ERROR, DN_ERROR_GUEST);
  g_assert_cmpuint (world.came->len, ==, 64);
}

#define ADD(name, func) g_test_add ("/secret-send/" name, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("a file goes whole, and from its start", test_a_file_goes_whole_and_from_its_start);
  ADD ("what is no key is not sent", test_what_is_no_key_is_not_sent);
  ADD ("a file that may not be read is an error that says so",
       test_a_file_that_may_not_be_read_is_an_error_that_says_so);
  ADD ("a client is asked by name, and writes to the relay",
       test_a_client_is_asked_by_name_and_writes_to_the_relay);
  ADD ("a secret goes the same way, under the name of its file",
       test_a_secret_goes_the_same_way_under_the_name_of_its_file);
  ADD ("whoever is gone leaves nothing half sent", test_whoever_is_gone_leaves_nothing_half_sent);
  return g_test_run ();
}
