/* SPDX-License-Identifier: Apache-2.0 */
#include "journal.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#include "../common/error.h"
#include "../common/json.h"
#include "../common/paths.h"
#include "../common/state-file.h"
#include "domain-xml.h"

static const char *
host_boot_id (void)
{
  static gsize is_ready;
  static char *boot_id;

  if (g_once_init_enter (&is_ready))
    {
      if (!g_file_get_contents ("/proc/sys/kernel/random/boot_id", &boot_id, NULL, NULL))
        boot_id = g_strdup ("unknown");
      g_strchomp (boot_id);
      g_once_init_leave (&is_ready, 1);
    }
  return boot_id;
}

DnJournalEntry *
dn_journal_entry_new (const char *id)
{
  DnJournalEntry *entry = g_new0 (DnJournalEntry, 1);

  entry->id = g_strdup (id);
  entry->state = g_strdup ("starting");
  entry->boot = g_strdup (host_boot_id ());
  entry->grants = g_new0 (char *, 1);
  entry->disks = g_ptr_array_new_with_free_func ((GDestroyNotify) dn_journal_disk_free);
  return entry;
}

void
dn_journal_entry_free (DnJournalEntry *entry)
{
  if (entry == NULL)
    return;
  g_free (entry->id);
  g_free (entry->context);
  g_free (entry->hostname);
  g_free (entry->state);
  g_free (entry->boot);
  g_free (entry->root_hash);
  g_free (entry->kernel_path);
  g_free (entry->initrd_path);
  g_free (entry->root_path);
  g_strfreev (entry->grants);
  g_ptr_array_unref (entry->disks);
  g_free (entry);
}

DnJournalDisk *
dn_journal_disk_new (const char *path, const char *serial, guint port)
{
  DnJournalDisk *disk = g_new0 (DnJournalDisk, 1);

  disk->path = g_strdup (path);
  disk->serial = g_strdup (serial);
  disk->port = port;
  return disk;
}

void
dn_journal_disk_free (DnJournalDisk *disk)
{
  if (disk == NULL)
    return;
  g_free (disk->path);
  g_free (disk->serial);
  g_free (disk);
}

char *
dn_journal_path (const char *id)
{
  return g_strdup_printf ("%s/journal/%s.json", dn_paths ()->run, id);
}

gboolean
dn_journal_entry_is_of_this_boot (const DnJournalEntry *entry)
{
  return strcmp (entry->boot, host_boot_id ()) == 0;
}

static void
add_string (JsonBuilder *builder, const char *name, const char *value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_string_value (builder, value != NULL ? value : "");
}

static void
add_known (JsonBuilder *builder, const char *name, const char *value)
{
  if (value != NULL)
    add_string (builder, name, value);
}

static void
add_number (JsonBuilder *builder, const char *name, gint64 value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_int_value (builder, value);
}

