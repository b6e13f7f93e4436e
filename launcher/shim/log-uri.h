/* SPDX-License-Identifier: Apache-2.0 */
/* What a client names as a process's standard input, output or error.
 *
 * Pure.
 * Source: containerd, docs/runtime-v2 "Logging".
 */
#pragma once

#include <glib.h>

typedef enum
{
  DN_LOG_NONE,   /* "" */
  DN_LOG_PATH,   /* /path, fifo:///path: a named pipe of the client's, or what else is there */
  DN_LOG_FILE,   /* file:///path: appended to */
  DN_LOG_BINARY, /* binary:///program?key=value&...: run as `program key value ...` */
} DnLogKind;

typedef struct
{
  DnLogKind kind;
  char *path;       /* owned */
  char **arguments; /* owned; of a program, without its name */
} DnLogUri;

void dn_log_uri_clear (DnLogUri *uri);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (DnLogUri, dn_log_uri_clear)

/* DN_ERROR_USAGE for other schemes and for paths that are not absolute. */
gboolean dn_log_uri_read (const char *text, DnLogUri *ret_uri, GError **error);
