/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/limits/guest-*.c launcher/daemon/scan-settings.c launcher/images/reference.c
 * launcher/pods/pod-settings.c
 * launcher/images/scan-disk.c launcher/daemon/context-definition.c launcher/daemon/settings.c
 * launcher/network/plan.c launcher/daemon/host-access.c launcher/spec/access.c
 * launcher/common/paths.c launcher/common/key-*.c launcher/common/names.c
 * launcher/common/error.c launcher/spec/policy.c launcher/spec/terms.c
 * launcher/spec/bind-policy.c launcher/spec/signing-key.c launcher/spec/placement.c
 * launcher/spec/reference-glob.c launcher/spec/profile.c launcher/spec/capability.c
 * launcher/spec/tmpfs.c launcher/spec/quantity.c launcher/spec/network-policy.c
 * launcher/base/network-rule.c launcher/base/public-address.c launcher/common/json.c */
/* The policy reference is the parsers' tables, in words: every key, and no other; what is built in,
 * from when it holds, its limits and its choices; and every rule of admission. */
#include <string.h>

#include "../../launcher/daemon/context-definition.h"
#include "../../launcher/spec/admission.h"

#define SETTINGS_PAGE "docs/man/danchi.conf.5.scd"
#define CONTEXT_PAGE "docs/man/danchi-context.5.scd"

static const char *const rules[] = {
#define DN_RULE(name, word, group, key) word,
#include "../../launcher/spec/rule.def"
#undef DN_RULE
};

static char *
read_page (const char *path)
{
  g_autoptr (GError) error = NULL;
  char *text = NULL;

  (void) g_file_get_contents (path, &text, NULL, &error);
  g_assert_no_error (error);
  return text;
}

/* "GROUP.KEY" → what the page says of it, of "## [GROUP]" and "*KEY* = ...". */
static GHashTable *
read_entries (const char *page)
{
  GHashTable *entries = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_auto (GStrv) lines = g_strsplit (page, "\n", -1);
  g_autofree char *group = NULL;

  for (guint i = 0; lines[i] != NULL; i++)
    {
      const char *line = lines[i], *end = strstr (line, "* = ");
      g_autoptr (GString) text = NULL;

      if (g_str_has_prefix (line, "#"))
        {
          g_free (group);
          group = g_str_has_prefix (line, "## [")
                      ? g_strndup (line + strlen ("## ["), strcspn (line + strlen ("## ["), "]"))
                      : NULL;
        }
      if (group == NULL || line[0] != '*' || end == NULL)
        continue;
      text = g_string_new (line);
      for (i++; lines[i] != NULL && lines[i][0] == '\t'; i++)
        g_string_append_printf (text, " %s", g_strstrip (lines[i]));
      if (!g_hash_table_insert (
              entries, g_strdup_printf ("%s.%.*s", group, (int) (end - line - 1), line + 1),
              g_string_free (g_steal_pointer (&text), FALSE)))
        g_test_fail_printf ("stands there twice: %s", line);
    }
  return entries;
}

/* As a page writes it: in bold, with scdoc's own characters escaped. */
static char *
make_words (const DnKey *key)
{
  g_autofree char *value = dn_key_print (key);
  g_auto (GStrv) parts = g_strsplit (value != NULL ? value : "", "*", -1);
  g_autofree char *escaped = g_strjoinv ("\\*", parts);

  return escaped[0] != '\0' ? g_strdup_printf ("Built in: *%s*.", escaped)
                            : g_strdup ("Built in: nothing.");
}

static void
expect (const char *page, const DnKey *key, const char *entry, const char *words)
{
  if (strstr (entry, words) == NULL)
    g_test_fail_printf ("%s: [%s] %s lacks '%s': %s", page, key->group, key->key, words, entry);
}

static void
check_key (const char *page, const DnKey *key, const char *entry, const char *holds)
{
  g_autofree char *built_in = make_words (key);
  g_autofree char *choices
      = key->type == DN_KEY_CHOICE ? g_strjoinv ("|", (char **) key->choices) : NULL;
  g_autofree char *least = g_strdup_printf ("%" G_GUINT64_FORMAT, key->min);
  g_autofree char *most = g_strdup_printf ("%" G_GUINT64_FORMAT, key->max);

  expect (page, key, entry, built_in);
  expect (page, key, entry, holds);
  if (choices != NULL)
    expect (page, key, entry, choices);
  if (key->type == DN_KEY_INTEGER && key->min > 0)
    {
      expect (page, key, entry, least);
      expect (page, key, entry, most);
    }
}

static const char *
holds_from (const DnKey *key, gboolean is_context)
{
  if (dn_context_definition_is_of_guest (key) && !g_str_equal (key->key, "ephemeral"))
    return "Holds from the next guest on.";
  /* What danchid opens once: its socket and its record. */
  if (!is_context && (g_str_equal (key->group, "audit") || g_str_equal (key->key, "socket_group")))
    return "Holds from danchid's next start.";
  return "Holds at once.";
}

static void
check_page (const char *page, const DnKey *keys, gboolean is_context)
{
  g_autofree char *text = read_page (page);
  g_autoptr (GHashTable) entries = read_entries (text);
  GHashTableIter iter;
  gpointer name;

  for (const DnKey *key = keys; key->group != NULL; key++)
    {
      g_autofree char *id = g_strdup_printf ("%s.%s", key->group, key->key);
      const char *entry = g_hash_table_lookup (entries, id);

      if (entry == NULL)
        {
          g_test_fail_printf ("%s does not tell of [%s] %s", page, key->group, key->key);
          continue;
        }
      check_key (page, key, entry, holds_from (key, is_context));
      g_hash_table_remove (entries, id);
    }
  g_hash_table_iter_init (&iter, entries);
  while (g_hash_table_iter_next (&iter, &name, NULL))
    g_test_fail_printf ("%s tells of %s, which is no key", page, (const char *) name);
}

static void
test_the_settings_page_tells_of_every_key (void)
{
  g_autoptr (DnSettings) settings = dn_settings_new ("danchi.conf");
  DnKey keys[DN_SETTINGS_KEYS + 1];

  dn_settings_fill_keys (settings, keys);
  check_page (SETTINGS_PAGE, keys, FALSE);
}

static void
test_the_context_page_tells_of_every_key (void)
{
  g_autoptr (DnSettings) settings = dn_settings_new ("danchi.conf");
  DnContextDefinition definition;
  DnKey keys[DN_CONTEXT_KEYS + 1];

  dn_context_definition_init (&definition, settings);
  dn_context_definition_fill_keys (&definition, keys);
  check_page (CONTEXT_PAGE, keys, TRUE);
  dn_context_definition_clear (&definition);
}

/* The rules of labels go by the labels' names, that of a wrong file needs no key. */
static void
test_the_pages_tell_of_every_rule (void)
{
  g_autofree char *settings = read_page (SETTINGS_PAGE), *context = read_page (CONTEXT_PAGE);

  for (guint i = 0; i < G_N_ELEMENTS (rules); i++)
    if (strstr (settings, rules[i]) == NULL && strstr (context, rules[i]) == NULL)
      g_test_fail_printf ("no page tells of rule %s", rules[i]);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/man/the-settings-page-tells-of-every-key",
                   test_the_settings_page_tells_of_every_key);
  g_test_add_func ("/man/the-context-page-tells-of-every-key",
                   test_the_context_page_tells_of_every_key);
  g_test_add_func ("/man/the-pages-tell-of-every-rule", test_the_pages_tell_of_every_rule);
  return g_test_run ();
}
