/* SPDX-License-Identifier: Apache-2.0 */
/* What of the mounts of a pod's container only the host can say: which are files, and which are in
 * memory.  Asked when the container is made, and kept with it, since the guest has been told so.
 *
 * An emptyDir of medium Memory is a tmpfs that the kubelet has made, as large as its sizeLimit (or
 * what it takes for one); a subPath of it is a bind mount of a directory of that tmpfs.  In the
 * guest's own tmpfs it is the same directory.  What other volumes have in tmpfs (secrets) is small,
 * and is copied.
 */
#pragma once

#include "../base/share-order.h"
#include "pod-mount.h"

/* All owned; each NULL or ends with NULL. */
typedef struct
{
  char **files;  /* targets of those that are files */
  char **memory; /* "GID BYTES" and, each after a newline, target, volume, sub */
  char **copies; /* targets of what is to be copied */
} DnPodFacts;

void dn_pod_facts_clear (DnPodFacts *facts);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (DnPodFacts, dn_pod_facts_clear)

/* Asks danchi-share of all @mounts that come from the host.  @party: for whom: the guest's uid, or
 * 0.  FALSE with @error, as dn_share_server_order(). */
gboolean dn_pod_facts_ask (GPtrArray *mounts, guint party, DnPodFacts *ret_facts, GError **error);

/* Makes @mounts what the facts say of them. Pure. */
void dn_pod_facts_apply (const DnPodFacts *facts, GPtrArray *mounts);

/* @rest below @root, for an order; DN_ERROR_LIMIT. */
gboolean dn_pod_facts_fill_source (const char *root, const char *rest, gboolean is_writable,
                                   DnShareSource *source, GError **error);
