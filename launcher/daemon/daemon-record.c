/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon-record.h"

#include <string.h>
#include <unistd.h>

#include "../common/paths.h"
#include "container.h"

void
dn_daemon_record_open (DnDaemon *daemon)
{
  g_autofree char *directory = g_build_filename (dn_paths ()->state, "audit", NULL);
  g_autofree char *own = g_build_filename (dn_paths ()->state, "audit-anchor", "head", NULL);
  const char *anchor = daemon->settings->audit_anchor;
  const DnRecordPlan plan = { .directory = directory,
                              .anchor = anchor != NULL ? anchor : own,
                              .makes_anchor_directory = anchor == NULL,
                              .file_bytes = (gint64) daemon->settings->audit_file_bytes };
  DnDaemonRecord *record = g_new0 (DnDaemonRecord, 1);

  g_mutex_init (&record->lock);
  record->buckets = dn_record_buckets_new ();
  record->anchor = g_strdup (plan.anchor);
  record->files = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  record->writer = dn_record_writer_new (
      &plan, dn_record_forward_new (DN_RECORD_JOURNAL_SOCKET, DN_RECORD_SYSLOG_SOCKET));
  daemon->record = record;
}

static DnRecordEntry *
new_act (const char *verb)
{
  DnRecordEntry *entry = dn_record_entry_new (DN_RECORD_ACT, verb);

  entry->who.uid = geteuid ();
  entry->who.gid = getegid ();
  entry->who.pid = getpid ();
  dn_record_set_text (&entry->who.command, "danchid");
  return entry;
}

static void
post (DnDaemon *daemon, const DnRecordEntry *entry)
{
  dn_record_writer_post (daemon->record->writer, dn_record_entry_print (entry));
}

static void
add_file (GChecksum *sum, const char *path)
{
  g_autofree char *text = NULL;
  gsize size;

  if (g_file_get_contents (path, &text, &size, NULL))
    g_checksum_update (sum, (const guchar *) text, (gssize) size);
}

static void
set_digest (JsonObject *args, const char *name, GChecksum *sum)
{
  json_object_set_string_member (args, name, g_checksum_get_string (sum));
}

/* Of one file: that of its bytes, so that sha256sum(1) says the same. */
static void
set_file_digest (JsonObject *args, const char *name, const char *path)
{
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);

  add_file (sum, path);
  set_digest (args, name, sum);
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

/* Of a directory: that of its files' names, each with a NUL, and bytes, in the names' order. */
static void
set_directory_digest (JsonObject *args, const char *name, const char *path)
{
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GDir) directory = g_dir_open (path, 0, NULL);
  const char *entry;

  while (directory != NULL && (entry = g_dir_read_name (directory)) != NULL)
    g_ptr_array_add (names, g_strdup (entry));
  g_ptr_array_sort (names, compare_names);
  for (guint i = 0; i < names->len; i++)
    {
      const char *file = names->pdata[i];
      g_autofree char *whole = g_build_filename (path, file, NULL);

      g_checksum_update (sum, (const guchar *) file, (gssize) strlen (file) + 1);
      add_file (sum, whole);
    }
  set_digest (args, name, sum);
}

static void
post_own (DnDaemon *daemon, const char *verb)
{
  g_autoptr (DnRecordEntry) entry = new_act (verb);
  g_autofree char *settings = g_build_filename (dn_paths ()->config, "danchi.conf", NULL);
  g_autofree char *contexts = g_build_filename (dn_paths ()->config, "contexts.d", NULL);

  entry->args = json_object_new ();
  json_object_set_string_member (entry->args, "version", DN_VERSION);
  set_file_digest (entry->args, "danchid_sha256", "/proc/self/exe");
  set_file_digest (entry->args, "danchi_conf_sha256", settings);
  set_directory_digest (entry->args, "contexts_d_sha256", contexts);
  post (daemon, entry);
}

void
dn_daemon_record_start (DnDaemon *daemon)
{
  post_own (daemon, "danchid-start");
}

void
dn_daemon_record_stop (DnDaemon *daemon)
{
  post_own (daemon, "danchid-stop");
  dn_record_writer_flush (daemon->record->writer);
}

