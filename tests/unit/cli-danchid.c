/* SPDX-License-Identifier: Apache-2.0 */
#include "cli-danchid.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../launcher/cli/cli.h"
#include "../../launcher/common/api.h"
#include "../../launcher/common/autofd.h"
#include "../../launcher/common/json.h"

struct CliDanchid
{
  char *directory; /* owned */
  char *socket;    /* owned */
  int listener;    /* owned */
  GThread *thread;
  GMutex lock;
  GQueue answers; /* of CliAnswer *, owned */
  GString *requests;
};

void
cli_danchid_be_danchi (int argc, char **argv)
{
  if (g_getenv ("DN_TEST_DANCHI") != NULL)
    exit (dn_cli_main (argc, argv));
}

static void
answer_free (CliAnswer *answer)
{
  g_free (answer->text);
  dn_fd_list_clear (&answer->fds);
  g_free (answer);
}

static CliAnswer *
take_answer (CliDanchid *danchid)
{
  CliAnswer *answer;

  g_mutex_lock (&danchid->lock);
  answer = g_queue_pop_head (&danchid->answers);
  g_mutex_unlock (&danchid->lock);
  if (answer == NULL)
    {
      answer = g_new0 (CliAnswer, 1);
      answer->text = g_strdup ("{\"error\":{\"code\":\"failed\",\"message\":\"no answer left\"}}");
    }
  return answer;
}

static void
answer_request (CliDanchid *danchid, int client)
{
  gboolean is_last = FALSE;

  while (!is_last)
    {
      CliAnswer *answer = take_answer (danchid);
      g_autoptr (JsonNode) node = json_from_string (answer->text, NULL);
      JsonObject *object = node != NULL ? json_node_get_object (node) : NULL;

      if (object == NULL)
        g_error ("no JSON object: %s", answer->text);
      is_last = json_object_has_member (object, "ok") || json_object_has_member (object, "error");
      if (!dn_api_send (client, node, &answer->fds, NULL))
        is_last = TRUE;
      answer_free (answer);
    }
}

static gpointer
serve_client (gpointer data)
{
  gpointer *pair = data;
  CliDanchid *danchid = pair[0];
  dn_autofd int client = GPOINTER_TO_INT (pair[1]);

  g_free (pair);
  for (;;)
    {
      DnFdList fds = DN_FD_LIST_INIT;
      g_autoptr (JsonNode) node = dn_api_receive (client, DN_API_REQUEST_MAX_BYTES, &fds, NULL);
      g_autofree char *text = node != NULL ? dn_json_to_text (node, FALSE) : NULL;

      if (node == NULL)
        return NULL;
      g_mutex_lock (&danchid->lock);
      g_string_append_printf (danchid->requests, "%s", text);
      for (gsize i = 0; i < fds.count; i++)
        g_string_append (danchid->requests, " +descriptor");
      g_string_append_c (danchid->requests, '\n');
      g_mutex_unlock (&danchid->lock);
      dn_fd_list_clear (&fds);
      answer_request (danchid, client);
    }
}

