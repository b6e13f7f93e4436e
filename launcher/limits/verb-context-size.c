/* SPDX-License-Identifier: Apache-2.0 */
/* The verb context-size: what a guest's size comes to, of a context or of numbers. */
#include "../binds/binds.h"
#include "../common/error.h"
#include "../daemon/container.h"
#include "../daemon/lookup.h"
#include "../daemon/settings-file.h"
#include "../daemon/verbs.h"
#include "../guest/kvm-probe.h"
#include "limits-json.h"

#define MIB (G_GUINT64_CONSTANT (1024) * 1024)

typedef struct
{
  char *context; /* owned */
  gint64 memory_bytes;
  gint64 vcpus;
  gint64 container_bytes; /* of one container's limit */
} Wishes;

static void
clear_wishes (Wishes *wishes)
{
  g_free (wishes->context);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Wishes, clear_wishes)

static gboolean
check_number (const char *flag, gint64 value, gint64 least, gint64 most, gint64 scale,
              GError **error)
{
  if (value == 0 || (value >= least * scale && value <= most * scale))
    return TRUE;
  return dn_throw (error, DN_ERROR_USAGE,
                   "%s: must be from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT "%s", flag, least,
                   most, scale == 1 ? "" : " MiB");
}

static gboolean
read_wishes (DnRequest *request, Wishes *wishes, GError **error)
{
  const DnJsonField fields[] = {
    { "context", DN_JSON_STRING, FALSE, &wishes->context },
    { "memory_bytes", DN_JSON_INT, FALSE, &wishes->memory_bytes },
    { "vcpus", DN_JSON_INT, FALSE, &wishes->vcpus },
    { "container_bytes", DN_JSON_INT, FALSE, &wishes->container_bytes },
    { NULL, DN_JSON_STRING, FALSE, NULL },
  };

  return dn_request_read (request, fields, error)
         && check_number ("--memory", wishes->memory_bytes, DN_GUEST_MEMORY_MIN_MIB,
                          DN_GUEST_MEMORY_MAX_MIB, MIB, error)
         && check_number ("--cpus", wishes->vcpus, 1, DN_GUEST_VCPUS_MAX, 1, error)
         && check_number ("--container-memory", wishes->container_bytes, 1, DN_GUEST_MEMORY_MAX_MIB,
                          MIB, error);
}

/* What a guest would be by danchi.conf. */
static DnGuestShape
shape_of_host (const DnSettings *settings)
{
  return (DnGuestShape){ .memory_bytes = settings->guest_memory_bytes,
                         .vcpus = (guint) settings->guest_vcpus,
                         /* The root, and images. */
                         .disks = 1 + (guint) settings->guest_image_disks,
                         .is_emulated = !dn_kvm_probe (DN_KVM_PROBE_QUICKLY, NULL) };
}

/* By its file, or where its guest runs, by that. */
static void
take_context (DnContext *context, DnGuestShape *shape, JsonObject *ok)
{
  g_autoptr (DnGuest) guest = NULL;
  GHashTableIter iter;
  DnContainer *container;
  gint64 limits_bytes = 0;
  guint unlimited = 0;

  g_mutex_lock (&context->daemon->lock);
  shape->memory_bytes = context->definition.guest_memory_bytes;
  shape->vcpus = (guint) context->definition.guest_vcpus;
  shape->has_network = dn_network_policy_has_card (&context->definition.network);
  shape->has_binds = !context->is_ephemeral && dn_binds_are_possible (context);
  if (context->is_ephemeral)
    shape->disks = 2;
  guest = context->guest != NULL ? dn_guest_ref (context->guest) : NULL;
  g_hash_table_iter_init (&iter, context->daemon->containers);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &container))
    if (container->context == context && container->options->memory_bytes > 0)
      limits_bytes += container->options->memory_bytes;
    else
      unlimited += container->context == context;
  g_mutex_unlock (&context->daemon->lock);
  json_object_set_string_member (ok, "context", context->name);
  json_object_set_int_member (ok, "container_limits_bytes", limits_bytes);
  json_object_set_int_member (ok, "containers_without_limit", unlimited);
  if (guest != NULL)
    {
      DnGuestInfo info = { 0 };

      dn_guest_get_info (guest, &info);
      shape->memory_bytes = info.memory_bytes;
      shape->vcpus = info.vcpus;
      shape->is_emulated = info.accelerator == DN_ACCELERATOR_TCG;
      shape->has_network = info.has_card;
      shape->has_binds = info.has_share;
      json_object_set_int_member (ok, "balloon_bytes", (gint64) info.balloon_bytes);
      json_object_set_int_member (ok, "running_limit_bytes", (gint64) info.host_limit_bytes);
      dn_guest_info_clear (&info);
    }
}

DN_VERB (context_size)
{
  g_auto (Wishes) wishes = { 0 };
  g_autoptr (DnSettings) settings = NULL;
  g_autoptr (DnContext) context = NULL;
  JsonObject *ok;
  DnGuestShape shape;

  (void) ret_fds;
  if (!read_wishes (request, &wishes, error))
    return NULL;
  if (wishes.context != NULL)
    {
      context = dn_lookup_context (request, wishes.context, error);
      if (context == NULL)
        return NULL;
    }
  settings = dn_settings_get (request->daemon);
  shape = shape_of_host (settings);
  ok = json_object_new ();
  if (context != NULL)
    take_context (context, &shape, ok);
  if (wishes.container_bytes != 0)
    {
      guint64 least = dn_guest_size_least ((guint64) wishes.container_bytes);

      json_object_set_int_member (ok, "least_memory_bytes", (gint64) least);
      if (context == NULL)
        shape.memory_bytes = MAX (shape.memory_bytes, least);
    }
  if (wishes.memory_bytes != 0)
    shape.memory_bytes = ((guint64) wishes.memory_bytes + MIB - 1) / MIB * MIB;
  if (wishes.vcpus != 0)
    shape.vcpus = (guint) wishes.vcpus;
  json_object_set_object_member (ok, "size", dn_guest_size_to_json (&shape));
  return ok;
}
