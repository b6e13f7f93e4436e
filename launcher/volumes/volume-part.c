/* SPDX-License-Identifier: Apache-2.0 */
#include "volume-part.h"

#include "../common/error.h"
#include "../common/paths.h"
#include "../daemon/container-call.h"
#include "../spec/mount-spec.h"
#include "volume-access.h"
#include "volume-key.h"

/* Replaying a journal and mounting; an emulated guest is slow, and a disk may be. */
#define OPEN_TIMEOUT_MS 60000
/* Everything that was written and is not on the disk yet. */
#define CLOSE_TIMEOUT_MS 60000
#define DETACH_TIMEOUT_MS 10000

/* Those of @options, with their ids. (transfer full) (element-type DnMountSpec) */
static GPtrArray *
list_specs (const DnContainerOptions *options)
{
  GPtrArray *specs = g_ptr_array_new_with_free_func ((GDestroyNotify) dn_mount_spec_free);

  for (char **text = options->volumes; text != NULL && *text != NULL; text++)
    {
      DnMountSpec *spec = dn_mount_spec_parse (*text, NULL);

      if (spec != NULL && spec->kind == DN_MOUNT_VOLUME)
        g_ptr_array_add (specs, spec);
      else
        dn_mount_spec_free (spec);
    }
  return specs;
}

gboolean
dn_container_has_volumes (const DnContainer *container)
{
  g_autoptr (GPtrArray) specs = list_specs (container->options);

  return specs->len > 0;
}

/* (transfer full): or NULL with @error */
static DnVolume *
find (DnContainer *container, const DnMountSpec *spec, GError **error)
{
  DnVolume *volume = dn_volumes_find_id (container->daemon->volumes, spec->id);

  if (volume == NULL)
    dn_throw (error, DN_ERROR_NOT_FOUND,
              "volume '%s': was removed\nmake the container anew, or the volume by its name",
              spec->source != NULL ? spec->source : spec->id);
  return volume;
}

/* The one of several mounts of one volume that counts: if any of them writes, it does. */
static gboolean
is_writing (const GPtrArray *specs, const char *id)
{
  for (guint i = 0; i < specs->len; i++)
    {
      const DnMountSpec *spec = specs->pdata[i];

      if (g_str_equal (spec->id, id) && !spec->is_readonly)
        return TRUE;
    }
  return FALSE;
}

gboolean
dn_volume_holds_key (DnContainer *container)
{
  g_autoptr (DnContainerOptions) options = dn_container_copy_options (container);
  g_autoptr (GPtrArray) specs = list_specs (options);
  gboolean holds = FALSE;

  for (guint i = 0; i < specs->len && !holds; i++)
    {
      g_autoptr (DnVolume) volume = find (container, specs->pdata[i], NULL);

      holds = volume != NULL && volume->is_encrypted
              && dn_volumes_is_open (container->daemon->volumes, volume, container->context->name);
    }
  return holds;
}

static gboolean
claim (DnPartStart *start, const GPtrArray *specs, const DnMountSpec *spec, GError **error)
{
  DnContainer *container = start->container;
  g_autoptr (DnVolume) volume = find (container, spec, error);
  g_autofree char *name = NULL;
  DnVolumeClaim wish = { .context = container->context->name,
                         .container = container->id,
                         .is_writing = is_writing (specs, spec->id) };

  if (volume == NULL || !dn_volume_check_context (volume, container->context, error))
    return FALSE;
  g_mutex_lock (&container->daemon->lock);
  wish.name = name = g_strdup (container->name);
  g_mutex_unlock (&container->daemon->lock);
  if (!dn_volumes_claim (container->daemon->volumes, volume, &wish, error)
      || (volume->is_encrypted && !dn_volume_key_check (start, volume, error)))
    return FALSE;
  if (volume->is_encrypted)
    start->entry->wants_scratch = TRUE;
  start->entry->volume_disks++;
  return TRUE;
}

static gboolean
prepare (DnPartStart *start, GError **error)
{
  g_autoptr (GPtrArray) specs = list_specs (start->options);

  for (guint i = 0; i < specs->len; i++)
    if (!claim (start, specs, specs->pdata[i], error))
      return FALSE;
  return TRUE;
}

static gboolean
call_open (DnPartStart *start, const DnVolume *volume, const char *serial, gboolean is_new,
           gboolean is_readonly, GError **error)
{
  DnMsgVolumeOpen message
      = { .flags = (is_readonly ? DN_VOLUME_READONLY : 0) | (is_new ? DN_VOLUME_NEW_DISK : 0)
                   | (volume->is_encrypted ? DN_VOLUME_ENCRYPTED : 0) };

  dn_volume_serial (volume->id, TRUE, message.volume);
  g_strlcpy (message.disk, serial, sizeof message.disk);
  g_strlcpy (message.name, volume->name, sizeof message.name);
  return dn_container_call (start->guest, DN_MSG_VOLUME_OPEN, &message,
                            (DnPackFunc) dn_msg_volume_open_pack, OPEN_TIMEOUT_MS, error);
}

