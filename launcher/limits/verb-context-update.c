/* SPDX-License-Identifier: Apache-2.0 */
/* The verb context-update: a context's limits, in its file and in its running guest.
 *
 * The file first: what is written holds from the next guest on, whatever becomes of this one.  A
 * guest that does not take the change has the file put back as it was, so that an error means that
 * nothing has changed.
 */
#include <string.h>

#include "../common/error.h"
#include "../common/state-file.h"
#include "../daemon/container.h"
#include "../daemon/lookup.h"
#include "../daemon/settings-file.h"
#include "../daemon/verbs.h"
#include "context-edit.h"
#include "guest-size.h"
#include "limits-json.h"

#define MIB (G_GUINT64_CONSTANT (1024) * 1024)

typedef struct
{
  DnContext *context;
  JsonObject *keys; /* of [guest]: name → text */
  char *path;       /* owned; NULL: it has no file */
  char *old_text;   /* owned */
  gsize old_size;
  char *text;                     /* owned */
  DnContextDefinition definition; /* as it is to be */
  DnGuest *guest;                 /* a reference, or NULL */
  DnGuestInfo info;               /* of it */
} Update;

static void
clear_update (Update *update)
{
  g_free (update->path);
  g_free (update->old_text);
  g_free (update->text);
  dn_context_definition_clear (&update->definition);
  dn_guest_unref (update->guest);
  dn_guest_info_clear (&update->info);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Update, clear_update)

/* Those that the command may change: what a guest takes of the host. */
static gboolean
is_changeable (const char *key)
{
  static const char *const others[] = { "memory_mib", "vcpus", NULL };
  DnGuestLimits limits;
  DnKey keys[DN_GUEST_LIMITS_KEYS];

  dn_guest_limits_fill_keys (&limits, keys);
  for (guint i = 0; i < DN_GUEST_LIMITS_KEYS; i++)
    if (g_str_equal (keys[i].key, key))
      return TRUE;
  return g_strv_contains (others, key);
}

static gboolean
check_keys (JsonObject *keys, GError **error)
{
  JsonObjectIter iter;
  const char *name;
  JsonNode *node;

  if (keys == NULL || json_object_get_size (keys) == 0)
    return dn_throw (error, DN_ERROR_USAGE, "a limit must be given");
  json_object_iter_init (&iter, keys);
  while (json_object_iter_next (&iter, &name, &node))
    {
      if (!g_str_has_prefix (name, "guest.") || !is_changeable (name + strlen ("guest.")))
        return dn_throw (error, DN_ERROR_USAGE, "keys: '%.60s' is none that can be updated", name);
      if (json_node_get_value_type (node) != G_TYPE_STRING)
        return dn_throw (error, DN_ERROR_USAGE, "keys: a value is no text");
      for (const char *at = json_node_get_string (node); *at != '\0'; at++)
        if (!g_ascii_isalnum (*at))
          return dn_throw (error, DN_ERROR_USAGE, "keys: '%s' is neither a number nor a word",
                           name);
    }
  return TRUE;
}

/* @text with all keys, each found by the places that the text before it has. (transfer full) */
static char *
edit_all (Update *update, const DnSettings *settings, GError **error)
{
  g_autofree char *text = g_strndup (update->old_text, update->old_size);
  JsonObjectIter iter;
  const char *name;
  JsonNode *node;

  json_object_iter_init (&iter, update->keys);
  while (json_object_iter_next (&iter, &name, &node))
    {
      DnContextDefinition definition;
      char *fresh;
      gboolean is_fine;

      dn_context_definition_init (&definition, (DnSettings *) settings);
      is_fine = dn_context_definition_parse (&definition, text, strlen (text), update->path, error);
      fresh = is_fine ? dn_context_edit (text, definition.origin.places, "guest",
                                         name + strlen ("guest."), json_node_get_string (node))
                      : NULL;
      dn_context_definition_clear (&definition);
      if (fresh == NULL)
        return NULL;
      g_free (text);
      text = fresh;
    }
  return g_steal_pointer (&text);
}

/* A context without a file: the keys alone, over what it has. */
static gboolean
read_without_file (Update *update, GError **error)
{
  g_autoptr (GString) text = g_string_new ("[guest]\n");
  DnKey keys[DN_CONTEXT_KEYS + 1];
  JsonObjectIter iter;
  const char *name;
  JsonNode *node;

  json_object_iter_init (&iter, update->keys);
  while (json_object_iter_next (&iter, &name, &node))
    g_string_append_printf (text, "%s = %s\n", name + strlen ("guest."),
                            json_node_get_string (node));
  dn_context_definition_fill_keys (&update->definition, keys);
  return dn_key_file_parse (text->str, text->len, update->context->name, keys, error)
         && dn_guest_limits_check (&update->definition.limits, update->context->name, NULL, error);
}

static gboolean
read_definition (Update *update, GError **error)
{
  g_autoptr (DnSettings) settings = dn_settings_get (update->context->daemon);

  if (update->path == NULL)
    {
      g_mutex_lock (&update->context->daemon->lock);
      dn_context_definition_copy (&update->context->definition, &update->definition);
      g_mutex_unlock (&update->context->daemon->lock);
      return read_without_file (update, error);
    }
  dn_context_definition_init (&update->definition, settings);
  if (!g_file_get_contents (update->path, &update->old_text, &update->old_size, NULL))
    return dn_throw_errno (error, "file '%s'", update->path);
  update->text = edit_all (update, settings, error);
  return update->text != NULL
         && dn_context_definition_parse (&update->definition, update->text, strlen (update->text),
                                         update->path, error);
}

