/* SPDX-License-Identifier: Apache-2.0 */
#include "spec.h"

#include <string.h>

#include "../common/error.h"
#include "cpu-list.h"
#include "profile.h"
#include "spec-mounts.h"
#include "spec-process.h"

#define OCI_VERSION "1.1.0"
#define CPU_PERIOD_US 100000
#define ECHO_SYSCTL "net.ipv4.ping_group_range"
#define DEFAULT_HOSTNAME_BYTES 12 /* of the id, as in Docker */

/* The agent's words, see guest-agent/agent/config.h. */
#define ANNOTATION_WRITABLE "org.danchi.writable-bytes"
#define ANNOTATION_SCRATCH "org.danchi.scratch-disk"
#define ANNOTATION_PROFILE "org.danchi.profile"
#define ANNOTATION_PROFILE_SHA256 "org.danchi.profile-sha256"

static void
add_text (JsonBuilder *builder, const char *name, const char *text)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_string_value (builder, text);
}

static void
add_number (JsonBuilder *builder, const char *name, gint64 number)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_int_value (builder, number);
}

static void
add_list (JsonBuilder *builder, const char *name, char **list)
{
  json_builder_set_member_name (builder, name);
  json_builder_begin_array (builder);
  for (; *list != NULL; list++)
    json_builder_add_string_value (builder, *list);
  json_builder_end_array (builder);
}

/* A writable root holds the image's volumes, too: what is in them is as short-lived. */
static gboolean
is_writable (const DnContainerOptions *options, const DnProfile *profile)
{
  return options->is_writable || (profile->root != 0 && !options->is_readonly);
}

void
dn_scratch_serial (const char *container_id, char ret_serial[DN_SCRATCH_SERIAL_BYTES + 1])
{
  g_snprintf (ret_serial, DN_SCRATCH_SERIAL_BYTES + 1, "s%s", container_id);
}

static void
add_annotations (JsonBuilder *builder, const DnContainerOptions *options, const DnProfile *profile,
                 const char *container_id)
{
  g_autofree char *writable = g_strdup_printf (
      "%" G_GUINT64_FORMAT,
      options->writable_bytes > 0 ? (guint64) options->writable_bytes : profile->writable_bytes);
  char scratch[DN_SCRATCH_SERIAL_BYTES + 1];
  g_autofree char *name
      = g_strdup_printf ("%s/%" G_GUINT64_FORMAT, profile->name, profile->version);

  json_builder_set_member_name (builder, "annotations");
  json_builder_begin_object (builder);
  add_text (builder, ANNOTATION_PROFILE, name);
  add_text (builder, ANNOTATION_PROFILE_SHA256, profile->sha256);
  if (is_writable (options, profile))
    add_text (builder, ANNOTATION_WRITABLE, writable);
  dn_scratch_serial (container_id, scratch);
  if (options->is_on_disk)
    add_text (builder, ANNOTATION_SCRATCH, scratch);
  json_builder_end_object (builder);
}

