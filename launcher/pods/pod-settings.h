/* SPDX-License-Identifier: Apache-2.0 */
/* What danchi.conf says of pods: the group [pods].
 *
 * A pod has no file of its own: what Kubernetes asks for comes from whoever may make pods in the
 * cluster, and this says how much of it this node grants.
 *
 * Pure.
 */
#pragma once

#include "../common/key-file.h"
#include "../spec/profile.h"

typedef struct
{
  guint64 memory_bytes;           /* of the guest of a pod that says nothing of memory */
  guint64 vcpus;                  /* likewise of processors */
  char **annotations;             /* owned, as are all; of ours, that a pod may have: "*" for any */
  char **capabilities;            /* that its containers may have */
  int seccomp;                    /* DnSeccompBase: what a profile can only take away from */
  gboolean is_privileged_granted; /* all capabilities, and nothing hidden; in its guest alone */
  char **binds;                   /* of the host's: ../spec/bind-policy.h */
  char *kubelet;                  /* the kubelet's directory */
} DnPodSettings;

#define DN_POD_KEYS 8

void dn_pod_settings_init (DnPodSettings *settings);
void dn_pod_settings_clear (DnPodSettings *settings);

/* The %DN_POD_KEYS keys that read @settings, for a table of dn_key_file_parse(). */
void dn_pod_settings_fill_keys (DnPodSettings *settings, DnKey *ret_keys);

/* What the table cannot say; DN_ERROR_CONFIG. */
gboolean dn_pod_settings_check (const DnPodSettings *settings, const char *what,
                                const DnKeyPlaces *places, GError **error);
