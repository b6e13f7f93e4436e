/* SPDX-License-Identifier: Apache-2.0 */
/* The command line, as containerd and CRI-O give it: flags with one dash and the value as the next
 * argument or after '=', then the action.
 *
 * Source: containerd, docs/runtime-v2 "Command line".
 */
#pragma once

#include <glib.h>

typedef enum
{
  DN_ACTION_START,
  DN_ACTION_DELETE,
  DN_ACTION_INFO,    /* -info */
  DN_ACTION_VERSION, /* -v */
} DnAction;

typedef struct
{
  DnAction action;
  const char *name_space; /* all borrowed from argv; "" where not given */
  const char *address;    /* containerd's socket; "" of CRI-O */
  const char *id;
  const char *bundle; /* with delete */
  gboolean is_debug;
} DnShimOptions;

/* DN_ERROR_USAGE; start and delete have a valid id and namespace. */
gboolean dn_shim_options_read (int argc, char **argv, DnShimOptions *ret_options, GError **error);
