/* SPDX-License-Identifier: Apache-2.0 */
/* What the host's kernel says of a process, and of files, as facts.
 *
 * Names are those of protocol/verify.h where they mean the same; besides, "threads", "root"
 * ("empty" or not), "label", "cgroup", "file.NAME" ("MODE UID:GID") and for QEMU "qemu.X" from its
 * command line.  A namespace or cgroup is "own" when it is not this process's.  Ids, rights and
 * namespaces are those of each of its threads.
 *
 * Privilege: root, to look into processes of other users.
 */
#pragma once

#include "facts.h"

/* @allowed: prefixes of paths that its descriptors may lead to, ended by NULL; NULL: anywhere. */
void dn_host_facts_add_process (DnVerifyFacts *facts, gint pid, const char *const *allowed);

/* What QEMU was started with, and whether its disks are files that only root (shared ones) or only
 * @uid (its own) may change: "qemu.disk-files". */
/* @attached: files of disks that its command line does not name; ends with NULL */
void dn_host_facts_add_qemu (DnVerifyFacts *facts, gint pid, guint uid, char **attached);

/* The file of a disk that others than root or @uid may change: @path, or one that it describes.
 * (transfer full): its path, or NULL: all are protected */
char *dn_host_disk_find_unprotected (const char *path, guint uid);

/* Likewise from its arguments; pure. */
void dn_host_facts_read_qemu (DnVerifyFacts *facts, char **arguments);

void dn_host_facts_add_file (DnVerifyFacts *facts, const char *name, const char *path);
