/* SPDX-License-Identifier: Apache-2.0 */
/* Instead of libvirt: calls of hypervisor.h that go to RUN/simulator.sock, behind which the test
 * starts guests as processes of this machine (simulator.py).  Linked, by --wrap, into the danchid
 * of the scale tests alone; everything else in it is the real one.
 *
 * A request is one packet of lines, the first of them its name; so is the answer, whose first line
 * is "ok" or "error".  After "watch" a packet comes for each domain that ends: its name.
 */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../launcher/common/autofd.h"
#include "../../launcher/common/error.h"
#include "../../launcher/common/paths.h"
#include "../../launcher/guest/hypervisor-limits.h"
#include "../../launcher/guest/hypervisor.h"
#include "../../launcher/guest/kvm-probe.h"
#include <sys/un.h>

#define PACKET_MAX_BYTES 65536

static const DnHypervisorWatch *watch;

static int
connect_simulator (GError **error)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  dn_autofd int fd = socket (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

  g_snprintf (address.sun_path, sizeof address.sun_path, "%s/simulator.sock", dn_paths ()->run);
  if (fd < 0 || connect (fd, (const struct sockaddr *) &address, sizeof address) < 0)
    {
      dn_throw (error, DN_ERROR_HYPERVISOR, "simulator: %s", g_strerror (errno));
      return -1;
    }
  return g_steal_fd (&fd);
}

/* Returns: (transfer full): the answer's lines after "ok", or NULL */
static char **
ask (const char *request, const char *argument, GError **error)
{
  dn_autofd int fd = connect_simulator (error);
  g_autofree char *packet = g_strdup_printf ("%s\n%s", request, argument);
  g_autofree char *answer = g_malloc0 (PACKET_MAX_BYTES + 1);
  g_auto (GStrv) lines = NULL;

  if (fd < 0)
    return NULL;
  if (send (fd, packet, strlen (packet), MSG_NOSIGNAL) < 0
      || recv (fd, answer, PACKET_MAX_BYTES, 0) <= 0)
    {
      dn_throw (error, DN_ERROR_HYPERVISOR, "simulator: %s: no answer", request);
      return NULL;
    }
  lines = g_strsplit (answer, "\n", -1);
  if (!g_str_equal (lines[0], "ok"))
    {
      dn_throw (error, DN_ERROR_HYPERVISOR, "simulator: %s: %s", request,
                lines[1] != NULL ? lines[1] : "refused");
      return NULL;
    }
  return g_strdupv (lines + 1);
}

static gpointer
run_watch (gpointer unused)
{
  dn_autofd int fd = connect_simulator (NULL);
  char name[256];
  ssize_t n;

  (void) unused;
  if (fd < 0 || send (fd, "watch\n", strlen ("watch\n"), MSG_NOSIGNAL) < 0)
    return NULL;
  while ((n = recv (fd, name, sizeof name - 1, 0)) > 0)
    {
      name[n] = '\0';
      watch->ended (name, "QEMU ended");
    }
  return NULL;
}

/* The calls that are taken over, so named by --wrap; of the header's types, or it does not compile.
 */
#define TAKE_OVER(name) __typeof__ (name) __wrap_##name
TAKE_OVER (dn_hypervisor_set_watch);
TAKE_OVER (dn_hypervisor_check);
TAKE_OVER (dn_hypervisor_start);
TAKE_OVER (dn_hypervisor_destroy);
TAKE_OVER (dn_hypervisor_is_active);
TAKE_OVER (dn_hypervisor_list);
TAKE_OVER (dn_hypervisor_list_machines);
TAKE_OVER (dn_hypervisor_get_versions);
TAKE_OVER (dn_hypervisor_get_security_model);
TAKE_OVER (dn_kvm_probe);

void
__wrap_dn_hypervisor_set_watch (const DnHypervisorWatch *new_watch)
{
  if (watch != NULL)
    return;
  watch = new_watch;
  g_thread_unref (g_thread_new ("simulator-events", run_watch, NULL));
}

gboolean
__wrap_dn_hypervisor_check (guint timeout_ms, GError **error)
{
  g_auto (GStrv) lines = ask ("list", "", error);

  (void) timeout_ms;
  return lines != NULL;
}

