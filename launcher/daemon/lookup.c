/* SPDX-License-Identifier: Apache-2.0 */
#include "lookup.h"

#include <string.h>

#include "../common/error.h"
#include "../common/names.h"
#include "../images/image-view.h"
#include "settings-file.h"
#include "verbs.h"

/* Under the daemon's lock. */
static DnAccessSubject
subject_of (const DnContext *context)
{
  return (DnAccessSubject){ .rules = context->is_ephemeral ? NULL : &context->definition.access,
                            .owner_uid = context->owner_uid,
                            .is_closed = !context->is_ephemeral && context->error != NULL };
}

/* Under the daemon's lock. */
static DnAccessDecision
decide (const DnRequest *request, const DnContext *context, guint rights)
{
  const DnAccessSubject subject = subject_of (context);
  const DnPrincipal principal = dn_caller_principal (request->caller);

  return dn_access_decide (&subject, &principal, rights);
}

gboolean
dn_lookup_sees (DnRequest *request, const DnContext *context)
{
  return decide (request, context, 0).verdict == DN_ACCESS_ALLOWED;
}

gboolean
dn_lookup_has_rights (DnRequest *request, const DnContext *context, guint rights)
{
  return decide (request, context, rights).verdict == DN_ACCESS_ALLOWED;
}

/* Under the daemon's lock: the verb's rights on a context that the caller may know of. */
static gboolean
check (DnRequest *request, const DnContext *context, const char *what, const char *name,
       GError **error)
{
  const DnPrincipal principal = dn_caller_principal (request->caller);
  DnAccessSubject subject = subject_of (context);
  DnAccessDecision decision = decide (request, context, request->verb->rights);
  g_autofree char *file = dn_context_file_path (context->name);
  g_autofree char *missing = dn_right_names (decision.missing);

  subject.file = file;
  g_free (request->rule);
  request->rule = dn_access_rule_words (&decision, &subject, &principal);
  return decision.verdict == DN_ACCESS_ALLOWED
         || dn_throw (error, DN_ERROR_DENIED, "%s '%s': uid %u has no right to %s there\n%s", what,
                      name, principal.uid, missing, request->rule);
}

gboolean
dn_lookup_is_of_tenant (DnRequest *request, const char *tenant)
{
  DnDaemon *daemon = request->daemon;
  gboolean is_found = dn_caller_is_root (request->caller);
  GHashTableIter iter;
  DnContext *context;

  g_mutex_lock (&daemon->lock);
  g_hash_table_iter_init (&iter, daemon->contexts);
  while (!is_found && g_hash_table_iter_next (&iter, NULL, (gpointer *) &context))
    is_found = !context->is_ephemeral && g_str_equal (context->definition.tenant, tenant)
               && decide (request, context, DN_RIGHT_RUN).verdict == DN_ACCESS_ALLOWED;
  g_mutex_unlock (&daemon->lock);
  return is_found;
}

void
dn_lookup_refresh (DnRequest *request)
{
  if (!dn_caller_is_root (request->caller))
    dn_context_refresh (request->daemon);
}

/* CONTEXT/NAME, or a name. */
static gboolean
has_name (const DnContainer *container, const char *text)
{
  const char *slash = strchr (text, '/');

  return slash == NULL ? g_str_equal (container->name, text)
                       : strlen (container->context->name) == (gsize) (slash - text)
                             && g_str_has_prefix (text, container->context->name)
                             && g_str_equal (container->name, slash + 1);
}

