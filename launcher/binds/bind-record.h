/* SPDX-License-Identifier: Apache-2.0 */
/* What danchid keeps of a container's binds: whose rights they are looked for with, and what was
 * found.
 *
 * The groups are those that the caller had when he made the container.  What he has lost since does
 * not count any more, and what he has gained since does not either (bind-owner.h).
 *
 * Pure.
 */
#pragma once

#include <json-glib/json-glib.h>

/* In the order of the container's mounts of type bind. */
typedef struct
{
  gboolean is_directory;
  guint host_uid; /* who appears as the container's user */
  guint host_gid;
  guint uid; /* as whom, in the container; since the last start */
  guint gid;
} DnBindFact;

typedef struct
{
  guint gid;      /* the maker's, with the container's owner_uid */
  GArray *groups; /* owned; guint; NULL: it has no binds */
  GArray *facts;  /* owned; DnBindFact; NULL likewise */
} DnBindRecord;

void dn_bind_record_clear (DnBindRecord *record);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (DnBindRecord, dn_bind_record_clear)

/* @ret_copy is taken for empty. */
void dn_bind_record_copy (const DnBindRecord *record, DnBindRecord *ret_copy);

/* The fact of bind @index; zeroes where none is known. */
DnBindFact dn_bind_record_fact (const DnBindRecord *record, guint index);

/* For the container's file. (transfer full): NULL where it has no binds */
JsonObject *dn_bind_record_to_json (const DnBindRecord *record);
/* DN_ERROR_CONFIG; @record is taken for empty. */
gboolean dn_bind_record_read (DnBindRecord *record, JsonObject *object, const char *what,
                              GError **error);
