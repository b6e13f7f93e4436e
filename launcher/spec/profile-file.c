/* SPDX-License-Identifier: Apache-2.0 */
#include "profile-file.h"

#include <string.h>

#include "../common/error.h"
#include "../common/key-file.h"
#include "capability.h"
#include "profile-table.h"

#define MIB ((guint64) 1024 * 1024)
#define UNSET (-1)

#define NAMESPACES "cgroup;ipc;mount;network;pid;user;uts"

static const char *const yes_words[] = { "yes", NULL };
static const char *const session_words[] = { "session", NULL };
static const char *const root_words[] = { "readonly", "ephemeral", NULL };

/* What a file says before it is checked as a whole. */
typedef struct
{
  char **capabilities;
  char **namespaces;
  int no_new_privs;
  int keyring;
  GPtrArray *tables[DN_PROFILE_TABLES];
} Draft;

static void
draft_clear (Draft *draft)
{
  g_strfreev (draft->capabilities);
  g_strfreev (draft->namespaces);
  for (guint i = 0; i < DN_PROFILE_TABLES; i++)
    g_clear_pointer (&draft->tables[i], g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Draft, draft_clear)

static gboolean
read_keys (const char *text, gsize size, const char *what, DnProfile *p, Draft *draft,
           GError **error)
{
  const DnKey keys[] = {
    { "profile", "name", DN_KEY_WORD, &p->name, 0, 0, 0, NULL },
    { "profile", "version", DN_KEY_INTEGER, &p->version, 1, 1000000, 1, NULL },
    { "privileges", "capabilities", DN_KEY_WORDS, &draft->capabilities, 0, 0, 0, NULL },
    { "privileges", "no_new_privs", DN_KEY_CHOICE, &draft->no_new_privs, 0, 0, 0, yes_words },
    { "privileges", "namespaces", DN_KEY_WORDS, &draft->namespaces, 0, 0, 0, NULL },
    { "privileges", "ids", DN_KEY_INTEGER, &p->ids, 1, DN_PROFILE_IDS_MAX, 1, NULL },
    { "privileges", "keyring", DN_KEY_CHOICE, &draft->keyring, 0, 0, 0, session_words },
    { "seccomp", "base", DN_KEY_CHOICE, &p->seccomp, 0, 0, 0, dn_seccomp_base_words },
    { "root", "writable", DN_KEY_CHOICE, &p->root, 0, 0, 0, root_words },
    { "root", "size_mib", DN_KEY_INTEGER, &p->writable_bytes, 1, 1048576, MIB, NULL },
    { "cgroup", "pids", DN_KEY_INTEGER, &p->pids, 1, 4194304, 1, NULL },
    { "cgroup", "memory_mib", DN_KEY_INTEGER, &p->memory_bytes, 6, 1048576, MIB, NULL },
    { "cgroup", "cpu_shares", DN_KEY_INTEGER, &p->cpu_shares, 2, 262144, 1, NULL },
    { "mounts", "*", DN_KEY_TABLE, draft->tables[DN_PROFILE_MOUNTS], 0, 0, 0, NULL },
    { "tmpfs", "*", DN_KEY_TABLE, draft->tables[DN_PROFILE_TMPFS], 0, 0, 0, NULL },
    { "paths", "*", DN_KEY_TABLE, draft->tables[DN_PROFILE_PATHS], 0, 0, 0, NULL },
    { "rlimits", "*", DN_KEY_TABLE, draft->tables[DN_PROFILE_RLIMITS], 0, 0, 0, NULL },
    { "sysctls", "*", DN_KEY_TABLE, draft->tables[DN_PROFILE_SYSCTLS], 0, 0, 0, NULL },
    { NULL, NULL, DN_KEY_INTEGER, NULL, 0, 0, 0, NULL },
  };

  return dn_key_file_parse (text, size, what, keys, error);
}

static gboolean
check_complete (const DnProfile *p, const Draft *draft, const char *what, GError **error)
{
  const struct
  {
    const char *key;
    gboolean is_there;
  } keys[] = {
    { "[profile] name", p->name != NULL },
    { "[profile] version", p->version != 0 },
    { "[privileges] capabilities", draft->capabilities != NULL },
    { "[privileges] no_new_privs", draft->no_new_privs != UNSET },
    { "[privileges] namespaces", draft->namespaces != NULL },
    { "[privileges] ids", p->ids != 0 },
    { "[privileges] keyring", draft->keyring != UNSET },
    { "[seccomp] base", p->seccomp != UNSET },
    { "[root] writable", p->root != UNSET },
    { "[root] size_mib", p->writable_bytes != 0 },
    { "[cgroup] pids", p->pids != 0 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    if (!keys[i].is_there)
      return dn_throw (error, DN_ERROR_CONFIG, "file '%s': %s: is missing", what, keys[i].key);
  return TRUE;
}

static int
compare_words (gconstpointer one, gconstpointer other)
{
  return strcmp (*(char *const *) one, *(char *const *) other);
}

/* To ask for fewer is to ask for the guest's own, of which no container gets any. */
static gboolean
check_namespaces (char **namespaces, const char *what, GError **error)
{
  g_autofree char *sorted = NULL;

  qsort (namespaces, g_strv_length (namespaces), sizeof *namespaces, compare_words);
  sorted = g_strjoinv (";", namespaces);
  if (g_str_equal (sorted, NAMESPACES))
    return TRUE;
  return dn_throw (error, DN_ERROR_CONFIG,
                   "file '%s': [privileges] namespaces: must be all of " NAMESPACES, what);
}

static gboolean
read_capabilities (char **names, const char *what, guint64 *ret_set, GError **error)
{
  guint64 bit = 0;

  for (; *names != NULL; names++)
    {
      if (!dn_capability_bit (*names, &bit))
        return dn_throw (error, DN_ERROR_CONFIG,
                         "file '%s': [privileges] capabilities: '%s': no such capability", what,
                         *names);
      *ret_set |= bit;
    }
  return TRUE;
}

DnProfile *
dn_profile_parse (const char *text, gsize size, const char *what, GError **error)
{
  g_autoptr (DnProfile) profile = dn_profile_new ();
  g_auto (Draft) draft = { .no_new_privs = UNSET, .keyring = UNSET };
  g_autofree char *canonical = NULL;

  profile->seccomp = profile->root = UNSET;
  for (guint i = 0; i < DN_PROFILE_TABLES; i++)
    draft.tables[i] = g_ptr_array_new_with_free_func (g_free);
  if (size > DN_PROFILE_MAX_BYTES)
    {
      dn_throw (error, DN_ERROR_CONFIG, "file '%s': larger than %d bytes", what,
                DN_PROFILE_MAX_BYTES);
      return NULL;
    }
  if (!read_keys (text, size, what, profile, &draft, error)
      || !check_complete (profile, &draft, what, error)
      || !check_namespaces (draft.namespaces, what, error)
      || !read_capabilities (draft.capabilities, what, &profile->capabilities, error)
      || !dn_profile_read_tables (profile, draft.tables, what, error))
    return NULL;
  canonical = dn_profile_print (profile);
  /* It is kept like that, and read again. */
  if (strlen (canonical) > DN_PROFILE_MAX_BYTES)
    {
      dn_throw (error, DN_ERROR_CONFIG, "file '%s': larger than %d bytes, written out in full",
                what, DN_PROFILE_MAX_BYTES);
      return NULL;
    }
  profile->sha256 = g_compute_checksum_for_string (G_CHECKSUM_SHA256, canonical, -1);
  return g_steal_pointer (&profile);
}

char *
dn_profile_print (const DnProfile *p)
{
  GString *text = g_string_new (NULL);
  g_auto (GStrv) names = dn_capability_names (p->capabilities);
  g_autofree char *capabilities = g_strjoinv (";", names);

  g_string_append_printf (text, "[profile]\nname = %s\nversion = %" G_GUINT64_FORMAT "\n\n",
                          p->name, p->version);
  g_string_append_printf (text,
                          "[privileges]\ncapabilities = %s\nno_new_privs = yes\n"
                          "namespaces = " NAMESPACES "\nids = %" G_GUINT64_FORMAT
                          "\nkeyring = session\n\n",
                          capabilities, p->ids);
  g_string_append_printf (text, "[seccomp]\nbase = %s\n\n", dn_seccomp_base_words[p->seccomp]);
  g_string_append_printf (text, "[root]\nwritable = %s\nsize_mib = %" G_GUINT64_FORMAT "\n\n",
                          root_words[p->root], p->writable_bytes / MIB);
  g_string_append_printf (text, "[cgroup]\npids = %" G_GUINT64_FORMAT "\n", p->pids);
  if (p->memory_bytes != 0)
    g_string_append_printf (text, "memory_mib = %" G_GUINT64_FORMAT "\n", p->memory_bytes / MIB);
  if (p->cpu_shares != 0)
    g_string_append_printf (text, "cpu_shares = %" G_GUINT64_FORMAT "\n", p->cpu_shares);
  dn_profile_print_tables (p, text);
  return g_string_free (text, FALSE);
}
