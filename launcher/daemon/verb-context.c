/* SPDX-License-Identifier: Apache-2.0 */
/* Verbs about contexts. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../common/error.h"
#include "../common/names.h"
#include "../common/paths.h"
#include "../common/state-file.h"
#include "container-admission.h"
#include "context-end.h"
#include "context-explain.h"
#include "context-freeze.h"
#include "context-guest.h"
#include "lookup.h"
#include "settings-file.h"
#include "verbs.h"

#define MIB (1024 * 1024)

static JsonObject *
name_answer (const char *name)
{
  JsonObject *ok = json_object_new ();

  json_object_set_string_member (ok, "name", name);
  return ok;
}

DN_VERB (context_list)
{
  const DnJsonField fields[] = { { NULL, DN_JSON_STRING, FALSE, NULL } };
  g_autoptr (GPtrArray) contexts = NULL;
  JsonArray *array;
  JsonObject *ok;

  (void) ret_fds;
  if (!dn_request_read (request, fields, error))
    return NULL;
  array = json_array_new ();
  contexts = dn_lookup_contexts (request);
  for (guint i = 0; i < contexts->len; i++)
    json_array_add_object_element (array, dn_context_to_json (contexts->pdata[i], FALSE));
  ok = json_object_new ();
  json_object_set_array_member (ok, "contexts", array);
  return ok;
}

/* What a new file is to say, "GROUP.KEY" → value; nothing but what was asked for, so that
 * danchi.conf goes on to hold for all else. */
static void
put (GHashTable *values, const char *key, char *value)
{
  if (value != NULL)
    g_hash_table_insert (values, g_strdup (key), value);
}

static gboolean
put_keys (GHashTable *values, JsonObject *keys, GError **error)
{
  JsonObjectIter iter;
  const char *name;
  JsonNode *node;

  json_object_iter_init (&iter, keys);
  while (json_object_iter_next (&iter, &name, &node))
    {
      if (json_node_get_value_type (node) != G_TYPE_STRING)
        return dn_throw (error, DN_ERROR_USAGE, "keys: a value is no text");
      put (values, name, g_strdup (json_node_get_string (node)));
    }
  return TRUE;
}

/* (transfer full) */
static GHashTable *
read_wishes (DnRequest *request, char **ret_name, GError **error)
{
  g_autoptr (GHashTable) values = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_autofree char *tenant = NULL, *stage = NULL, *tier = NULL, *transport = NULL;
  g_autoptr (JsonObject) keys = NULL;
  gboolean allow_emulation = FALSE;
  gint64 memory = 0, vcpus = 0;
  const DnJsonField fields[] = {
    { "name", DN_JSON_STRING, TRUE, ret_name },
    { "tenant", DN_JSON_STRING, FALSE, &tenant },
    { "stage", DN_JSON_STRING, FALSE, &stage },
    { "tier", DN_JSON_STRING, FALSE, &tier },
    { "guest_memory_bytes", DN_JSON_INT, FALSE, &memory },
    { "guest_vcpus", DN_JSON_INT, FALSE, &vcpus },
    { "transport", DN_JSON_STRING, FALSE, &transport },
    { "allow_emulation", DN_JSON_BOOL, FALSE, &allow_emulation },
    { "keys", DN_JSON_OBJECT, FALSE, &keys },
    { NULL, DN_JSON_STRING, FALSE, NULL },
  };

  if (!dn_request_read (request, fields, error) || !dn_name_check (*ret_name, "context", error)
      || (keys != NULL && !put_keys (values, keys, error)))
    return NULL;
  if (memory < 0 || memory > G_MAXINT64 - MIB)
    {
      dn_throw (error, DN_ERROR_USAGE, "guest memory: must be from %d to %d MiB",
                DN_GUEST_MEMORY_MIN_MIB, DN_GUEST_MEMORY_MAX_MIB);
      return NULL;
    }
  put (values, "context.tenant", g_steal_pointer (&tenant));
  put (values, "context.stage", g_steal_pointer (&stage));
  put (values, "context.tier", g_steal_pointer (&tier));
  put (values, "guest.transport", g_steal_pointer (&transport));
  if (memory != 0)
    put (values, "guest.memory_mib",
         g_strdup_printf ("%" G_GINT64_FORMAT, (memory + MIB - 1) / MIB));
  if (vcpus != 0)
    put (values, "guest.vcpus", g_strdup_printf ("%" G_GINT64_FORMAT, vcpus));
  if (allow_emulation)
    put (values, "guest.allow_emulation", g_strdup ("yes"));
  return g_steal_pointer (&values);
}

