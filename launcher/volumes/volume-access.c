/* SPDX-License-Identifier: Apache-2.0 */
#include "volume-access.h"

#include <string.h>

#include "../common/error.h"
#include "../common/names.h"
#include "../daemon/lookup.h"
#include "../daemon/verbs.h"
#include "../spec/mount-spec.h"

#define NO_TENANT "none"

/* Under the daemon's lock. */
static gboolean
has_tenant (const DnContext *context)
{
  return !g_str_equal (context->definition.tenant, NO_TENANT);
}

void
dn_volume_scope_of (DnContext *context, DnVolumeScope *ret_scope)
{
  *ret_scope = (DnVolumeScope){ .kind = DN_VOLUME_OF_USER, .uid = context->owner_uid };
  g_mutex_lock (&context->daemon->lock);
  if (!context->is_ephemeral)
    ret_scope->kind = has_tenant (context) ? DN_VOLUME_OF_TENANT : DN_VOLUME_OF_CONTEXT;
  ret_scope->tenant = g_strdup (context->definition.tenant);
  g_mutex_unlock (&context->daemon->lock);
  if (ret_scope->kind == DN_VOLUME_OF_CONTEXT)
    ret_scope->context = g_strdup (context->name);
}

/* Under the daemon's lock. */
static gboolean
is_of_scope (const DnContext *context, const DnVolumeScope *scope)
{
  if (context->is_ephemeral)
    return FALSE;
  return scope->kind == DN_VOLUME_OF_TENANT
             ? g_str_equal (context->definition.tenant, scope->tenant)
             : g_str_equal (context->name, scope->context);
}

/* Whether the caller has @rights on what is of @scope; @ret_sees: whether he may know of it. */
static gboolean
has_rights (DnRequest *request, const DnVolumeScope *scope, guint rights, gboolean *ret_sees)
{
  GHashTableIter iter;
  DnContext *context;
  gboolean is_allowed = FALSE;

  *ret_sees = dn_caller_is_root (request->caller)
              || (scope->kind == DN_VOLUME_OF_USER && scope->uid == request->caller->uid);
  if (*ret_sees || scope->kind == DN_VOLUME_OF_USER)
    return *ret_sees;
  g_mutex_lock (&request->daemon->lock);
  g_hash_table_iter_init (&iter, request->daemon->contexts);
  while (!is_allowed && g_hash_table_iter_next (&iter, NULL, (gpointer *) &context))
    if (is_of_scope (context, scope) && dn_lookup_sees (request, context))
      {
        *ret_sees = TRUE;
        is_allowed = dn_lookup_has_rights (request, context, rights);
      }
  g_mutex_unlock (&request->daemon->lock);
  return is_allowed;
}

gboolean
dn_volume_scope_ask (DnRequest *request, const char *name, const char *tenant,
                     DnVolumeScope *ret_scope, GError **error)
{
  g_autoptr (DnContext) context = NULL;
  g_auto (DnVolumeScope) scope = { 0 };
  gboolean sees;

  if (name != NULL && tenant != NULL)
    return dn_throw (error, DN_ERROR_USAGE, "--context and --tenant exclude each other");
  if (name != NULL)
    {
      context = dn_lookup_context (request, name, error);
      if (context == NULL)
        return FALSE;
      if (context->is_ephemeral)
        return dn_throw (error, DN_ERROR_USAGE,
                         "context '%s': was made for one container and goes with it", name);
      dn_volume_scope_of (context, ret_scope);
      return TRUE;
    }
  scope = (DnVolumeScope){ .kind = tenant != NULL ? DN_VOLUME_OF_TENANT : DN_VOLUME_OF_USER,
                           .tenant = g_strdup (tenant != NULL ? tenant : NO_TENANT),
                           .uid = request->caller->uid };
  dn_lookup_refresh (request);
  if (!has_rights (request, &scope, request->verb->rights, &sees))
    return dn_throw (error, DN_ERROR_DENIED,
                     "tenant '%s': uid %u has no right to run containers in a context of it\n"
                     "without --tenant a volume is your own",
                     tenant, request->caller->uid);
  dn_volume_scope_copy (&scope, ret_scope);
  return TRUE;
}

