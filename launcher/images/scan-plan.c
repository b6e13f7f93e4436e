/* SPDX-License-Identifier: Apache-2.0 */
#include "scan-plan.h"

#include <string.h>

#include "../common/error.h"
#include "../common/json.h"
#include "../common/names.h"
#include "../daemon/context-guest.h"
#include "../daemon/json-build.h"
#include "../spec/admission.h"
#include "../spec/profile-store.h"
#include "disk.h"
#include "scan-disk.h"

#define PROFILE "strict"
#define PROGRAM_NAME "scanner"
#define PROGRAM_PATH "/scan-program/" PROGRAM_NAME
/* Files of a scanner: an OVAL document of a distribution has some tens of MiB. */
#define FILES_MAX_BYTES (G_GUINT64_CONSTANT (1024) * 1024 * 1024)

void
dn_scan_plan_free (DnScanPlan *plan)
{
  if (plan == NULL)
    return;
  dn_image_unref (plan->scanner);
  g_free (plan->data_disk);
  g_free (plan->program_disk);
  g_free (plan->root_serial);
  g_free (plan->config);
  g_clear_pointer (&plan->seccomp, g_bytes_unref);
  g_free (plan->words);
  g_strfreev (plan->data);
  g_free (plan);
}

static gboolean
find_scanner (DnDaemon *daemon, const char *name, DnScanPlan *plan, GError **error)
{
  g_autoptr (DnImageView) view = dn_image_view_new ();

  dn_image_view_open (view);
  plan->scanner = dn_store_find (daemon->store, name, view, error);
  if (plan->scanner != NULL)
    return TRUE;
  g_prefix_error (error, "scanner: ");
  return FALSE;
}

static gboolean
write_data (const DnScanSettings *settings, const char *staging, DnScanPlan *plan, GError **error)
{
  guint count = g_strv_length (settings->data);
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  DnScanFile files[DN_SCAN_FILES_MAX];
  char *digests[DN_SCAN_FILES_MAX] = { NULL };
  gboolean is_fine;

  plan->data = g_new0 (char *, count + 1);
  if (count == 0)
    return TRUE;
  for (guint i = 0; i < count; i++)
    {
      g_ptr_array_add (names, g_path_get_basename (settings->data[i]));
      files[i] = (DnScanFile){ .path = settings->data[i], .name = names->pdata[i] };
    }
  plan->data_disk = g_build_filename (staging, DN_SCAN_SERIAL_DATA, NULL);
  is_fine = dn_scan_disk_write (plan->data_disk, files, count, FILES_MAX_BYTES, digests, error);
  for (guint i = 0; i < count; i++)
    {
      if (is_fine)
        plan->data[i] = g_strdup_printf ("%s=%s", files[i].name, digests[i]);
      g_free (digests[i]);
    }
  if (!is_fine)
    g_prefix_error (error, "[scan] data: ");
  return is_fine;
}

static gboolean
write_program (const DnScanSettings *settings, const char *staging, DnScanPlan *plan,
               char **ret_sha256, GError **error)
{
  const DnScanFile file = { .path = settings->program, .name = PROGRAM_NAME, .is_program = TRUE };

  plan->program_disk = g_build_filename (staging, DN_SCAN_SERIAL_PROGRAM, NULL);
  if (dn_scan_disk_write (plan->program_disk, &file, 1, FILES_MAX_BYTES, ret_sha256, error))
    return TRUE;
  g_prefix_error (error, "[scan] program: ");
  return FALSE;
}

static void
set_words (DnScanPlan *plan, const char *program_sha256)
{
  g_autoptr (GString) words = g_string_new (NULL);

  if (plan->scanner != NULL)
    g_string_append_printf (words, "image %s", plan->scanner->id);
  if (program_sha256 != NULL)
    g_string_append_printf (words, "%sprogram %s", words->len > 0 ? " " : "", program_sha256);
  plan->words = g_strdup (words->str);
}

/* What of a run's flags a scanner has. */
static DnContainerOptions *
make_options (const DnScanSettings *settings, GError **error)
{
  static char *entrypoint[] = { PROGRAM_PATH, NULL };
  static char *capabilities[] = { "DAC_READ_SEARCH", NULL };
  g_autoptr (JsonObject) args = json_object_new ();
  g_autofree char *size
      = g_strdup_printf ("/tmp:size=%" G_GUINT64_FORMAT ",mode=1777", settings->memory_bytes / 2);
  char *tmpfs[] = { size, NULL };

  dn_json_set_strings (args, "cap_add", capabilities);
  dn_json_set_strings (args, "tmpfs", tmpfs);
  json_object_set_string_member (args, "hostname", "scan");
  if (settings->program != NULL)
    dn_json_set_strings (args, "entrypoint", entrypoint);
  if (settings->command[0] != NULL)
    dn_json_set_strings (args, "command", settings->command);
  return dn_container_options_read (args, error);
}