gboolean
__wrap_dn_hypervisor_start (const char *xml, guint timeout_ms, char **ret_uuid, GError **error)
{
  g_auto (GStrv) lines = ask ("start", xml, error);

  (void) timeout_ms;
  if (lines == NULL)
    return FALSE;
  *ret_uuid = g_strdup (lines[0]);
  return TRUE;
}

gboolean
__wrap_dn_hypervisor_destroy (const char *name, guint timeout_ms, GError **error)
{
  g_auto (GStrv) lines = ask ("destroy", name, error);

  (void) timeout_ms;
  return lines != NULL;
}

gboolean
__wrap_dn_hypervisor_is_active (const char *name, gboolean *ret_is_active, char **ret_uuid,
                                GError **error)
{
  g_auto (GStrv) lines = ask ("is-active", name, error);

  if (lines == NULL)
    return FALSE;
  *ret_is_active = lines[0] != NULL && lines[0][0] != '\0';
  if (ret_uuid != NULL)
    *ret_uuid = *ret_is_active ? g_strdup (lines[0]) : NULL;
  return TRUE;
}

/* A simulator serves one danchid: all domains are its own. */
GPtrArray *
__wrap_dn_hypervisor_list_machines (const char *uri, const char *owner, guint timeout_ms,
                                    GError **error)
{
  g_auto (GStrv) lines = ask ("list", "", error);
  GPtrArray *machines;

  (void) uri;
  (void) owner;
  (void) timeout_ms;
  if (lines == NULL)
    return NULL;
  machines = g_ptr_array_new_with_free_func ((GDestroyNotify) dn_hypervisor_machine_free);
  for (guint i = 0; lines[i] != NULL; i++)
    {
      g_auto (GStrv) words = g_strsplit (lines[i], " ", -1);
      DnHypervisorMachine *machine = g_new0 (DnHypervisorMachine, 1);

      if (g_strv_length (words) != 3)
        g_error ("simulator: list: '%s'", lines[i]);
      machine->name = g_strdup (words[0]);
      machine->uuid = g_strdup (words[1]);
      machine->hypervisor = g_strdup ("qemu");
      machine->pid = (gint) g_ascii_strtoll (words[2], NULL, 10);
      machine->is_ours = TRUE;
      g_ptr_array_add (machines, machine);
    }
  return machines;
}

GPtrArray *
__wrap_dn_hypervisor_list (const char *prefix, const char *uri, const char *owner, GError **error)
{
  g_autoptr (GPtrArray) machines
      = __wrap_dn_hypervisor_list_machines (uri, owner, DN_HYPERVISOR_TIMEOUT_MS, error);
  GPtrArray *names;

  if (machines == NULL)
    return NULL;
  names = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < machines->len; i++)
    {
      const DnHypervisorMachine *machine = machines->pdata[i];

      if (g_str_has_prefix (machine->name, prefix))
        g_ptr_array_add (names, g_strdup (machine->name));
    }
  return names;
}

gboolean
__wrap_dn_hypervisor_get_versions (guint timeout_ms, gulong *ret_libvirt, gulong *ret_qemu,
                                   GError **error)
{
  (void) timeout_ms;
  (void) error;
  *ret_libvirt = 9000000;
  *ret_qemu = 7002000;
  return TRUE;
}

char *
__wrap_dn_hypervisor_get_security_model (GError **error)
{
  (void) error;
  return g_strdup ("none");
}

/* A simulated guest is emulated, wherever the test runs. */
gboolean
__wrap_dn_kvm_probe (DnKvmProbeHow how, GError **error)
{
  (void) how;
  return dn_throw (error, DN_ERROR_DENIED, "KVM: a simulated hypervisor has none");
}

/* Agents as processes of this machine are in its own groups: there is nothing to limit. */
gboolean __wrap_dn_hypervisor_set_cpu (const char *name, guint64 shares, guint64 quota_us,
                                       GError **error);
gboolean __wrap_dn_hypervisor_set_memory_limit (const char *name, guint64 bytes, GError **error);

gboolean
__wrap_dn_hypervisor_set_cpu (const char *name, guint64 shares, guint64 quota_us, GError **error)
{
  (void) name;
  (void) shares;
  (void) quota_us;
  (void) error;
  return TRUE;
}

gboolean
__wrap_dn_hypervisor_set_memory_limit (const char *name, guint64 bytes, GError **error)
{
  (void) name;
  (void) bytes;
  (void) error;
  return TRUE;
}