static void
add_lists (JsonBuilder *builder, const DnJournalEntry *entry)
{
  json_builder_set_member_name (builder, "grants");
  json_builder_begin_array (builder);
  for (char **path = entry->grants; *path != NULL; path++)
    json_builder_add_string_value (builder, *path);
  json_builder_end_array (builder);
  json_builder_set_member_name (builder, "disks");
  json_builder_begin_array (builder);
  for (guint i = 0; i < entry->disks->len; i++)
    {
      const DnJournalDisk *disk = g_ptr_array_index (entry->disks, i);

      json_builder_begin_object (builder);
      add_string (builder, "path", disk->path);
      add_string (builder, "serial", disk->serial);
      add_number (builder, "port", disk->port);
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
}

static void
add_limits (JsonBuilder *builder, const DnJournalEntry *entry)
{
  const DnGuestLimits *limits = &entry->limits;

  add_number (builder, "cpu_shares", (gint64) limits->cpu_shares);
  add_number (builder, "cpu_quota_percent", (gint64) limits->cpu_quota_percent);
  add_number (builder, "read_bytes_per_s", (gint64) limits->read_bytes_per_s);
  add_number (builder, "write_bytes_per_s", (gint64) limits->write_bytes_per_s);
  add_number (builder, "reads_per_s", (gint64) limits->reads_per_s);
  add_number (builder, "writes_per_s", (gint64) limits->writes_per_s);
  add_number (builder, "balloon_bytes", (gint64) entry->balloon_bytes);
  add_number (builder, "host_limit_bytes", (gint64) entry->host_limit_bytes);
  json_builder_set_member_name (builder, "has_card");
  json_builder_add_boolean_value (builder, entry->has_card);
  add_number (builder, "card_group", entry->card_group);
  json_builder_set_member_name (builder, "has_balloon");
  json_builder_add_boolean_value (builder, entry->has_balloon);
}

/* RUN must let guests' uids pass; the journal is root's alone. */
gboolean
dn_journal_make_directories (GError **error)
{
  const char *run = dn_paths ()->run;
  g_autofree char *directory = g_build_filename (run, "journal", NULL);

  if (!g_file_test (run, G_FILE_TEST_IS_DIR)
      && (g_mkdir_with_parents (run, 0711) < 0 || chmod (run, 0711) < 0))
    return dn_throw_errno (error, "directory '%s'", run);
  if (g_mkdir_with_parents (directory, 0700) < 0)
    return dn_throw_errno (error, "directory '%s'", directory);
  return TRUE;
}

gboolean
dn_journal_write (const DnJournalEntry *entry, GError **error)
{
  g_autofree char *path = dn_journal_path (entry->id);
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (JsonNode) root = NULL;

  json_builder_begin_object (builder);
  add_string (builder, "id", entry->id);
  add_string (builder, "context", entry->context);
  add_string (builder, "hostname", entry->hostname);
  add_string (builder, "state", entry->state);
  add_string (builder, "boot", entry->boot);
  add_number (builder, "kind", entry->kind);
  add_number (builder, "transport", entry->transport);
  add_number (builder, "accelerator", entry->accelerator);
  add_number (builder, "slot", entry->slot);
  add_number (builder, "uid", entry->uid);
  add_number (builder, "gid", entry->gid);
  add_number (builder, "vsock_cid", entry->vsock_cid);
  add_number (builder, "relay_pid", entry->relay_pid);
  add_number (builder, "relay_start_ticks", (gint64) entry->relay_start_ticks);
  add_number (builder, "memory_bytes", (gint64) entry->memory_bytes);
  add_number (builder, "vcpus", entry->vcpus);
  add_number (builder, "spare_disks", entry->spare_disks);
  add_number (builder, "has_share", entry->has_share);
  add_number (builder, "share_pid", entry->share_pid);
  add_number (builder, "share_start_ticks", (gint64) entry->share_start_ticks);
  add_number (builder, "started_us", entry->started_us);
  add_number (builder, "freeze", entry->freeze);
  add_limits (builder, entry);
  add_known (builder, "root_hash", entry->root_hash);
  add_known (builder, "kernel_path", entry->kernel_path);
  add_known (builder, "initrd_path", entry->initrd_path);
  add_known (builder, "root_path", entry->root_path);
  add_lists (builder, entry);
  json_builder_end_object (builder);
  root = json_builder_get_root (builder);
  if (!dn_journal_make_directories (error))
    return FALSE;
  return dn_state_file_write (path, root, error);
}

static gboolean
read_disks (JsonArray *array, DnJournalEntry *entry, const char *what, GError **error)
{
  guint count = json_array_get_length (array);

  if (count > DN_DOMAIN_SPARE_DISKS_MAX)
    return dn_throw (error, DN_ERROR_CONFIG, "%s: more disks than there are ports", what);
  for (guint i = 0; i < count; i++)
    {
      JsonNode *node = json_array_get_element (array, i);
      g_autofree char *path = NULL;
      g_autofree char *serial = NULL;
      gint64 port = 0;
      const DnJsonField fields[] = {
        { "path", DN_JSON_STRING, TRUE, &path },
        { "serial", DN_JSON_STRING, TRUE, &serial },
        { "port", DN_JSON_INT, TRUE, &port },
        { 0 },
      };

      if (!JSON_NODE_HOLDS_OBJECT (node))
        return dn_throw (error, DN_ERROR_CONFIG, "%s: a disk is no object", what);
      if (!dn_json_read (json_node_get_object (node), fields, what, error))
        return FALSE;
      if (port < 0 || port >= DN_DOMAIN_SPARE_DISKS_MAX)
        return dn_throw (error, DN_ERROR_CONFIG, "%s: there is no port %" G_GINT64_FORMAT, what,
                         port);
      g_ptr_array_add (entry->disks, dn_journal_disk_new (path, serial, (guint) port));
    }
  return TRUE;
}

/* The numbers as JSON has them, before they are put into their types. */
typedef struct
{
  gint64 kind, transport, accelerator, slot, uid, gid, vsock_cid, relay_pid, relay_start_ticks;
  gint64 memory_bytes, vcpus, spare_disks, started_us, freeze;
  gint64 shares, quota, read_bytes, write_bytes, reads, writes, balloon_bytes, host_limit_bytes;
  gint64 card_group;
  gint64 has_share, share_pid, share_start_ticks;
} Numbers;

static gboolean
take_numbers (const Numbers *n, DnJournalEntry *entry, const char *what, GError **error)
{
  /* danchid acts as root on what is written here: a uid of 0 must never come out of it. */
  if (n->kind < 0 || n->kind > DN_GUEST_KIND_UNPACK || n->transport < 0
      || n->transport > DN_TRANSPORT_SERIAL || n->accelerator < 0
      || n->accelerator > DN_ACCELERATOR_TCG || n->slot < 0 || n->slot > G_MAXINT || n->uid <= 0
      || n->uid > G_MAXINT || n->gid <= 0 || n->gid > G_MAXINT || n->vsock_cid < 0
      || n->vsock_cid > G_MAXINT || n->relay_pid < 0 || n->relay_pid > G_MAXINT || n->shares < 0
      || n->quota < 0 || n->read_bytes < 0 || n->write_bytes < 0 || n->reads < 0 || n->writes < 0
      || n->balloon_bytes < 0 || n->host_limit_bytes < 0 || n->memory_bytes < 0 || n->vcpus < 0
      || n->vcpus > 1024 || n->spare_disks < 0 || n->spare_disks > DN_DOMAIN_SPARE_DISKS_MAX
      || n->freeze < 0 || n->freeze > DN_FREEZE_KEPT || n->card_group < 0
      || n->card_group > G_MAXUINT32 || n->has_share < 0 || n->has_share > 1 || n->share_pid < 0
      || n->share_pid > G_MAXINT)
    return dn_throw (error, DN_ERROR_CONFIG, "%s: a number is out of its range", what);
  entry->kind = (DnGuestKind) n->kind;
  entry->transport = (DnTransport) n->transport;
  entry->accelerator = (DnAccelerator) n->accelerator;
  entry->slot = (guint) n->slot;
  entry->uid = (guint) n->uid;
  entry->gid = (guint) n->gid;
  entry->vsock_cid = (guint) n->vsock_cid;
  entry->relay_pid = (gint) n->relay_pid;
  entry->relay_start_ticks = (guint64) n->relay_start_ticks;
  entry->memory_bytes = (guint64) n->memory_bytes;
  entry->vcpus = (guint) n->vcpus;
  entry->spare_disks = (guint) n->spare_disks;
  entry->has_share = n->has_share == 1;
  entry->share_pid = (gint) n->share_pid;
  entry->share_start_ticks = (guint64) n->share_start_ticks;
  entry->started_us = n->started_us;
  entry->freeze = (DnFreeze) n->freeze;
  entry->limits = (DnGuestLimits){ .cpu_shares = (guint64) n->shares,
                                   .cpu_quota_percent = (guint64) n->quota,
                                   .read_bytes_per_s = (guint64) n->read_bytes,
                                   .write_bytes_per_s = (guint64) n->write_bytes,
                                   .reads_per_s = (guint64) n->reads,
                                   .writes_per_s = (guint64) n->writes };
  entry->balloon_bytes = (guint64) n->balloon_bytes;
  entry->host_limit_bytes = (guint64) n->host_limit_bytes;
  entry->card_group = (guint32) n->card_group;
  return TRUE;
}

static DnJournalEntry *
read_object (JsonObject *object, const char *id, const char *what, GError **error)
{
  g_autoptr (DnJournalEntry) entry = dn_journal_entry_new (id);
  g_autofree char *id_inside = NULL;
  g_autoptr (JsonArray) disks = NULL;
  Numbers n = { 0 };
  const DnJsonField fields[] = {
    { "id", DN_JSON_STRING, TRUE, &id_inside },
    { "context", DN_JSON_STRING, TRUE, &entry->context },
    { "hostname", DN_JSON_STRING, TRUE, &entry->hostname },
    { "state", DN_JSON_STRING, TRUE, &entry->state },
    { "boot", DN_JSON_STRING, TRUE, &entry->boot },
    { "kind", DN_JSON_INT, TRUE, &n.kind },
    { "transport", DN_JSON_INT, TRUE, &n.transport },
    { "accelerator", DN_JSON_INT, TRUE, &n.accelerator },
    { "slot", DN_JSON_INT, TRUE, &n.slot },
    { "uid", DN_JSON_INT, TRUE, &n.uid },
    { "gid", DN_JSON_INT, TRUE, &n.gid },
    { "vsock_cid", DN_JSON_INT, TRUE, &n.vsock_cid },
    { "relay_pid", DN_JSON_INT, TRUE, &n.relay_pid },
    { "relay_start_ticks", DN_JSON_INT, TRUE, &n.relay_start_ticks },
    { "memory_bytes", DN_JSON_INT, TRUE, &n.memory_bytes },
    { "vcpus", DN_JSON_INT, TRUE, &n.vcpus },
    { "spare_disks", DN_JSON_INT, TRUE, &n.spare_disks },
    { "has_share", DN_JSON_INT, FALSE, &n.has_share },
    { "share_pid", DN_JSON_INT, FALSE, &n.share_pid },
    { "share_start_ticks", DN_JSON_INT, FALSE, &n.share_start_ticks },
    { "started_us", DN_JSON_INT, TRUE, &n.started_us },
    { "freeze", DN_JSON_INT, FALSE, &n.freeze },
    { "cpu_shares", DN_JSON_INT, FALSE, &n.shares },
    { "cpu_quota_percent", DN_JSON_INT, FALSE, &n.quota },
    { "read_bytes_per_s", DN_JSON_INT, FALSE, &n.read_bytes },
    { "write_bytes_per_s", DN_JSON_INT, FALSE, &n.write_bytes },
    { "reads_per_s", DN_JSON_INT, FALSE, &n.reads },
    { "writes_per_s", DN_JSON_INT, FALSE, &n.writes },
    { "balloon_bytes", DN_JSON_INT, FALSE, &n.balloon_bytes },
    { "host_limit_bytes", DN_JSON_INT, FALSE, &n.host_limit_bytes },
    { "has_balloon", DN_JSON_BOOL, FALSE, &entry->has_balloon },
    { "has_card", DN_JSON_BOOL, FALSE, &entry->has_card },
    { "card_group", DN_JSON_INT, FALSE, &n.card_group },
    { "root_hash", DN_JSON_STRING, FALSE, &entry->root_hash },
    { "kernel_path", DN_JSON_STRING, FALSE, &entry->kernel_path },
    { "initrd_path", DN_JSON_STRING, FALSE, &entry->initrd_path },
    { "root_path", DN_JSON_STRING, FALSE, &entry->root_path },
    { "grants", DN_JSON_STRINGS, TRUE, &entry->grants },
    { "disks", DN_JSON_ARRAY, TRUE, &disks },
    { 0 },
  };

  g_clear_pointer (&entry->state, g_free);
  g_clear_pointer (&entry->boot, g_free);
  g_clear_pointer (&entry->grants, g_strfreev);
  if (!dn_json_read (object, fields, what, error) || !take_numbers (&n, entry, what, error)
      || !read_disks (disks, entry, what, error))
    return NULL;
  if (strcmp (id_inside, id) != 0)
    {
      dn_throw (error, DN_ERROR_CONFIG, "%s: it is about guest '%s'", what, id_inside);
      return NULL;
    }
  return g_steal_pointer (&entry);
}

DnJournalEntry *
dn_journal_read (const char *id, GError **error)
{
  g_autofree char *path = dn_journal_path (id);
  g_autoptr (JsonNode) root = dn_state_file_read (path, error);

  if (root == NULL)
    return NULL;
  return read_object (json_node_get_object (root), id, path, error);
}

gboolean
dn_journal_remove (const char *id, GError **error)
{
  g_autofree char *path = dn_journal_path (id);

  if (g_unlink (path) < 0 && errno != ENOENT)
    return dn_throw_errno (error, "journal '%s'", path);
  return TRUE;
}

GPtrArray *
dn_journal_list (void)
{
  g_autoptr (GPtrArray) ids = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *path = g_build_filename (dn_paths ()->run, "journal", NULL);
  g_autoptr (GDir) directory = g_dir_open (path, 0, NULL);
  const char *name;

  while (directory != NULL && ids->len < DN_JOURNAL_ENTRIES_MAX
         && (name = g_dir_read_name (directory)) != NULL)
    {
      g_autofree char *id = NULL;

      if (!g_str_has_suffix (name, ".json"))
        continue;
      id = g_strndup (name, strlen (name) - strlen (".json"));
      if (dn_domain_name_is_valid (id))
        g_ptr_array_add (ids, g_steal_pointer (&id));
    }
  return g_steal_pointer (&ids);
}
