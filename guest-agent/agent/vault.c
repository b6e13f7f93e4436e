/* SPDX-License-Identifier: Apache-2.0 */
#include "vault.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "autofd.h"
#include "secret-intake.h"

/* Beyond the files' bytes: each begins a page, and a new content lies beside the old one. */
#define TMPFS_OPTIONS "mode=0700,size=6m,nr_inodes=256"

DnVault *
dn_vault_find (DnAgent *agent, const char *id)
{
  for (DnVault *vault = agent->vaults; vault != NULL; vault = vault->next)
    if (strcmp (vault->container, id) == 0)
      return vault;
  return NULL;
}

DnVaultFile *
dn_vault_find_file (DnVault *vault, const char *name)
{
  for (size_t i = 0; i < vault->file_count; i++)
    if (strcmp (vault->file[i].name, name) == 0)
      return &vault->file[i];
  return NULL;
}

const char *
dn_vault_missing (const DnVault *vault)
{
  for (size_t i = 0; i < vault->file_count; i++)
    if (!vault->file[i].is_there)
      return vault->file[i].name;
  return NULL;
}

uint64_t
dn_vault_bytes (const DnVault *vault, const DnVaultFile *but)
{
  uint64_t bytes = 0;

  for (size_t i = 0; i < vault->file_count; i++)
    if (&vault->file[i] != but)
      bytes += vault->file[i].bytes;
  return bytes;
}

uint64_t
dn_vaults_bytes (const DnAgent *agent, const DnVaultFile *but)
{
  uint64_t bytes = 0;

  for (const DnVault *vault = agent->vaults; vault != NULL; vault = vault->next)
    bytes += dn_vault_bytes (vault, but);
  return bytes;
}

/* A tmpfs that is seen nowhere but here.  `noswap` is known from Linux 6.4 on; a guest has no swap
 * to begin with. */
static int
mount_memory (const char *path)
{
  const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;

  if (mount ("secrets", path, "tmpfs", flags, TMPFS_OPTIONS ",noswap") < 0
      && mount ("secrets", path, "tmpfs", flags, TMPFS_OPTIONS) < 0)
    return -1;
  return mount (NULL, path, NULL, MS_PRIVATE, NULL);
}

static int
open_directory (int parent, const char *name, mode_t mode)
{
  if (mkdirat (parent, name, mode) < 0)
    return -1;
  return openat (parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static int
make (DnVault *vault, const DnConfig *config)
{
  dn_autofd int top = -1;

  if (mkdir (vault->path, 0700) < 0 && errno != EEXIST)
    return -1;
  if (mount_memory (vault->path) < 0)
    return -1;
  top = open (vault->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (top < 0 || (vault->files = open_directory (top, "files", 0755)) < 0
      || (vault->pending = open_directory (top, "new", 0700)) < 0)
    return -1;
  return fchown (vault->files, config->first_uid, config->first_gid);
}

/* Overwrites a file before its pages go back to the guest's kernel. */
static void
wipe (int directory, const char *name)
{
  static const uint8_t zeroes[4096];
  dn_autofd int fd = openat (directory, name, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
  struct stat status;
  off_t left = fd >= 0 && fstat (fd, &status) == 0 ? status.st_size : 0;

  while (left > 0)
    {
      ssize_t n = write (fd, zeroes, left < (off_t) sizeof zeroes ? (size_t) left : sizeof zeroes);

      if (n <= 0)
        break;
      left -= n;
    }
  (void) unlinkat (directory, name, 0);
}

void
dn_vault_close (DnAgent *agent, DnVault *vault)
{
  if (vault == NULL)
    return;
  dn_secret_intakes_forget (agent, vault);
  for (size_t i = 0; i < vault->file_count; i++)
    if (vault->file[i].is_there)
      wipe (vault->files, vault->file[i].name);
  for (DnVault **at = &agent->vaults; *at != NULL; at = &(*at)->next)
    if (*at == vault)
      {
        *at = vault->next;
        break;
      }
  dn_fd_clear (&vault->files);
  dn_fd_clear (&vault->pending);
  /* Lazily: a child that is just being made has a copy of this mount until it changes its root. */
  (void) umount2 (vault->path, MNT_DETACH);
  (void) rmdir (vault->path);
  free (vault->path);
  free (vault);
}

static bool
has_same_files (DnVault *vault, const DnConfigMount *mount)
{
  if (vault->file_count != mount->files.count)
    return false;
  for (size_t i = 0; i < mount->files.count; i++)
    if (dn_vault_find_file (vault, mount->files.items[i]) == NULL)
      return false;
  return true;
}

/* A container that is started again may be given another range of ids than it had. */
static int
move_to_ids (DnVault *vault, const DnConfig *config)
{
  for (size_t i = 0; i < vault->file_count; i++)
    {
      const char *name = vault->file[i].name;
      struct stat status;

      if (!vault->file[i].is_there)
        continue;
      if (fstatat (vault->files, name, &status, AT_SYMLINK_NOFOLLOW) < 0
          || fchownat (vault->files, name, status.st_uid - vault->first_uid + config->first_uid,
                       status.st_gid - vault->first_gid + config->first_gid, AT_SYMLINK_NOFOLLOW)
                 < 0)
        return -1;
    }
  vault->first_uid = config->first_uid;
  vault->first_gid = config->first_gid;
  return fchown (vault->files, config->first_uid, config->first_gid);
}

DnVault *
dn_vault_open (DnAgent *agent, const char *id, const DnConfigMount *mount, const DnConfig *config,
               DnFault *fault)
{
  DnVault *vault = dn_vault_find (agent, id);

  if (vault != NULL && has_same_files (vault, mount) && move_to_ids (vault, config) == 0)
    {
      vault->has_ended = false;
      return vault;
    }
  dn_vault_close (agent, vault);
  vault = calloc (1, sizeof *vault);
  if (vault == NULL || asprintf (&vault->path, "%s/vaults/%s", agent->options.run_dir, id) < 0)
    {
      free (vault);
      (void) dn_fault_set (fault, -ENOMEM, "secrets: no memory");
      return NULL;
    }
  strcpy (vault->container, id);
  vault->files = vault->pending = -1;
  vault->first_uid = config->first_uid;
  vault->first_gid = config->first_gid;
  for (size_t i = 0; i < mount->files.count; i++)
    strcpy (vault->file[vault->file_count++].name, mount->files.items[i]);
  vault->next = agent->vaults;
  agent->vaults = vault;
  if (make (vault, config) == 0)
    return vault;
  (void) dn_fault_set_errno (fault, "secrets: make a place for them in memory");
  dn_vault_close (agent, vault);
  return NULL;
}

int
dn_vault_view (const DnVault *vault)
{
  struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV
                                         | MOUNT_ATTR_NOEXEC };
  dn_autofd int tree
      = open_tree (vault->files, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

  if (tree < 0 || mount_setattr (tree, "", AT_EMPTY_PATH, &attr, sizeof attr) < 0)
    return -1;
  return dn_fd_steal (&tree);
}

void
dn_vault_ended (DnAgent *agent, const char *id)
{
  DnVault *vault = dn_vault_find (agent, id);

  if (vault == NULL)
    return;
  vault->has_ended = true;
  if (!vault->is_kept)
    dn_vault_close (agent, vault);
}
