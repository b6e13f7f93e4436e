/* SPDX-License-Identifier: Apache-2.0 */
/* What a start makes before any process: choices, identity, journal entry, directory, secret, and
 * the guest's uid's access to what it needs. */
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../common/autofd.h"
#include "../common/error.h"
#include "../common/paths.h"
#include "access.h"
#include "guest-private.h"
#include "identity.h"
#include "kvm-probe.h"
#include "transport.h"

#define LIBVIRT_QEMU_DIRECTORY "/var/lib/libvirt/qemu"

static gboolean
choose_accelerator (const DnGuestPlan *plan, DnAccelerator *ret_accelerator, GError **error)
{
  g_autoptr (GError) problem = NULL;

  *ret_accelerator = DN_ACCELERATOR_KVM;
  /* Whoever has another way does not wait for a host that gave no answer before. */
  if (dn_kvm_probe (plan->allow_emulation ? DN_KVM_PROBE_QUICKLY : DN_KVM_PROBE_WAIT, &problem))
    return TRUE;
  if (!plan->allow_emulation)
    return dn_throw (error, DN_ERROR_DENIED,
                     "%s\n--allow-emulation runs it in software, for trying out: that is slow and "
                     "no security boundary",
                     problem->message);
  *ret_accelerator = DN_ACCELERATOR_TCG;
  return TRUE;
}

static gboolean
choose_transport (const DnGuestPlan *plan, DnTransport *ret_transport, GError **error)
{
  gboolean has_vsock = dn_transport_host_has_vsock ();

  if (plan->transport == DN_TRANSPORT_VSOCK && dn_paths ()->is_session)
    return dn_throw (error, DN_ERROR_CONFIG,
                     "transport vsock: not in session mode, since guests' numbers (CIDs) are the "
                     "whole host's\nuse transport = auto or serial");

  if (plan->transport == DN_TRANSPORT_VSOCK && !has_vsock)
    return dn_throw (error, DN_ERROR_CONFIG,
                     "transport vsock: this host has no /dev/vhost-vsock\n"
                     "modprobe vhost_vsock, or use transport = auto or serial");
  *ret_transport = has_vsock && plan->transport != DN_TRANSPORT_SERIAL ? DN_TRANSPORT_VSOCK
                                                                       : DN_TRANSPORT_SERIAL;
  return TRUE;
}

/* Paths that the uid will be let at; written to the journal before it is. */
static char **
list_grants (DnAccelerator accelerator)
{
  g_autoptr (GPtrArray) paths = g_ptr_array_new ();

  if (accelerator == DN_ACCELERATOR_KVM
      && !dn_access_is_open ("/dev/kvm", DN_ACCESS_READ | DN_ACCESS_WRITE))
    g_ptr_array_add (paths, g_strdup ("/dev/kvm"));
  if (g_file_test (LIBVIRT_QEMU_DIRECTORY, G_FILE_TEST_IS_DIR)
      && !dn_access_is_open (LIBVIRT_QEMU_DIRECTORY, DN_ACCESS_SEARCH))
    g_ptr_array_add (paths, g_strdup (LIBVIRT_QEMU_DIRECTORY));
  g_ptr_array_add (paths, NULL);
  return (char **) g_ptr_array_steal (paths, NULL);
}

static gboolean
grant_all (const DnJournalEntry *entry, GError **error)
{
  for (char **path = entry->grants; *path != NULL; path++)
    if (!dn_access_grant (*path, entry->uid,
                          g_str_has_prefix (*path, "/dev/") ? DN_ACCESS_READ | DN_ACCESS_WRITE
                                                            : DN_ACCESS_SEARCH,
                          error))
      return FALSE;
  return TRUE;
}