/* What @text may mean to this caller. */
static GPtrArray *
match (DnRequest *request, const char *text)
{
  g_autoptr (GPtrArray) all = dn_volumes_list (request->daemon->volumes);
  g_autoptr (GPtrArray) named = g_ptr_array_new_with_free_func ((GDestroyNotify) dn_volume_unref);
  g_autoptr (GPtrArray) by_id = g_ptr_array_new_with_free_func ((GDestroyNotify) dn_volume_unref);
  gboolean sees;

  for (guint i = 0; i < all->len; i++)
    {
      DnVolume *volume = all->pdata[i];
      gboolean is_own
          = volume->scope.kind == DN_VOLUME_OF_USER && volume->scope.uid == request->caller->uid;

      (void) has_rights (request, &volume->scope, 0, &sees);
      if (!sees)
        continue;
      if (g_str_equal (volume->name, text) && is_own)
        {
          g_ptr_array_set_size (named, 0);
          g_ptr_array_add (named, dn_volume_ref (volume));
          return g_steal_pointer (&named);
        }
      if (g_str_equal (volume->name, text))
        g_ptr_array_add (named, dn_volume_ref (volume));
      else if (dn_id_is_prefix (text) && g_str_has_prefix (volume->id, text))
        g_ptr_array_add (by_id, dn_volume_ref (volume));
    }
  return named->len > 0 ? g_steal_pointer (&named) : g_steal_pointer (&by_id);
}

DnVolume *
dn_volume_lookup (DnRequest *request, const char *text, GError **error)
{
  g_autofree char *shown = dn_text_clean (text, 80);
  g_autoptr (GPtrArray) found = NULL;
  DnVolume *volume;
  gboolean sees;

  dn_lookup_refresh (request);
  found = match (request, text);
  if (found->len != 1)
    {
      if (found->len == 0)
        dn_throw (error, DN_ERROR_NOT_FOUND, "volume '%s': there is none\nsee danchi volume ls",
                  shown);
      else
        dn_throw (
            error, DN_ERROR_CONFLICT,
            "volume '%s': %u volumes' names or ids begin so\ngive the id, as danchi volume ls "
            "has it",
            shown, found->len);
      return NULL;
    }
  volume = found->pdata[0];
  if (!has_rights (request, &volume->scope, request->verb->rights, &sees))
    {
      g_autofree char *rights = dn_right_names (request->verb->rights);
      g_autofree char *scope = dn_volume_scope_to_words (&volume->scope);

      dn_throw (error, DN_ERROR_DENIED, "volume '%s': uid %u has no right to %s on what is of %s",
                shown, request->caller->uid, rights, scope);
      return NULL;
    }
  return dn_volume_ref (volume);
}

GPtrArray *
dn_volume_lookup_all (DnRequest *request)
{
  GPtrArray *all = dn_volumes_list (request->daemon->volumes);
  gboolean sees;

  dn_lookup_refresh (request);
  for (guint i = all->len; i-- > 0;)
    if (!has_rights (request, &((DnVolume *) all->pdata[i])->scope, request->verb->rights, &sees))
      g_ptr_array_remove_index (all, i);
  return all;
}

