/* SPDX-License-Identifier: Apache-2.0 */
/* A container's secrets and configuration files: a tmpfs of its own that the agent writes and the
 * container reads.
 *
 *     {"destination": "/run/secrets", "type": "secrets", "options": ["noexec"],
 *      "files": ["password", "app.conf"], "links": ["app.conf /etc/app.conf"]}
 *
 *     RUN/vaults/ID/files/NAME    what the container sees at `destination`, through a mount of its
 *                                 own that is read-only, nosuid, nodev and noexec
 *     RUN/vaults/ID/new/          where a content lies until it is whole
 *
 * A new content takes the place of an old one by rename(2): whoever opens the file has the one or
 * the other.  That is why the directory is mounted and not each file, and why a file that is to be
 * elsewhere is a link there: `links` has the file's name, a blank, and where (child-secrets.c).
 *
 * The vault is made by CREATE and filled by SECRETs; START is refused while a file has no content.
 * It goes when the container's first process has ended, with what it held overwritten first; or, if
 * SECRET_KEEP asked for it, stays for the next CREATE of that id.  With the guest it goes in any
 * case: it has no other home than its memory, and a guest has no swap (`noswap` where the kernel
 * knows it).
 *
 * Bounds: of each file, of a container's, of their number (protocol.h), and of all of the guest's
 * together, since their pages are charged to no container.
 *
 * Privilege: CAP_SYS_ADMIN in the guest; files are made by descriptor in a directory that no
 * container can write to.
 */
#pragma once

#include "agent.h"
#include "config.h"

/* Of all vaults, at most: this, and this share of the guest's memory. */
#define DN_VAULTS_TOTAL_BYTES (16 * 1024 * 1024)
#define DN_VAULTS_MEMORY_SHARE 8

typedef struct
{
  char name[DN_SECRET_NAME_BYTES + 1];
  bool is_there;
  uint32_t bytes;
  uint64_t updated_ns; /* since 1970, the guest's clock */
} DnVaultFile;

typedef struct DnVault
{
  struct DnVault *next;
  char container[DN_ID_BYTES + 1];
  char *path;  /* owned */
  int files;   /* directories' descriptors */
  int pending; /* new/ */
  DnVaultFile file[DN_SECRETS_MAX];
  size_t file_count;
  uint32_t first_uid; /* of the range of ids that its files belong to */
  uint32_t first_gid;
  bool is_kept;   /* when the container ends */
  bool has_ended; /* it did */
} DnVault;

/**
 * dn_vault_open:
 * @mount: of type secrets
 *
 * The vault of container @id: the one that was kept, if it has the same files, or a new one.
 *
 * Returns: a vault of the agent's, or NULL with @fault
 */
DnVault *dn_vault_open (DnAgent *agent, const char *id, const DnConfigMount *mount,
                        const DnConfig *config, DnFault *fault);

DnVault *dn_vault_find (DnAgent *agent, const char *id);
DnVaultFile *dn_vault_find_file (DnVault *vault, const char *name);

/* A detached mount of its files for the container; -1 with errno. */
int dn_vault_view (const DnVault *vault);

/* The name of a file without a content, or NULL. */
const char *dn_vault_missing (const DnVault *vault);

/* How many bytes @vault's files, or those of all vaults, have besides @but (may be NULL). */
uint64_t dn_vault_bytes (const DnVault *vault, const DnVaultFile *but);
uint64_t dn_vaults_bytes (const DnAgent *agent, const DnVaultFile *but);

/* The container's first process has ended, or it is gone: zeroes and forgets what is not kept. */
void dn_vault_ended (DnAgent *agent, const char *id);

void dn_vault_close (DnAgent *agent, DnVault *vault);
