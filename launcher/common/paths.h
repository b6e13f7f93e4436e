/* SPDX-License-Identifier: Apache-2.0 */
/* Where things are: installed, or in a build tree with everything beside the programs.
 *
 * A program in .../build/bin finds its helpers beside it, images in .../build/images and the
 * defaults of config/ in the source tree above; an installed one uses the prefix.  Each directory
 * can be overridden by danchid's command line (--state, --run, --config), which tests use.
 */
#pragma once

#include <glib.h>

typedef struct
{
  char *helpers;  /* danchid, danchi-relay, danchi-intake, danchi-share */
  char *images;   /* vmlinuz, initramfs.cpio, guest.erofs, unpack.erofs */
  char *defaults; /* profiles/ and seccomp/ as shipped */
  char *config;   /* /etc/danchi */
  char *state;    /* /var/lib/danchi */
  char *run;      /* /run/danchi */
  /* Of a user's own danchid: root of a user's namespaces, not of the host (session mode). */
  gboolean is_session;
} DnPaths;

/* The one set of this process, made at the first call. (transfer none) */
const DnPaths *dn_paths (void);

/* Overrides, each may be NULL; before the first dn_paths(). */
void dn_paths_override (const char *config, const char *state, const char *run);

/* Likewise before the first dn_paths(). */
void dn_paths_set_session (void);
