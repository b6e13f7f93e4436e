/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/survey/finding*.c launcher/survey/severity.c launcher/survey/service.c
   launcher/survey/runtime.c launcher/survey/root-file.c launcher/survey/fact.c
   launcher/cli/answer.c launcher/cli/escape.c launcher/common/json.c launcher/common/error.c
   launcher/common/names.c */
/* Packages: glib-2.0 json-glib-1.0 */

/* Any document is judged: its findings have all their members, and no line break or escape. */
#include <stdint.h>

#include "../../launcher/cli/answer.h"
#include "../../launcher/common/json.h"
#include "../../launcher/survey/finding.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static const char *const members[] = { "id", "severity", "demand", "subject", "text", "remedy" };
  g_autoptr (JsonNode) node = NULL;
  JsonArray *findings;
  DnFindingLimits limits = { .image_age_days = 1 };

  node = dn_json_parse ((const char *) data, size, 16384, "input", NULL);
  if (node == NULL || !JSON_NODE_HOLDS_OBJECT (node))
    return 0;
  dn_finding_conclude (json_node_get_object (node), &limits);
  findings = dn_answer_array (json_node_get_object (node), "findings");
  for (guint i = 0; i < dn_answer_length (findings); i++)
    for (gsize k = 0; k < G_N_ELEMENTS (members); k++)
      {
        JsonObject *finding = dn_answer_nth (findings, i);

        if (!json_object_has_member (finding, members[k]))
          g_error ("finding %u has no %s", i, members[k]);
        for (const char *at = dn_answer_text (finding, members[k]); *at != '\0'; at++)
          if (g_ascii_iscntrl (*at))
            g_error ("a control character in %s", members[k]);
      }
  return 0;
}
