/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/daemon/incumbent.c launcher/common/*.c launcher/base/fdpass.c */
/* Which process `danchid --end` ends, and which it leaves alone. */
#include <glib.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../launcher/common/api.h"
#include "../../launcher/common/error.h"
#include "../../launcher/common/json.h"
#include "../../launcher/daemon/incumbent.h"

/* @ is the answerer's process id. */
#define OWN_PID "{\"ok\": {\"version\": \"0.0.1\", \"pid\": @, \"of a later version\": []}}"

typedef struct
{
  char *directory; /* owned, as all */
  char *path;
  int socket;
  pid_t child;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  (void) data;
  fixture->directory = g_dir_make_tmp ("danchi-incumbent-XXXXXX", NULL);
  fixture->path = g_build_filename (fixture->directory, "danchid.sock", NULL);
  fixture->socket = -1;
  fixture->child = -1;
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  (void) data;
  if (fixture->child > 0)
    {
      (void) kill (fixture->child, SIGKILL);
      (void) waitpid (fixture->child, NULL, 0);
    }
  if (fixture->socket >= 0)
    (void) close (fixture->socket);
  (void) g_unlink (fixture->path);
  (void) g_rmdir (fixture->directory);
  g_free (fixture->path);
  g_free (fixture->directory);
}

static void
bind_and_listen (Fixture *fixture)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };

  (void) g_strlcpy (address.sun_path, fixture->path, sizeof address.sun_path);
  fixture->socket = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  g_assert_cmpint (bind (fixture->socket, (const struct sockaddr *) &address, sizeof address), ==,
                   0);
  g_assert_cmpint (listen (fixture->socket, 4), ==, 0);
}

static G_NORETURN void
answer_for_ever (Fixture *fixture, const char *pattern)
{
  g_autoptr (GString) text = g_string_new (pattern);
  g_autofree char *pid = g_strdup_printf ("%d", (int) getpid ());

  g_string_replace (text, "@", pid, 0);
  for (;;)
    {
      int client = accept (fixture->socket, NULL, NULL);
      g_autoptr (JsonNode) request = dn_api_receive (client, DN_API_REQUEST_MAX_BYTES, NULL, NULL);
      g_autoptr (JsonNode) answer = json_from_string (text->str, NULL);

      if (request != NULL)
        (void) dn_api_send (client, answer, NULL, NULL);
      (void) close (client);
    }
}

/* A process that answers as @pattern says; the socket is its own, or this process's. */
static void
start_answering (Fixture *fixture, const char *pattern, gboolean is_its_own)
{
  int ready[2];
  char byte;

  g_assert_cmpint (pipe (ready), ==, 0);
  if (!is_its_own)
    bind_and_listen (fixture);
  fixture->child = fork ();
  if (fixture->child == 0)
    {
      if (is_its_own)
        bind_and_listen (fixture);
      (void) !write (ready[1], "", 1);
      answer_for_ever (fixture, pattern);
    }
  g_assert_cmpint (read (ready[0], &byte, 1), ==, 1);
  (void) close (ready[0]);
  (void) close (ready[1]);
}

static void
assert_alive (const Fixture *fixture)
{
  g_assert_cmpint (waitpid (fixture->child, NULL, WNOHANG), ==, 0);
}

static void
test_nobody_listens (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  (void) data;
  g_assert_cmpint (dn_incumbent_end (fixture->path, &error), ==, DN_INCUMBENT_NONE);
  g_assert_no_error (error);
  /* Left by one that was killed. */
  bind_and_listen (fixture);
  (void) close (fixture->socket);
  fixture->socket = -1;
  g_assert_cmpint (dn_incumbent_end (fixture->path, &error), ==, DN_INCUMBENT_NONE);
  g_assert_no_error (error);
}

static void
test_ends_the_one_that_listens_and_waits_for_its_end (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  int status = 0;

  (void) data;
  start_answering (fixture, OWN_PID, TRUE);
  g_assert_cmpint (dn_incumbent_end (fixture->path, &error), ==, DN_INCUMBENT_ENDED);
  g_assert_no_error (error);
  g_assert_cmpint (waitpid (fixture->child, &status, WNOHANG), ==, fixture->child);
  fixture->child = -1;
  g_assert_true (WIFSIGNALED (status));
  g_assert_cmpint (WTERMSIG (status), ==, SIGTERM);
}

static void
test_leaves_alone_one_whose_socket_another_made (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  (void) data;
  start_answering (fixture, OWN_PID, FALSE);
  g_assert_cmpint (dn_incumbent_end (fixture->path, &error), ==, DN_INCUMBENT_KEPT);
  g_assert_no_error (error);
  assert_alive (fixture);
}

static void
test_leaves_alone_what_does_not_answer_as_danchid (Fixture *fixture, gconstpointer data)
{
  static const char *const answers[] = { "{\"hello\": @}", "{\"ok\": {\"pid\": \"@\"}}",
                                         "{\"ok\": {\"pid\": -@}}", "{\"ok\": @}" };

  (void) data;
  for (gsize i = 0; i < G_N_ELEMENTS (answers); i++)
    {
      g_autoptr (GError) error = NULL;

      start_answering (fixture, answers[i], TRUE);
      g_assert_cmpint (dn_incumbent_end (fixture->path, &error), ==, DN_INCUMBENT_FAILED);
      g_assert_error (error, DN_ERROR, DN_ERROR_PROTOCOL);
      assert_alive (fixture);
      (void) kill (fixture->child, SIGKILL);
      (void) waitpid (fixture->child, NULL, 0);
      fixture->child = -1;
      (void) g_unlink (fixture->path);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define TEST(name, function)                                                                       \
  g_test_add ("/incumbent/" name, Fixture, NULL, set_up, function, tear_down)
  TEST ("nobody-listens", test_nobody_listens);
  TEST ("ends-the-one-that-listens-and-waits-for-its-end",
        test_ends_the_one_that_listens_and_waits_for_its_end);
  TEST ("leaves-alone-one-whose-socket-another-made",
        test_leaves_alone_one_whose_socket_another_made);
  TEST ("leaves-alone-what-does-not-answer-as-danchid",
        test_leaves_alone_what_does_not_answer_as_danchid);
  return g_test_run ();
}