/* From now on it may hold data: on the disk before anybody can write any. */
static gboolean
note_formatted (DnVolumes *volumes, DnVolume *volume, GError **error)
{
  g_mutex_lock (&volumes->lock);
  volume->is_formatted = TRUE;
  g_mutex_unlock (&volumes->lock);
  return dn_volumes_save (volumes, volume, error);
}

static void
set_open (DnVolumes *volumes, DnVolume *volume, const char *context, gboolean is_open)
{
  DnVolumeHolder *holder;

  g_mutex_lock (&volumes->lock);
  holder = dn_volume_find_holder (volume, context);
  if (holder != NULL)
    holder->is_open = is_open;
  g_mutex_unlock (&volumes->lock);
}

/* With op_lock held. */
static gboolean
open_locked (DnPartStart *start, DnVolume *volume, GError **error)
{
  DnContext *context = start->container->context;
  DnVolumes *volumes = context->daemon->volumes;
  g_autofree char *path = dn_volume_disk_path (volume);
  char serial[DN_DISK_SERIAL_BYTES + 1], name[DN_DISK_SERIAL_BYTES + 1];
  DnVolumeHolder *holder;
  gboolean is_writable, is_attached, is_open, is_new;

  g_mutex_lock (&volumes->lock);
  holder = dn_volume_find_holder (volume, context->name);
  is_writable = holder != NULL && holder->is_writable;
  is_attached = holder != NULL && holder->is_attached;
  is_open = holder != NULL && holder->is_open;
  is_new = !volume->is_formatted;
  g_mutex_unlock (&volumes->lock);
  dn_volume_serial (volume->id, is_writable, serial);
  dn_volume_serial (volume->id, TRUE, name);
  if (!is_attached)
    {
      if (!dn_context_attach_volume (context, start->guest, path, serial, error))
        return FALSE;
      g_mutex_lock (&volumes->lock);
      (void) dn_volume_add_holder (volume, context->name, is_writable);
      g_mutex_unlock (&volumes->lock);
    }
  if ((volume->is_encrypted && !is_open && !dn_volume_key_send (start, volume, name, error))
      || !call_open (start, volume, serial, is_new, !is_writable, error))
    return FALSE;
  set_open (volumes, volume, context->name, TRUE);
  return !is_new || note_formatted (volumes, volume, error);
}

static gboolean
enter (DnPartStart *start, GError **error)
{
  g_autoptr (GPtrArray) specs = list_specs (start->options);
  gboolean is_fine = TRUE;

  for (guint i = 0; i < specs->len && is_fine; i++)
    {
      g_autoptr (DnVolume) volume = find (start->container, specs->pdata[i], error);

      if (volume == NULL)
        return FALSE;
      g_mutex_lock (&volume->op_lock);
      is_fine = open_locked (start, volume, error);
      g_mutex_unlock (&volume->op_lock);
    }
  return is_fine;
}

/* With op_lock held: no container of the context needs it. */
static void
close_locked (DnContext *context, DnGuest *guest, DnVolume *volume)
{
  DnMsgVolumeClose message = { 0 };
  g_autoptr (GError) error = NULL;

  dn_volume_serial (volume->id, TRUE, message.volume);
  if (!dn_container_call (guest, DN_MSG_VOLUME_CLOSE, &message,
                          (DnPackFunc) dn_msg_volume_close_pack, CLOSE_TIMEOUT_MS, &error))
    g_warning ("volume '%s': context '%s' does not let go of it: %s", volume->name, context->name,
               error->message);
  else
    set_open (context->daemon->volumes, volume, context->name, FALSE);
  /* One that is for this container alone ends right after. */
  if (context->is_ephemeral)
    return;
  g_clear_error (&error);
  if (dn_context_detach_volume (context, guest, volume->id, DETACH_TIMEOUT_MS, &error))
    dn_volumes_let_go (context->daemon->volumes, volume, context->name);
  else if (dn_guest_is_running (guest))
    g_warning ("volume '%s': %s", volume->name, error->message);
}

static void
leave_one (DnContainer *container, DnGuest *guest, DnVolume *volume)
{
  DnContext *context = container->context;

  g_mutex_lock (&volume->op_lock);
  if (dn_volumes_unclaim (context->daemon->volumes, volume, context->name, container->id)
      && guest != NULL && dn_guest_is_running (guest))
    close_locked (context, guest, volume);
  g_mutex_unlock (&volume->op_lock);
}

