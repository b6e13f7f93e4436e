/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "../common/error.h"
#include "domain-parts.h"

gboolean
dn_domain_name_is_valid (const char *text)
{
  if (text == NULL || !g_ascii_isalnum (text[0]) || strlen (text) > 63)
    return FALSE;
  for (const char *p = text; *p != '\0'; p++)
    if (!g_ascii_isalnum (*p) && strchr ("_.-", *p) == NULL)
      return FALSE;
  return TRUE;
}

gboolean
dn_domain_path_is_valid (const char *path)
{
  if (path == NULL || path[0] != '/' || strlen (path) > 1024 || strstr (path, "/../") != NULL
      || g_str_has_suffix (path, "/.."))
    return FALSE;
  /* No comma: QEMU's own option syntax would need it doubled. */
  for (const char *p = path; *p != '\0'; p++)
    if (!g_ascii_isalnum (*p) && strchr ("/_.-+@:", *p) == NULL)
      return FALSE;
  return TRUE;
}

static gboolean
serial_is_valid (const char *serial)
{
  if (serial[0] == '\0' || strlen (serial) > DN_DISK_SERIAL_BYTES)
    return FALSE;
  for (const char *p = serial; *p != '\0'; p++)
    if (!g_ascii_isalnum (*p) && strchr ("_-", *p) == NULL)
      return FALSE;
  return TRUE;
}

static gboolean
check_path (const char *what, const char *path, GError **error)
{
  if (dn_domain_path_is_valid (path))
    return TRUE;
  return dn_throw (error, DN_ERROR_CONFIG,
                   "%s '%s': not a plain absolute path\n"
                   "use letters, digits and /_.-+@: only",
                   what, path != NULL ? path : "");
}

gboolean
dn_domain_check_disk (const DnGuestDisk *disk, GError **error)
{
  if (!serial_is_valid (disk->serial))
    return dn_throw (error, DN_ERROR_CONFIG, "disk '%s': the serial number '%s' is not valid",
                     disk->path, disk->serial);
  return check_path ("disk", disk->path, error);
}

static gboolean
check_numbers (const DnDomain *domain, GError **error)
{
  if (domain->uid == 0 || domain->gid == 0)
    return dn_throw (error, DN_ERROR_CONFIG, "guest '%s': QEMU never runs as root", domain->id);
  if (domain->vcpus < 1 || domain->vcpus > 64)
    return dn_throw (error, DN_ERROR_CONFIG, "guest '%s': %u processors are not in 1 .. 64",
                     domain->id, domain->vcpus);
  if (domain->memory_bytes < 64 * MIB || domain->memory_bytes > ((guint64) 1 << 42))
    return dn_throw (error, DN_ERROR_CONFIG, "guest '%s': its memory is not in 64 MiB .. 4 TiB",
                     domain->id);
  if (domain->vsock_cid != 0 && domain->vsock_cid < 3)
    return dn_throw (error, DN_ERROR_CONFIG, "guest '%s': vsock CID %u is reserved", domain->id,
                     domain->vsock_cid);
  if (domain->spare_disks > DN_DOMAIN_SPARE_DISKS_MAX
      || (domain->disks != NULL && domain->disks->len > DN_DOMAIN_DISKS_MAX))
    return dn_throw (error, DN_ERROR_LIMIT, "guest '%s': more than %d disks or %d spare ports",
                     domain->id, DN_DOMAIN_DISKS_MAX, DN_DOMAIN_SPARE_DISKS_MAX);
  return TRUE;
}

gboolean
dn_domain_check (const DnDomain *domain, GError **error)
{
  if (!dn_domain_name_is_valid (domain->id) || !dn_domain_name_is_valid (domain->context))
    return dn_throw (error, DN_ERROR_CONFIG, "guest '%s' of context '%s': not a valid name",
                     domain->id, domain->context);
  for (guint i = 0; domain->disks != NULL && i < domain->disks->len; i++)
    if (!dn_domain_check_disk (g_ptr_array_index (domain->disks, i), error))
      return FALSE;
  return check_numbers (domain, error) && check_path ("run directory", domain->owner, error)
         && check_path ("kernel", domain->kernel, error)
         && (domain->initrd == NULL || check_path ("initramfs", domain->initrd, error))
         && (domain->firmware == NULL || check_path ("firmware", domain->firmware, error))
         && check_path ("guest root", domain->root, error)
         && check_path ("secret", domain->secret, error)
         && (domain->share == NULL || check_path ("share's socket", domain->share, error))
         && check_path ("console socket", domain->console, error)
         && check_path ("agent socket", domain->agent, error);
}