/* Under the daemon's lock.  What @text may mean, to this caller; borrowed. */
static GPtrArray *
match (DnRequest *request, const char *text)
{
  g_autoptr (GPtrArray) named = g_ptr_array_new (), own = g_ptr_array_new ();
  g_autoptr (GPtrArray) by_id = g_ptr_array_new ();
  GHashTableIter iter;
  DnContainer *container;

  g_hash_table_iter_init (&iter, request->daemon->containers);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &container))
    {
      if (!dn_lookup_sees (request, container->context))
        continue;
      if (has_name (container, text))
        {
          g_ptr_array_add (named, container);
          if (container->owner_uid == request->caller->uid)
            g_ptr_array_add (own, container);
        }
      if (dn_id_is_prefix (text) && g_str_has_prefix (container->id, text))
        g_ptr_array_add (by_id, container);
    }
  /* A name wins over the beginning of an id that reads the same, the caller's own over others':
   * nobody gets in the way of somebody's scripts by choice of a name. */
  if (own->len == 1)
    return g_steal_pointer (&own);
  return named->len > 0 ? g_steal_pointer (&named) : g_steal_pointer (&by_id);
}

DnContainer *
dn_lookup_container (DnRequest *request, const char *text, GError **error)
{
  g_autoptr (GPtrArray) found = NULL;
  g_autofree char *shown = dn_text_clean (text, 80);
  DnContainer *container = NULL;

  dn_lookup_refresh (request);
  g_mutex_lock (&request->daemon->lock);
  found = match (request, text);
  if (found->len == 1)
    container = found->pdata[0];
  if (container != NULL && check (request, container->context, "container", shown, error))
    dn_container_ref (container);
  else
    container = NULL;
  g_mutex_unlock (&request->daemon->lock);
  if (found->len == 0)
    dn_throw (error, DN_ERROR_NOT_FOUND, "container '%s': there is none\nsee danchi ps -a", shown);
  else if (found->len > 1)
    dn_throw (error, DN_ERROR_CONFLICT,
              "container '%s': %u containers' names or ids begin so\ngive more of the id, or "
              "CONTEXT/NAME",
              shown, found->len);
  return container;
}

DnContext *
dn_lookup_context (DnRequest *request, const char *name, GError **error)
{
  g_autofree char *shown = dn_text_clean (name, 80);
  DnContext *context;
  gboolean is_there;

  dn_context_refresh_one (request->daemon, name);
  g_mutex_lock (&request->daemon->lock);
  context = g_hash_table_lookup (request->daemon->contexts, name);
  is_there = context != NULL && dn_lookup_sees (request, context);
  if (is_there && check (request, context, "context", shown, error))
    dn_context_ref (context);
  else
    context = NULL;
  g_mutex_unlock (&request->daemon->lock);
  if (!is_there)
    dn_throw (error, DN_ERROR_NOT_FOUND,
              "context '%s': there is none\nsee danchi context ls; make one with danchi context "
              "create",
              shown);
  return context;
}

GPtrArray *
dn_lookup_containers (DnRequest *request)
{
  GPtrArray *all;

  dn_lookup_refresh (request);
  all = dn_container_list (request->daemon);
  g_mutex_lock (&request->daemon->lock);
  for (guint i = all->len; i-- > 0;)
    if (decide (request, ((DnContainer *) all->pdata[i])->context, request->verb->rights).verdict
        != DN_ACCESS_ALLOWED)
      g_ptr_array_remove_index (all, i);
  g_mutex_unlock (&request->daemon->lock);
  return all;
}

GPtrArray *
dn_lookup_contexts (DnRequest *request)
{
  GPtrArray *all;

  dn_context_refresh (request->daemon);
  all = dn_context_list (request->daemon);
  g_mutex_lock (&request->daemon->lock);
  for (guint i = all->len; i-- > 0;)
    if (decide (request, all->pdata[i], request->verb->rights).verdict != DN_ACCESS_ALLOWED)
      g_ptr_array_remove_index (all, i);
  g_mutex_unlock (&request->daemon->lock);
  return all;
}