static void
leave (DnContainer *container, DnGuest *given)
{
  g_autoptr (DnContainerOptions) options = dn_container_copy_options (container);
  g_autoptr (GPtrArray) specs = list_specs (options);
  g_autoptr (DnGuest) guest = NULL;
  gboolean is_restarting;

  g_mutex_lock (&container->daemon->lock);
  /* Also the second time, when it is started and is out of its guest already. */
  is_restarting = container->restart.is_pending && container->context->guest != NULL;
  /* Also where this container is out of its guest already: the disk may not be.  One that stands
   * still keeps it until its next container with the volume, or its end. */
  if ((given != NULL || !container->context->is_ephemeral) && container->context->guest != NULL
      && !dn_guest_is_frozen (container->context->guest))
    guest = dn_guest_ref (container->context->guest);
  g_mutex_unlock (&container->daemon->lock);
  /* It is back in a moment, perhaps without anybody who could give a key. */
  if (is_restarting)
    return;
  for (guint i = 0; i < specs->len; i++)
    {
      g_autoptr (DnVolume) volume = find (container, specs->pdata[i], NULL);

      if (volume != NULL)
        leave_one (container, guest, volume);
    }
}

void
dn_volume_drop (DnContainer *container)
{
  g_autoptr (DnGuest) guest = NULL;
  gboolean is_out;

  g_mutex_lock (&container->daemon->lock);
  is_out = container->state == DN_CONTAINER_EXITED && !container->is_starting
           && !container->in_guest && !container->restart.is_pending;
  /* Also of a guest that is about to go: what was written is to be on the disk before. */
  if (container->context->guest != NULL)
    guest = dn_guest_ref (container->context->guest);
  g_mutex_unlock (&container->daemon->lock);
  if (is_out)
    leave (container, guest);
}

static void
forget (DnContainer *container)
{
  gboolean is_kept;

  g_mutex_lock (&container->daemon->lock);
  is_kept = !container->options->is_removed_at_exit && !container->is_provisional
            && !container->drops_volumes;
  g_mutex_unlock (&container->daemon->lock);
  dn_volume_drop_anonymous (container->daemon, container->id, is_kept);
}

static JsonObject *
describe_one (DnContainer *container, const DnMountSpec *spec)
{
  g_autoptr (DnVolume) volume = find (container, spec, NULL);
  JsonObject *object = json_object_new ();

  json_object_set_string_member (object, "type", dn_mount_kind_words[spec->kind]);
  if (spec->source != NULL)
    json_object_set_string_member (object, "name", spec->source);
  json_object_set_string_member (object, "target", spec->target);
  json_object_set_boolean_member (object, "is_readonly", spec->is_readonly);
  json_object_set_boolean_member (object, "is_executable", spec->is_executable);
  if (spec->kind != DN_MOUNT_VOLUME)
    return object;
  json_object_set_string_member (object, "id", spec->id);
  json_object_set_boolean_member (object, "is_there", volume != NULL);
  if (volume == NULL)
    return object;
  json_object_set_int_member (object, "size_bytes", (gint64) volume->size_bytes);
  json_object_set_boolean_member (object, "is_encrypted", volume->is_encrypted);
  return object;
}

/* Ids on a volume's disk are ids in the container: what they are in the guest, and so in its
 * mounts, depends on the range that the container has. */
static JsonObject *
describe_mapping (DnContainer *container)
{
  JsonObject *object = json_object_new ();
  gboolean is_in_guest;
  guint slot;

  g_mutex_lock (&container->daemon->lock);
  is_in_guest = container->in_guest;
  slot = container->slot;
  g_mutex_unlock (&container->daemon->lock);
  json_object_set_int_member (object, "on_disk", 0);
  json_object_set_int_member (object, "in_container", 0);
  if (is_in_guest)
    json_object_set_int_member (object, "in_guest",
                                DN_CONTEXT_FIRST_UID + (gint64) slot * DN_CONTEXT_UIDS);
  json_object_set_int_member (object, "count", DN_CONTEXT_UIDS);
  return object;
}

static void
describe (DnContainer *container, JsonObject *object)
{
  g_autoptr (DnContainerOptions) options = dn_container_copy_options (container);
  g_autoptr (GPtrArray) specs = list_specs (options);
  JsonArray *mounts;

  if (specs->len == 0)
    return;
  mounts = json_array_new ();
  for (guint i = 0; i < specs->len; i++)
    json_array_add_object_element (mounts, describe_one (container, specs->pdata[i]));
  json_object_set_array_member (object, "volumes", mounts);
  json_object_set_object_member (object, "volume_ids", describe_mapping (container));
}

