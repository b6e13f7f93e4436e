/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <stdio.h>
#include <string.h>

#include "../common/error.h"
#include "help.h"
#include "session-mode.h"

gboolean
dn_options_refuse_unbuilt (const char *name, const char *value, gpointer data, GError **error)
{
  (void) value;
  (void) data;
  return dn_throw (error, DN_ERROR_USAGE, "%s: not built yet in this version", name);
}

void
dn_options_fill_global (DnCli *cli, GOptionEntry *ret_entries)
{
  const GOptionEntry entries[DN_OPTIONS_GLOBAL_ROWS] = {
    { "format", 0, 0, G_OPTION_ARG_FILENAME, &cli->format,
      "How to print: text or json; audit: html too; save: the archive's, docker or oci", "FORMAT" },
    { "socket", 0, 0, G_OPTION_ARG_FILENAME, &cli->socket_path,
      "Where danchid listens (or DANCHI_SOCKET)", "PATH" },
    { "session", 0, 0, G_OPTION_ARG_NONE, &cli->is_session,
      "Use a danchid of your own, without root (or DANCHI_SESSION=1)", NULL },
    { "allow-emulation", 0, 0, G_OPTION_ARG_NONE, &cli->allow_emulation,
      "Let a guest run without KVM: slow, and no security boundary", NULL },
    { "verbose", 0, 0, G_OPTION_ARG_NONE, &cli->is_verbose, "Say each step on stderr", NULL },
    DN_OPTION_END,
  };

  memcpy (ret_entries, entries, sizeof entries);
}

gboolean
dn_options_check_global (DnCli *cli, GError **error)
{
  /* Before a command is known, html may yet be right. */
  gboolean takes_html = cli->takes_html || cli->command == NULL;

  if (!dn_session_mode_choose (cli, error))
    return FALSE;
  if (cli->takes_archives)
    return cli->format == NULL || g_str_equal (cli->format, "docker")
           || g_str_equal (cli->format, "oci")
           || dn_throw (error, DN_ERROR_USAGE, "--format: '%s': must be docker or oci",
                        cli->format);
  cli->is_json = g_strcmp0 (cli->format, "json") == 0;
  cli->is_html = g_strcmp0 (cli->format, "html") == 0;
  if (cli->is_html && !takes_html)
    return dn_throw (error, DN_ERROR_USAGE, "--format: 'html': only danchi audit prints that");
  if (cli->format != NULL && !cli->is_json && !cli->is_html && !g_str_equal (cli->format, "text"))
    return dn_throw (error, DN_ERROR_USAGE, "--format: '%s': must be %s", cli->format,
                     cli->takes_html ? "text, json or html" : "text or json");
  return TRUE;
}

static const GOptionEntry *
find_short (const GOptionEntry *entries, char name)
{
  for (; entries->long_name != NULL; entries++)
    if (entries->short_name == name)
      return entries;
  return NULL;
}

static const GOptionEntry *
find_long (const GOptionEntry *entries, const char *name, gsize size)
{
  for (; entries->long_name != NULL; entries++)
    if (strncmp (entries->long_name, name, size) == 0 && entries->long_name[size] == '\0')
      return entries;
  return NULL;
}

static gboolean
is_switch (const GOptionEntry *entry)
{
  return entry->arg == G_OPTION_ARG_NONE;
}

/* --sig-proxy=false becomes --no-sig-proxy where there is such a row; other switches are off when
 * they are not there. */
static gboolean
add_switch (const GOptionEntry *entries, const char *name, const char *value, const char *shown,
            GPtrArray *out, GError **error)
{
  g_autofree char *opposite = g_strconcat ("no-", name, NULL);

  if (value == NULL || g_str_equal (value, "true") || g_str_equal (value, "1"))
    g_ptr_array_add (out, g_strconcat ("--", name, NULL));
  else if (g_str_equal (value, "false") || g_str_equal (value, "0"))
    {
      if (find_long (entries, opposite, strlen (opposite)) != NULL)
        g_ptr_array_add (out, g_strconcat ("--", opposite, NULL));
    }
  else
    return dn_throw (error, DN_ERROR_USAGE, "%s: '%s': must be true or false", shown, value);
  return TRUE;
}

