/* SPDX-License-Identifier: Apache-2.0 */
/* A container's bundle: the directory in which containerd puts its config.json, and what that says
 * to the shim.
 *
 * Which pod a container belongs to stands in annotations, of which each caller has its own; without
 * any the container is a pod by itself.  Everything else in config.json is danchid's to read.
 */
#pragma once

#include <json-glib/json-glib.h>

#define DN_SHIM_ID_MAX_BYTES 76

typedef enum
{
  DN_BUNDLE_SANDBOX, /* the pod itself: its guest, without a process */
  DN_BUNDLE_MEMBER,  /* a container in a pod that is there */
  DN_BUNDLE_SINGLE,  /* a container that is its own pod: ctr, nerdctl */
} DnBundleKind;

typedef struct
{
  DnBundleKind kind;
  char *pod;                /* owned: the pod's id, checked */
  char *netns;              /* owned: path; "": a network namespace of its own, NULL: the host's */
  gboolean repeats_network; /* a pod's containers have its netns: CRI-O's */
  char *hostname;           /* owned; "" */
  char *root;               /* owned: root.path as it stands there */
  guint16 rows;             /* of the terminal at first; 0: not said */
  guint16 columns;
} DnBundleFacts;

void dn_bundle_facts_clear (DnBundleFacts *facts);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (DnBundleFacts, dn_bundle_facts_clear)

/* Whether containerd may call anything so: letters and digits with single '.', '_' and '-' between
 * them, at most %DN_SHIM_ID_MAX_BYTES.  Ids become parts of paths. */
gboolean dn_shim_id_is_valid (const char *id);

/* The config.json in @directory, strictly read.  DN_ERROR_NOT_FOUND, DN_ERROR_CONFIG.
 * (transfer full) */
JsonNode *dn_bundle_read (const char *directory, GError **error);

/**
 * dn_bundle_get_facts:
 * @config: a config.json
 * @id: the container's
 *
 * Pure.
 *
 * Returns: TRUE, or FALSE with DN_ERROR_CONFIG, or DN_ERROR_DENIED for annotations of two runtimes
 */
gboolean dn_bundle_get_facts (JsonObject *config, const char *id, DnBundleFacts *ret_facts,
                              GError **error);
