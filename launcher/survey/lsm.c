/* SPDX-License-Identifier: Apache-2.0 */
#include "lsm.h"

#include "fact.h"
#include "root-file.h"

/* (transfer full); NULL where it is not known */
static char **
read_active (const char *root)
{
  g_autofree char *text = dn_root_file_read_line (root, "/sys/kernel/security/lsm");

  return text != NULL && text[0] != '\0' ? g_strsplit (text, ",", -1) : NULL;
}

static gboolean
has_name (char **active, const char *name)
{
  return active != NULL && g_strv_contains ((const char *const *) active, name);
}

static const char *
read_apparmor (const char *root, char **active)
{
  g_autofree char *enabled
      = dn_root_file_read_line (root, "/sys/module/apparmor/parameters/enabled");

  if (enabled == NULL)
    return "absent";
  return g_str_equal (enabled, "Y") && (active == NULL || has_name (active, "apparmor"))
             ? "enforcing"
             : "off";
}

static const char *
read_selinux (const char *root)
{
  g_autofree char *enforce = dn_root_file_read_line (root, "/sys/fs/selinux/enforce");
  g_autofree char *config = NULL;

  if (enforce != NULL)
    return g_str_equal (enforce, "1") ? "enforcing" : "permissive";
  /* Its file is there where the distribution means to use it. */
  config = dn_root_file_read (root, "/etc/selinux/config", DN_ROOT_FILE_MAX_BYTES);
  return config != NULL ? "off" : "absent";
}

JsonObject *
dn_lsm_read (const char *root, gint danchid_pid)
{
  JsonObject *facts = json_object_new ();
  g_auto (GStrv) active = read_active (root);
  g_autofree char *path = g_strdup_printf ("/proc/%d/attr/current", danchid_pid);
  g_autofree char *label = danchid_pid > 0 ? dn_root_file_read_line (root, path) : NULL;
  JsonArray *names;

  if (active == NULL)
    json_object_set_null_member (facts, "active");
  else
    {
      names = json_array_new ();
      for (guint i = 0; active[i] != NULL; i++)
        json_array_add_string_element (names, active[i]);
      json_object_set_array_member (facts, "active", names);
    }
  dn_fact_set_text (facts, "apparmor", read_apparmor (root, active));
  dn_fact_set_text (facts, "selinux", read_selinux (root));
  dn_fact_set_text (facts, "danchid_label", label != NULL && label[0] != '\0' ? label : NULL);
  return facts;
}
