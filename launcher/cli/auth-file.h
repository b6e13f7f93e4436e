/* SPDX-License-Identifier: Apache-2.0 */
/* The caller's credentials for one registry, from the files that podman, skopeo and docker keep.
 *
 * Read by the caller's own process with the caller's own rights; danchid opens no file for it.  Of
 * all that such a file has, one entry goes on: the one of the repository that is pulled, or else of
 * the most specific name above it (REGISTRY/a/b, REGISTRY/a, REGISTRY), in a file of memory that
 * nobody can change any more.  After the first credential was read this process leaves no core
 * file.
 *
 *     --authfile FILE, or $REGISTRY_AUTH_FILE     that one alone
 *     $XDG_RUNTIME_DIR/containers/auth.json       else the first of these that has an entry
 *     /run/containers/UID/auth.json
 *     ~/.config/containers/auth.json
 *     ~/.docker/config.json
 *
 * credHelpers and credsStore are honoured: docker-credential-NAME runs as the caller.
 *
 * Source: containers-auth.json(5); Docker's config.json and its credential helpers' protocol.
 */
#pragma once

#include <json-glib/json-glib.h>

/**
 * dn_auth_file_open:
 * @reference: what is to be pulled
 * @path: (nullable): the caller's --authfile
 *
 * Returns: a descriptor of a containers-auth.json(5) with one entry; -1 without @error where there
 * is none, with DN_ERROR_CONFIG or _FAILED where one cannot be had
 */
int dn_auth_file_open (const char *reference, const char *path, GError **error);

typedef struct
{
  char *key;    /* owned; under which the entry goes on */
  char *auth;   /* owned; base64 of USER:PASSWORD, or NULL */
  char *token;  /* owned; an identity token, or NULL */
  char *helper; /* owned; who knows it, or NULL */
  char *server; /* owned; by what name that one does */
} DnAuthEntry;

void dn_auth_entry_clear (DnAuthEntry *entry);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (DnAuthEntry, dn_auth_entry_clear)

/* Pure.  @root: of such a file; @repository: REGISTRY/a/b.  FALSE: it has nothing for it.
 * @ret_entry is taken for empty. */
gboolean dn_auth_file_find (JsonObject *root, const char *repository, DnAuthEntry *ret_entry);
