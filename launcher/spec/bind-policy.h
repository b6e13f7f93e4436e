/* SPDX-License-Identifier: Apache-2.0 */
/* Which directories and files of the host containers may be given: the key `binds` of [volumes], in
 * a context's file and in danchi.conf.
 *
 *     binds = /srv/data:ro;/srv/scratch:rw;~:rw
 *
 * Each names what may be bound, itself and all below it, and how at most: ro (also without it) or
 * rw.  "~" is the home directory of whoever makes the container; it may have a rest, "~/src:rw". Of
 * several that hold a path the one with the longest path counts.  Nothing: no binds, and then a
 * guest has no device for them either.
 *
 * This says only what the operator permits.  Whether the caller himself may read or write there is
 * the kernel's to say (launcher/share/source.h); both must agree.
 *
 * Never given, whatever stands there: what is the kernel's (/proc, /sys, /dev), Danchi's own
 * directories and libvirt's, and what holds one of them.
 *
 * Pure.
 */
#pragma once

#include "../common/key-file.h"

#define DN_BIND_ROOTS_MAX 64

typedef struct
{
  char *path; /* owned; plain and absolute, "~" replaced */
  gboolean is_writable;
} DnBindRoot;

void dn_bind_root_clear (DnBindRoot *root);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (DnBindRoot, dn_bind_root_clear)

/* What is wrong with an entry of the list, for people, or NULL. (transfer full) */
char *dn_bind_root_find_fault (const char *entry);

/**
 * dn_bind_policy_find:
 * @entries: the list, without faults
 * @home: the caller's, or NULL: "~" is nothing then
 * @source: plain and absolute
 * @ret_root: (out): what holds it; to be cleared
 * @ret_rest: (out) (transfer none): of @source, what follows the root's path, "" for itself
 *
 * Returns: whether any does
 */
gboolean dn_bind_policy_find (char **entries, const char *home, const char *source,
                              DnBindRoot *ret_root, const char **ret_rest);

/**
 * dn_bind_policy_find_reserved:
 * @own: paths of danchid's own, NULL at the end
 *
 * Returns: (transfer none): the path that @source is, lies in or holds, which is given to nobody;
 * or NULL
 */
const char *dn_bind_policy_find_reserved (const char *source, const char *const *own);
