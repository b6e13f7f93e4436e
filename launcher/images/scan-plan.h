/* SPDX-License-Identifier: Apache-2.0 */
/* One scan before anything of it runs: who scans, with which files, as what container.
 *
 * Made from the settings of the moment; what is wrong in them is found here, before a guest is
 * started.  See scan-run.h.
 */
#pragma once

#include "../daemon/daemon.h"
#include "../daemon/settings.h"
#include "image.h"

/* Serial numbers of the disks beside the scanner's root. */
#define DN_SCAN_SERIAL_DATA "scan-data"
#define DN_SCAN_SERIAL_PROGRAM "scan-program"

typedef struct
{
  char container[DN_ID_BYTES + 1]; /* its id, which no other container has */
  /* Of the image's disk: hexadecimal, as those of containers' roots, and none of theirs, since the
   * scanner may be of the same image. */
  char image_serial[DN_DISK_SERIAL_BYTES + 1];
  DnImage *scanner;   /* owned; NULL: a program without an image */
  char *data_disk;    /* owned; path of a disk in the staging directory, or NULL */
  char *program_disk; /* owned; likewise */
  char *root_serial;  /* owned; of the disk with the scanner's root */
  char *config;       /* owned; config.json */
  GBytes *seccomp;    /* owned */
  char *words;        /* owned; as in DnScan: scanner */
  char **data;        /* owned; as in DnScan: data */
} DnScanPlan;

/**
 * dn_scan_plan_new:
 * @image: what is to be scanned
 * @staging: a directory of the caller's, in which the disks are made
 *
 * Returns: (transfer full): or NULL with DN_ERROR_CONFIG where there is no scanner or it cannot be
 *   run, _NOT_FOUND for its image or a file
 */
DnScanPlan *dn_scan_plan_new (DnDaemon *daemon, const DnScanSettings *settings,
                              const DnImage *image, const char *staging, GError **error);
void dn_scan_plan_free (DnScanPlan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DnScanPlan, dn_scan_plan_free)
