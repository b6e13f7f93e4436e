/* SPDX-License-Identifier: Apache-2.0 */
/* What a runtime says of a pod or a container in annotations, in the words of containerd's CRI and
 * of CRI-O's.
 *
 * CRI-O lays the annotations of a pod over its own in the sandbox's document, so that whoever makes
 * pods has a say in nearly all of them.  Labels come last, and the names and the uid of the pod
 * among them are the kubelet's: who the pod is is read there.  Whose words count is decided by
 * CRI-O's mark, and the shim refuses documents that have containerd's beside it.
 *
 * Pure.
 */
#pragma once

#include "oci-config.h"

typedef enum
{
  DN_POD_WORD_NAME,
  DN_POD_WORD_NAMESPACE,
  DN_POD_WORD_UID,
  DN_POD_WORD_CONTAINER,
  DN_POD_WORD_IMAGE,
} DnPodWord;

/* The word, of @config; or NULL. */
const char *dn_pod_word (const DnOciConfig *config, DnPodWord word);

/* Limits, summed up over the pod's containers: 0 where nothing is said, but a period's. */
typedef struct
{
  gint64 memory; /* bytes */
  gint64 quota;  /* µs of a period; less than 0: none */
  gint64 period; /* µs; 0: the kernel's */
  gint64 shares;
} DnPodSums;

/* Those of the annotations, else of @sandbox itself.  DN_ERROR_USAGE: an annotation is no number,
 * or CRI-O's no document of such. */
gboolean dn_pod_sums_read (const DnOciConfig *sandbox, DnPodSums *ret_sums, GError **error);