const DnContainerPart dn_volume_part = { .name = "volumes",
                                         .prepare = prepare,
                                         .enter = enter,
                                         .leave = leave,
                                         .forget = forget,
                                         .describe = describe };

/* After danchid was started anew. */

void
dn_volume_adopt (DnDaemon *daemon, const char *context, DnGuest *guest)
{
  g_autoptr (GPtrArray) volumes = dn_volumes_list (daemon->volumes);
  g_autoptr (GPtrArray) serials = dn_guest_list_serials (guest);

  g_mutex_lock (&daemon->volumes->lock);
  for (guint i = 0; i < serials->len; i++)
    for (guint k = 0; k < volumes->len; k++)
      {
        DnVolume *volume = volumes->pdata[k];
        const char *serial = serials->pdata[i];

        if (dn_volume_has_serial (volume->id, serial))
          (void) dn_volume_add_holder (volume, context, serial[0] == DN_GUEST_VOLUME_WRITABLE);
      }
  g_mutex_unlock (&daemon->volumes->lock);
}

void
dn_volume_count_in (const DnContainer *container)
{
  g_autoptr (GPtrArray) specs = list_specs (container->options);
  DnVolumes *volumes = container->daemon->volumes;

  for (guint i = 0; i < specs->len; i++)
    {
      const DnMountSpec *spec = specs->pdata[i];
      g_autoptr (DnVolume) volume = dn_volumes_find_id (volumes, spec->id);
      DnVolumeHolder *holder;

      if (volume == NULL)
        continue;
      g_mutex_lock (&volumes->lock);
      holder = dn_volume_find_holder (volume, container->context->name);
      if (holder == NULL)
        holder
            = dn_volume_add_holder (volume, container->context->name, is_writing (specs, spec->id));
      holder->is_open = TRUE;
      g_hash_table_replace (holder->users, g_strdup (container->id), g_strdup (container->name));
      g_mutex_unlock (&volumes->lock);
    }
}

/* A disk of a context's guest that no container of it needs: danchid ended between the two. */
static void
settle_one (DnDaemon *daemon, DnVolume *volume, const char *name)
{
  g_autoptr (DnContext) context = NULL;
  g_autoptr (DnGuest) guest = NULL;

  g_mutex_lock (&daemon->lock);
  context = g_hash_table_lookup (daemon->contexts, name);
  if (context != NULL)
    dn_context_ref (context);
  if (context != NULL && context->guest != NULL && !dn_guest_is_frozen (context->guest))
    guest = dn_guest_ref (context->guest);
  g_mutex_unlock (&daemon->lock);
  if (guest == NULL)
    return;
  g_mutex_lock (&volume->op_lock);
  if (dn_volumes_unclaim (daemon->volumes, volume, name, ""))
    close_locked (context, guest, volume);
  g_mutex_unlock (&volume->op_lock);
}

/* One that was made for a container that was not: danchid ended in between.  A container that
 * cannot be read is there, and so is what it had. */
static gboolean
is_stranded (const DnVolume *volume)
{
  g_autofree char *container = g_build_filename (
      dn_paths ()->state, "containers", volume->container != NULL ? volume->container : "", NULL);

  return !g_file_test (container, G_FILE_TEST_EXISTS);
}

static void
drop_stranded (DnDaemon *daemon)
{
  g_autoptr (GPtrArray) volumes = dn_volumes_list (daemon->volumes);

  for (guint i = 0; i < volumes->len; i++)
    {
      DnVolume *volume = volumes->pdata[i];
      g_autoptr (GError) error = NULL;

      if (is_stranded (volume) && !dn_volumes_remove (daemon->volumes, volume, &error))
        g_warning ("volume '%s': %s", volume->name, error->message);
    }
}

/* Before anybody can ask for anything. */
void
dn_volume_settle (DnDaemon *daemon)
{
  g_autoptr (GPtrArray) volumes = dn_volumes_list (daemon->volumes);

  drop_stranded (daemon);
  for (guint i = 0; i < volumes->len; i++)
    {
      DnVolume *volume = volumes->pdata[i];
      g_autoptr (GPtrArray) idle = g_ptr_array_new_with_free_func (g_free);

      g_mutex_lock (&daemon->volumes->lock);
      for (guint k = 0; k < volume->holders->len; k++)
        {
          const DnVolumeHolder *holder = volume->holders->pdata[k];

          if (g_hash_table_size (holder->users) == 0)
            g_ptr_array_add (idle, g_strdup (holder->context));
        }
      g_mutex_unlock (&daemon->volumes->lock);
      for (guint k = 0; k < idle->len; k++)
        settle_one (daemon, volume, idle->pdata[k]);
    }
}
