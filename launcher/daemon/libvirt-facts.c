/* SPDX-License-Identifier: Apache-2.0 */
#include "libvirt-facts.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../guest/hypervisor.h"
#include "../guest/process.h"
#include "json-build.h"

#define ASK_TIMEOUT_MS 3000
/* After a libvirt that did not answer, it is left alone for so long. */
#define ASK_AGAIN_US (10 * G_USEC_PER_SEC)

static GMutex lock;
/* Under lock: whose versions are known, and what they are. */
static gint known_pid;
static guint64 known_start_ticks;
static char *known_version, *known_qemu_version, *known_error;
static gint64 asked_us;

void
dn_libvirt_facts_clear (DnLibvirtFacts *facts)
{
  g_clear_pointer (&facts->version, g_free);
  g_clear_pointer (&facts->qemu_version, g_free);
  g_clear_pointer (&facts->error, g_free);
}

gint
dn_libvirt_peer_of (int fd)
{
  struct sockaddr_un address = { 0 };
  socklen_t size = sizeof address - 1; /* its path ends with a NUL for certain */
  struct ucred peer = { 0 };
  socklen_t peer_size = sizeof peer;

  if (getpeername (fd, (struct sockaddr *) &address, &size) < 0 || address.sun_family != AF_UNIX
      || (!g_str_has_suffix (address.sun_path, "/libvirt-sock")
          && !g_str_has_suffix (address.sun_path, "/virtqemud-sock"))
      || getsockopt (fd, SOL_SOCKET, SO_PEERCRED, &peer, &peer_size) < 0)
    return 0;
  return peer.pid;
}

static gboolean
is_libvirt (gint pid)
{
  g_autofree char *link = g_strdup_printf ("/proc/%d/exe", pid);
  g_autofree char *path = g_file_read_link (link, NULL);
  const char *name = path != NULL ? strrchr (path, '/') : NULL;

  return name != NULL
         && (g_str_has_prefix (name, "/libvirtd") || g_str_has_prefix (name, "/virtqemud"));
}

static gint
find_by_pid_file (void)
{
  static const char *const files[] = { "/run/libvirtd.pid", "/run/virtqemud.pid" };

  for (gsize i = 0; i < G_N_ELEMENTS (files); i++)
    {
      g_autofree char *text = NULL;
      gint64 pid = g_file_get_contents (files[i], &text, NULL, NULL)
                       ? g_ascii_strtoll (text, NULL, 10)
                       : 0;

      if (pid > 0 && pid <= G_MAXINT && is_libvirt ((gint) pid))
        return (gint) pid;
    }
  return 0;
}

/* libvirt's library keeps the socket to itself, so it is looked for among all that are open: that
 * makes no connection of its own, which libvirtd would log. */
static gint
find_peer (void)
{
  g_autoptr (GDir) directory = g_dir_open ("/proc/self/fd", 0, NULL);
  const char *name;

  while (directory != NULL && (name = g_dir_read_name (directory)) != NULL)
    {
      gint pid = dn_libvirt_peer_of ((int) g_ascii_strtoll (name, NULL, 10));

      if (pid > 0)
        return is_libvirt (pid) ? pid : find_by_pid_file ();
    }
  return 0;
}

static char *
print_version (gulong version)
{
  return g_strdup_printf ("%lu.%lu.%lu", version / 1000000, version / 1000 % 1000, version % 1000);
}

/* Under the lock. */
static void
ask_versions (void)
{
  g_autoptr (GError) error = NULL;
  gulong libvirt = 0, qemu = 0;

  g_clear_pointer (&known_version, g_free);
  g_clear_pointer (&known_qemu_version, g_free);
  g_clear_pointer (&known_error, g_free);
  if (dn_hypervisor_get_versions (ASK_TIMEOUT_MS, &libvirt, &qemu, &error))
    {
      known_version = print_version (libvirt);
      known_qemu_version = print_version (qemu);
    }
  else
    known_error = g_strndup (error->message, strcspn (error->message, "\n"));
  /* Only now there is a connection for certain. */
  known_pid = find_peer ();
  known_start_ticks = known_pid != 0 ? dn_process_start_ticks (known_pid) : 0;
  asked_us = g_get_monotonic_time ();
}

void
dn_libvirt_facts_get (DnLibvirtFacts *ret_facts)
{
  gboolean is_known;

  g_mutex_lock (&lock);
  is_known = known_version != NULL && known_pid == find_peer ()
             && (known_pid == 0 || dn_process_is_alive (known_pid, known_start_ticks));
  if (!is_known && (known_error == NULL || g_get_monotonic_time () - asked_us >= ASK_AGAIN_US))
    ask_versions ();
  *ret_facts = (DnLibvirtFacts){ .pid = known_pid,
                                 .version = g_strdup (known_version),
                                 .qemu_version = g_strdup (known_qemu_version),
                                 .error = g_strdup (known_error) };
  g_mutex_unlock (&lock);
}

JsonObject *
dn_libvirt_facts_to_json (const DnLibvirtFacts *facts)
{
  JsonObject *object = json_object_new ();

  dn_json_set_text_or_null (object, "version", facts->version);
  dn_json_set_text_or_null (object, "qemu_version", facts->qemu_version);
  dn_json_set_text_or_null (object, "uri", dn_hypervisor_uri ());
  dn_json_set_text_or_null (object, "error", facts->error);
  return object;
}