/* A flag's value goes into the same word ("--name=VALUE"), so that one that begins with a dash
 * cannot be mistaken for a flag. */
static void
add_value (GPtrArray *out, const GOptionEntry *entry, const char *value)
{
  g_ptr_array_add (out, g_strdup_printf ("--%s=%s", entry->long_name, value));
}

/* "-itm512m", "-it -m 512m", "-m=512m".  @next: the word after it, or NULL; *ret_used says that it
 * was taken as the value. */
static gboolean
normalise_short (const GOptionEntry *entries, const char *word, const char *next, GPtrArray *out,
                 gboolean *ret_used, GError **error)
{
  for (const char *at = word + 1; *at != '\0'; at++)
    {
      const GOptionEntry *entry = find_short (entries, *at);
      char shown[] = { '-', *at, '\0' };

      if (entry == NULL)
        return dn_throw (error, DN_ERROR_USAGE, "%s: unknown flag%s%s", shown,
                         at > word + 1 || at[1] != '\0' ? " in " : "",
                         at > word + 1 || at[1] != '\0' ? word : "");
      if (is_switch (entry))
        {
          const char *value = at[1] == '=' ? at + 2 : NULL;

          if (!add_switch (entries, entry->long_name, value, shown, out, error))
            return FALSE;
          if (value != NULL)
            return TRUE;
          continue;
        }
      if (entry->flags & G_OPTION_FLAG_OPTIONAL_ARG) /* not built: refused whatever follows */
        g_ptr_array_add (out, g_strdup (shown));
      else if (at[1] != '\0')
        add_value (out, entry, at[1] == '=' ? at + 2 : at + 1);
      else if (next == NULL)
        return dn_throw (error, DN_ERROR_USAGE, "%s: a value must follow", shown);
      else
        {
          add_value (out, entry, next);
          *ret_used = TRUE;
        }
      return TRUE;
    }
  return TRUE;
}

static gboolean
normalise_long (const GOptionEntry *entries, const char *word, const char *next, GPtrArray *out,
                gboolean *ret_used, GError **error)
{
  const char *equals = strchr (word, '=');
  gsize size = equals != NULL ? (gsize) (equals - word) : strlen (word);
  g_autofree char *flag = g_strndup (word, size);
  const GOptionEntry *entry = find_long (entries, word + 2, size - 2);

  if (entry == NULL)
    return dn_throw (error, DN_ERROR_USAGE, "%s: unknown flag", flag);
  if (is_switch (entry))
    return add_switch (entries, entry->long_name, equals != NULL ? equals + 1 : NULL, flag, out,
                       error);
  if (entry->flags & G_OPTION_FLAG_OPTIONAL_ARG)
    g_ptr_array_add (out, g_steal_pointer (&flag));
  else if (equals != NULL)
    g_ptr_array_add (out, g_strdup (word));
  else if (entry->flags & DN_OPTION_VALUE_IS_OPTIONAL)
    add_value (out, entry, "");
  else if (next == NULL)
    return dn_throw (error, DN_ERROR_USAGE, "%s: a value must follow", flag);
  else
    {
      add_value (out, entry, next);
      *ret_used = TRUE;
    }
  return TRUE;
}

char **
dn_options_normalise (const GOptionEntry *entries, DnOptionsStyle style, char **words,
                      GError **error)
{
  g_autoptr (GPtrArray) flags = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) rest = g_ptr_array_new ();

  for (; *words != NULL; words++)
    {
      gboolean used = FALSE, is_fine = TRUE;

      if (g_str_equal (*words, "--"))
        {
          words++;
          break;
        }
      if (**words != '-' || (*words)[1] == '\0')
        {
          if (style == DN_OPTIONS_UP_TO_THE_WORDS)
            break;
          g_ptr_array_add (rest, *words);
          continue;
        }
      if ((*words)[1] == '-')
        is_fine = normalise_long (entries, *words, words[1], flags, &used, error);
      else
        is_fine = normalise_short (entries, *words, words[1], flags, &used, error);
      if (!is_fine)
        return NULL;
      if (used)
        words++;
    }
  g_ptr_array_add (flags, g_strdup ("--"));
  for (guint i = 0; i < rest->len; i++)
    g_ptr_array_add (flags, g_strdup (rest->pdata[i]));
  for (; *words != NULL; words++)
    g_ptr_array_add (flags, g_strdup (*words));
  g_ptr_array_add (flags, NULL);
  return (char **) g_ptr_array_free (g_steal_pointer (&flags), FALSE);
}

