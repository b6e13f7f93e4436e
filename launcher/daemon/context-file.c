/* SPDX-License-Identifier: Apache-2.0 */
/* contexts.d: the operator's files, read again when they change. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../common/error.h"
#include "../common/names.h"
#include "../common/paths.h"
#include "container.h"
#include "context.h"
#include "daemon-record.h"
#include "settings-file.h"

#define SUFFIX ".conf"

char *
dn_context_file_stamp (const char *path)
{
  struct stat status;

  if (stat (path, &status) < 0)
    return NULL;
  return g_strdup_printf ("%ju/%ju/%jd.%ld", (uintmax_t) status.st_ino, (uintmax_t) status.st_size,
                          (intmax_t) status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
}

/* Likewise, of a context's file: it is to be read again also when the settings under it change.
 * Without the lock. */
static char *
make_stamp (DnDaemon *daemon, const char *path)
{
  g_autofree char *stamp = dn_context_file_stamp (path);
  guint64 number;

  g_mutex_lock (&daemon->lock);
  number = daemon->settings_number;
  g_mutex_unlock (&daemon->lock);
  return stamp != NULL ? g_strdup_printf ("%s/%" G_GUINT64_FORMAT, stamp, number) : NULL;
}

/* Under the daemon's lock.  No guest runs by what the file said before. */
static gboolean
is_idle (const DnContext *context)
{
  return context->guest == NULL && context->users == 0;
}

/* Under the daemon's lock.  Whether its file has to be read: it is new or changed. */
static gboolean
is_to_be_read (const DnContext *context, const char *file_stamp)
{
  if (context == NULL)
    return TRUE;
  return !context->is_ephemeral
         && (g_strcmp0 (context->policy_stamp, file_stamp) != 0
             || (is_idle (context) && g_strcmp0 (context->file_stamp, file_stamp) != 0));
}

/* Under the daemon's lock: all of @definition, or where a guest runs, what holds at once. */
static void
take (DnContext *context, DnContextDefinition *definition)
{
  if (!is_idle (context))
    {
      dn_context_definition_take_policy (&context->definition, definition);
      return;
    }
  dn_context_definition_clear (&context->definition);
  context->definition = *definition;
  memset (definition, 0, sizeof *definition);
}

/* Under the daemon's lock: a file was read. */
static void
apply (DnDaemon *daemon, const char *name, DnContextDefinition *definition, const char *file_stamp,
       const char *message)
{
  DnContext *context = g_hash_table_lookup (daemon->contexts, name);

  if (context == NULL)
    {
      context = dn_context_new (daemon, name, FALSE, definition);
      g_hash_table_insert (daemon->contexts, g_strdup (name), context);
    }
  else if (!is_to_be_read (context, file_stamp))
    return;
  else if (message == NULL)
    take (context, definition);
  if (is_idle (context))
    {
      g_free (context->file_stamp);
      context->file_stamp = g_strdup (file_stamp);
    }
  g_free (context->policy_stamp);
  context->policy_stamp = g_strdup (file_stamp);
  g_free (context->error);
  context->error = g_strdup (message);
}

static void
read_file (DnDaemon *daemon, const char *name, const char *path, const char *file_stamp)
{
  g_autoptr (DnSettings) settings = dn_settings_get (daemon);
  DnContextDefinition definition;
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  gsize size = 0;

  dn_context_definition_init (&definition, settings);
  if (g_file_get_contents (path, &text, &size, &error))
    (void) dn_context_definition_parse (&definition, text, size, path, &error);
  if (error != NULL)
    g_warning ("contexts: %s", error->message);
  g_mutex_lock (&daemon->lock);
  apply (daemon, name, &definition, file_stamp, error != NULL ? error->message : NULL);
  g_mutex_unlock (&daemon->lock);
  dn_daemon_record_file (daemon, "context-file", name, text, size,
                         error != NULL ? error->message : NULL);
  dn_context_definition_clear (&definition);
}

/* Under the daemon's lock.  A context whose file is gone stays while it has containers, which
 * belong to it, or a guest.  Returns: whether it goes. */
static gboolean
lose_file (DnContext *context)
{
  dn_daemon_record_file_gone (context->daemon, "context-file-removed", context->name);
  if (context->guest == NULL && context->users == 0 && context->guest_id[0] == '\0'
      && dn_context_count_containers (context) == 0)
    {
      g_autofree char *state = dn_context_state_path (context->name);

      context->is_removed = TRUE;
      (void) unlink (state);
      return TRUE;
    }
  g_clear_pointer (&context->file_stamp, g_free);
  g_clear_pointer (&context->policy_stamp, g_free);
  g_free (context->error);
  context->error = g_strdup_printf ("file '%s/contexts.d/%s" SUFFIX "': was removed",
                                    dn_paths ()->config, context->name);
  return FALSE;
}

/* Under the daemon's lock.  Asked anew: the file may have come, and its context with it, since the
 * directory was read. */
static gboolean
has_file (const DnContext *context)
{
  g_autofree char *path = dn_context_file_path (context->name);
  g_autofree char *now = dn_context_file_stamp (path);

  return now != NULL;
}

static void
drop_without_file (DnDaemon *daemon, GHashTable *seen)
{
  GHashTableIter iter;
  DnContext *context;

  g_mutex_lock (&daemon->lock);
  g_hash_table_iter_init (&iter, daemon->contexts);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &context))
    if (!context->is_ephemeral && !g_hash_table_contains (seen, context->name)
        && !has_file (context) && lose_file (context))
      g_hash_table_iter_remove (&iter);
  g_mutex_unlock (&daemon->lock);
}

/* Returns: whether there is such a file. */
static gboolean
look_at (DnDaemon *daemon, const char *name)
{
  g_autofree char *path = dn_context_file_path (name);
  g_autofree char *file_stamp = make_stamp (daemon, path);
  gboolean is_new;

  if (file_stamp == NULL)
    return FALSE;
  g_mutex_lock (&daemon->lock);
  is_new = is_to_be_read (g_hash_table_lookup (daemon->contexts, name), file_stamp);
  g_mutex_unlock (&daemon->lock);
  if (is_new)
    read_file (daemon, name, path, file_stamp);
  return TRUE;
}

void
dn_context_refresh (DnDaemon *daemon)
{
  g_autofree char *path = g_build_filename (dn_paths ()->config, "contexts.d", NULL);
  g_autoptr (GDir) directory = NULL;
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  const char *entry;

  dn_settings_refresh (daemon);
  directory = g_dir_open (path, 0, NULL);
  while (directory != NULL && (entry = g_dir_read_name (directory)) != NULL)
    {
      g_autofree char *name = NULL;

      if (entry[0] == '.' || !g_str_has_suffix (entry, SUFFIX))
        continue;
      name = g_strndup (entry, strlen (entry) - strlen (SUFFIX));
      if (dn_name_is_valid (name) && look_at (daemon, name))
        g_hash_table_add (seen, g_steal_pointer (&name));
    }
  drop_without_file (daemon, seen);
}

void
dn_context_refresh_one (DnDaemon *daemon, const char *name)
{
  DnContext *context;

  dn_settings_refresh (daemon);
  if (!dn_name_is_valid (name) || look_at (daemon, name))
    return;
  g_mutex_lock (&daemon->lock);
  context = g_hash_table_lookup (daemon->contexts, name);
  if (context != NULL && !context->is_ephemeral && !has_file (context) && lose_file (context))
    g_hash_table_remove (daemon->contexts, name);
  g_mutex_unlock (&daemon->lock);
}
