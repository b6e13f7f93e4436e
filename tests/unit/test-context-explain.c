/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/limits/guest-*.c launcher/daemon/scan-settings.c launcher/images/reference.c
 * launcher/images/scan-disk.c launcher/daemon/context-explain.c
 * launcher/daemon/context-definition.c launcher/daemon/json-build.c
 * launcher/pods/pod-settings.c
 * launcher/daemon/settings.c launcher/network/plan.c launcher/daemon/host-access.c
 * launcher/spec/access.c launcher/common/key-*.c launcher/common/[enj]*.c
 * launcher/common/paths.c launcher/spec/policy.c launcher/spec/terms.c
 * launcher/spec/bind-policy.c launcher/spec/signing-key.c launcher/spec/placement.c
 * launcher/spec/reference-glob.c launcher/spec/profile.c launcher/spec/capability.c
 * launcher/spec/tmpfs.c launcher/spec/quantity.c launcher/spec/network-policy.c
 * launcher/base/network-rule.c launcher/base/public-address.c launcher/common/json.c */
/* What explain answers: tests/golden/explain.txt. */
#include "../../launcher/common/json.h"
#include "../../launcher/daemon/context-explain.h"
#include "../../launcher/daemon/json-build.h"
#include "golden.h"

#define HOST_FILE "/etc/danchi/danchi.conf"
#define FILE "/etc/danchi/contexts.d/acme.conf"

static const struct
{
  const char *what;
  const char *host;
  const char *runs;  /* what the file said when its guest started, and for what holds at once */
  const char *fresh; /* what it says now; NULL: nothing that can be used */
  const char *error;
} cases[] = {
  { "nothing is said anywhere", "", "", "", NULL },
  { "each file says something, the context's counts for more",
    "[guest]\nvcpus = 2\nmemory_mib = 300\n[images]\nallow = nginx:*\n[lifetime]\nidle_s = 600\n",
    "# ours\n[context]\ntenant = acme\nstage = prod\n[guest]\nmemory_mib = 512\n"
    "[lifetime]\nidle_s = 60\n",
    "# ours\n[context]\ntenant = acme\nstage = prod\n[guest]\nmemory_mib = 512\n"
    "[lifetime]\nidle_s = 60\n",
    NULL },
  { "the guest's part waits for the next guest", "",
    "[context]\nstage = test\n[guest]\nvcpus = 1\n",
    "[context]\nstage = prod\n[guest]\nvcpus = 4\n", NULL },
  { "a file that is wrong now", "", "[context]\nstage = test\n", NULL,
    "file '" FILE ":3': [guest] vcpu: unknown key" },
};

static void
explain (guint i, GString *out)
{
  g_autoptr (DnSettings) settings = dn_settings_new (HOST_FILE);
  const char *texts[] = { cases[i].runs, cases[i].fresh };
  DnContextDefinition definitions[2];
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = NULL;
  g_autofree char *text = NULL;

  (void) dn_settings_parse (settings, cases[i].host, strlen (cases[i].host), &error);
  for (guint k = 0; k < 2; k++)
    {
      const char *file = texts[k] != NULL ? texts[k] : "";

      dn_context_definition_init (&definitions[k], settings);
      (void) dn_context_definition_parse (&definitions[k], file, strlen (file), FILE, &error);
    }
  g_assert_no_error (error);
  node = dn_json_node_take (dn_context_explanation_to_json (
      &(DnContextExplanation){ .name = "acme",
                               .file = FILE,
                               .error = cases[i].error,
                               .definition = &definitions[0],
                               .fresh = texts[1] != NULL ? &definitions[1] : NULL }));
  text = dn_json_to_text (node, TRUE);
  g_string_append_printf (out, "# %s\n%s\n\n", cases[i].what, text);
  for (guint k = 0; k < 2; k++)
    dn_context_definition_clear (&definitions[k]);
}

static void
test_each_value_has_its_source (void)
{
  g_autoptr (GString) out = g_string_new (NULL);

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    explain (i, out);
  golden_compare ("tests/golden/explain.txt", out->str);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/context-explain/each-value-has-its-source", test_each_value_has_its_source);
  return g_test_run ();
}
