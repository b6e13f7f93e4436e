/* SPDX-License-Identifier: Apache-2.0 */
#include "secrets-part.h"

#include <string.h>

#include "../common/error.h"
#include "../daemon/container-call.h"
#include "../daemon/daemon-record.h"
#include "secret-send.h"

#define LIST_TIMEOUT_MS 20000

GPtrArray *
dn_secrets_of (DnContainer *container, GError **error)
{
  g_autoptr (DnContainerOptions) options = dn_container_copy_options (container);

  return dn_secret_specs_parse (options->secrets, options->configs, error);
}

static gboolean
is_offered (const DnContainerStart *plan, const char *name)
{
  return plan->contents != NULL && g_strv_contains ((const char *const *) plan->contents, name);
}

static gboolean
check_offers (const DnPartStart *start, const GPtrArray *specs, GError **error)
{
  char **const contents = start->plan->contents;

  for (guint i = 0; contents != NULL && contents[i] != NULL; i++)
    {
      if (!dn_secret_name_check (contents[i], "secret", error))
        return FALSE;
      if (dn_secret_specs_find (specs, contents[i]) == NULL)
        return dn_throw (error, DN_ERROR_NOT_FOUND,
                         "container '%s': has no secret '%s'\nsee danchi secret ls %s",
                         start->container->name, contents[i], start->container->name);
    }
  return TRUE;
}

/* @there: what the guest has, or NULL: nothing. */
static gboolean
check_missing (const DnPartStart *start, const GPtrArray *specs, GHashTable *there, GError **error)
{
  g_autoptr (GString) names = g_string_new (NULL);
  const char *first = NULL;

  for (guint i = 0; i < specs->len; i++)
    {
      const DnSecretSpec *spec = g_ptr_array_index (specs, i);

      if (is_offered (start->plan, spec->name)
          || (there != NULL && g_hash_table_contains (there, spec->file)))
        continue;
      g_string_append_printf (names, "%s'%s'", names->len > 0 ? ", " : "", spec->name);
      first = first != NULL ? first : spec->name;
    }
  return first == NULL
         || dn_throw (error, DN_ERROR_CONFLICT,
                      "container '%s': needs the content of %s\nno copy of it is kept: danchi "
                      "start --secret %s=FILE %s",
                      start->container->name, names->str, first, start->container->name);
}

/* What is wrong is said before a guest is started for it. */
static gboolean
prepare (DnPartStart *start, GError **error)
{
  g_autoptr (GPtrArray) specs
      = dn_secret_specs_parse (start->options->secrets, start->options->configs, error);
  gboolean has_guest;

  if (specs == NULL || !check_offers (start, specs, error))
    return FALSE;
  g_mutex_lock (&start->container->daemon->lock);
  has_guest = start->container->context->guest != NULL;
  g_mutex_unlock (&start->container->daemon->lock);
  return has_guest || check_missing (start, specs, NULL, error);
}

static JsonArray *
list_files (const GPtrArray *specs, gboolean are_links)
{
  JsonArray *list = json_array_new ();

  for (guint i = 0; i < specs->len; i++)
    {
      const DnSecretSpec *spec = g_ptr_array_index (specs, i);
      g_autofree char *link = g_strconcat (spec->file, " ", spec->target, NULL);

      if (!are_links)
        json_array_add_string_element (list, spec->file);
      else if (spec->is_linked)
        json_array_add_string_element (list, link);
    }
  return list;
}

static gboolean
specify (DnContainer *container, const DnContainerOptions *options, guint slot, JsonObject *spec,
         GError **error)
{
  static const char *const words[] = { "ro", "nosuid", "nodev", "noexec" };
  g_autoptr (GPtrArray) specs = dn_secret_specs_parse (options->secrets, options->configs, error);
  JsonObject *mount;
  JsonArray *flags;

  (void) container;
  (void) slot;
  if (specs == NULL || specs->len == 0)
    return specs != NULL;
  mount = json_object_new ();
  flags = json_array_new ();
  for (gsize i = 0; i < G_N_ELEMENTS (words); i++)
    json_array_add_string_element (flags, words[i]);
  json_object_set_string_member (mount, "destination", DN_SECRETS_DIRECTORY);
  json_object_set_string_member (mount, "type", "secrets");
  json_object_set_string_member (mount, "source", "secrets");
  json_object_set_array_member (mount, "options", flags);
  json_object_set_array_member (mount, "files", list_files (specs, FALSE));
  json_object_set_array_member (mount, "links", list_files (specs, TRUE));
  json_array_add_object_element (json_object_get_array_member (spec, "mounts"), mount);
  return TRUE;
}

