/* SPDX-License-Identifier: Apache-2.0 */
#include "binds.h"

#include <string.h>

#include "../common/error.h"
#include "../common/json.h"
#include "../daemon/container-call.h"
#include "../daemon/json-build.h"
#include "../guest/share-server.h"
#include "../spec/bind-policy.h"
#include "../spec/mount-spec.h"
#include "../spec/spec-mounts.h"
#include "bind-owner.h"

/* The agent waits for the host as long. */
#define CALL_TIMEOUT_MS 30000
#define ORDINARY_UID 1 /* any that a share knows: check makes a mount and throws it away */

/* The container's mounts of type bind, parents before what lies in them. */
typedef struct
{
  GPtrArray *binds; /* owned; DnMountSpec */
  char **policy;    /* owned */
  char *home;       /* owned */
} Binds;

static void
clear_binds (Binds *binds)
{
  g_clear_pointer (&binds->binds, g_ptr_array_unref);
  g_strfreev (binds->policy);
  g_free (binds->home);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Binds, clear_binds)

static gint
compare (gconstpointer one, gconstpointer other)
{
  return strcmp ((*(DnMountSpec *const *) one)->target, (*(DnMountSpec *const *) other)->target);
}

/* Sorted: so a bind's place in the list is the same whoever asks. */
GPtrArray *
dn_binds_list (const DnContainerOptions *options, GError **error)
{
  g_autoptr (GPtrArray) specs = dn_mount_specs_parse (options->volumes, options->tmpfs, error);

  if (specs == NULL)
    return NULL;
  for (guint i = specs->len; i > 0; i--)
    if (((DnMountSpec *) specs->pdata[i - 1])->kind != DN_MOUNT_BIND)
      g_ptr_array_remove_index (specs, i - 1);
  g_ptr_array_sort (specs, compare);
  return g_steal_pointer (&specs);
}

static gboolean
list_binds (const DnContainerOptions *options, Binds *ret_binds, GError **error)
{
  ret_binds->binds = dn_binds_list (options, error);
  return ret_binds->binds != NULL;
}

/* What the rules go by now. */
static void
take_policy (DnContainer *container, Binds *binds)
{
  g_mutex_lock (&container->daemon->lock);
  binds->policy = g_strdupv (container->context->definition.terms.binds);
  g_mutex_unlock (&container->daemon->lock);
  binds->home = dn_bind_owner_home (container->owner_uid);
}

/* Where a bind is to be looked for, and how it may be mounted. */
static gboolean
fill_source (const Binds *binds, const DnMountSpec *spec, DnShareSource *source, GError **error)
{
  g_auto (DnBindRoot) root = { NULL };
  const char *rest = NULL;

  /* The rules have been asked before; the policy may have changed since. */
  if (!dn_bind_policy_find (binds->policy, binds->home, spec->source, &root, &rest)
      || (!spec->is_readonly && !root.is_writable))
    return dn_throw (error, DN_ERROR_DENIED, "bind '%s': is not permitted any more", spec->source);
  if (g_strlcpy (source->root, root.path, sizeof source->root) >= sizeof source->root
      || g_strlcpy (source->rest, rest, sizeof source->rest) >= sizeof source->rest)
    return dn_throw (error, DN_ERROR_LIMIT, "bind '%s': its path is too long", spec->source);
  source->is_writable = !spec->is_readonly;
  source->is_executable = spec->is_executable;
  return TRUE;
}

static gboolean
check_one (const Binds *binds, const DnMountSpec *spec, const DnShareSource *owner,
           DnShareAnswer *ret_answer, GError **error)
{
  g_autofree char *what = g_strdup_printf ("bind '%s'", spec->source);
  DnShareOrder order = {
    .verb = DN_SHARE_CHECK, .guest_uid = ORDINARY_UID, .guest_gid = ORDINARY_UID, .source = *owner
  };

  return fill_source (binds, spec, &order.source, error)
         && dn_share_server_order (&order, -1, what, ret_answer, error);
}

