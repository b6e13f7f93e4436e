/* SPDX-License-Identifier: Apache-2.0 */
/* danchi.conf: what holds for every context of this host unless the context's file says otherwise,
 * and which contexts this host takes.
 *
 * Never changed once it is read: a changed file makes new settings (settings-file.h), and whoever
 * holds a reference goes on with the old ones.  A wrong file keeps danchid from starting, since
 * running on with half of an operator's wishes would be worse; while danchid runs, it keeps the
 * settings it has.  Source: config/danchi.conf, which shows every key.
 */
#pragma once

#include <glib.h>

#include "../common/guest-size.h"
#include "../common/key-file.h"
#include "../guest/guest.h"
#include "../limits/guest-limits.h"
#include "../network/gateway-order.h"
#include "../pods/pod-settings.h"
#include "../spec/network-policy.h"
#include "../spec/policy.h"
#include "../spec/terms.h"
#include "host-access.h"
#include "scan-settings.h"

typedef struct
{
  gint ref_count;
  char *file;             /* owned; its path */
  DnKeyPlaces *places;    /* owned; what stands in it */
  char **accepts;         /* owned; KIND:VALUE, of the contexts that this host takes; empty: all */
  guint64 memory_percent; /* of the host's, that guests may be promised; 0: any */
  guint64 guest_memory_bytes;
  guint64 guest_vcpus;
  DnGuestLimits guest_limits;
  int kernel;    /* DnKernel */
  int transport; /* DnTransport */
  gboolean allow_emulation;
  guint64 guest_boot_timeout_s;
  guint64 guest_image_disks;    /* images that one guest can have attached at a time */
  guint64 scratch_bytes;        /* the largest scratch disk that a container may have; 0: none */
  guint64 volume_bytes;         /* of a volume for which no size was asked */
  guint64 volume_largest_bytes; /* the most for one */
  guint64 volume_total_bytes;   /* of all of the host together; 0: no limit */
  char *volume_key_directory;   /* owned; keys of volumes by their ids, or NULL */
  char **load_keys;             /* owned; files of keys whose signatures over archives count */
  int load_signature;           /* DnNeed: whether an archive has to be signed */
  char *trust_policy; /* owned; containers-policy.json(5) that pulls go by; NULL: dn_trust_find() */
  guint64 archive_limit_bytes;
  guint64 files_limit;
  guint64 unpacked_limit_bytes;
  guint64 unpack_memory_bytes;
  guint64 unpack_total_memory_bytes; /* of all such guests together; 0: as the host has it */
  guint64 unpack_vcpus;
  guint64 unpack_timeout_s;
  guint64 pull_timeout_s;
  guint64 pull_stall_s;
  guint64 log_bytes;  /* of one container, both halves together */
  guint64 log_rate;   /* bytes a second */
  char *audit_anchor; /* owned; NULL: in the state directory */
  guint64 audit_file_bytes;
  char *forensics_key; /* owned; path of the key that signs manifests, or NULL */
  DnHostAccess access;
  DnScanSettings scan;
  DnPolicy policy;         /* what contexts permit whose file says nothing, and those without one */
  DnTerms terms;           /* likewise */
  DnNetworkPolicy network; /* likewise */
  char **ipv4_pool;        /* owned; of at most one: guests' blocks are of it */
  char **ipv6_prefix;      /* owned; likewise; none: made at random, once */
  guint64 network_connections; /* tracked, of each guest */
  DnPodSettings pods;
  char **networks; /* owned; what --network may name without a context; "*": any NAME */
} DnSettings;

extern const char *const dn_kernel_words[];    /* by DnKernel, ends with NULL */
extern const char *const dn_transport_words[]; /* by DnTransport, ends with NULL */

/* Keys of danchi.conf. */
#define DN_SETTINGS_OWN_KEYS 35
#define DN_SETTINGS_KEYS                                                                           \
  (DN_SETTINGS_OWN_KEYS + DN_GUEST_LIMITS_KEYS + DN_HOST_ACCESS_KEYS + DN_SCAN_KEYS                \
   + DN_POLICY_KEYS + DN_TERMS_KEYS + DN_NETWORK_POLICY_KEYS + DN_POD_KEYS)

/* As built in. @file: the path of the file that dn_settings_parse() is to read. (transfer full) */
DnSettings *dn_settings_new (const char *file);
DnSettings *dn_settings_ref (DnSettings *settings);
void dn_settings_unref (DnSettings *settings);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DnSettings, dn_settings_unref)

/* The %DN_SETTINGS_KEYS keys that read @settings, and one that ends the table. */
void dn_settings_fill_keys (DnSettings *settings, DnKey *ret_keys);

/* Changes @settings, which nobody else has yet, to what the file says.  @text as in
 * dn_key_file_parse(); on failure @settings is unusable. */
gboolean dn_settings_parse (DnSettings *settings, const char *text, gsize size, GError **error);

/* Reads CONFIG/danchi.conf; without that file all is as built in.  @ret_text and @ret_size: (out)
 * (optional) (transfer full): what was read, right or wrong; NULL where there is none.
 * (transfer full): or NULL with @error */
DnSettings *dn_settings_read (char **ret_text, gsize *ret_size, GError **error);