/* All rows that count for this command: its own, the global ones, help.  (transfer full) */
static GOptionEntry *
join_entries (DnCli *cli, const GOptionEntry *own, gboolean *help)
{
  g_autoptr (GArray) all = g_array_new (TRUE, TRUE, sizeof (GOptionEntry));
  GOptionEntry global[DN_OPTIONS_GLOBAL_ROWS];
  GOptionEntry help_entry = {
    "help", find_short (own, 'h') == NULL ? 'h' : '\0', 0, G_OPTION_ARG_NONE, help, NULL, NULL
  };

  for (; own->long_name != NULL; own++)
    g_array_append_val (all, *own);
  dn_options_fill_global (cli, global);
  g_array_append_vals (all, global, DN_OPTIONS_GLOBAL_ROWS - 1);
  g_array_append_val (all, help_entry);
  return (GOptionEntry *) (void *) g_array_free (g_steal_pointer (&all), FALSE);
}

/* Runs GOption over words in its own form: a flags part, "--", the rest, which stays. */
static gboolean
run_parser (const GOptionEntry *entries, char **words, char ***ret_rest, GError **error)
{
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autofree char **arguments = NULL; /* the texts stay @words' */
  char **rest = words;
  int count = 1;

  while (!g_str_equal (*rest, "--"))
    rest++;
  arguments = g_new0 (char *, (gsize) (rest - words) + 2);
  arguments[0] = (char *) "danchi";
  for (char **word = words; word < rest; word++)
    arguments[count++] = *word;
  g_option_context_set_help_enabled (context, FALSE);
  g_option_context_set_strict_posix (context, TRUE);
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &count, &arguments, error))
    return FALSE;
  *ret_rest = g_strdupv (rest + 1);
  return TRUE;
}

gboolean
dn_options_parse_plain (const GOptionEntry *entries, DnOptionsStyle style, char **words,
                        char ***ret_rest, GError **error)
{
  g_auto (GStrv) normal = dn_options_normalise (entries, style, words, error);

  return normal != NULL && run_parser (entries, normal, ret_rest, error);
}

static gboolean
check_words (DnCli *cli, char **words, guint least, guint most, int *ret_status)
{
  guint count = g_strv_length (words);

  for (char **word = words; *word != NULL; word++)
    if (!g_utf8_validate (*word, -1, NULL))
      {
        *ret_status = dn_cli_fail_usage (cli, "'%s': not UTF-8", *word);
        return FALSE;
      }
  if (count < least)
    *ret_status = dn_cli_fail_usage (cli, "%s must follow", dn_help_word (cli->command, count));
  else if (count > most)
    *ret_status = dn_cli_fail_usage (cli, "'%s': one word too many", words[most]);
  return count >= least && count <= most;
}

gboolean
dn_options_parse (DnCli *cli, const GOptionEntry *entries, DnOptionsStyle style, char **words,
                  guint least, guint most, char ***ret_words, int *ret_status)
{
  gboolean wants_help = FALSE;
  g_autofree GOptionEntry *all = join_entries (cli, entries, &wants_help);
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) rest = NULL;

  if (!dn_options_parse_plain (all, style, words, &rest, &error)
      || !dn_options_check_global (cli, &error))
    {
      *ret_status = dn_cli_fail_usage (cli, "%s", error->message);
      return FALSE;
    }
  if (wants_help)
    {
      g_autofree char *page = dn_help_page (cli->command, cli->command_words, entries);

      fputs (page, stdout);
      *ret_status = DN_EXIT_DONE;
      return FALSE;
    }
  if (!check_words (cli, rest, least, most, ret_status))
    return FALSE;
  *ret_words = g_steal_pointer (&rest);
  return TRUE;
}
