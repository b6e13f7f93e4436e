/* SPDX-License-Identifier: Apache-2.0 */
#include "distribution.h"

#include <string.h>

#include "end-of-life.h"
#include "fact.h"
#include "root-file.h"

/* The value of @key in lines of KEY=VALUE as a shell writes them.  (transfer full); NULL if none */
static char *
find_value (char **lines, const char *key)
{
  gsize size = strlen (key);

  for (; *lines != NULL; lines++)
    if (strncmp (*lines, key, size) == 0 && (*lines)[size] == '=')
      {
        char *value = g_shell_unquote (*lines + size + 1, NULL);

        return value != NULL ? value : g_strdup (*lines + size + 1);
      }
  return NULL;
}

JsonObject *
dn_distribution_read (const char *root, const char *today)
{
  JsonObject *facts = json_object_new ();
  g_autofree char *text = dn_root_file_read (root, "/etc/os-release", DN_ROOT_FILE_MAX_BYTES);
  g_autofree char *id = NULL, *version = NULL, *name = NULL;
  g_auto (GStrv) lines = NULL;
  const char *end;

  if (text == NULL)
    text = dn_root_file_read (root, "/usr/lib/os-release", DN_ROOT_FILE_MAX_BYTES);
  lines = g_strsplit (text != NULL ? text : "", "\n", -1);
  id = find_value (lines, "ID");
  version = find_value (lines, "VERSION_ID");
  name = find_value (lines, "PRETTY_NAME");
  end = id != NULL ? dn_end_of_life_find (id, version) : NULL;
  dn_fact_set_text (facts, "id", id);
  dn_fact_set_text (facts, "version_id", version);
  dn_fact_set_text (facts, "name", name != NULL ? name : id);
  dn_fact_set_text (facts, "end_of_life", end);
  if (end != NULL)
    json_object_set_boolean_member (facts, "is_over", strcmp (today, end) > 0);
  else
    json_object_set_null_member (facts, "is_over");
  return facts;
}
