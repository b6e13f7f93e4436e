/* SPDX-License-Identifier: Apache-2.0 */
#include "document.h"
#include "promise.h"

static gboolean
may_change (JsonObject *spec)
{
  JsonArray *names = dn_document_array (
      dn_document_object (dn_document_object (spec, "process"), "capabilities"), "bounding");

  for (guint i = 0; names != NULL && i < json_array_get_length (names); i++)
    if (g_strcmp0 (json_array_get_string_element (names, i), "CAP_NET_ADMIN") == 0)
      return TRUE;
  return FALSE;
}

void
dn_verify_promise_network (GPtrArray *promises, JsonObject *spec, const char *card,
                           const char *addresses, const char *ways, guint ports)
{
  if (!may_change (spec))
    {
      dn_verify_promise (promises, "network.cards", "R5.13", DN_HOW_EQUAL,
                         card != NULL ? card : "none");
      dn_verify_promise (promises, "network.addresses", "R5.13", DN_HOW_EQUAL,
                         card != NULL ? addresses : "none");
      dn_verify_promise (promises, "network.ways", "R5.13", DN_HOW_EQUAL,
                         card != NULL ? ways : "none");
    }
  if (card != NULL)
    dn_verify_promisef (promises, "network.rules", "R2.2", DN_HOW_EQUAL, "%u ports", ports);
}

void
dn_verify_promise_pod_network (GPtrArray *promises, JsonObject *spec, const char *card,
                               const char *addresses, const char *ways)
{
  if (may_change (spec))
    return;
  dn_verify_promise (promises, "network.cards", "R5.13", DN_HOW_EQUAL, card);
  dn_verify_promise (promises, "network.addresses", "R5.13", DN_HOW_SET, addresses);
  dn_verify_promise (promises, "network.ways", "R5.13", DN_HOW_SET, ways);
}
