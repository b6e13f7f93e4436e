/* SPDX-License-Identifier: Apache-2.0 */
/* danchi.conf: what holds for every context of this host unless the context's file says otherwise.
 *
 * Read once, at danchid's start.  A wrong file keeps danchid from starting: running on with half of
 * an operator's wishes would be worse.  Source: config/danchi.conf, which shows every key.
 */
#pragma once

#include <glib.h>

#include "../common/guest-size.h"
#include "../common/key-file.h"
#include "../guest/guest.h"
#include "../spec/policy.h"
#include "host-access.h"

typedef struct
{
  guint64 guest_memory_bytes;
  guint64 guest_vcpus;
  int kernel;    /* DnKernel */
  int transport; /* DnTransport */
  gboolean allow_emulation;
  guint64 guest_boot_timeout_s;
  guint64 guest_image_disks; /* images that one guest can have attached at a time */
  guint64 archive_limit_bytes;
  guint64 files_limit;
  guint64 unpacked_limit_bytes;
  guint64 unpack_memory_bytes;
  guint64 unpack_vcpus;
  guint64 unpack_timeout_s;
  guint64 log_bytes;  /* of one container, both halves together */
  guint64 log_rate;   /* bytes a second */
  char *audit_anchor; /* owned; NULL: in the state directory */
  guint64 audit_file_bytes;
  char *forensics_key; /* owned; path of the key that signs manifests, or NULL */
  DnHostAccess access;
  DnPolicy policy; /* what contexts permit whose file says nothing, and those without one */
} DnSettings;

extern const char *const dn_kernel_words[];    /* by DnKernel, ends with NULL */
extern const char *const dn_transport_words[]; /* by DnTransport, ends with NULL */

/* @settings is taken for empty. */
void dn_settings_init (DnSettings *settings);
void dn_settings_clear (DnSettings *settings);

/* Changes @settings, which dn_settings_init() has filled, to what the file says.  @text as in
 * dn_key_file_parse(); on failure @settings is unusable. */
gboolean dn_settings_parse (DnSettings *settings, const char *text, gsize size, const char *what,
                            GError **error);

/* Reads CONFIG/danchi.conf; without that file all is as built in. */
gboolean dn_settings_read (DnSettings *settings, GError **error);