/* A definition of these values alone, and the text of its file. */
static char *
build_file (DnContextDefinition *definition, GHashTable *values, const char *path, GError **error)
{
  DnKey keys[DN_CONTEXT_KEYS + 1];
  g_autoptr (GString) text = g_string_new (NULL);
  const char *group = "";
  guint used = 0;

  dn_context_definition_fill_keys (definition, keys);
  for (const DnKey *key = keys; key->group != NULL; key++)
    {
      g_autofree char *name = g_strdup_printf ("%s.%s", key->group, key->key);
      const char *value = g_hash_table_lookup (values, name);

      if (value == NULL)
        continue;
      used++;
      for (const char *at = value; *at != '\0'; at++)
        if (g_ascii_iscntrl (*at))
          {
            dn_throw (error, DN_ERROR_USAGE, "%s: holds a control character", name);
            return NULL;
          }
      if (!g_str_equal (group, key->group))
        g_string_append_printf (text, "%s[%s]\n", *group != '\0' ? "\n" : "", key->group);
      group = key->group;
      g_string_append_printf (text, "%s = %s\n", key->key, value);
    }
  if (used != g_hash_table_size (values))
    {
      dn_throw (error, DN_ERROR_USAGE, "keys: one is not known\nsee man 5 danchi-context");
      return NULL;
    }
  if (!dn_context_definition_parse (definition, text->str, text->len, path, error))
    {
      g_prefix_error (error, "context: would not be usable: ");
      return NULL;
    }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static gboolean
write_context (DnDaemon *daemon, const char *name, const char *path, const char *text,
               GError **error)
{
  g_autofree char *directory = g_path_get_dirname (path);
  gboolean is_taken;

  g_mutex_lock (&daemon->lock);
  is_taken = g_hash_table_contains (daemon->contexts, name);
  g_mutex_unlock (&daemon->lock);
  if (is_taken || access (path, F_OK) == 0)
    return dn_throw (error, DN_ERROR_CONFLICT, "context '%s': exists already\nits file is '%s'",
                     name, path);
  if (g_mkdir_with_parents (directory, 0755) < 0)
    return dn_throw_errno (error, "directory '%s': making", directory);
  return dn_state_file_write_text (path, text, strlen (text), 0644, error);
}

DN_VERB (context_create)
{
  DnDaemon *daemon = request->daemon;
  g_autofree char *name = NULL, *path = NULL, *text = NULL;
  g_autoptr (GHashTable) values = NULL;
  g_autoptr (DnSettings) settings = NULL;
  g_autoptr (DnContext) draft = NULL, context = NULL;
  DnContextDefinition definition;

  (void) ret_fds;
  values = read_wishes (request, &name, error);
  if (values == NULL)
    return NULL;
  dn_context_refresh (daemon);
  settings = dn_settings_get (daemon);
  path = dn_context_file_path (name);
  dn_context_definition_init (&definition, settings);
  text = build_file (&definition, values, path, error);
  draft = dn_context_new (daemon, name, FALSE, &definition);
  if (text == NULL || !dn_context_check_host (draft, error)
      || !write_context (daemon, name, path, text, error))
    return NULL;
  context = dn_lookup_context (request, name, error);
  if (context == NULL)
    return NULL;
  dn_context_event (context, "create", NULL);
  return name_answer (name);
}

/* Of a context as it is; reads its file. */
static JsonObject *
explain (DnContext *context)
{
  g_autoptr (DnSettings) settings = dn_settings_get (context->daemon);
  g_autofree char *error = NULL, *text = NULL;
  g_autofree char *file = context->is_ephemeral ? NULL : dn_context_file_path (context->name);
  DnContextDefinition definition, fresh;
  gboolean is_fresh;
  JsonObject *object;
  gsize size;

  g_mutex_lock (&context->daemon->lock);
  dn_context_definition_copy (&context->definition, &definition);
  error = g_strdup (context->error);
  g_mutex_unlock (&context->daemon->lock);
  dn_context_definition_init (&fresh, settings);
  is_fresh = file != NULL && g_file_get_contents (file, &text, &size, NULL)
             && dn_context_definition_parse (&fresh, text, size, file, NULL);
  object = dn_context_explanation_to_json (
      &(DnContextExplanation){ .name = context->name,
                               .file = file,
                               .error = error,
                               .definition = &definition,
                               .fresh = is_fresh ? &fresh : NULL });
  dn_context_definition_clear (&definition);
  dn_context_definition_clear (&fresh);
  return object;
}

DN_VERB (context_explain)
{
  g_autofree char *name = NULL;
  const DnJsonField fields[]
      = { { "context", DN_JSON_STRING, TRUE, &name }, { NULL, DN_JSON_STRING, FALSE, NULL } };
  g_autoptr (DnContext) context = NULL;

  (void) ret_fds;
  if (!dn_request_read (request, fields, error))
    return NULL;
  context = dn_lookup_context (request, name, error);
  return context != NULL ? explain (context) : NULL;
}

static gboolean
has_guest (DnContext *context)
{
  gboolean result;

  g_mutex_lock (&context->daemon->lock);
  result = context->guest != NULL;
  g_mutex_unlock (&context->daemon->lock);
  return result;
}

DN_VERB (context_stop)
{
  g_autofree char *name = NULL;
  gint64 timeout_s = -1;
  const DnJsonField fields[] = {
    { "context", DN_JSON_STRING, TRUE, &name },
    { "timeout_s", DN_JSON_INT, FALSE, &timeout_s },
    { NULL, DN_JSON_STRING, FALSE, NULL },
  };
  g_autoptr (DnContext) context = NULL;

  (void) ret_fds;
  if (!dn_request_read (request, fields, error))
    return NULL;
  context = dn_lookup_context (request, name, error);
  if (context == NULL)
    return NULL;
  if (dn_context_is_frozen (context))
    {
      /* It is the operator's evidence, whoever else may stop the context. */
      if (!dn_caller_is_root (request->caller) && !dn_context_check_thawed (context, error))
        return NULL;
      dn_context_stop_guest (context, 0, "the context was stopped while it was frozen");
    }
  else if (has_guest (context))
    {
      dn_context_end (context, timeout_s, "the context was stopped", NULL);
    }
  return name_answer (context->name);
}

static gboolean
remove_context (DnContext *context, gboolean force, GError **error)
{
  DnDaemon *daemon = context->daemon;
  g_autofree char *path = dn_context_file_path (context->name);
  guint containers;

  /* A frozen guest ends as it is, and its containers with it. */
  if (force && dn_context_is_frozen (context))
    dn_context_stop_guest (context, 0, "the context was removed while it was frozen");
  if (force)
    dn_context_end_containers (context, 0, TRUE, NULL);
  g_mutex_lock (&daemon->lock);
  containers = dn_context_count_containers (context);
  /* From here on nobody enters it. */
  if (containers == 0)
    context->is_removed = TRUE;
  g_mutex_unlock (&daemon->lock);
  if (containers > 0)
    return dn_throw (error, DN_ERROR_CONFLICT,
                     "context '%s': has %u containers\nremove them first, or use -f", context->name,
                     containers);
  dn_context_stop_guest (context, 0, "the context was removed");
  if (!context->is_ephemeral && unlink (path) < 0 && errno != ENOENT)
    {
      dn_throw_errno (error, "file '%s': removing", path);
      g_mutex_lock (&daemon->lock);
      context->is_removed = FALSE;
      g_mutex_unlock (&daemon->lock);
      return FALSE;
    }
  dn_context_forget (context);
  dn_context_event (context, "remove", NULL);
  return TRUE;
}

DN_VERB (context_remove)
{
  g_autofree char *name = NULL;
  gboolean force = FALSE;
  const DnJsonField fields[] = {
    { "context", DN_JSON_STRING, TRUE, &name },
    { "force", DN_JSON_BOOL, FALSE, &force },
    { NULL, DN_JSON_STRING, FALSE, NULL },
  };
  g_autoptr (DnContext) context = NULL;

  (void) ret_fds;
  if (!dn_request_read (request, fields, error))
    return NULL;
  context = dn_lookup_context (request, name, error);
  if (context == NULL || !remove_context (context, force, error))
    return NULL;
  return name_answer (context->name);
}

DN_VERB (context_console)
{
  g_autofree char *name = NULL;
  const DnJsonField fields[]
      = { { "context", DN_JSON_STRING, TRUE, &name }, { NULL, DN_JSON_STRING, FALSE, NULL } };
  g_autoptr (DnContext) context = NULL;
  g_autoptr (DnGuest) guest = NULL;
  int fd;

  if (!dn_request_read (request, fields, error))
    return NULL;
  context = dn_lookup_context (request, name, error);
  if (context == NULL)
    return NULL;
  g_mutex_lock (&request->daemon->lock);
  guest = context->guest != NULL ? dn_guest_ref (context->guest) : NULL;
  g_mutex_unlock (&request->daemon->lock);
  if (guest == NULL)
    {
      dn_throw (error, DN_ERROR_CONFLICT, "context '%s': has no guest running", context->name);
      return NULL;
    }
  fd = dn_guest_open_console (guest, error);
  if (fd < 0)
    return NULL;
  ret_fds->fds[ret_fds->count++] = fd;
  return json_object_new ();
}
