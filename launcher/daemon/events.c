/* SPDX-License-Identifier: Apache-2.0 */
#include "events.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../common/json.h"

/* One line, so that a damaged file cannot take memory. */
#define LINE_MAX_BYTES (64 * 1024)

struct DnEvents
{
  GMutex lock;
  GCond added;
  JsonNode *ring[DN_EVENTS_RING]; /* owned; event n is at n % DN_EVENTS_RING */
  guint64 count;                  /* of events ever added */
  gint64 last_us;
  char *path;     /* owned */
  char *old_path; /* owned */
  int fd;         /* -1 where the file cannot be written */
  gint64 size_bytes;
  gboolean has_warned;
};

static void
put (DnEvents *events, JsonNode *node)
{
  JsonNode **slot = &events->ring[events->count % DN_EVENTS_RING];

  g_clear_pointer (slot, json_node_unref);
  *slot = node;
  events->count++;
}

static gint64
event_time_us (JsonNode *node)
{
  JsonNode *member = json_object_get_member (json_node_get_object (node), "time_us");

  if (member == NULL || !JSON_NODE_HOLDS_VALUE (member)
      || json_node_get_value_type (member) != G_TYPE_INT64)
    return -1;
  return json_node_get_int (member);
}

static void
load_file (DnEvents *events, const char *path)
{
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    return;
  lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    {
      g_autoptr (JsonNode) node
          = dn_json_parse (lines[i], strlen (lines[i]), LINE_MAX_BYTES, path, NULL);

      /* The last line may be half a line after a crash of the machine. */
      if (node == NULL || !JSON_NODE_HOLDS_OBJECT (node) || event_time_us (node) < 0)
        continue;
      events->last_us = MAX (events->last_us, event_time_us (node));
      put (events, g_steal_pointer (&node));
    }
}

static void
open_file (DnEvents *events)
{
  struct stat status;

  events->fd = open (events->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
  events->size_bytes
      = events->fd >= 0 && fstat (events->fd, &status) == 0 ? (gint64) status.st_size : 0;
}

DnEvents *
dn_events_open (const char *directory)
{
  DnEvents *events = g_new0 (DnEvents, 1);

  g_mutex_init (&events->lock);
  g_cond_init (&events->added);
  events->path = g_build_filename (directory, "events.jsonl", NULL);
  events->old_path = g_build_filename (directory, "events.1.jsonl", NULL);
  (void) g_mkdir_with_parents (directory, 0700);
  load_file (events, events->old_path);
  load_file (events, events->path);
  open_file (events);
  return events;
}

void
dn_events_free (DnEvents *events)
{
  if (events == NULL)
    return;
  for (guint i = 0; i < DN_EVENTS_RING; i++)
    g_clear_pointer (&events->ring[i], json_node_unref);
  if (events->fd >= 0)
    (void) close (events->fd);
  g_free (events->path);
  g_free (events->old_path);
  g_mutex_clear (&events->lock);
  g_cond_clear (&events->added);
  g_free (events);
}

static void
write_line (DnEvents *events, JsonNode *node)
{
  g_autofree char *text = dn_json_to_text (node, FALSE);
  g_autofree char *line = g_strconcat (text, "\n", NULL);
  gsize size = strlen (line);

  if (events->fd >= 0 && events->size_bytes + (gint64) size > DN_EVENTS_FILE_MAX_BYTES)
    {
      (void) close (events->fd);
      (void) rename (events->path, events->old_path);
      open_file (events);
    }
  /* One write(2) with O_APPEND for a line.  Without an fsync(2): what the kernel has survives
   * danchid, and the events are no journal. */
  if (events->fd >= 0 && write (events->fd, line, size) == (ssize_t) size)
    {
      events->size_bytes += (gint64) size;
      events->has_warned = FALSE;
    }
  else if (!events->has_warned)
    {
      g_warning ("events: file '%s' cannot be written: %s", events->path, g_strerror (errno));
      events->has_warned = TRUE;
    }
}

/* @owner_uid: -1 for none. */
static void
add (DnEvents *events, gint64 owner_uid, const char *type, const char *action, const char *id,
     const char *name, const char *context, const char *const *attributes)
{
  JsonObject *object = json_object_new ();
  JsonObject *more = json_object_new ();
  JsonNode *node = json_node_new (JSON_NODE_OBJECT);

  for (; attributes != NULL && attributes[0] != NULL; attributes += 2)
    if (attributes[1] != NULL)
      json_object_set_string_member (more, attributes[0], attributes[1]);
  json_node_take_object (node, object);
  g_mutex_lock (&events->lock);
  /* Never backwards, also when the clock was set: `since` searches by it. */
  events->last_us = MAX (events->last_us + 1, g_get_real_time ());
  json_object_set_int_member (object, "time_us", events->last_us);
  json_object_set_string_member (object, "type", type);
  json_object_set_string_member (object, "action", action);
  json_object_set_string_member (object, "id", id);
  json_object_set_string_member (object, "name", name);
  if (context != NULL)
    json_object_set_string_member (object, "context", context);
  if (owner_uid >= 0)
    json_object_set_int_member (object, "owner_uid", owner_uid);
  json_object_set_object_member (object, "attributes", more);
  json_node_seal (node);
  write_line (events, node);
  put (events, node);
  g_cond_broadcast (&events->added);
  g_mutex_unlock (&events->lock);
}

void
dn_events_add (DnEvents *events, const char *type, const char *action, const char *id,
               const char *name, const char *context, const char *const *attributes)
{
  add (events, -1, type, action, id, name, context, attributes);
}

void
dn_events_add_of (DnEvents *events, guint owner_uid, const char *type, const char *action,
                  const char *id, const char *name, const char *context,
                  const char *const *attributes)
{
  add (events, owner_uid, type, action, id, name, context, attributes);
}

static guint64
oldest (const DnEvents *events)
{
  return events->count > DN_EVENTS_RING ? events->count - DN_EVENTS_RING : 0;
}

guint64
dn_events_find (DnEvents *events, gint64 since_us)
{
  guint64 cursor;

  g_mutex_lock (&events->lock);
  cursor = since_us < 0 ? events->count : oldest (events);
  while (cursor < events->count && event_time_us (events->ring[cursor % DN_EVENTS_RING]) < since_us)
    cursor++;
  g_mutex_unlock (&events->lock);
  return cursor;
}

GPtrArray *
dn_events_take (DnEvents *events, guint64 *cursor, guint timeout_ms, guint64 *ret_missed)
{
  GPtrArray *taken = g_ptr_array_new_with_free_func ((GDestroyNotify) json_node_unref);
  gint64 end_us = g_get_monotonic_time () + (gint64) timeout_ms * 1000;

  *ret_missed = 0;
  g_mutex_lock (&events->lock);
  while (timeout_ms > 0 && *cursor >= events->count)
    if (!g_cond_wait_until (&events->added, &events->lock, end_us))
      break;
  if (*cursor < oldest (events))
    {
      *ret_missed = oldest (events) - *cursor;
      *cursor = oldest (events);
    }
  for (; *cursor < events->count; (*cursor)++)
    g_ptr_array_add (taken, json_node_ref (events->ring[*cursor % DN_EVENTS_RING]));
  g_mutex_unlock (&events->lock);
  return taken;
}
