/* SPDX-License-Identifier: Apache-2.0 */
/* Whose volumes a caller sees, and which one a container means by a name.
 *
 * A volume of a tenant, or of a context without one, is for whoever has rights on a named context
 * of it: what RUN, INSPECT and RM are on the containers they are on the volumes.  One of a user is
 * that user's.  root has every right.
 *
 * What a caller has no right to is not there: it is not listed, takes no name, and the words that
 * say so are those for what does not exist.
 */
#pragma once

#include "../daemon/container.h"
#include "../daemon/request.h"
#include "volumes.h"

/* The one that containers of @context look for names in. */
void dn_volume_scope_of (DnContext *context, DnVolumeScope *ret_scope);

/* What `volume create` means: of a context, of a tenant, or of the caller.  Both texts may be NULL.
 * DN_ERROR_NOT_FOUND, _DENIED */
gboolean dn_volume_scope_ask (DnRequest *request, const char *context, const char *tenant,
                              DnVolumeScope *ret_scope, GError **error);

/* @text: a name, or the beginning of an id; the caller needs the verb's rights.  The caller's own
 * one goes before others of the name. (transfer full), or NULL with DN_ERROR_NOT_FOUND, _DENIED,
 * _CONFLICT */
DnVolume *dn_volume_lookup (DnRequest *request, const char *text, GError **error);

/* All that the verb's rights reach. (transfer full) (element-type DnVolume) */
GPtrArray *dn_volume_lookup_all (DnRequest *request);

typedef struct
{
  const char *name;   /* NULL: anonymous */
  guint64 size_bytes; /* 0: the host's default */
  GHashTable *labels; /* or NULL */
  gboolean is_encrypted;
  const char *container; /* id of the one that an anonymous one goes with */
  const char *context;   /* for whom it is made, for the record; or NULL */
} DnVolumeWish;

/* Makes one for the request's caller, within his limits. (transfer full), or NULL */
DnVolume *dn_volume_make (DnRequest *request, const DnVolumeScope *scope, const DnVolumeWish *wish,
                          GError **error);

/**
 * dn_volume_resolve:
 * @container: being made, not in the tables yet
 *
 * Finds the volumes that @options name, makes those that there are not yet, and writes their ids
 * into @options.  On failure the anonymous ones that were made for it are gone again; named ones
 * stay, as with Docker.
 */
gboolean dn_volume_resolve (DnRequest *request, DnContainer *container, DnContainerOptions *options,
                            GError **error);

/* Whether @volume is for containers of @context: DN_ERROR_DENIED that says whose it is. */
gboolean dn_volume_check_context (const DnVolume *volume, DnContext *context, GError **error);

/* Removes the anonymous ones that were made for @container; where @is_kept, they only stop being
 * its own. */
void dn_volume_drop_anonymous (DnDaemon *daemon, const char *container, gboolean is_kept);

/* Ids of the containers, of any state, that name the volume; names for people. (transfer full) */
GPtrArray *dn_volume_list_users (DnDaemon *daemon, const DnVolume *volume);

/* For events, and where nobody asked for it also the record. */
void dn_volume_tell (DnDaemon *daemon, const DnVolume *volume, const char *action);