/* Takes an identity and names everything in the journal. */
static gboolean
write_entry (DnGuest *guest, const DnGuestPlan *plan, GError **error)
{
  g_autofree char *journal = dn_journal_path (guest->id);
  DnJournalEntry *entry = dn_journal_entry_new (guest->id);
  DnIdentity identity;

  guest->entry = entry;
  entry->context = g_strdup (guest->context);
  entry->hostname = g_strdup (guest->hostname);
  entry->kind = plan->kind;
  entry->memory_bytes = plan->memory_bytes;
  entry->vcpus = plan->vcpus;
  entry->spare_disks = plan->spare_disks;
  entry->has_share = plan->has_share;
  entry->limits = plan->limits;
  entry->has_balloon = plan->has_balloon;
  entry->has_card = plan->open_card != NULL;
  entry->card_group = plan->card_group;
  entry->started_us = g_get_real_time ();
  if (!dn_journal_make_directories (error) || !choose_accelerator (plan, &entry->accelerator, error)
      || !choose_transport (plan, &entry->transport, error)
      || !(plan->open_card != NULL
               ? dn_identity_take_below (plan->card_slots, journal, &identity, error)
               : dn_identity_take (journal, &identity, error)))
    return FALSE;
  entry->slot = identity.slot;
  entry->uid = identity.uid;
  entry->gid = identity.gid;
  entry->vsock_cid = entry->transport == DN_TRANSPORT_VSOCK ? identity.vsock_cid : 0;
  g_strfreev (entry->grants);
  entry->grants = list_grants (entry->accelerator);
  if (!dn_guest_write_journal (guest, error))
    {
      dn_identity_release (identity.slot, journal);
      return FALSE;
    }
  return TRUE;
}

static gboolean
write_secret (DnGuest *guest, GError **error)
{
  g_autofree char *path = g_build_filename (guest->directory, "secret", NULL);
  dn_autofd int fd = -1;

  if (getrandom (guest->secret, sizeof guest->secret, 0) != (ssize_t) sizeof guest->secret)
    return dn_throw_errno (error, "secret");
  fd = open (path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0400);
  if (fd < 0 || write (fd, guest->secret, sizeof guest->secret) != (ssize_t) sizeof guest->secret
      || fchown (fd, guest->entry->uid, guest->entry->gid) < 0)
    return dn_throw_errno (error, "secret '%s'", path);
  return TRUE;
}

/* 0711: QEMU's uid passes through to the few files that are its own, and lists nothing. */
static gboolean
make_directory (DnGuest *guest, GError **error)
{
  g_autofree char *parent = g_path_get_dirname (guest->directory);
  g_autofree char *file = g_build_filename (guest->directory, "secret", NULL);
  g_autofree char *top = g_strdup (dn_paths ()->run);

  if (g_mkdir_with_parents (parent, 0711) < 0 || chmod (parent, 0711) < 0
      || g_mkdir (guest->directory, 0711) < 0 || chmod (guest->directory, 0711) < 0)
    return dn_throw_errno (error, "directory '%s'", guest->directory);
  if (!dn_access_is_open (top, DN_ACCESS_SEARCH) || !dn_access_is_open (parent, DN_ACCESS_SEARCH))
    return dn_throw (error, DN_ERROR_CONFIG,
                     "directory '%s': guests' own uids cannot pass through it\nchmod o+x '%s' '%s'",
                     top, top, parent);
  return write_secret (guest, error);
}

/* Writable disks become the guest's; they lie in directories of root's, so the path cannot be
 * exchanged under us, and O_NOFOLLOW keeps to what danchid made. */
static gboolean
give_disks (const DnGuest *guest, const DnGuestPlan *plan, GError **error)
{
  for (guint i = 0; i < plan->disks->len; i++)
    {
      const DnGuestDisk *disk = g_ptr_array_index (plan->disks, i);
      dn_autofd int fd = -1;

      if (disk->is_readonly)
        continue;
      fd = open (disk->path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
      if (fd < 0 || fchown (fd, guest->entry->uid, guest->entry->gid) < 0)
        return dn_throw_errno (error, "disk '%s'", disk->path);
    }
  return TRUE;
}

gboolean
dn_guest_prepare (DnGuest *guest, const DnGuestPlan *plan, GError **error)
{
  return write_entry (guest, plan, error) && make_directory (guest, error)
         && give_disks (guest, plan, error) && grant_all (guest->entry, error)
         && dn_guest_start_share (guest, plan, error)
         && (plan->open_card == NULL
             || plan->open_card (guest->entry->slot, plan->card_data, error));
}
