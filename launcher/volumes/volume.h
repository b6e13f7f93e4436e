/* SPDX-License-Identifier: Apache-2.0 */
/* A volume: what it is, its file on disk, and who has it.
 *
 *   STATE/volumes/ID/volume.json   what is below; written when made, and when it is first formatted
 *   STATE/volumes/ID/disk.raw      sparse, of the volume's size, root's; a guest's uid gets at it
 * by an ACL entry while that guest has it (../guest/guest.h)
 *
 * Whose it is: a *scope*.  Names are unique within one, and nobody sees into another.
 *
 *   tenant    of all named contexts of one tenant
 *   context   of one named context, which has no tenant
 *   user      of what one user runs without a named context; of the tenant that was said, too
 *
 * Who has it: at a time one context writable, or any number of contexts read-only.  Within a
 * context any number of containers share it, since they share a kernel and so a mount.  A context
 * has it from a container's start on until its guest has let go of the disk, which a guest may
 * refuse: then it stays that context's until the guest ends.  What is known of this is derived from
 * journals and containers when danchid starts; QEMU's lock on the file is beneath all of it.
 */
#pragma once

#include <json-glib/json-glib.h>

#include "../../protocol/protocol.h"

typedef enum
{
  DN_VOLUME_OF_USER,
  DN_VOLUME_OF_TENANT,
  DN_VOLUME_OF_CONTEXT,
} DnVolumeScopeKind;

extern const char *const dn_volume_scope_words[]; /* by DnVolumeScopeKind, ends with NULL */

typedef struct
{
  DnVolumeScopeKind kind;
  char *tenant;  /* owned; "none" where there is none */
  char *context; /* owned; of kind CONTEXT, else NULL */
  guint uid;     /* of kind USER */
} DnVolumeScope;

void dn_volume_scope_clear (DnVolumeScope *scope);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (DnVolumeScope, dn_volume_scope_clear)
void dn_volume_scope_copy (const DnVolumeScope *scope, DnVolumeScope *ret_copy);

/* Whether names of the two are one set. */
gboolean dn_volume_scope_is_same (const DnVolumeScope *one, const DnVolumeScope *other);

/* "tenant 'acme'". (transfer full) */
char *dn_volume_scope_to_words (const DnVolumeScope *scope);

/* What a context has of it. */
typedef struct
{
  char *context; /* owned */
  gboolean is_writable;
  gboolean is_attached; /* its guest has the disk */
  gboolean is_open;     /* and has mounted it, for which an encrypted one needs its key */
  GHashTable *users;    /* owned; ids of containers → their names */
} DnVolumeHolder;

typedef struct DnVolume
{
  gint ref_count;
  char id[DN_ID_BYTES + 1]; /* fixed, down to `op_lock` */
  char *name;               /* owned; of an anonymous one its id */
  DnVolumeScope scope;
  guint owner_uid; /* who made it */
  gint64 created_us;
  guint64 size_bytes;
  GHashTable *labels; /* owned; utf8 → utf8 */
  gboolean is_anonymous;
  gboolean is_encrypted;
  char *directory; /* owned */
  GMutex op_lock;  /* attaching and detaching in a guest: one at a time */
  /* Under the store's lock: */
  char *container;       /* owned; id of the one that an anonymous one goes with; or NULL */
  gboolean is_formatted; /* something may have been written to it */
  gboolean is_removed;
  GPtrArray *holders; /* owned; of DnVolumeHolder */
} DnVolume;

DnVolume *dn_volume_new (const char *directory, const char *id);
DnVolume *dn_volume_ref (DnVolume *volume);
void dn_volume_unref (DnVolume *volume);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DnVolume, dn_volume_unref)

/* (transfer full) */
char *dn_volume_disk_path (const DnVolume *volume);

/* What it is called as a guest's disk, attached in this way; and in configs of containers, which
 * is the same as when it is writable. */
void dn_volume_serial (const char *id, gboolean is_writable,
                       char ret_serial[DN_DISK_SERIAL_BYTES + 1]);

/* Of a serial number of dn_volume_serial(), whether @id is meant. */
gboolean dn_volume_has_serial (const char *id, const char *serial);

/* What its file takes on the host; 0 where it cannot be asked. */
guint64 dn_volume_used_bytes (const DnVolume *volume);

/* volume.json. (transfer full); and back: DN_ERROR_CONFIG */
JsonNode *dn_volume_print (const DnVolume *volume);
gboolean dn_volume_read (DnVolume *volume, JsonObject *object, const char *what, GError **error);

/* Who wants it. */
typedef struct
{
  const char *context;
  const char *container; /* its id */
  const char *name;      /* and name */
  gboolean is_writing;
} DnVolumeClaim;

/* Under the store's lock.  Gives the container its place among the users.  DN_ERROR_CONFLICT names
 * who is in the way. */
gboolean dn_volume_claim (DnVolume *volume, const DnVolumeClaim *claim, GError **error);

/* Likewise takes it away; a context whose guest does not have it is forgotten with its last user.
 */
void dn_volume_unclaim (DnVolume *volume, const char *context, const char *container);

/* The holder of this context, or NULL. (transfer none) */
DnVolumeHolder *dn_volume_find_holder (const DnVolume *volume, const char *context);

/* That of a guest that has it, as a danchid finds that was started anew. (transfer none) */
DnVolumeHolder *dn_volume_add_holder (DnVolume *volume, const char *context, gboolean is_writable);

/* The guest does not have it any more. */
void dn_volume_let_go (DnVolume *volume, const char *context);