static gpointer
serve (gpointer data)
{
  CliDanchid *danchid = data;
  int client;

  while ((client = accept4 (danchid->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0)
    {
      gpointer *pair = g_new (gpointer, 2);

      pair[0] = danchid;
      pair[1] = GINT_TO_POINTER (client);
      g_thread_unref (g_thread_new ("client", serve_client, pair));
    }
  return NULL;
}

CliDanchid *
cli_danchid_new (void)
{
  CliDanchid *danchid = g_new0 (CliDanchid, 1);
  struct sockaddr_un address = { .sun_family = AF_UNIX };

  danchid->directory = g_dir_make_tmp ("danchi-test-XXXXXX", NULL);
  danchid->socket = g_build_filename (danchid->directory, "danchid.sock", NULL);
  g_strlcpy (address.sun_path, danchid->socket, sizeof address.sun_path);
  danchid->listener = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  g_assert_cmpint (bind (danchid->listener, (struct sockaddr *) &address, sizeof address), ==, 0);
  g_assert_cmpint (listen (danchid->listener, 16), ==, 0);
  danchid->requests = g_string_new (NULL);
  g_mutex_init (&danchid->lock);
  g_queue_init (&danchid->answers);
  danchid->thread = g_thread_new ("danchid", serve, danchid);
  return danchid;
}

void
cli_danchid_free (CliDanchid *danchid)
{
  if (danchid == NULL)
    return;
  (void) shutdown (danchid->listener, SHUT_RDWR);
  g_thread_join (danchid->thread);
  dn_fd_clear (&danchid->listener);
  /* Clients' threads end with their clients, which have been waited for; a last one may still be on
   * its way out, so what it reads stays. */
  g_usleep (20000);
  g_queue_clear_full (&danchid->answers, (GDestroyNotify) answer_free);
  g_string_free (danchid->requests, TRUE);
  (void) unlink (danchid->socket);
  (void) rmdir (danchid->directory);
  g_mutex_clear (&danchid->lock);
  g_free (danchid->socket);
  g_free (danchid->directory);
  g_free (danchid);
}

const char *
cli_danchid_socket (CliDanchid *danchid)
{
  return danchid->socket;
}

void
cli_danchid_add (CliDanchid *danchid, const char *text, const DnFdList *fds)
{
  CliAnswer *answer = g_new0 (CliAnswer, 1);

  answer->text = g_strdup (text);
  if (fds != NULL)
    answer->fds = *fds;
  g_mutex_lock (&danchid->lock);
  g_queue_push_tail (&danchid->answers, answer);
  g_mutex_unlock (&danchid->lock);
}

char *
cli_danchid_take_requests (CliDanchid *danchid)
{
  char *requests;

  g_mutex_lock (&danchid->lock);
  requests = g_strdup (danchid->requests->str);
  g_string_truncate (danchid->requests, 0);
  g_mutex_unlock (&danchid->lock);
  return requests;
}

void
cli_result_clear (CliResult *result)
{
  g_clear_pointer (&result->out, g_free);
  g_clear_pointer (&result->err, g_free);
}

int
cli_danchid_start (CliDanchid *danchid, char **words, const int fds[3])
{
  g_autoptr (GPtrArray) argv = g_ptr_array_new ();
  pid_t child;

  g_ptr_array_add (argv, (gpointer) "danchi");
  for (; *words != NULL; words++)
    g_ptr_array_add (argv, *words);
  g_ptr_array_add (argv, NULL);
  child = fork ();
  g_assert_cmpint (child, >=, 0);
  if (child > 0)
    return child;
  for (int i = 0; i < 3; i++)
    if (dup2 (fds[i], i) < 0)
      _exit (99);
  (void) setenv ("DN_TEST_DANCHI", "1", 1);
  (void) setenv ("DANCHI_SOCKET", danchid->socket, 1);
  (void) setenv ("TZ", "UTC", 1);
  /* Under ASan: crashes are danchi's own to handle here, as they are in use. */
  (void) setenv ("ASAN_OPTIONS", "handle_segv=0:handle_abort=0:handle_sigbus=0", 1);
  (void) unsetenv ("G_TEST_SRCDIR");
  (void) execv ("/proc/self/exe", (char **) argv->pdata);
  _exit (98);
}

static int
temporary_file (const char *text)
{
  g_autofree char *path = NULL;
  int fd = g_file_open_tmp ("danchi-test-XXXXXX", &path, NULL);

  g_assert_cmpint (fd, >=, 0);
  (void) unlink (path);
  if (text != NULL)
    g_assert_cmpint (write (fd, text, strlen (text)), ==, (ssize_t) strlen (text));
  (void) lseek (fd, 0, SEEK_SET);
  return fd;
}

static char *
read_file (int fd)
{
  off_t size = lseek (fd, 0, SEEK_END);
  char *text = g_malloc0 ((gsize) size + 1);

  g_assert_cmpint (pread (fd, text, (gsize) size, 0), ==, size);
  return text;
}

void
cli_danchid_run (CliDanchid *danchid, char **words, const char *input, CliResult *ret_result)
{
  int fds[3] = { temporary_file (input), temporary_file (NULL), temporary_file (NULL) };
  int status;
  int child = cli_danchid_start (danchid, words, fds);

  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  ret_result->out = read_file (fds[1]);
  ret_result->err = read_file (fds[2]);
  ret_result->status = WIFEXITED (status) ? WEXITSTATUS (status) : 1000 + WTERMSIG (status);
  for (int i = 0; i < 3; i++)
    (void) close (fds[i]);
}
