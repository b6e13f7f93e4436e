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
#include "container-call.h"
#include "container-end.h"
#include "context-freeze.h"
#include "context-guest.h"
#include "lookup.h"
#include "verbs.h"

#define MIB (1024 * 1024)
/* For output that is still on its way when all containers of a context have ended. */
#define DRAIN_TIMEOUT_US (5 * G_USEC_PER_SEC)
#define POWEROFF_TIMEOUT_MS 10000

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

static gboolean
take_word (char **word, char **target, const char *what, GError **error)
{
  if (*word == NULL)
    return TRUE;
  if (!dn_name_check (*word, what, error))
    return FALSE;
  g_free (*target);
  *target = g_steal_pointer (word);
  return TRUE;
}

static gboolean
take_transport (const char *text, int *ret_transport, GError **error)
{
  for (int i = 0; text != NULL && dn_transport_words[i] != NULL; i++)
    if (g_str_equal (dn_transport_words[i], text))
      {
        *ret_transport = i;
        return TRUE;
      }
  return text == NULL
         || dn_throw (error, DN_ERROR_USAGE, "transport: must be auto, vsock or serial");
}

static gboolean
read_definition (DnRequest *request, DnContextDefinition *definition, char **ret_name,
                 GError **error)
{
  g_autofree char *tenant = NULL, *stage = NULL, *tier = NULL, *transport = NULL;
  gint64 memory = 0, vcpus = 0;
  const DnJsonField fields[] = {
    { "name", DN_JSON_STRING, TRUE, ret_name },
    { "tenant", DN_JSON_STRING, FALSE, &tenant },
    { "stage", DN_JSON_STRING, FALSE, &stage },
    { "tier", DN_JSON_STRING, FALSE, &tier },
    { "guest_memory_bytes", DN_JSON_INT, FALSE, &memory },
    { "guest_vcpus", DN_JSON_INT, FALSE, &vcpus },
    { "transport", DN_JSON_STRING, FALSE, &transport },
    { "allow_emulation", DN_JSON_BOOL, FALSE, &definition->allow_emulation },
    { NULL, DN_JSON_STRING, FALSE, NULL },
  };

  if (!dn_request_read (request, fields, error) || !dn_name_check (*ret_name, "context", error)
      || !take_word (&tenant, &definition->tenant, "tenant", error)
      || !take_word (&stage, &definition->stage, "stage", error)
      || !take_word (&tier, &definition->tier, "tier", error)
      || !take_transport (transport, &definition->transport, error))
    return FALSE;
  if (memory != 0
      && (memory < (gint64) DN_GUEST_MEMORY_MIN_MIB * MIB
          || memory > (gint64) DN_GUEST_MEMORY_MAX_MIB * MIB))
    return dn_throw (error, DN_ERROR_USAGE, "guest memory: must be from %d to %d MiB",
                     DN_GUEST_MEMORY_MIN_MIB, DN_GUEST_MEMORY_MAX_MIB);
  if (vcpus < 0 || vcpus > DN_GUEST_VCPUS_MAX)
    return dn_throw (error, DN_ERROR_USAGE, "guest cpus: must be from 1 to %d", DN_GUEST_VCPUS_MAX);
  if (memory != 0)
    definition->guest_memory_bytes = ((guint64) memory + MIB - 1) / MIB * MIB;
  if (vcpus != 0)
    definition->guest_vcpus = (guint64) vcpus;
  return TRUE;
}

static gboolean
write_context (DnDaemon *daemon, const char *name, const DnContextDefinition *definition,
               GError **error)
{
  g_autofree char *text = dn_context_definition_print (definition);
  g_autofree char *path = dn_context_file_path (name);
  g_autofree char *directory = g_path_get_dirname (path);
  gboolean is_taken;

  dn_context_refresh (daemon);
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
  DnContextDefinition definition;
  g_autofree char *name = NULL;
  g_autoptr (DnContext) context = NULL;
  gboolean is_fine;

  (void) ret_fds;
  dn_context_definition_init (&definition, &daemon->settings);
  is_fine = read_definition (request, &definition, &name, error)
            && write_context (daemon, name, &definition, error);
  dn_context_definition_clear (&definition);
  if (!is_fine)
    return NULL;
  context = dn_lookup_context (request, name, error);
  if (context == NULL)
    return NULL;
  dn_context_event (context, "create", NULL);
  return name_answer (name);
}

typedef struct
{
  DnContainer *container; /* a reference */
  gint64 timeout_s;
  gboolean is_removed; /* remove it, too */
  GThread *thread;
  GError *error;
} Ending;

static gpointer
end_container (gpointer data)
{
  Ending *ending = data;
  DnContainer *container = ending->container;
  gboolean is_fine;

  g_mutex_lock (&container->op_lock);
  is_fine = ending->is_removed ? dn_container_kill (container, &ending->error)
                               : dn_container_stop (container, ending->timeout_s, &ending->error);
  if (is_fine && ending->is_removed && !container->is_removed)
    {
      dn_container_leave_guest (container);
      dn_container_forget (container);
    }
  g_mutex_unlock (&container->op_lock);
  return NULL;
}

/* All at once: each may use its whole timeout. */
static void
end_containers (DnContext *context, gint64 timeout_s, gboolean is_removed)
{
  g_autoptr (GPtrArray) all = dn_container_list (context->daemon);
  g_autoptr (GArray) endings = g_array_new (FALSE, TRUE, sizeof (Ending));

  for (guint i = 0; i < all->len; i++)
    {
      Ending ending
          = { .container = all->pdata[i], .timeout_s = timeout_s, .is_removed = is_removed };

      if (ending.container->context == context)
        g_array_append_val (endings, ending);
    }
  for (guint i = 0; i < endings->len; i++)
    {
      Ending *ending = &g_array_index (endings, Ending, i);

      ending->thread = g_thread_new ("end", end_container, ending);
    }
  for (guint i = 0; i < endings->len; i++)
    {
      Ending *ending = &g_array_index (endings, Ending, i);

      (void) g_thread_join (ending->thread);
      /* The guest goes next, and with it whatever did not end. */
      if (ending->error != NULL)
        g_message ("context '%s': %s", context->name, ending->error->message);
      g_clear_error (&ending->error);
    }
}

static void
wait_until_empty (DnContext *context)
{
  DnDaemon *daemon = context->daemon;
  gint64 end_us = g_get_monotonic_time () + DRAIN_TIMEOUT_US;

  g_mutex_lock (&daemon->lock);
  while (context->users > 0 && context->guest != NULL)
    if (!g_cond_wait_until (&daemon->changed, &daemon->lock,
                            MIN (end_us, g_get_monotonic_time () + 100000))
        && g_get_monotonic_time () >= end_us)
      break;
  g_mutex_unlock (&daemon->lock);
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
      end_containers (context, timeout_s, FALSE);
      wait_until_empty (context);
      dn_context_stop_guest (context, POWEROFF_TIMEOUT_MS, "the context was stopped");
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
    end_containers (context, 0, TRUE);
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