/* As guest-agent/agent/disk-mounts.h reads them. */
static void
add_layers (JsonObject *mount, const DnImage *image)
{
  g_autoptr (GArray) layers = dn_disk_layers (image->layers, image->layers->len);
  JsonArray *list = json_array_new ();

  for (guint i = 0; i < layers->len; i++)
    {
      const DnMsgDiskLayer *layer = &g_array_index (layers, DnMsgDiskLayer, i);
      g_autofree char *text
          = g_strdup_printf ("%" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " %s",
                             layer->start_block, layer->data_blocks, layer->hash_blocks,
                             ((const DnLayer *) image->layers->pdata[i])->root_hash);

      json_array_add_string_element (list, text);
    }
  json_object_set_array_member (mount, "layers", list);
}

/* @image: whose layers are on the disk, or NULL where it is one file system. */
static void
add_disk (JsonArray *mounts, const char *target, const char *serial, gboolean is_executable,
          const DnImage *image)
{
  static const char *const options[] = { "ro", "nosuid", "nodev", "noexec" };
  JsonObject *mount = json_object_new ();
  JsonArray *list = json_array_new ();

  for (guint i = 0; i < G_N_ELEMENTS (options) - (is_executable ? 1 : 0); i++)
    json_array_add_string_element (list, options[i]);
  json_object_set_string_member (mount, "destination", target);
  json_object_set_string_member (mount, "type", "disk");
  json_object_set_string_member (mount, "source", serial);
  json_object_set_array_member (mount, "options", list);
  if (image != NULL)
    add_layers (mount, image);
  json_array_add_object_element (mounts, mount);
}

static gboolean
build_config (const DnScanSettings *settings, const DnImage *image, DnScanPlan *plan,
              GError **error)
{
  static const DnImageConfig none = { NULL };
  g_autoptr (DnContainerOptions) options = make_options (settings, error);
  g_autoptr (DnProfile) profile = options != NULL ? dn_profile_load (PROFILE, NULL, error) : NULL;
  g_autoptr (JsonNode) spec = NULL;
  JsonArray *mounts;
  guint64 ambient;

  if (profile == NULL)
    return FALSE;
  spec = dn_spec_build (options, profile, plan->scanner != NULL ? &plan->scanner->config : &none,
                        plan->container, DN_CONTEXT_FIRST_UID, error);
  if (spec == NULL)
    {
      g_prefix_error (error, "scanner: ");
      return FALSE;
    }
  mounts = json_object_get_array_member (json_node_get_object (spec), "mounts");
  add_disk (mounts, "/scan", plan->image_serial, FALSE, image);
  if (plan->data_disk != NULL)
    add_disk (mounts, "/scan-data", DN_SCAN_SERIAL_DATA, FALSE, NULL);
  if (plan->program_disk != NULL)
    add_disk (mounts, "/scan-program", DN_SCAN_SERIAL_PROGRAM, TRUE, NULL);
  plan->config = dn_json_to_text (spec, FALSE);
  plan->seccomp = dn_seccomp_compile (
      NULL, DN_SECCOMP_DEFAULT,
      dn_admission_capabilities (profile, options->cap_add, options->cap_drop, &ambient), NULL,
      error);
  return plan->seccomp != NULL;
}

DnScanPlan *
dn_scan_plan_new (DnDaemon *daemon, const DnScanSettings *settings, const DnImage *image,
                  const char *staging, GError **error)
{
  g_autoptr (DnScanPlan) plan = g_new0 (DnScanPlan, 1);
  g_autofree char *program_sha256 = NULL;
  char serial[DN_DISK_SERIAL_BYTES + 1] = DN_SCAN_SERIAL_PROGRAM;

  if (!dn_scan_settings_are_set (settings))
    {
      dn_throw (error, DN_ERROR_CONFIG,
                "scan: this host has no scanner\nname one in danchi.conf, [scan] image or program");
      return NULL;
    }
  dn_id_new (plan->container);
  /* Roots have the id's beginning. */
  g_strlcpy (plan->image_serial, image->id + DN_DISK_SERIAL_BYTES, sizeof plan->image_serial);
  if ((settings->images[0] != NULL && !find_scanner (daemon, settings->images[0], plan, error))
      || !write_data (settings, staging, plan, error)
      || (settings->program != NULL
          && !write_program (settings, staging, plan, &program_sha256, error)))
    return NULL;
  if (plan->scanner != NULL)
    dn_image_disk_serial (plan->scanner, serial);
  plan->root_serial = g_strdup (serial);
  set_words (plan, program_sha256);
  return build_config (settings, image, plan, error) ? g_steal_pointer (&plan) : NULL;
}
