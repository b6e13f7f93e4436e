/* SPDX-License-Identifier: Apache-2.0 */
#include "pod-device.h"

#include <string.h>
#include <sys/stat.h>

#include "../common/error.h"
#include "../daemon/container-call.h"
#include "../daemon/container-end.h"
#include "../daemon/context-freeze.h"
#include "../daemon/context-guest.h"
#include "../guest/domain-xml.h"

/* Replaying a journal and mounting; an emulated guest is slow, and a disk may be. */
#define OPEN_TIMEOUT_MS 60000
/* Together less than the shim waits for a container's removal. */
#define CLOSE_TIMEOUT_MS 20000
#define DETACH_TIMEOUT_MS 10000
#define DIRECTORY "/dev/"

const char *
dn_pod_device_serial (const DnContainer *container, char ret_serial[DN_DISK_SERIAL_BYTES + 1])
{
  if (container->pod->device == NULL)
    return NULL;
  (void) g_snprintf (ret_serial, DN_DISK_SERIAL_BYTES + 1, "%c%s",
                     container->pod->is_device_readonly ? DN_GUEST_DEVICE_READONLY
                                                        : DN_GUEST_DEVICE_WRITABLE,
                     container->id);
  return ret_serial;
}

gboolean
dn_pod_device_check (const DnPodMember *member, GError **error)
{
  struct stat status;

  if (member->device == NULL)
    return TRUE;
  if (!g_str_has_prefix (member->device, DIRECTORY) || !dn_domain_path_is_valid (member->device))
    return dn_throw (error, DN_ERROR_USAGE,
                     "container '%s': root_device: is no plain path in " DIRECTORY, member->id);
  /* No symbolic link: what is looked at, let in and attached is one and the same node. */
  if (lstat (member->device, &status) < 0)
    return dn_throw_errno (error, "container '%s': root_device '%s'", member->id, member->device);
  return S_ISBLK (status.st_mode)
         || dn_throw (error, DN_ERROR_USAGE, "container '%s': root_device '%s': is no block device",
                      member->id, member->device);
}

static gboolean
is_attached (DnGuest *guest, const char *serial)
{
  g_autoptr (GPtrArray) serials = dn_guest_list_serials (guest);

  return g_ptr_array_find_with_equal_func (serials, serial, g_str_equal, NULL);
}

static gboolean
call_open (DnGuest *guest, const char *serial, GError **error)
{
  DnMsgVolumeOpen message
      = { .name = "root",
          .flags
          = DN_VOLUME_FOREIGN | (serial[0] == DN_GUEST_DEVICE_READONLY ? DN_VOLUME_READONLY : 0) };

  g_strlcpy (message.volume, serial, sizeof message.volume);
  g_strlcpy (message.disk, serial, sizeof message.disk);
  return dn_container_call (guest, DN_MSG_VOLUME_OPEN, &message,
                            (DnPackFunc) dn_msg_volume_open_pack, OPEN_TIMEOUT_MS, error);
}

gboolean
dn_pod_device_enter (DnContainer *container, DnGuest *guest, GError **error)
{
  const char *device = container->pod->device;
  char serial[DN_DISK_SERIAL_BYTES + 1];

  (void) dn_pod_device_serial (container, serial);
  /* Left by a danchid that ended before it could use it. */
  if ((is_attached (guest, serial) || dn_guest_attach_device (guest, device, serial, error))
      && call_open (guest, serial, error))
    return TRUE;
  g_prefix_error (error, "root '%s': ", device);
  return FALSE;
}

static void
close_in_guest (const DnContainer *container, DnGuest *guest, const char *serial)
{
  DnMsgVolumeClose message = { 0 };
  g_autoptr (GError) error = NULL;

  g_strlcpy (message.volume, serial, sizeof message.volume);
  if (!dn_container_call (guest, DN_MSG_VOLUME_CLOSE, &message,
                          (DnPackFunc) dn_msg_volume_close_pack, CLOSE_TIMEOUT_MS, &error))
    g_warning ("container %s: root '%s': its guest does not unmount it: %s", container->id,
               container->pod->device, error->message);
}

void
dn_pod_device_leave (DnContainer *container)
{
  DnContext *context = container->context;
  g_autoptr (DnGuest) guest = NULL;
  g_autoptr (GError) error = NULL;
  char serial[DN_DISK_SERIAL_BYTES + 1];

  (void) dn_pod_device_serial (container, serial);
  g_mutex_lock (&container->daemon->lock);
  if (context->guest != NULL)
    guest = dn_guest_ref (context->guest);
  g_mutex_unlock (&container->daemon->lock);
  if (guest == NULL || !is_attached (guest, serial))
    return;
  close_in_guest (container, guest, serial);
  if (dn_guest_detach_disk_waiting (guest, serial, DETACH_TIMEOUT_MS, &error)
      || !dn_guest_is_running (guest))
    return;
  g_warning ("container %s: root '%s': %s: its pod is ended", container->id, container->pod->device,
             error->message);
  dn_context_stop_guest (context, 0, "its guest did not let go of a container's root");
}

/* With op_lock held.  Whether it has ended, if need be by force. */
static gboolean
make_end (DnContainer *container)
{
  g_autoptr (GError) error = NULL;
  gboolean is_over;

  g_mutex_lock (&container->daemon->lock);
  is_over = !container->in_guest || container->state == DN_CONTAINER_EXITED;
  g_mutex_unlock (&container->daemon->lock);
  if (is_over || dn_container_kill (container, &error))
    return TRUE;
  g_warning ("container %s: root '%s': what was not written of it is lost: %s", container->id,
             container->pod->device, error->message);
  return FALSE;
}

void
dn_pod_devices_leave (DnContext *context)
{
  g_autoptr (GPtrArray) containers = dn_container_list (context->daemon);
  gboolean goes_on = !dn_context_is_frozen (context);

  for (guint i = 0; goes_on && i < containers->len; i++)
    {
      DnContainer *container = containers->pdata[i];

      if (container->context != context || container->pod == NULL || container->pod->device == NULL)
        continue;
      g_mutex_lock (&container->op_lock);
      goes_on = make_end (container);
      if (goes_on)
        dn_container_leave_guest (container);
      g_mutex_unlock (&container->op_lock);
    }
}