/* Looks for all of them; @record's facts become what was found. */
static gboolean
check_all (const DnContainer *container, const Binds *binds, DnBindRecord *record, GError **error)
{
  DnShareSource owner = { 0 };

  if (!dn_bind_owner_fill (container->owner_uid, record, &owner, error))
    return FALSE;
  g_array_set_size (record->facts, binds->binds->len);
  for (guint i = 0; i < binds->binds->len; i++)
    {
      DnBindFact *fact = &g_array_index (record->facts, DnBindFact, i);
      DnShareAnswer answer;

      if (!check_one (binds, binds->binds->pdata[i], &owner, &answer, error))
        return FALSE;
      fact->is_directory = answer.is_directory;
      fact->host_uid = answer.owner_uid;
      fact->host_gid = answer.owner_gid;
    }
  return TRUE;
}

gboolean
dn_binds_check (DnContainer *container, const DnRequest *request, const DnContainerOptions *options,
                GError **error)
{
  const DnCaller *caller = request->caller;
  g_auto (DnBindRecord) record = { .gid = caller->gid };
  g_auto (Binds) binds = { NULL };

  if (!list_binds (options, &binds, error))
    return FALSE;
  if (binds.binds->len == 0)
    return TRUE;
  if (caller->n_groups > DN_SHARE_GROUPS_MAX)
    return dn_throw (error, DN_ERROR_LIMIT, "bind: uid %u is in more than %d groups", caller->uid,
                     DN_SHARE_GROUPS_MAX);
  record.groups = g_array_new (FALSE, FALSE, sizeof (guint));
  record.facts = g_array_new (FALSE, TRUE, sizeof (DnBindFact));
  g_array_append_vals (record.groups, caller->groups, caller->n_groups);
  take_policy (container, &binds);
  if (!check_all (container, &binds, &record, error))
    return FALSE;
  container->binds = record;
  record = (DnBindRecord){ 0 };
  return TRUE;
}

gboolean
dn_binds_are_possible (const DnContext *context)
{
  return context->definition.terms.binds[0] != NULL;
}

/* The container's record, of now. */
static void
copy_record (DnContainer *container, DnBindRecord *ret_record)
{
  g_mutex_lock (&container->daemon->lock);
  dn_bind_record_copy (&container->binds, ret_record);
  g_mutex_unlock (&container->daemon->lock);
}

static void
set_facts (DnContainer *container, const DnBindRecord *record)
{
  g_mutex_lock (&container->daemon->lock);
  g_clear_pointer (&container->binds.facts, g_array_unref);
  container->binds.facts = g_array_copy (record->facts);
  g_mutex_unlock (&container->daemon->lock);
}

static gboolean
prepare (DnPartStart *start, GError **error)
{
  g_auto (DnBindRecord) record = { 0 };
  g_auto (Binds) binds = { NULL };

  if (!list_binds (start->options, &binds, error))
    return FALSE;
  if (binds.binds->len == 0)
    return TRUE;
  start->entry->wants_share = TRUE;
  copy_record (start->container, &record);
  if (record.facts == NULL)
    return dn_throw (error, DN_ERROR_CONFIG,
                     "container: whose its binds are is not known\nmake it anew");
  take_policy (start->container, &binds);
  return check_all (start->container, &binds, &record, error);
}

static gboolean
specify (DnContainer *container, const DnContainerOptions *options, guint slot, JsonObject *spec,
         GError **error)
{
  JsonArray *mounts = json_object_get_array_member (spec, "mounts");
  g_auto (DnBindRecord) record = { 0 };
  g_auto (Binds) binds = { NULL };

  (void) slot;
  if (!list_binds (options, &binds, error))
    return FALSE;
  copy_record (container, &record);
  for (guint i = 0; i < binds.binds->len; i++)
    {
      const DnBindFact fact = dn_bind_record_fact (&record, i);

      dn_spec_add_share (mounts, binds.binds->pdata[i], fact.is_directory);
    }
  return TRUE;
}

