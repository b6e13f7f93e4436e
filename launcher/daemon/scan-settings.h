/* SPDX-License-Identifier: Apache-2.0 */
/* How images are scanned: the group [scan] of danchi.conf.
 *
 *     image = localhost/oscap:1          an image of the store that scans, or
 *     program = /usr/local/lib/my-scan   an executable file of the host, copied into the guest: a
 *                                        static one, or with `image` one that finds its
 *                                        interpreter and libraries there
 *     command = --strict                 arguments; without `program` the image's command
 *     data = /var/lib/oval/debian.xml    files that the scanner finds in /scan-data
 *     when = load                        load, start or never by itself
 *     timeout_s = 600                    of one scan, from its guest's start on
 *     memory_mib = 512                   of its guest
 *     max_age_s = 0                      after which a verdict does not count any more; 0: never
 *
 * Pure.
 */
#pragma once

#include "../common/key-file.h"

#define DN_SCAN_KEYS 8

typedef enum
{
  DN_SCAN_WHEN_NEVER, /* `danchi image scan` alone */
  DN_SCAN_WHEN_LOAD,  /* also before an image that comes into the store has a name */
  DN_SCAN_WHEN_START, /* also before a container of an image without a verdict that counts */
} DnScanWhen;

extern const char *const dn_scan_when_words[]; /* by DnScanWhen, ends with NULL */

typedef struct
{
  char **images; /* owned, as are all; none or one */
  char *program; /* or NULL */
  char **command;
  char **data; /* paths */
  int when;    /* DnScanWhen */
  guint64 timeout_s;
  guint64 memory_bytes;
  guint64 max_age_s;
} DnScanSettings;

/* No scanner. */
void dn_scan_settings_init (DnScanSettings *settings);
void dn_scan_settings_clear (DnScanSettings *settings);

/* Whether there is a scanner. */
gboolean dn_scan_settings_are_set (const DnScanSettings *settings);

/* The %DN_SCAN_KEYS keys that read @settings, for a table of dn_key_file_parse(). */
void dn_scan_settings_fill_keys (DnScanSettings *settings, DnKey *ret_keys);

/* What the table cannot say; after parsing.  As dn_policy_check(). */
gboolean dn_scan_settings_check (const DnScanSettings *settings, const char *what,
                                 const DnKeyPlaces *places, GError **error);