/* The largest limit of a container that runs in its guest. */
static guint64
largest_limit (DnContext *context)
{
  GHashTableIter iter;
  DnContainer *container;
  gint64 largest = 0;

  g_mutex_lock (&context->daemon->lock);
  g_hash_table_iter_init (&iter, context->daemon->containers);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &container))
    if (container->context == context && container->in_guest)
      largest = MAX (largest, container->options->memory_bytes);
  g_mutex_unlock (&context->daemon->lock);
  return (guint64) largest;
}

/* Less than its containers were promised would not be a limit but a lie to them. */
static gboolean
check_memory (const Update *update, GError **error)
{
  guint64 largest = largest_limit (update->context);
  guint64 least = dn_guest_size_least (largest);

  return update->guest == NULL || largest == 0 || update->definition.guest_memory_bytes >= least
         || dn_throw (error, DN_ERROR_LIMIT,
                      "context '%s': a container in it has a memory limit of %" G_GUINT64_FORMAT
                      " MiB, and its guest needs at least %" G_GUINT64_FORMAT
                      " MiB for that\nlower the container's limit first: danchi update --memory",
                      update->context->name, largest >> 20, least >> 20);
}

static gboolean
write_file (const Update *update, const char *text, gsize size, GError **error)
{
  return update->path == NULL || dn_state_file_write_text (update->path, text, size, 0644, error);
}

/* What the guest that runs takes at once. */
static gboolean
change_guest (Update *update, GError **error)
{
  guint64 wanted = MIN (update->definition.guest_memory_bytes, update->info.memory_bytes);
  guint64 now
      = update->info.balloon_bytes != 0 ? update->info.balloon_bytes : update->info.memory_bytes;
  gboolean has_memory = json_object_has_member (update->keys, "guest.memory_mib");

  if (!dn_guest_set_limits (update->guest, &update->definition.limits, error))
    return FALSE;
  if (!has_memory || wanted == now || dn_guest_set_memory (update->guest, wanted, error))
    return TRUE;
  (void) dn_guest_set_limits (update->guest, &update->info.limits, NULL);
  return FALSE;
}

/* In danchid's own picture: what of it holds now. */
static void
take (Update *update)
{
  DnContext *context = update->context;
  int balloon;

  g_mutex_lock (&context->daemon->lock);
  balloon = context->definition.limits.balloon;
  context->definition.limits = update->definition.limits;
  if (update->guest != NULL)
    {
      context->definition.limits.balloon = balloon;
      context->definition.guest_memory_bytes
          = MIN (update->definition.guest_memory_bytes, update->info.memory_bytes);
    }
  else
    {
      context->definition.guest_memory_bytes = update->definition.guest_memory_bytes;
      context->definition.guest_vcpus = update->definition.guest_vcpus;
    }
  g_mutex_unlock (&context->daemon->lock);
}

/* What the running guest cannot take any more. (transfer full) */
static JsonArray *
list_later (const Update *update)
{
  JsonArray *later = json_array_new ();

  if (update->guest == NULL)
    return later;
  if (update->definition.guest_memory_bytes > update->info.memory_bytes)
    json_array_add_string_element (later, "memory_mib");
  if (update->definition.guest_vcpus != update->info.vcpus)
    json_array_add_string_element (later, "vcpus");
  if (json_object_has_member (update->keys, "guest.balloon"))
    json_array_add_string_element (later, "balloon");
  return later;
}

static gboolean
run (Update *update, GError **error)
{
  DnContext *context = update->context;
  gboolean is_done;

  g_mutex_lock (&context->daemon->lock);
  update->guest = context->guest != NULL ? dn_guest_ref (context->guest) : NULL;
  g_mutex_unlock (&context->daemon->lock);
  if (update->guest != NULL)
    dn_guest_get_info (update->guest, &update->info);
  update->path = context->is_ephemeral ? NULL : dn_context_file_path (context->name);
  if ((update->guest != NULL && !dn_guest_check_thawed (update->guest, error))
      || !read_definition (update, error) || !check_memory (update, error)
      || !write_file (update, update->text, update->text != NULL ? strlen (update->text) : 0,
                      error))
    return FALSE;
  is_done = update->guest == NULL || change_guest (update, error);
  if (is_done)
    take (update);
  else
    (void) write_file (update, update->old_text, update->old_size, NULL);
  return is_done;
}

DN_VERB (context_update)
{
  g_autofree char *name = NULL;
  g_autoptr (JsonObject) keys = NULL;
  g_autoptr (DnContext) context = NULL;
  const DnJsonField fields[] = {
    { "context", DN_JSON_STRING, TRUE, &name },
    { "keys", DN_JSON_OBJECT, TRUE, &keys },
    { NULL, DN_JSON_STRING, FALSE, NULL },
  };
  g_auto (Update) update = { 0 };
  gboolean is_done;
  JsonObject *ok;

  (void) ret_fds;
  if (!dn_request_read (request, fields, error) || !check_keys (keys, error))
    return NULL;
  context = dn_lookup_context (request, name, error);
  if (context == NULL)
    return NULL;
  update.context = context;
  update.keys = keys;
  g_mutex_lock (&context->guest_lock);
  is_done = run (&update, error);
  g_mutex_unlock (&context->guest_lock);
  if (!is_done || !dn_context_save (context, error))
    return NULL;
  if (update.path != NULL)
    dn_context_refresh_one (request->daemon, context->name);
  dn_context_event (context, "update", NULL);
  ok = json_object_new ();
  json_object_set_string_member (ok, "name", context->name);
  json_object_set_array_member (ok, "next_guest", list_later (&update));
  return ok;
}