static void
take_entry (guint16 type, const guint8 *payload, guint32 size, gpointer data)
{
  GHashTable *there = data;
  DnMsgSecretEntry entry;

  /* Of the guest's words only names that danchid itself gave are looked up in it. */
  if (type == DN_MSG_SECRET_ENTRY && dn_msg_secret_entry_unpack (payload, size, &entry) == 0
      && g_hash_table_size (there) < DN_SECRETS_MAX)
    {
      gint64 *updated_us = g_new (gint64, 1);

      *updated_us = (gint64) (MIN (entry.updated_ns, G_MAXINT64) / 1000);
      g_hash_table_replace (there, g_strdup (entry.name), updated_us);
    }
}

GHashTable *
dn_secrets_ask (DnContainer *container, DnGuest *guest, GError **error)
{
  g_autoptr (GHashTable) there = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  DnMsgSecretList message = { 0 };
  DnGuestCall call = { .type = DN_MSG_SECRET_LIST,
                       .message = &message,
                       .pack = (DnPackFunc) dn_msg_secret_list_pack,
                       .timeout_ms = LIST_TIMEOUT_MS,
                       .answer = take_entry,
                       .answer_data = there };

  g_strlcpy (message.container, container->id, sizeof message.container);
  return dn_guest_call (guest, &call, error) ? g_steal_pointer (&there) : NULL;
}

static gboolean
keep (DnContainer *container, DnGuest *guest, gboolean is_kept, GError **error)
{
  DnMsgSecretKeep message = { .keep = is_kept != FALSE };

  g_strlcpy (message.container, container->id, sizeof message.container);
  return dn_container_call (guest, DN_MSG_SECRET_KEEP, &message,
                            (DnPackFunc) dn_msg_secret_keep_pack, LIST_TIMEOUT_MS, error);
}

/* Before CREATE, which an agent that knows no secrets would take for nonsense: here it is refused
 * in words. */
static gboolean
enter (DnPartStart *start, GError **error)
{
  g_autoptr (GPtrArray) specs = dn_secrets_of (start->container, error);
  g_autoptr (GHashTable) there = NULL;

  if (specs == NULL || specs->len == 0)
    return specs != NULL;
  there = dn_secrets_ask (start->container, start->guest, error);
  return there != NULL && check_missing (start, specs, there, error);
}

void
dn_secrets_fill_message (DnContainer *container, const DnSecretSpec *spec, DnMsgSecret *ret_message)
{
  *ret_message = (DnMsgSecret){ .mode = spec->mode, .uid = spec->uid, .gid = spec->gid };
  g_strlcpy (ret_message->container, container->id, sizeof ret_message->container);
  g_strlcpy (ret_message->name, spec->file, sizeof ret_message->name);
}

static gboolean
restarts_by_itself (const DnContainerOptions *options)
{
  return options->restart != NULL && !g_str_equal (options->restart, "no");
}

static gboolean
furnish (DnPartStart *start, GError **error)
{
  g_autoptr (GPtrArray) specs = dn_secrets_of (start->container, error);
  gint64 end_us = g_get_monotonic_time () + DN_SECRETS_TIMEOUT_US;

  if (specs == NULL || specs->len == 0)
    return specs != NULL;
  dn_request_progress (start->request, "bring its secrets", 0, 0);
  for (guint i = 0; i < specs->len; i++)
    {
      const DnSecretSpec *spec = g_ptr_array_index (specs, i);
      DnMsgSecret message;

      if (!is_offered (start->plan, spec->name))
        continue;
      dn_secrets_fill_message (start->container, spec, &message);
      if (!dn_secret_send (start->guest, start->request, spec->name, &message, end_us, error))
        return FALSE;
    }
  return keep (start->container, start->guest, restarts_by_itself (start->options), error);
}

