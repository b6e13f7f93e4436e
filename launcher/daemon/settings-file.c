/* SPDX-License-Identifier: Apache-2.0 */
#include "settings-file.h"

#include <sys/stat.h>

#include "../common/error.h"
#include "context.h"

DnSettings *
dn_settings_get (DnDaemon *daemon)
{
  DnSettings *settings;

  g_mutex_lock (&daemon->lock);
  settings = dn_settings_ref (daemon->settings);
  g_mutex_unlock (&daemon->lock);
  return settings;
}

char *
dn_settings_get_error (DnDaemon *daemon)
{
  char *error;

  g_mutex_lock (&daemon->lock);
  error = g_strdup (daemon->settings_error);
  g_mutex_unlock (&daemon->lock);
  return error;
}

/* Under the daemon's lock.  Contexts of files are read again, since their stamp has the settings'
 * number in it; those without a file take what they would be made with now. */
static void
take (DnDaemon *daemon, DnSettings *settings)
{
  GHashTableIter iter;
  DnContext *context;

  dn_settings_unref (daemon->settings);
  daemon->settings = dn_settings_ref (settings);
  daemon->settings_number++;
  g_hash_table_iter_init (&iter, daemon->contexts);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &context))
    if (context->is_ephemeral)
      {
        DnContextDefinition fresh;

        dn_context_definition_init (&fresh, settings);
        dn_context_definition_take_policy (&context->definition, &fresh);
        dn_context_definition_clear (&fresh);
      }
}

/* With reload_lock held: one reader at a time, so that the newest is what stays. */
static void
reload (DnDaemon *daemon, const char *stamp)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (DnSettings) settings = NULL;

  if (stamp != NULL)
    settings = dn_settings_read (&error);
  else
    dn_throw (&error, DN_ERROR_CONFIG, "file '%s': was removed", daemon->settings->file);
  if (settings == NULL)
    g_warning ("settings: %s; those that were read before still hold", error->message);
  else
    g_message ("settings: '%s' was read again", settings->file);
  g_mutex_lock (&daemon->lock);
  if (settings != NULL)
    take (daemon, settings);
  g_free (daemon->settings_error);
  daemon->settings_error = settings == NULL ? g_strdup (error->message) : NULL;
  g_free (daemon->settings_stamp);
  daemon->settings_stamp = g_strdup (stamp);
  g_mutex_unlock (&daemon->lock);
}

void
dn_settings_refresh (DnDaemon *daemon)
{
  g_autofree char *stamp = NULL;

  g_mutex_lock (&daemon->reload_lock);
  /* Before it is read: what is written in between is then found by the next look. */
  stamp = dn_context_file_stamp (daemon->settings->file);
  if (g_strcmp0 (stamp, daemon->settings_stamp) != 0)
    reload (daemon, stamp);
  g_mutex_unlock (&daemon->reload_lock);
}
