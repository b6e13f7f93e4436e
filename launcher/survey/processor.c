/* SPDX-License-Identifier: Apache-2.0 */
#include "processor.h"

#include <string.h>

#include "fact.h"
#include "root-file.h"

#define FLAWS_DIRECTORY "/sys/devices/system/cpu/vulnerabilities"
#define FLAWS_MAX 256
#define CPUINFO_MAX_BYTES (4 * 1024 * 1024)

static char *
read_model (const char *root)
{
  g_autofree char *text = dn_root_file_read (root, "/proc/cpuinfo", CPUINFO_MAX_BYTES);
  g_auto (GStrv) lines = g_strsplit (text != NULL ? text : "", "\n", 64);

  for (guint i = 0; lines[i] != NULL; i++)
    if (g_str_has_prefix (lines[i], "model name"))
      {
        const char *colon = strchr (lines[i], ':');

        return colon != NULL ? g_strstrip (g_strndup (colon + 1, strcspn (colon + 1, "\n"))) : NULL;
      }
  return NULL;
}

static const char *
read_smt (const char *root)
{
  static const char *const words[] = { "on", "off", "forceoff", "notsupported", "notimplemented" };
  g_autofree char *control = dn_root_file_read_line (root, "/sys/devices/system/cpu/smt/control");

  for (gsize i = 0; control != NULL && i < G_N_ELEMENTS (words); i++)
    if (g_str_equal (control, words[i]))
      return words[i];
  /* Some machines say how many threads of a core are on. */
  if (control != NULL && g_ascii_isdigit (control[0]))
    return g_str_equal (control, "1") ? "off" : "on";
  return "unknown";
}

static gboolean
is_vulnerable (const char *state)
{
  if (g_str_has_prefix (state, "KVM: "))
    state += strlen ("KVM: ");
  return g_str_has_prefix (state, "Vulnerable");
}

static JsonArray *
read_flaws (const char *root)
{
  JsonArray *flaws = json_array_new ();
  g_autoptr (GPtrArray) names = dn_root_file_list (root, FLAWS_DIRECTORY, FLAWS_MAX);

  for (guint i = 0; i < names->len; i++)
    {
      g_autofree char *path = g_build_filename (FLAWS_DIRECTORY, names->pdata[i], NULL);
      g_autofree char *state = dn_root_file_read_line (root, path);
      JsonObject *flaw;

      if (state == NULL)
        continue;
      flaw = json_object_new ();
      dn_fact_set_text (flaw, "name", names->pdata[i]);
      dn_fact_set_text (flaw, "state", state);
      json_object_set_boolean_member (flaw, "is_vulnerable", is_vulnerable (state));
      json_array_add_object_element (flaws, flaw);
    }
  return flaws;
}

JsonObject *
dn_processor_read (const char *root)
{
  JsonObject *facts = json_object_new ();
  g_autofree char *model = read_model (root);

  dn_fact_set_text (facts, "model", model);
  dn_fact_set_text (facts, "smt", read_smt (root));
  json_object_set_array_member (facts, "vulnerabilities", read_flaws (root));
  return facts;
}