static gboolean
enter (DnPartStart *start, GError **error)
{
  if (!start->entry->wants_share || dn_guest_has_share (start->guest))
    return TRUE;
  return dn_throw (error, DN_ERROR_CONFLICT,
                   "context '%s': its guest was started before binds were permitted\n"
                   "danchi context stop '%s', and start the container again",
                   start->container->context->name, start->container->context->name);
}

static void
take_user (guint16 type, const guint8 *payload, guint32 size, gpointer data)
{
  if (type == DN_MSG_SHARE_USER_ENTRY)
    (void) dn_msg_share_user_entry_unpack (payload, size, data);
}

/* Who the container's user is, as its guest says: of no weight beyond what the guest sees. */
static gboolean
ask_user (DnPartStart *start, DnMsgShareUserEntry *ret_user, GError **error)
{
  DnMsgShareUser message = { 0 };
  DnGuestCall call = { .type = DN_MSG_SHARE_USER,
                       .message = &message,
                       .pack = (DnPackFunc) dn_msg_share_user_pack,
                       .timeout_ms = CALL_TIMEOUT_MS,
                       .answer = take_user,
                       .answer_data = ret_user };

  *ret_user = (DnMsgShareUserEntry){ .uid = G_MAXUINT32 };
  g_strlcpy (message.container, start->container->id, sizeof message.container);
  if (!dn_guest_call (start->guest, &call, error))
    return FALSE;
  return (ret_user->uid < DN_CONTEXT_UIDS && ret_user->gid < DN_CONTEXT_UIDS)
         || dn_throw (error, DN_ERROR_GUEST, "container: its guest does not say who its user is");
}

guint
dn_binds_number (guint slot, guint index)
{
  return slot * DN_MOUNT_SPECS_MAX + index;
}

static gboolean
mount_one (DnPartStart *start, const DnMountSpec *spec, guint number, GError **error)
{
  DnMsgShareMount message = { .number = number };
  DnGuestCall call = { .type = DN_MSG_SHARE_MOUNT,
                       .message = &message,
                       .pack = (DnPackFunc) dn_msg_share_mount_pack,
                       .timeout_ms = CALL_TIMEOUT_MS };

  g_strlcpy (message.container, start->container->id, sizeof message.container);
  g_strlcpy (message.target, spec->target, sizeof message.target);
  return dn_guest_call (start->guest, &call, error);
}

static gboolean
bind_one (DnPartStart *start, const Binds *binds, guint index, const DnShareSource *owner,
          DnBindFact *fact, GError **error)
{
  const guint first = DN_CONTEXT_FIRST_UID + start->slot * DN_CONTEXT_UIDS;
  const DnMountSpec *spec = binds->binds->pdata[index];
  g_autofree char *what = g_strdup_printf ("bind '%s'", spec->source);
  g_autofree DnShareSource *source = g_memdup2 (owner, sizeof *owner);
  const DnGuestBind bind = { .what = what,
                             .verb = DN_SHARE_BIND,
                             .number = dn_binds_number (start->slot, index),
                             .guest_uid = first + fact->uid,
                             .guest_gid = first + fact->gid,
                             .source = source };
  DnShareAnswer answer;

  if (!fill_source (binds, spec, source, error)
      || !dn_guest_bind (start->guest, &bind, &answer, error))
    return FALSE;
  fact->is_directory = answer.is_directory;
  fact->host_uid = answer.owner_uid;
  fact->host_gid = answer.owner_gid;
  return mount_one (start, spec, bind.number, error);
}

