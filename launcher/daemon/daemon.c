/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon.h"

#include "../common/error.h"
#include "../common/paths.h"
#include "../images/fetch.h"
#include "../images/intake.h"
#include "../pods/pods.h"
#include "../volumes/volume-part.h"
#include "../volumes/volumes.h"
#include "adopt.h"
#include "container.h"
#include "context-freeze.h"
#include "context-guest.h"
#include "daemon-record.h"
#include "forensics-directory.h"
#include "tree.h"

typedef struct
{
  void (*func) (gpointer data);
  gpointer data;
} Work;

static void
run_work (gpointer item, gpointer unused)
{
  Work *work = item;

  (void) unused;
  work->func (work->data);
  g_free (work);
}

void
dn_daemon_work (DnDaemon *daemon, void (*func) (gpointer data), gpointer data)
{
  Work *work = g_new0 (Work, 1);

  work->func = func;
  work->data = data;
  (void) g_thread_pool_push (daemon->workers, work, NULL);
}

static gboolean
make_directories (GError **error)
{
  const DnPaths *paths = dn_paths ();
  static const struct
  {
    const char *name;
    guint mode;
  } directories[] = { { "containers", 0700 }, { "contexts", 0700 }, { "log", 0700 } };

  /* 0711: QEMU passes through on its way to an image, as a uid that may not list anything. */
  if (!dn_tree_make (paths->state, 0711, error) || !dn_tree_make (paths->run, 0711, error))
    return FALSE;
  for (gsize i = 0; i < G_N_ELEMENTS (directories); i++)
    {
      g_autofree char *path = g_build_filename (paths->state, directories[i].name, NULL);

      if (!dn_tree_make (path, directories[i].mode, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
read_settings (DnDaemon *daemon, GError **error)
{
  g_autofree char *path = g_build_filename (dn_paths ()->config, "danchi.conf", NULL);

  daemon->settings_stamp = dn_context_file_stamp (path);
  daemon->settings = dn_settings_read (NULL, NULL, error);
  return daemon->settings != NULL;
}

DnDaemon *
dn_daemon_new (GError **error)
{
  DnDaemon *daemon = g_new0 (DnDaemon, 1);
  g_autofree char *log = g_build_filename (dn_paths ()->state, "log", NULL);
  g_autofree char *volumes = g_build_filename (dn_paths ()->state, "volumes", NULL);
  g_autoptr (GPtrArray) swept = g_ptr_array_new_with_free_func (g_free);

  g_mutex_init (&daemon->lock);
  g_mutex_init (&daemon->reload_lock);
  g_cond_init (&daemon->changed);
  daemon->started_us = g_get_real_time ();
  daemon->contexts
      = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) dn_context_unref);
  daemon->containers
      = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify) dn_container_unref);
  /* Without a bound of its own: what is pushed is bounded by containers and their processes, and
   * one that blocks must not hold up another. */
  daemon->workers = g_thread_pool_new (run_work, NULL, -1, FALSE, NULL);
  if (!read_settings (daemon, error) || !make_directories (error))
    return NULL;
  dn_daemon_record_open (daemon);
  dn_daemon_record_start (daemon);
  daemon->store = dn_store_open (error);
  if (daemon->store == NULL)
    return NULL;
  daemon->events = dn_events_open (log);
  daemon->volumes = dn_volumes_open (volumes, error);
  if (daemon->volumes == NULL)
    return NULL;
  if (!dn_context_load_all (daemon, error) || !dn_container_load_all (daemon, error)
      || !dn_adopt_all (daemon, error))
    return NULL;
  dn_pods_settle (daemon);
  dn_volume_settle (daemon);
  dn_volumes_sweep (daemon->volumes, swept);
  dn_intake_sweep (swept);
  dn_store_sweep (daemon->store, swept);
  dn_forensics_directory_sweep (swept);
  for (guint i = 0; i < swept->len; i++)
    {
      g_message ("left by a crash and removed: %s", (char *) swept->pdata[i]);
      dn_daemon_record_act (daemon, "store-sweep", NULL, swept->pdata[i]);
    }
  dn_daemon_record_loaded (daemon);
  return daemon;
}

/* Contexts that were made for a container that is gone. */
static void
sweep_contexts (DnDaemon *daemon, GPtrArray *removed)
{
  g_autoptr (GPtrArray) contexts = dn_context_list (daemon);

  for (guint i = 0; i < contexts->len; i++)
    {
      DnContext *context = contexts->pdata[i];
      gboolean is_orphan;

      g_mutex_lock (&daemon->lock);
      is_orphan = dn_context_goes_with_container (context) && context->users == 0
                  && dn_context_count_containers (context) == 0 && !context->is_removed
                  && !dn_context_is_frozen_locked (context);
      g_mutex_unlock (&daemon->lock);
      if (!is_orphan)
        continue;
      dn_context_stop_guest (context, 0, "its container is gone");
      dn_context_forget (context);
      g_ptr_array_add (removed, g_strdup_printf ("context %s", context->name));
    }
}

GPtrArray *
dn_daemon_gc (DnDaemon *daemon, GError **error)
{
  g_autoptr (GPtrArray) removed = NULL;

  g_autoptr (GPtrArray) own = g_ptr_array_new_with_free_func (g_free);

  sweep_contexts (daemon, own);
  dn_pods_sweep (daemon, own);
  dn_store_sweep (daemon->store, own);
  dn_volumes_sweep (daemon->volumes, own);
  dn_fetch_prune (0, own);
  dn_forensics_directory_sweep (own);
  dn_context_report_frozen (daemon, own);
  removed = dn_guest_gc (error);
  if (removed == NULL)
    return NULL;
  for (guint i = 0; i < own->len; i++)
    g_ptr_array_add (removed, g_strdup (own->pdata[i]));
  return g_steal_pointer (&removed);
}