void
dn_daemon_record_act (DnDaemon *daemon, const char *verb, const char *context, const char *message)
{
  g_autoptr (DnRecordEntry) entry = new_act (verb);

  dn_record_set_text (&entry->context, context);
  dn_record_set_text (&entry->message, message);
  post (daemon, entry);
}

void
dn_daemon_record_loaded (DnDaemon *daemon)
{
  g_atomic_int_set (&daemon->record->has_loaded, TRUE);
}

/* Whether it is not what was known.  @what: (transfer full): NULL for nothing at all */
static gboolean
is_news (DnDaemonRecord *record, const char *context, char *what)
{
  const char *key = context != NULL ? context : "";
  gboolean is_new;

  g_mutex_lock (&record->lock);
  is_new = g_strcmp0 (g_hash_table_lookup (record->files, key), what) != 0;
  if (what != NULL)
    (void) g_hash_table_replace (record->files, g_strdup (key), what);
  else
    (void) g_hash_table_remove (record->files, key);
  g_mutex_unlock (&record->lock);
  return is_new && g_atomic_int_get (&record->has_loaded);
}

void
dn_daemon_record_file (DnDaemon *daemon, const char *verb, const char *context, const char *text,
                       gsize size, const char *error)
{
  g_autofree char *hash
      = g_compute_checksum_for_data (G_CHECKSUM_SHA256, (const guchar *) text, size);
  g_autoptr (DnRecordEntry) entry = NULL;

  if (!is_news (daemon->record, context, g_strconcat (hash, error, NULL)))
    return;
  entry = new_act (verb);
  dn_record_set_text (&entry->context, context);
  dn_record_set_text (&entry->message, error);
  dn_record_set_text (&entry->outcome, error == NULL ? "ok" : "config");
  if (text != NULL)
    {
      entry->args = json_object_new ();
      json_object_set_string_member (entry->args, "sha256", hash);
    }
  post (daemon, entry);
}

void
dn_daemon_record_file_gone (DnDaemon *daemon, const char *verb, const char *context)
{
  if (is_news (daemon->record, context, NULL))
    dn_daemon_record_act (daemon, verb, context, NULL);
}

void
dn_daemon_record_container (DnContainer *container, const char *verb, const char *outcome,
                            const char *message)
{
  g_autoptr (DnRecordEntry) entry = new_act (verb);

  dn_daemon_record_fill (container, entry);
  dn_record_set_text (&entry->outcome, outcome);
  dn_record_set_text (&entry->message, message);
  post (container->daemon, entry);
}

void
dn_daemon_record_fill_from (const DnContext *context, DnRecordEntry *entry)
{
  dn_record_set_text (&entry->context, context->name);
  dn_record_set_text (&entry->tenant, context->definition.tenant);
  dn_record_set_text (&entry->stage, context->definition.stage);
  dn_record_set_text (&entry->tier, context->definition.tier);
  if (context->pod != NULL && context->pod->pod_name != NULL)
    {
      const char *namespace_ = context->pod->pod_namespace;
      g_autofree char *pod
          = g_strconcat (namespace_ != NULL ? namespace_ : "", "/", context->pod->pod_name, NULL);

      dn_record_set_text (&entry->pod, pod);
    }
}

void
dn_daemon_record_fill (DnContainer *container, DnRecordEntry *entry)
{
  DnDaemon *daemon = container->daemon;

  g_mutex_lock (&daemon->lock);
  dn_record_set_text (&entry->container_id, container->id);
  dn_record_set_text (&entry->container, container->name);
  dn_record_set_text (&entry->image, container->image);
  dn_record_set_text (&entry->image_digest, container->image_id);
  if (container->context != NULL)
    dn_daemon_record_fill_from (container->context, entry);
  if (container->profile != NULL)
    {
      dn_record_set_text (&entry->profile, container->profile->name);
      dn_record_set_text (&entry->profile_sha256, container->profile->sha256);
    }
  g_mutex_unlock (&daemon->lock);
}

void
dn_daemon_record_fill_context (DnDaemon *daemon, const char *name, DnRecordEntry *entry)
{
  DnContext *context;

  dn_record_set_text (&entry->context, name);
  g_mutex_lock (&daemon->lock);
  context = g_hash_table_lookup (daemon->contexts, name);
  if (context != NULL)
    dn_daemon_record_fill_from (context, entry);
  g_mutex_unlock (&daemon->lock);
}