/* What images the caller may use in some context, and those of its containers. */
static DnImageView *
view_images (DnRequest *request)
{
  DnDaemon *daemon = request->daemon;
  DnImageView *view = dn_image_view_new ();
  const DnPrincipal principal = dn_caller_principal (request->caller);
  g_autoptr (DnSettings) settings = NULL;
  GHashTableIter iter;
  DnContext *context;
  DnContainer *container;

  dn_lookup_refresh (request);
  settings = dn_settings_get (daemon);
  if (principal.uid == 0 || dn_host_access_loads (&settings->access, &principal))
    {
      dn_image_view_open (view);
      return view;
    }
  if (dn_host_access_makes (&settings->access, &principal))
    dn_image_view_allow (view, settings->terms.allow);
  g_mutex_lock (&daemon->lock);
  g_hash_table_iter_init (&iter, daemon->contexts);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &context))
    if (!context->is_ephemeral
        && decide (request, context, DN_RIGHT_RUN).verdict == DN_ACCESS_ALLOWED)
      dn_image_view_allow (view, context->definition.terms.allow);
  g_hash_table_iter_init (&iter, daemon->containers);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &container))
    if (decide (request, container->context, DN_RIGHT_INSPECT).verdict == DN_ACCESS_ALLOWED)
      dn_image_view_add (view, container->image_id);
  g_mutex_unlock (&daemon->lock);
  return view;
}

DnImage *
dn_lookup_image (DnRequest *request, const char *text, GError **error)
{
  g_autoptr (DnImageView) view = view_images (request);
  g_autoptr (DnImage) image = dn_store_find (request->daemon->store, text, view, error);

  return image != NULL ? dn_image_view_show (view, image) : NULL;
}

GPtrArray *
dn_lookup_images (DnRequest *request)
{
  g_autoptr (DnImageView) view = view_images (request);
  g_autoptr (GPtrArray) all = dn_store_list (request->daemon->store);
  GPtrArray *seen = g_ptr_array_new_with_free_func ((GDestroyNotify) dn_image_unref);

  for (guint i = 0; i < all->len; i++)
    if (dn_image_view_sees (view, all->pdata[i]))
      g_ptr_array_add (seen, dn_image_view_show (view, all->pdata[i]));
  return seen;
}

/* What is asked for of an event; "" and 0 where it has none. */
typedef struct
{
  const char *context;
  gint64 owner_uid; /* -1: of nobody's own context */
  gint64 time_us;
} EventFacts;

static EventFacts
read_event (JsonNode *event)
{
  JsonObject *object = json_node_get_object (event);

  return (EventFacts){ json_object_get_string_member_with_default (object, "context", ""),
                       json_object_get_int_member_with_default (object, "owner_uid", -1),
                       json_object_get_int_member_with_default (object, "time_us", 0) };
}

gboolean
dn_lookup_sees_event (DnRequest *request, JsonNode *event)
{
  const EventFacts facts = read_event (event);
  DnContext *context;
  gboolean is_seen;

  if (dn_caller_is_root (request->caller))
    return TRUE;
  if (facts.owner_uid >= 0)
    return facts.owner_uid == request->caller->uid;
  g_mutex_lock (&request->daemon->lock);
  context = g_hash_table_lookup (request->daemon->contexts, facts.context);
  /* A context that had this name before was another, perhaps another tenant's. */
  is_seen = context != NULL && !context->is_ephemeral && facts.time_us >= context->created_us
            && decide (request, context, request->verb->rights).verdict == DN_ACCESS_ALLOWED;
  g_mutex_unlock (&request->daemon->lock);
  return is_seen;
}

gboolean
dn_lookup_has_anything (DnRequest *request)
{
  DnDaemon *daemon = request->daemon;
  const DnPrincipal principal = dn_caller_principal (request->caller);
  g_autoptr (DnSettings) settings = dn_settings_get (daemon);
  GHashTableIter iter;
  DnContext *context;
  gboolean is_any = principal.uid == 0 || dn_host_access_makes (&settings->access, &principal)
                    || dn_host_access_loads (&settings->access, &principal);

  if (is_any)
    return TRUE;
  dn_lookup_refresh (request);
  g_mutex_lock (&daemon->lock);
  g_hash_table_iter_init (&iter, daemon->contexts);
  while (!is_any && g_hash_table_iter_next (&iter, NULL, (gpointer *) &context))
    is_any = dn_lookup_sees (request, context);
  g_mutex_unlock (&daemon->lock);
  return is_any;
}