static gboolean
bind_all (DnPartStart *start, const Binds *binds, DnBindRecord *record, GError **error)
{
  g_autofree DnShareSource *owner = g_new0 (DnShareSource, 1);
  DnMsgShareUserEntry user;

  if (!dn_bind_owner_fill (start->container->owner_uid, record, owner, error)
      || !ask_user (start, &user, error))
    return FALSE;
  g_array_set_size (record->facts, binds->binds->len);
  for (guint i = 0; i < binds->binds->len; i++)
    {
      DnBindFact *fact = &g_array_index (record->facts, DnBindFact, i);

      fact->uid = user.uid;
      fact->gid = user.gid;
      if (!bind_one (start, binds, i, owner, fact, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
furnish (DnPartStart *start, GError **error)
{
  DnMsgShareMounted message = { 0 };
  g_auto (DnBindRecord) record = { 0 };
  g_auto (Binds) binds = { NULL };

  if (!list_binds (start->options, &binds, error))
    return FALSE;
  if (binds.binds->len == 0)
    return TRUE;
  copy_record (start->container, &record);
  take_policy (start->container, &binds);
  if (!bind_all (start, &binds, &record, error))
    return FALSE;
  set_facts (start->container, &record);
  g_strlcpy (message.container, start->container->id, sizeof message.container);
  return dn_container_save_options (start->container, error)
         && dn_container_call (start->guest, DN_MSG_SHARE_MOUNTED, &message,
                               (DnPackFunc) dn_msg_share_mounted_pack, CALL_TIMEOUT_MS, error);
}

static void
leave (DnContainer *container, DnGuest *guest)
{
  g_autoptr (DnContainerOptions) options = dn_container_copy_options (container);
  g_auto (Binds) binds = { NULL };
  guint slot;

  /* A share ends with its guest. */
  if (guest == NULL || !list_binds (options, &binds, NULL) || !dn_guest_has_share (guest))
    return;
  g_mutex_lock (&container->daemon->lock);
  slot = container->slot;
  g_mutex_unlock (&container->daemon->lock);
  for (guint i = 0; i < binds.binds->len; i++)
    dn_guest_unbind (guest, dn_binds_number (slot, i));
}

/* "alice (1000) on the host is 1000 in the container". */
static void
add_mapping (JsonObject *object, const DnBindFact *fact)
{
  g_autofree char *name = dn_bind_owner_name (fact->host_uid);
  g_autofree char *words
      = g_strdup_printf ("%s (%u) on the host is %u in the container",
                         name != NULL ? name : "a user without a name", fact->host_uid, fact->uid);

  json_object_set_int_member (object, "uid", fact->uid);
  json_object_set_int_member (object, "gid", fact->gid);
  json_object_set_string_member (object, "mapping", words);
}

static JsonObject *
describe_one (const DnMountSpec *spec, const DnBindFact *fact, gboolean is_known)
{
  JsonObject *object = json_object_new ();

  json_object_set_string_member (object, "source", spec->source);
  json_object_set_string_member (object, "target", spec->target);
  json_object_set_boolean_member (object, "is_readonly", spec->is_readonly);
  json_object_set_boolean_member (object, "is_executable", spec->is_executable);
  json_object_set_boolean_member (object, "is_directory", fact->is_directory);
  json_object_set_int_member (object, "host_uid", fact->host_uid);
  json_object_set_int_member (object, "host_gid", fact->host_gid);
  if (is_known)
    add_mapping (object, fact);
  return object;
}

static void
describe (DnContainer *container, JsonObject *object)
{
  g_autoptr (DnContainerOptions) options = dn_container_copy_options (container);
  g_auto (DnBindRecord) record = { 0 };
  g_auto (Binds) binds = { NULL };
  JsonArray *array;
  gboolean is_known;

  if (!list_binds (options, &binds, NULL) || binds.binds->len == 0)
    return;
  copy_record (container, &record);
  g_mutex_lock (&container->daemon->lock);
  is_known = container->run > 0;
  g_mutex_unlock (&container->daemon->lock);
  array = json_array_new ();
  for (guint i = 0; i < binds.binds->len; i++)
    {
      const DnBindFact fact = dn_bind_record_fact (&record, i);

      json_array_add_object_element (array, describe_one (binds.binds->pdata[i], &fact, is_known));
    }
  json_object_set_array_member (object, "binds", array);
}

const DnContainerPart dn_binds_part = { .name = "binds",
                                        .prepare = prepare,
                                        .specify = specify,
                                        .enter = enter,
                                        .furnish = furnish,
                                        .leave = leave,
                                        .describe = describe };
