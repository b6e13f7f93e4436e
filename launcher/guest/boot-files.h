/* SPDX-License-Identifier: Apache-2.0 */
/* Kernel, initramfs, firmware and guest roots where a guest's QEMU can read them.
 *
 * QEMU runs under the guest's own uid, which reaches only world-readable files: not a build tree
 * below /root.  And where libvirt confines QEMU by AppArmor, it makes no profile of a guest with a
 * disk, kernel or firmware of the system's directories, and so no guest: not what is installed
 * below /usr.  Both are copied once to STATE/boot/, under a name made of the source's identity, so
 * a rebuilt image is another file and a running guest keeps its own.  On every host: which security
 * module it has may change, and what is copied is some 30 MiB.
 *
 * Privilege: root, for the copies.
 */
#pragma once

#include "guest.h"
#include "hash-tree.h"

typedef struct
{
  char *kernel; /* owned, as all */
  char *initrd; /* NULL: none (a kernel with everything built in) */
  char *root;
  char *cmdline;   /* the kernel's, with what makes the checked root */
  char *firmware;  /* NULL: the machine's default */
  DnHashTree tree; /* what the root's blocks must be */
} DnBootFiles;

/* Whether libvirt's AppArmor driver refuses guests with a file of this path; pure.  Source: libvirt
 * 9.0, virt-aa-helper, tried by tests/unit/test-volume-labels.py. */
gboolean dn_boot_files_is_refused (const char *path);

void dn_boot_files_clear (DnBootFiles *files);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (DnBootFiles, dn_boot_files_clear)

/* Finds the files for a guest of @kind with @kernel, and copies them where needed; @has_network:
 * with the drivers that cards need.  DN_ERROR_CONFIG when one is missing or the root's hash tree is
 * that of another root, with what to build. */
gboolean dn_boot_files_find (DnGuestKind kind, DnKernel kernel, gboolean has_network,
                             DnBootFiles *ret_files, GError **error);

/* The root's digest as the guest's kernel knows it, "sha256 HEX". (transfer full) */
char *dn_boot_files_root_hash (const DnBootFiles *files);

/**
 * dn_boot_files_find_damage:
 *
 * Reads the whole root and checks it as the guest would: a few milliseconds for each megabyte.
 *
 * Returns: (transfer full): what is wrong with which file, and a hint line; NULL: nothing
 */
char *dn_boot_files_find_damage (const DnBootFiles *files);

/* The same for the installed root of @kind, for danchid's doctor; NULL too where it is missing. */
char *dn_boot_files_find_damage_of (DnGuestKind kind);

/* Removes copies that no source of today has. (transfer full) (element-type utf8): lines */
GPtrArray *dn_boot_files_sweep (void);