/* All seven are new for every container; there is no way to ask for the guest's own. */
static void
add_namespaces (JsonBuilder *builder)
{
  static const char *const types[] = { "user", "mount", "pid", "ipc", "uts", "network", "cgroup" };

  json_builder_set_member_name (builder, "namespaces");
  json_builder_begin_array (builder);
  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    {
      json_builder_begin_object (builder);
      add_text (builder, "type", types[i]);
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
}

static void
add_mapping (JsonBuilder *builder, const char *name, guint32 first, guint64 count)
{
  json_builder_set_member_name (builder, name);
  json_builder_begin_array (builder);
  json_builder_begin_object (builder);
  add_number (builder, "containerID", 0);
  add_number (builder, "hostID", first);
  add_number (builder, "size", (gint64) count);
  json_builder_end_object (builder);
  json_builder_end_array (builder);
}

static void
append_rate (GString *text, const char *name, gint64 value)
{
  if (value > 0)
    g_string_append_printf (text, "%s%s=%" G_GINT64_FORMAT, text->len > 0 ? " " : "", name, value);
  else
    g_string_append_printf (text, "%s%s=max", text->len > 0 ? " " : "", name);
}

/* Files of cgroup v2 for which the document has no words of its own.  io.max is without a device:
 * it holds for each of the container's. */
static void
add_unified (JsonBuilder *builder, const DnContainerOptions *options)
{
  gboolean has_rates = options->read_bytes_per_s > 0 || options->write_bytes_per_s > 0
                       || options->reads_per_s > 0 || options->writes_per_s > 0;
  g_autoptr (GString) rates = g_string_new (NULL);

  if (!options->ends_whole && !has_rates)
    return;
  json_builder_set_member_name (builder, "unified");
  json_builder_begin_object (builder);
  if (options->ends_whole)
    add_text (builder, "memory.oom.group", "1");
  append_rate (rates, "rbps", options->read_bytes_per_s);
  append_rate (rates, "wbps", options->write_bytes_per_s);
  append_rate (rates, "riops", options->reads_per_s);
  append_rate (rates, "wiops", options->writes_per_s);
  if (has_rates)
    add_text (builder, "io.max", rates->str);
  json_builder_end_object (builder);
}

/* No memory limit of its own where neither a flag nor the profile has one: the guest's memory is
 * the context's limit, and danchid knows how much of it a container may have. */
void
dn_spec_add_resources (JsonBuilder *builder, const DnContainerOptions *options,
                       const DnProfile *profile)
{
  gint64 memory
      = options->memory_bytes != 0 ? options->memory_bytes : (gint64) profile->memory_bytes;
  gint64 shares = options->cpu_shares != 0 ? options->cpu_shares : (gint64) profile->cpu_shares;
  g_autofree char *cpus
      = options->cpuset_cpus != NULL ? dn_cpu_list_parse (options->cpuset_cpus, NULL) : NULL;
  gint64 pids = options->pids_limit != 0 ? options->pids_limit : (gint64) profile->pids;

  json_builder_set_member_name (builder, "resources");
  json_builder_begin_object (builder);
  if (memory != 0 || options->memory_reservation_bytes > 0)
    {
      if (memory == 0)
        memory = -1;
      json_builder_set_member_name (builder, "memory");
      json_builder_begin_object (builder);
      add_number (builder, "limit", memory);
      /* The same as memory: none of it is swap. */
      add_number (builder, "swap", memory);
      if (options->memory_reservation_bytes > 0)
        add_number (builder, "reservation", options->memory_reservation_bytes);
      json_builder_end_object (builder);
    }
  json_builder_set_member_name (builder, "pids");
  json_builder_begin_object (builder);
  add_number (builder, "limit", pids);
  json_builder_end_object (builder);
  if (options->cpus > 0 || shares != 0 || cpus != NULL)
    {
      json_builder_set_member_name (builder, "cpu");
      json_builder_begin_object (builder);
      if (shares != 0)
        add_number (builder, "shares", shares);
      if (options->cpus > 0)
        {
          add_number (builder, "quota", (gint64) (options->cpus * CPU_PERIOD_US + 0.5));
          add_number (builder, "period", CPU_PERIOD_US);
        }
      if (cpus != NULL)
        add_text (builder, "cpus", cpus);
      json_builder_end_object (builder);
    }
  add_unified (builder, options);
  json_builder_end_object (builder);
}

/* What the profile says, and that whoever is in the container may ask for an echo: as with Docker,
 * by a socket that can send nothing else, so that ping needs no CAP_NET_RAW. */
static void
add_sysctls (JsonBuilder *builder, const DnProfile *profile)
{
  g_autofree char *everybody = g_strdup_printf ("0 %" G_GUINT64_FORMAT, profile->ids - 1);
  gboolean has_own = FALSE;

  json_builder_set_member_name (builder, "sysctl");
  json_builder_begin_object (builder);
  for (guint i = 0; i < profile->sysctls->len; i += 2)
    {
      const char *name = g_ptr_array_index (profile->sysctls, i);

      has_own = has_own || g_str_equal (name, ECHO_SYSCTL);
      add_text (builder, name, g_ptr_array_index (profile->sysctls, i + 1));
    }
  if (!has_own)
    add_text (builder, ECHO_SYSCTL, everybody);
  json_builder_end_object (builder);
}

static void
add_linux (JsonBuilder *builder, const DnContainerOptions *options, const DnProfile *profile,
           guint32 first_uid)
{
  json_builder_set_member_name (builder, "linux");
  json_builder_begin_object (builder);
  add_namespaces (builder);
  add_mapping (builder, "uidMappings", first_uid, profile->ids);
  add_mapping (builder, "gidMappings", first_uid, profile->ids);
  dn_spec_add_resources (builder, options, profile);
  add_sysctls (builder, profile);
  add_list (builder, "maskedPaths", profile->masked);
  add_list (builder, "readonlyPaths", profile->readonly);
  json_builder_end_object (builder);
}

JsonNode *
dn_spec_build (const DnContainerOptions *options, const DnProfile *profile,
               const DnImageConfig *image, const char *container_id, guint32 first_uid,
               GError **error)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autofree char *hostname = NULL;

  /* Id 0 of the container must be nobody in the guest (R2.4). */
  if (first_uid < DN_PROFILE_IDS_MAX || first_uid > G_MAXINT32 - DN_PROFILE_IDS_MAX)
    {
      dn_throw (error, DN_ERROR_CONFIG, "container: guest ids from %u are not for containers",
                first_uid);
      return NULL;
    }
  hostname = options->hostname != NULL ? g_strdup (options->hostname)
                                       : g_strndup (container_id, DEFAULT_HOSTNAME_BYTES);
  json_builder_begin_object (builder);
  add_text (builder, "ociVersion", OCI_VERSION);
  if (!dn_spec_add_process (builder, options, image, hostname, profile, error))
    return NULL;
  json_builder_set_member_name (builder, "root");
  json_builder_begin_object (builder);
  add_text (builder, "path", "rootfs");
  json_builder_set_member_name (builder, "readonly");
  json_builder_add_boolean_value (builder, !is_writable (options, profile));
  json_builder_end_object (builder);
  add_text (builder, "hostname", hostname);
  if (!dn_spec_add_mounts (builder, options, is_writable (options, profile) ? NULL : image->volumes,
                           profile, error))
    return NULL;
  add_annotations (builder, options, profile, container_id);
  add_linux (builder, options, profile, first_uid);
  json_builder_end_object (builder);
  return json_builder_get_root (builder);
}
