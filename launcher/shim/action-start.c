/* SPDX-License-Identifier: Apache-2.0 */
/* Standard output and error are one pipe, which containerd reads to its end as the address: nothing
 * else may be written, and whoever stays must have closed it before. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../common/autofd.h"
#include "../common/error.h"
#include "actions.h"
#include "bootstrap.h"
#include "bundle.h"
#include "daemon-loop.h"
#include "shim-log.h"
#include "shim-socket.h"

#define INPUT_MAX_BYTES (1024 * 1024)

static GByteArray *
read_input (void)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  guint8 piece[4096];
  struct stat status;
  ssize_t n;

  /* A terminal is somebody who tries the program by hand. */
  if (fstat (STDIN_FILENO, &status) < 0 || S_ISCHR (status.st_mode))
    return g_steal_pointer (&bytes);
  while (bytes->len < INPUT_MAX_BYTES
         && ((n = read (STDIN_FILENO, piece, sizeof piece)) > 0 || (n < 0 && errno == EINTR)))
    if (n > 0)
      g_byte_array_append (bytes, piece, (guint) n);
  return g_steal_pointer (&bytes);
}

static gboolean
write_address (const char *address, GError **error)
{
  g_autoptr (GError) local = NULL;

  /* Through a file of another name: a containerd that starts at this moment reads all or nothing.
   */
  return g_file_set_contents_full ("address", address, (gssize) strlen (address),
                                   G_FILE_SET_CONTENTS_CONSISTENT, 0600, &local)
         || dn_throw (error, DN_ERROR_FAILED, "%s", local->message);
}

/* Puts @path, or /dev/null, in the place of @fd. */
static gboolean
replace_fd (int fd, const char *path, int flags)
{
  dn_autofd int file = open (path, flags | O_CLOEXEC | O_NOCTTY);

  if (file < 0)
    file = open ("/dev/null", O_RDWR | O_CLOEXEC);
  return file >= 0 && dup2 (file, fd) >= 0;
}

/* In the child: the daemon, which leaves everything of its caller's. */
static int
become_daemon (const DnShimOptions *options, const DnDaemonLoopPlan *plan, int ready)
{
  const char byte = 0;

  (void) setsid ();
  /* For reading, too: so the pipe has a reader while containerd is away, and never blocks. */
  if (!replace_fd (STDERR_FILENO, "log", O_RDWR | O_NONBLOCK)
      || !replace_fd (STDIN_FILENO, "/dev/null", O_RDONLY)
      || !replace_fd (STDOUT_FILENO, "/dev/null", O_WRONLY) || chdir ("/") < 0)
    return EXIT_FAILURE;
  dn_shim_log_start (plan->pod, options->is_debug);
  if (write (ready, &byte, 1) != 1)
    return EXIT_FAILURE;
  (void) close (ready);
  return dn_daemon_loop_run (plan);
}

/* Returns: TRUE in the caller once the daemon needs nothing of it any more; the child exits. */
static gboolean
fork_daemon (const DnShimOptions *options, const DnDaemonLoopPlan *plan, GError **error)
{
  int ready[2];
  pid_t pid;
  char byte;
  ssize_t n;

  if (pipe2 (ready, O_CLOEXEC) < 0)
    return dn_throw_errno (error, "pipe");
  pid = fork ();
  if (pid == 0)
    {
      (void) close (ready[0]);
      _exit (become_daemon (options, plan, ready[1]));
    }
  (void) close (ready[1]);
  do
    n = read (ready[0], &byte, 1);
  while (n < 0 && errno == EINTR);
  (void) close (ready[0]);
  if (pid < 0 || n != 1)
    return dn_throw (error, DN_ERROR_FAILED, "the daemon did not start");
  return TRUE;
}

static gboolean
start (const DnShimOptions *options, GBytes **ret_answer, GError **error)
{
  g_autoptr (GByteArray) input = read_input ();
  DnBootstrap bootstrap = dn_bootstrap_read (input->data, input->len, options->id);
  g_autofree char *socket_dir = bootstrap.socket_dir;
  g_autoptr (JsonNode) config = dn_bundle_read (".", error);
  g_auto (DnBundleFacts) facts = { 0 };
  g_autofree char *path = NULL, *address = NULL;
  dn_autofd int fd = -1;

  if (config == NULL
      || !dn_bundle_get_facts (json_node_get_object (config), options->id, &facts, error))
    return FALSE;
  path = dn_shim_socket_path (socket_dir != NULL ? socket_dir : DN_SHIM_SOCKET_DIRECTORY,
                              options->address, options->name_space, facts.pod);
  address = g_strconcat ("unix://", path, NULL);
  if (!dn_shim_socket_listen (path, &fd, error))
    return FALSE;
  if (fd >= 0)
    {
      const DnDaemonLoopPlan plan
          = { .socket = fd, .path = path, .name_space = options->name_space, .pod = facts.pod };

      if (!fork_daemon (options, &plan, error))
        return FALSE;
    }
  *ret_answer = dn_bootstrap_answer (&bootstrap, address);
  return write_address (address, error);
}

int
dn_action_start (const DnShimOptions *options)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) answer = NULL;

  if (!start (options, &answer, &error))
    {
      fprintf (stderr, "containerd-shim-danchi-v2: %s\n", error->message);
      return EXIT_FAILURE;
    }
  return fwrite (g_bytes_get_data (answer, NULL), 1, g_bytes_get_size (answer), stdout)
                     == g_bytes_get_size (answer)
                 && fflush (stdout) == 0
             ? EXIT_SUCCESS
             : EXIT_FAILURE;
}
