/* SPDX-License-Identifier: Apache-2.0 */
#include "self.h"

#include <string.h>
#include <unistd.h>

#include "fact.h"
#include "root-file.h"

#define PROGRAM_MAX_BYTES (64 * 1024 * 1024)

/* (transfer full); NULL where the program cannot be read */
static char *
hash_program (void)
{
  g_autoptr (GMappedFile) file = g_mapped_file_new ("/proc/self/exe", FALSE, NULL);

  if (file == NULL || g_mapped_file_get_length (file) > PROGRAM_MAX_BYTES)
    return NULL;
  return g_compute_checksum_for_data (G_CHECKSUM_SHA256,
                                      (const guchar *) g_mapped_file_get_contents (file),
                                      g_mapped_file_get_length (file));
}

/* The value of "Name:\tvalue" in @status. (transfer full); NULL where there is no such line */
static char *
find_status (const char *status, const char *name)
{
  g_autofree char *start = g_strdup_printf ("\n%s:", name);
  const char *line = strstr (status, start);

  if (line == NULL)
    return NULL;
  line += strlen (start);
  return g_strstrip (g_strndup (line, strcspn (line, "\n")));
}

static JsonObject *
describe_confinement (void)
{
  static const char *const modes[] = { "off", "strict", "filter" };
  JsonObject *facts = json_object_new ();
  g_autofree char *status = dn_root_file_read ("/", "/proc/self/status", DN_ROOT_FILE_MAX_BYTES);
  g_autofree char *mode = find_status (status != NULL ? status : "", "Seccomp");
  g_autofree char *no_new_privs = find_status (status != NULL ? status : "", "NoNewPrivs");
  g_autofree char *capabilities = find_status (status != NULL ? status : "", "CapEff");
  g_autofree char *label = dn_root_file_read_line ("/", "/proc/self/attr/current");
  guint64 number = mode != NULL ? g_ascii_strtoull (mode, NULL, 10) : G_N_ELEMENTS (modes);

  dn_fact_set_text (facts, "seccomp", number < G_N_ELEMENTS (modes) ? modes[number] : NULL);
  json_object_set_boolean_member (facts, "no_new_privs", g_strcmp0 (no_new_privs, "1") == 0);
  dn_fact_set_text (facts, "capabilities", capabilities);
  dn_fact_set_text (facts, "apparmor", label != NULL && label[0] != '\0' ? label : NULL);
  return facts;
}

JsonObject *
dn_self_describe (void)
{
  JsonObject *link = json_object_new ();
  g_autofree char *path = dn_root_file_read_link ("/", "/proc/self/exe");
  g_autofree char *hash = hash_program ();

  json_object_set_string_member (link, "program", "danchi");
  json_object_set_string_member (link, "role", "client");
  dn_fact_set_text (link, "path", path);
  dn_fact_set_text (link, "sha256", hash);
  json_object_set_string_member (link, "version", DN_VERSION);
  json_object_set_int_member (link, "uid", geteuid ());
  json_object_set_int_member (link, "pid", getpid ());
  json_object_set_null_member (link, "context");
  json_object_set_object_member (link, "confinement", describe_confinement ());
  return link;
}