gboolean
dn_volume_check_context (const DnVolume *volume, DnContext *context, GError **error)
{
  const DnVolumeScope *scope = &volume->scope;
  g_autofree char *words = dn_volume_scope_to_words (scope);
  gboolean is_fine, has_same_tenant;

  g_mutex_lock (&context->daemon->lock);
  has_same_tenant = g_str_equal (context->definition.tenant, scope->tenant);
  is_fine = context->is_ephemeral ? scope->kind != DN_VOLUME_OF_CONTEXT && has_same_tenant
            : scope->kind == DN_VOLUME_OF_USER ? FALSE
                                               : is_of_scope (context, scope);
  if (context->is_ephemeral && scope->kind == DN_VOLUME_OF_USER)
    is_fine = is_fine && scope->uid == context->owner_uid;
  g_mutex_unlock (&context->daemon->lock);
  return is_fine
         || dn_throw (error, DN_ERROR_DENIED,
                      "volume '%s': is of %s%s%s%s, and context '%s' is not", volume->name, words,
                      scope->kind == DN_VOLUME_OF_USER ? " and tenant '" : "",
                      scope->kind == DN_VOLUME_OF_USER ? scope->tenant : "",
                      scope->kind == DN_VOLUME_OF_USER ? "'" : "", context->name);
}

/* The one of this name for containers of @context.  A container with a guest of its own may say
 * that it is a tenant's: that gives it the tenant's volumes only where its maker may run in a
 * context of the tenant's. */
static DnVolume *
find_for (DnRequest *request, DnContext *context, const DnVolumeScope *scope, const char *name)
{
  const DnVolumeScope of_tenant = { .kind = DN_VOLUME_OF_TENANT, .tenant = scope->tenant };
  DnVolume *volume = dn_volumes_find_name (request->daemon->volumes, scope, name);
  gboolean sees;

  if (volume != NULL || !context->is_ephemeral || g_str_equal (scope->tenant, NO_TENANT)
      || !has_rights (request, &of_tenant, DN_RIGHT_RUN, &sees))
    return volume;
  return dn_volumes_find_name (request->daemon->volumes, &of_tenant, name);
}

static DnVolume *
resolve_one (DnRequest *request, DnContainer *container, const DnVolumeScope *scope,
             const DnMountSpec *spec, GError **error)
{
  const DnVolumeWish wish = { .name = spec->source,
                              .size_bytes = (guint64) spec->size_bytes,
                              .container = spec->source == NULL ? container->id : NULL,
                              .context = container->context->name };
  g_autoptr (DnVolume) volume
      = spec->source != NULL ? find_for (request, container->context, scope, spec->source) : NULL;

  if (volume == NULL)
    return dn_volume_make (request, scope, &wish, error);
  if (spec->size_bytes != 0 && (guint64) spec->size_bytes != volume->size_bytes)
    {
      dn_throw (error, DN_ERROR_CONFLICT,
                "volume '%s': is there already, and of another size (%" G_GUINT64_FORMAT
                " bytes)\nleave size= out",
                volume->name, volume->size_bytes);
      return NULL;
    }
  return dn_volume_check_context (volume, container->context, error) ? g_steal_pointer (&volume)
                                                                     : NULL;
}

gboolean
dn_volume_resolve (DnRequest *request, DnContainer *container, DnContainerOptions *options,
                   GError **error)
{
  g_auto (DnVolumeScope) scope = { 0 };

  if (options->volumes == NULL)
    return TRUE;
  dn_volume_scope_of (container->context, &scope);
  for (char **text = options->volumes; *text != NULL; text++)
    {
      g_autoptr (DnMountSpec) spec = dn_mount_spec_parse (*text, error);
      g_autoptr (DnVolume) volume = NULL;

      if (spec != NULL && spec->kind != DN_MOUNT_VOLUME)
        continue;
      if (spec != NULL && spec->id[0] != '\0')
        dn_throw (error, DN_ERROR_USAGE, "--mount '%s': volume-id is danchid's own word", *text);
      else if (spec != NULL)
        volume = resolve_one (request, container, &scope, spec, error);
      if (volume == NULL)
        {
          dn_volume_drop_anonymous (request->daemon, container->id, FALSE);
          return FALSE;
        }
      g_strlcpy (spec->id, volume->id, sizeof spec->id);
      if (spec->source == NULL)
        spec->source = g_strdup (volume->name);
      spec->size_bytes = 0;
      g_free (*text);
      *text = dn_mount_spec_to_text (spec);
    }
  return TRUE;
}
