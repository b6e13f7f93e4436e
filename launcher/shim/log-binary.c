/* SPDX-License-Identifier: Apache-2.0 */
#include "log-binary.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "../common/autofd.h"
#include "../common/error.h"

struct DnLogBinary
{
  GPid pid;
  guint timer;
  int signal; /* that comes next */
};

static gboolean
make_pipes (int pipes[3][2], GError **error)
{
  for (gsize i = 0; i < 3; i++)
    if (pipe2 (pipes[i], O_CLOEXEC) < 0)
      return dn_throw_errno (error, "log program");
  return TRUE;
}

static gboolean
spawn (const DnLogUri *uri, const char *id, const char *name_space, int pipes[3][2], GPid *ret_pid,
       GError **error)
{
  const int sources[] = { pipes[0][0], pipes[1][0], pipes[2][1] }, targets[] = { 3, 4, 5 };
  g_autofree char *id_line = g_strconcat ("CONTAINER_ID=", id, NULL);
  g_autofree char *space_line = g_strconcat ("CONTAINER_NAMESPACE=", name_space, NULL);
  const char *const env[] = { id_line, space_line, NULL };
  g_autoptr (GPtrArray) argv = g_ptr_array_new ();
  g_autoptr (GError) local = NULL;

  g_ptr_array_add (argv, uri->path);
  for (gsize i = 0; uri->arguments[i] != NULL; i++)
    g_ptr_array_add (argv, uri->arguments[i]);
  g_ptr_array_add (argv, NULL);
  if (!g_spawn_async_with_pipes_and_fds ("/", (const char *const *) argv->pdata, env,
                                         G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL,
                                         NULL, NULL, -1, -1, -1, sources, targets, 3, ret_pid, NULL,
                                         NULL, NULL, &local))
    return dn_throw (error, DN_ERROR_FAILED, "log program '%s': %s", uri->path, local->message);
  return TRUE;
}

static gboolean
wait_ready (int fd, const char *program, GError **error)
{
  struct pollfd pollfd = { .fd = fd, .events = POLLIN };

  if (poll (&pollfd, 1, DN_LOG_BINARY_READY_MS) > 0)
    return TRUE;
  return dn_throw (error, DN_ERROR_FAILED, "log program '%s': not ready within %d s", program,
                   DN_LOG_BINARY_READY_MS / 1000);
}

DnLogBinary *
dn_log_binary_start (const DnLogUri *uri, const char *id, const char *name_space, int *ret_out,
                     int *ret_err, GError **error)
{
  int pipes[3][2] = { { -1, -1 }, { -1, -1 }, { -1, -1 } };
  DnLogBinary *binary = NULL;
  GPid pid = 0;
  gboolean is_running
      = make_pipes (pipes, error) && spawn (uri, id, name_space, pipes, &pid, error);

  dn_fd_clear (&pipes[2][1]);
  if (is_running && wait_ready (pipes[2][0], uri->path, error))
    {
      binary = g_new0 (DnLogBinary, 1);
      binary->pid = pid;
      *ret_out = g_steal_fd (&pipes[0][1]);
      *ret_err = g_steal_fd (&pipes[1][1]);
    }
  else if (is_running)
    (void) kill (pid, SIGKILL); /* its end is reaped with the shim's */
  for (gsize i = 0; i < 6; i++)
    dn_fd_clear (&pipes[i / 2][i % 2]);
  return binary;
}

static void
on_ended (GPid pid, int status, gpointer user_data)
{
  g_autofree DnLogBinary *binary = user_data;

  (void) status;
  g_spawn_close_pid (pid);
  g_clear_handle_id (&binary->timer, g_source_remove);
}

static gboolean
on_late (gpointer user_data)
{
  DnLogBinary *binary = user_data;
  gboolean is_last = binary->signal == SIGKILL;

  (void) kill (binary->pid, binary->signal);
  binary->signal = SIGKILL;
  if (!is_last)
    return G_SOURCE_CONTINUE;
  binary->timer = 0;
  return G_SOURCE_REMOVE;
}

void
dn_log_binary_end (DnLogBinary *binary)
{
  if (binary == NULL)
    return;
  binary->signal = SIGTERM;
  binary->timer = g_timeout_add_seconds (DN_LOG_BINARY_END_S, on_late, binary);
  (void) g_child_watch_add (binary->pid, on_ended, binary);
}
