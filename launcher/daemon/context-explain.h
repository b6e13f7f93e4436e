/* SPDX-License-Identifier: Apache-2.0 */
/* `danchi context explain`: each value that holds for a context, and where it comes from.  Pure. */
#pragma once

#include <json-glib/json-glib.h>

#include "context-definition.h"

typedef struct
{
  const char *name;
  const char *file;                /* NULL: an ephemeral context's */
  const char *error;               /* why the file cannot be used as it is now, or NULL */
  DnContextDefinition *definition; /* what holds */
  DnContextDefinition *fresh;      /* what the file says now, or NULL */
} DnContextExplanation;

/* {"name", "file", "error", "keys": [{"group", "key", "value", "source", "file", "line", "holds",
 * "next"}]}: `source` is built-in, danchi.conf or context, with file and line but for the first;
 * `holds` is at-once or next-guest, what a change waits for; `next` is the value that waits.
 * (transfer full) */
JsonObject *dn_context_explanation_to_json (const DnContextExplanation *explanation);
