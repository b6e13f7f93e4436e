/* SPDX-License-Identifier: Apache-2.0 */
#include "program-facts.h"

#include <string.h>
#include <unistd.h>

#include "../common/names.h"
#include "file-digest.h"
#include "json-build.h"

#define LABEL_MAX_BYTES 256
#define PATH_SHOWN_MAX_BYTES 4095

void
dn_program_rights_clear (DnProgramRights *rights)
{
  g_clear_pointer (&rights->capabilities, g_free);
  g_clear_pointer (&rights->label, g_free);
}

/* The value of line @name, its blanks stripped; NULL when there is none. (transfer full) */
static char *
find_line (const char *status, const char *name)
{
  g_autofree char *mark = g_strdup_printf ("\n%s:", name);
  const char *at = status != NULL ? strstr (status, mark) : NULL;

  if (at == NULL)
    return NULL;
  at += strlen (mark);
  return g_strstrip (g_strndup (at, strcspn (at, "\n")));
}

static gint64
find_number (const char *status, const char *name)
{
  g_autofree char *text = find_line (status, name);

  return text != NULL && g_ascii_isdigit (text[0]) ? g_ascii_strtoll (text, NULL, 10) : -1;
}

void
dn_program_rights_parse (const char *status, const char *label, DnProgramRights *ret_rights)
{
  g_autofree char *capabilities = find_line (status, "CapEff");
  g_autofree char *line = label != NULL ? g_strstrip (g_strdup (label)) : NULL;

  *ret_rights = (DnProgramRights){
    .uid = find_number (status, "Uid"),
    .seccomp = find_number (status, "Seccomp"),
    .no_new_privs = find_number (status, "NoNewPrivs"),
  };
  if (capabilities != NULL && capabilities[0] != '\0'
      && strspn (capabilities, "0123456789abcdef") == strlen (capabilities))
    ret_rights->capabilities = g_steal_pointer (&capabilities);
  if (line != NULL && line[0] != '\0')
    ret_rights->label = dn_text_clean (line, LABEL_MAX_BYTES);
}

JsonObject *
dn_program_new (const char *program, const char *role, const char *version)
{
  static const char *const unknown[] = { "path", "sha256", "uid", "pid", "context", "confinement" };
  JsonObject *object = json_object_new ();

  json_object_set_string_member (object, "program", program);
  json_object_set_string_member (object, "role", role);
  dn_json_set_text_or_null (object, "version", version);
  for (gsize i = 0; i < G_N_ELEMENTS (unknown); i++)
    json_object_set_null_member (object, unknown[i]);
  return object;
}

static char *
read_proc (gint pid, const char *file)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/%s", pid, file);
  char *text = NULL;

  return g_file_get_contents (path, &text, NULL, NULL) ? text : NULL;
}

static JsonObject *
rights_to_json (const DnProgramRights *rights)
{
  static const char *const modes[] = { "off", "strict", "filter" };
  JsonObject *object = json_object_new ();

  if (rights->seccomp >= 0 && rights->seccomp < (gint64) G_N_ELEMENTS (modes))
    json_object_set_string_member (object, "seccomp", modes[rights->seccomp]);
  else
    json_object_set_null_member (object, "seccomp");
  if (rights->no_new_privs >= 0)
    json_object_set_boolean_member (object, "no_new_privs", rights->no_new_privs != 0);
  else
    json_object_set_null_member (object, "no_new_privs");
  dn_json_set_text_or_null (object, "capabilities", rights->capabilities);
  dn_json_set_text_or_null (object, "apparmor", rights->label);
  return object;
}

static void
add_path (JsonObject *program, const char *shown, const char *opened)
{
  g_autofree char *digest = dn_file_digest (opened, NULL);
  g_autofree char *path = dn_text_clean (shown, PATH_SHOWN_MAX_BYTES);

  json_object_set_string_member (program, "path", path);
  if (digest != NULL)
    json_object_set_string_member (program, "sha256", digest);
}

gboolean
dn_program_add_process (JsonObject *program, gint pid)
{
  g_autofree char *status = pid > 0 ? read_proc (pid, "status") : NULL;
  g_autofree char *label = NULL;
  g_autofree char *link = g_strdup_printf ("/proc/%d/exe", pid);
  g_autofree char *path = NULL;
  DnProgramRights rights;

  if (status == NULL)
    return FALSE;
  label = read_proc (pid, "attr/current");
  dn_program_rights_parse (status, label, &rights);
  json_object_set_int_member (program, "pid", pid);
  if (rights.uid >= 0)
    json_object_set_int_member (program, "uid", rights.uid);
  json_object_set_object_member (program, "confinement", rights_to_json (&rights));
  dn_program_rights_clear (&rights);
  path = g_file_read_link (link, NULL);
  if (path != NULL)
    add_path (program, path, link);
  return TRUE;
}

void
dn_program_add_file (JsonObject *program, const char *path)
{
  if (access (path, F_OK) == 0)
    add_path (program, path, path);
}