/* Whether the guest may still have something of an ended container's. */
static gboolean
may_have_kept (DnContainer *container)
{
  gboolean may;

  g_mutex_lock (&container->daemon->lock);
  may = (container->options->secrets != NULL || container->options->configs != NULL)
        && !container->restart.is_pending;
  g_mutex_unlock (&container->daemon->lock);
  return may;
}

static void
leave (DnContainer *container, DnGuest *guest)
{
  g_autoptr (GError) error = NULL;

  if (guest != NULL && may_have_kept (container) && !keep (container, guest, FALSE, &error))
    g_warning ("container %s: taking its secrets out of its guest: %s", container->id,
               error->message);
}

void
dn_secrets_drop (DnContainer *container)
{
  g_autoptr (DnGuest) guest = NULL;

  g_mutex_lock (&container->daemon->lock);
  /* One that runs has them. */
  if (container->state == DN_CONTAINER_EXITED && !container->is_starting
      && container->context->guest != NULL && !dn_guest_is_frozen (container->context->guest))
    guest = dn_guest_ref (container->context->guest);
  g_mutex_unlock (&container->daemon->lock);
  leave (container, guest);
}

gboolean
dn_secrets_hold (DnContainer *container, gboolean *ret_is_held, GError **error)
{
  g_autoptr (GPtrArray) specs = dn_secrets_of (container, error);
  g_autoptr (DnGuest) guest = NULL;

  *ret_is_held = FALSE;
  if (specs == NULL || specs->len == 0)
    return specs != NULL;
  guest = dn_container_get_guest (container, NULL);
  if (guest == NULL)
    return TRUE;
  *ret_is_held = keep (container, guest, TRUE, error);
  return *ret_is_held;
}

static char *
owner_words (const DnSecretSpec *spec)
{
  g_autofree char *uid
      = spec->uid == DN_SECRET_OF_USER ? g_strdup ("user") : g_strdup_printf ("%u", spec->uid);
  g_autofree char *gid
      = spec->gid == DN_SECRET_OF_USER ? g_strdup ("user") : g_strdup_printf ("%u", spec->gid);

  return g_strconcat (uid, ":", gid, NULL);
}

JsonArray *
dn_secrets_to_json (const GPtrArray *specs, GHashTable *there)
{
  JsonArray *list = json_array_new ();

  for (guint i = 0; i < specs->len; i++)
    {
      const DnSecretSpec *spec = g_ptr_array_index (specs, i);
      const gint64 *updated_us = there != NULL ? g_hash_table_lookup (there, spec->file) : NULL;
      g_autofree char *mode = g_strdup_printf ("%04o", spec->mode);
      g_autofree char *owner = owner_words (spec);
      JsonObject *object = json_object_new ();

      json_object_set_string_member (object, "name", spec->name);
      json_object_set_string_member (object, "kind", spec->is_config ? "config" : "secret");
      json_object_set_string_member (object, "target", spec->target);
      json_object_set_string_member (object, "mode", mode);
      json_object_set_string_member (object, "owner", owner);
      if (updated_us != NULL)
        json_object_set_int_member (object, "updated_us", *updated_us);
      json_array_add_object_element (list, object);
    }
  return list;
}

static void
describe (DnContainer *container, JsonObject *object)
{
  g_autoptr (GPtrArray) specs = dn_secrets_of (container, NULL);

  if (specs != NULL && specs->len > 0)
    json_object_set_array_member (object, "secrets", dn_secrets_to_json (specs, NULL));
}

const DnContainerPart dn_secrets_part = { .name = "secrets",
                                          .prepare = prepare,
                                          .specify = specify,
                                          .enter = enter,
                                          .furnish = furnish,
                                          .leave = leave,
                                          .forget = dn_secrets_drop,
                                          .describe = describe };
