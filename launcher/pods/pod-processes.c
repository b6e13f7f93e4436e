/* SPDX-License-Identifier: Apache-2.0 */
#include "pod-processes.h"

#include <string.h>

#include "../common/error.h"

void
dn_pod_peer_clear (DnPodPeer *peer)
{
  g_clear_pointer (&peer->id, g_free);
  g_clear_pointer (&peer->name, g_free);
  g_clear_pointer (&peer->processes, g_free);
}

/* What the container itself says of whom it is to debug; or NULL. */
static const char *
wanted_name (const DnOciConfig *config)
{
  for (char **line = config->env; line != NULL && *line != NULL; line++)
    if (g_str_has_prefix (*line, DN_POD_PROCESSES_ENV "="))
      return *line + strlen (DN_POD_PROCESSES_ENV "=");
  return NULL;
}

/* Those that run, with processes of their own; "" for none. */
static char *
list_names (const GArray *peers)
{
  GString *names = g_string_new ("");

  for (guint i = 0; i < peers->len; i++)
    {
      const DnPodPeer *peer = &g_array_index (peers, DnPodPeer, i);

      if (peer->processes == NULL && peer->is_running)
        g_string_append_printf (names, "%s%s", names->len > 0 ? ", " : "", peer->name);
    }
  return g_string_free (names, FALSE);
}

/* Of those that run, with processes of their own. */
static gboolean
choose_target (const DnOciConfig *config, const GArray *peers, const char *what,
               char **ret_processes, GError **error)
{
  const char *name = wanted_name (config);
  g_autofree char *names = list_names (peers);
  const DnPodPeer *found = NULL;
  guint count = 0;

  for (guint i = 0; i < peers->len; i++)
    {
      const DnPodPeer *peer = &g_array_index (peers, DnPodPeer, i);

      if (peer->processes != NULL || !peer->is_running
          || (name != NULL && !g_str_equal (peer->name, name)))
        continue;
      found = peer;
      count++;
    }
  if (count == 1)
    {
      *ret_processes = g_strdup (found->id);
      return TRUE;
    }
  if (names[0] == '\0')
    return dn_throw (error, DN_ERROR_CONFLICT,
                     "%s: the container that it is to debug does not run any more", what);
  if (name != NULL)
    return dn_throw (error, DN_ERROR_DENIED,
                     "%s: " DN_POD_PROCESSES_ENV "=%.80s: is none of the pod's that run with "
                     "processes of their own\nthey are: %s",
                     what, name, names);
  return dn_throw (error, DN_ERROR_DENIED,
                   "%s: which container it is to debug does not reach its guest\nsay it once more "
                   "in its environment, --env=" DN_POD_PROCESSES_ENV "=NAME, with one of: %s",
                   what, names);
}

gboolean
dn_pod_processes_choose (const DnOciConfig *config, const GArray *peers, gint qemu_pid,
                         const char *what, char **ret_processes, GError **error)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/ns/pid", qemu_pid);
  gboolean is_shared = peers->len == 0;

  *ret_processes = NULL;
  if (config->pid != DN_OCI_SPACE_PATH)
    return TRUE;
  if (qemu_pid <= 0 || g_strcmp0 (config->pid_path, path) != 0)
    return dn_throw (error, DN_ERROR_DENIED,
                     "%s: hostPID: the process namespace '%.80s' is not its pod's\na pod is a "
                     "machine of its own here, and has nothing of the host's",
                     what, config->pid_path != NULL ? config->pid_path : "");
  for (guint i = 0; i < peers->len; i++)
    is_shared
        = is_shared
          || g_strcmp0 (g_array_index (peers, DnPodPeer, i).processes, DN_POD_PROCESSES_SHARED)
                 == 0;
  if (!is_shared)
    return choose_target (config, peers, what, ret_processes, error);
  *ret_processes = g_strdup (DN_POD_PROCESSES_SHARED);
  return TRUE;
}
