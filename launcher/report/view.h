/* SPDX-License-Identifier: Apache-2.0 */
/* A document in the order in which it is shown; text and page read the same view.
 *
 * Everything is borrowed from @document, which the view owns: a clean copy (clean.h).  A context is
 * known by its place in @contexts, which is also its anchor in the page: names are not ours.
 */
#pragma once

#include "verdict.h"

#include <json-glib/json-glib.h>

/* One tenant's contexts: @count from @first on. */
typedef struct
{
  const char *name;
  guint first;
  guint count;
} DnTenant;

typedef struct
{
  JsonObject *document; /* owned */
  GPtrArray *findings;  /* of JsonObject, the worst first */
  GPtrArray *contexts;  /* of JsonObject, by tenant, then name */
  GArray *tenants;      /* of DnTenant */
  GPtrArray *outsiders; /* of JsonObject: machines that are not ours */
  GPtrArray *runtimes;  /* of JsonObject: container runtimes outside of guests */
  GPtrArray *doors;     /* of JsonObject: the host's listeners that others can reach */
  guint counts[DN_REPORT_SEVERITIES]; /* findings of each severity, counted here */
  guint containers;
} DnView;

DnView *dn_view_new (JsonObject *document);
void dn_view_free (DnView *view);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DnView, dn_view_free)

/* The place of the context called @name, or -1. */
gint dn_view_find_context (const DnView *view, const char *name);

/* Whether others than this machine reach the listener: its exposure is not "loopback". */
gboolean dn_view_is_open (JsonObject *listener);

/* "80", a path of a unix socket, or "?". (transfer full) */
char *dn_view_port (JsonObject *listener);

/* A published port, which is text, a number or an object. (transfer full) */
char *dn_view_published (JsonNode *port);

/* "3 findings: 1 high, 2 medium", or "no findings". (transfer full) */
char *dn_view_count_findings (const DnView *view);
