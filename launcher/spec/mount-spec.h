/* SPDX-License-Identifier: Apache-2.0 */
/* What a container is to have mounted beside its root, as -v and --mount ask for it.
 *
 *     NAME:/path[:OPTION,...]             a named volume, made where there is none of that name
 *     /path                               an anonymous volume
 *     /on/the/host:/path[:OPTION,...]     a directory or file of the host's: a bind
 *     type=volume,source=NAME,target=/path[,KEY[=VALUE]...]
 *     type=bind,source=/on/the/host,target=/path[,...]
 *     type=tmpfs,target=/path[,tmpfs-size=64m,tmpfs-mode=1777,...]
 *
 * Both forms stand in one list: of ':', '/', '=' and ',', the first that a text has tells which it
 * is, since neither a name nor an absolute path begins with a word before '=' or ','.
 *
 * Options of -v: ro rw exec noexec nosuid nodev, and of a volume nocopy and size=N.  Every mount is
 * nosuid and nodev, so those two change nothing and their opposites are refused.  What is not said:
 * a volume can be written, and programs on it executed, as with Docker; a bind is ro and noexec.
 *
 * Refused by name: "." and ".." and doubled slashes in paths, control characters, "/" and all that
 * Danchi or the host's kernel fills (/proc, /sys, /dev) on either side, one path given twice, and
 * options that are not known: nothing is ignored.
 *
 * Pure.  Source: docker-run(1), --volume and --mount.
 */
#pragma once

#include <glib.h>

#include "../../protocol/protocol.h"

#define DN_MOUNT_SPECS_MAX 32 /* in one container */

typedef enum
{
  DN_MOUNT_VOLUME,
  DN_MOUNT_BIND,
  DN_MOUNT_TMPFS,
} DnMountKind;

/* By DnMountKind: "volume", "bind", "tmpfs"; ends with NULL. */
extern const char *const dn_mount_kind_words[];

typedef struct
{
  DnMountKind kind;
  /* Owned; absolute and plain, without a slash at the end. */
  char *target;
  /* Owned; of a volume its name, NULL for an anonymous one; of a bind a path of the host's, plain
   * as `target`; NULL for a tmpfs. */
  char *source;
  gboolean is_readonly;
  gboolean is_executable; /* else noexec */
  /* Of a volume: */
  char id[DN_ID_BYTES + 1]; /* which one it is, once danchid knows; else "" */
  gboolean is_not_filled;   /* nocopy: an empty one does not get what the image has at `target` */
  gint64 size_bytes;        /* of one that is made for this; 0: the host's default */
  /* Of a tmpfs: */
  char *tmpfs; /* owned; as --tmpfs takes it: tmpfs.h */
} DnMountSpec;

/* One text of either form.  DN_ERROR_USAGE, naming it.  (transfer full) */
DnMountSpec *dn_mount_spec_parse (const char *text, GError **error);

void dn_mount_spec_free (DnMountSpec *spec);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DnMountSpec, dn_mount_spec_free)

/* The text of a volume's, by key and value, which dn_mount_spec_parse() reads again; with its id
 * where that is known.  (transfer full) */
char *dn_mount_spec_to_text (const DnMountSpec *spec);

/* What the agent calls the volume: 'v' and the beginning of its id. */
void dn_mount_volume_name (const char *id, char ret_name[DN_DISK_SERIAL_BYTES + 1]);

/**
 * dn_mount_specs_parse:
 * @texts: may be NULL
 * @tmpfs: those of --tmpfs, whose paths count too; may be NULL
 *
 * Reads all of a container's.  DN_ERROR_USAGE, also for a path that two of them name and for more
 * than %DN_MOUNT_SPECS_MAX.
 *
 * Returns: (transfer full) (element-type DnMountSpec): in their order; NULL with @error
 */
GPtrArray *dn_mount_specs_parse (char **texts, char **tmpfs, GError **error);
