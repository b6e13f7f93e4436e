/* SPDX-License-Identifier: Apache-2.0 */
/* The windows of a room: what a container can be reached by. */
#pragma once

#include <json-glib/json-glib.h>

typedef enum
{
  DN_WINDOW_PUBLISHED, /* a port of the host leads to it */
  DN_WINDOW_OPEN,      /* it listens, and others in its network reach it */
  DN_WINDOW_SHUT,      /* it listens on loopback alone */
  DN_WINDOW_UNKNOWN,   /* its listeners could not be read */
} DnWindowKind;

typedef struct
{
  DnWindowKind kind;
  char *label; /* owned; a port, most often */
} DnWindow;

/* Classes of the style sheet, by the enum's values. */
extern const char *const dn_window_classes[];

/* Of DnWindow, in the order of the kinds; a port that is there twice (IPv4 and IPv6) counts once,
 * by its first kind. (transfer full) */
GPtrArray *dn_window_list (JsonObject *container);
