/* SPDX-License-Identifier: Apache-2.0 */
#include "options-check.h"

#include <string.h>

#include "../common/error.h"
#include "../common/guest-size.h"
#include "../common/names.h"
#include "../common/signal-name.h"
#include "capability.h"
#include "cpu-list.h"
#include "env.h"
#include "health-times.h"
#include "mount-spec.h"
#include "network-options.h"
#include "network-policy.h"
#include "port-spec.h"
#include "profile-file.h"
#include "restart-policy.h"
#include "seccomp-profile.h"
#include "secrets-check.h"
#include "tmpfs.h"
#include "ulimit.h"
#include "user-text.h"

gboolean
dn_options_check_command (char **command, const char *what, int code, GError **error)
{
  gsize total = 0;
  guint count = 0;

  for (; command != NULL && command[count] != NULL; count++)
    total += strlen (command[count]) + 1;
  if (count > DN_OPTIONS_COMMAND_MAX)
    return dn_throw (error, (DnError) code, "%s: more than %d words", what, DN_OPTIONS_COMMAND_MAX);
  if (total > DN_OPTIONS_COMMAND_MAX_BYTES)
    return dn_throw (error, (DnError) code, "%s: more than %d bytes", what,
                     DN_OPTIONS_COMMAND_MAX_BYTES);
  return TRUE;
}

gboolean
dn_options_check_directory (const char *path, const char *what, int code, GError **error)
{
  if (path == NULL || path[0] == '\0')
    return TRUE;
  if (path[0] != '/' || strlen (path) > DN_PATH_BYTES)
    {
      g_autofree char *shown = dn_text_clean (path, 200);

      return dn_throw (error, (DnError) code, "%s '%s': not an absolute path of at most %d bytes",
                       what, shown, DN_PATH_BYTES);
    }
  return TRUE;
}

/* Texts that errors quote and logs show. */
static gboolean
check_plain (const char *flag, const char *text, GError **error)
{
  for (const char *at = text; at != NULL && *at != '\0'; at++)
    if (g_ascii_iscntrl (*at))
      return dn_throw (error, DN_ERROR_USAGE, "%s: control character in its value", flag);
  return TRUE;
}

static gboolean
check_all_plain (const char *flag, char **texts, GError **error)
{
  for (guint i = 0; texts != NULL && texts[i] != NULL; i++)
    if (!check_plain (flag, texts[i], error))
      return FALSE;
  return TRUE;
}

/* A host name is one or more labels of RFC 1123, and the agent makes a file of it. */
static gboolean
check_hostname (const char *hostname, GError **error)
{
  g_autoptr (GRegex) pattern = NULL;

  if (hostname == NULL)
    return TRUE;
  pattern = g_regex_new ("^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$",
                         G_REGEX_CASELESS | G_REGEX_DOLLAR_ENDONLY, 0, NULL);
  if (strlen (hostname) <= DN_HOSTNAME_BYTES && g_regex_match (pattern, hostname, 0, NULL))
    return TRUE;
  return dn_throw (error, DN_ERROR_USAGE,
                   "--hostname '%.100s': not a host name of at most %d bytes\n"
                   "use letters, digits, '-' and '.'",
                   hostname, DN_HOSTNAME_BYTES);
}

static gboolean
check_label (const char *name, const char *value, GError **error)
{
  if (name[0] == '\0' || strlen (name) + strlen (value) > DN_OPTIONS_LABEL_MAX_BYTES)
    return dn_throw (error, DN_ERROR_USAGE,
                     "--label '%.100s': has no name, or is longer than %d bytes", name,
                     DN_OPTIONS_LABEL_MAX_BYTES);
  for (const char *at = name; *at != '\0'; at++)
    if (!g_ascii_isalnum (*at) && strchr ("._-/", *at) == NULL)
      return dn_throw (error, DN_ERROR_USAGE,
                       "--label '%.100s': names are letters, digits and . _ - /", name);
  return check_plain ("--label", value, error);
}

static gboolean
check_labels (GHashTable *labels, GError **error)
{
  GHashTableIter iter;
  gpointer name, value;

  if (g_hash_table_size (labels) > DN_OPTIONS_LABELS_MAX)
    return dn_throw (error, DN_ERROR_USAGE, "--label: more than %d of them", DN_OPTIONS_LABELS_MAX);
  g_hash_table_iter_init (&iter, labels);
  while (g_hash_table_iter_next (&iter, &name, &value))
    if (!check_label (name, value, error))
      return FALSE;
  return TRUE;
}

static gboolean
check_number (const char *flag, gint64 number, gint64 least, gint64 most, GError **error)
{
  if (number >= least && number <= most)
    return TRUE;
  return dn_throw (error, DN_ERROR_USAGE,
                   "%s %" G_GINT64_FORMAT ": not from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT,
                   flag, number, least, most);
}

static gboolean
check_memory_reservation (const DnContainerOptions *o, GError **error)
{
  if (o->memory_reservation_bytes == 0 || o->memory_reservation_bytes == -1)
    return TRUE;
  if (!check_number ("--memory-reservation", o->memory_reservation_bytes,
                     DN_OPTIONS_MEMORY_MIN_BYTES,
                     G_GINT64_CONSTANT (1024) * 1024 * DN_GUEST_MEMORY_MAX_MIB, error))
    return FALSE;
  return o->memory_bytes <= 0 || o->memory_reservation_bytes <= o->memory_bytes
         || dn_throw (error, DN_ERROR_USAGE,
                      "--memory-reservation: %" G_GINT64_FORMAT
                      " MiB are more than the memory limit of %" G_GINT64_FORMAT
                      " MiB\nreserve that at most, or raise the limit",
                      o->memory_reservation_bytes >> 20, o->memory_bytes >> 20);
}

static gboolean
check_cpuset (const char *cpus, GError **error)
{
  g_autofree char *list = NULL;

  if (cpus == NULL || g_str_equal (cpus, "all"))
    return TRUE;
  list = dn_cpu_list_parse (cpus, NULL);
  if (list == NULL || strlen (cpus) > DN_CPUS_BYTES)
    return dn_throw (error, DN_ERROR_USAGE,
                     "--cpuset-cpus '%.60s': not a list of processors\nfor instance 0-1,3, or all",
                     cpus);
  return TRUE;
}

static gboolean
check_block_limits (const DnContainerOptions *o, GError **error)
{
  const struct
  {
    const char *flag;
    gint64 value;
    gint64 least;
  } all[] = { { "--read-bps", o->read_bytes_per_s, DN_OPTIONS_BLOCK_MIN_BYTES },
              { "--write-bps", o->write_bytes_per_s, DN_OPTIONS_BLOCK_MIN_BYTES },
              { "--read-iops", o->reads_per_s, DN_OPTIONS_BLOCK_MIN_OPERATIONS },
              { "--write-iops", o->writes_per_s, DN_OPTIONS_BLOCK_MIN_OPERATIONS } };

  for (gsize i = 0; i < G_N_ELEMENTS (all); i++)
    if (all[i].value != 0 && all[i].value != -1
        && !check_number (all[i].flag, all[i].value, all[i].least, DN_OPTIONS_BLOCK_MAX, error))
      return FALSE;
  return TRUE;
}

static gboolean
check_limits (const DnContainerOptions *o, GError **error)
{
  const gint64 mib = 1024 * 1024;

  if (o->memory_bytes != 0 && o->memory_bytes != -1
      && !check_number ("--memory", o->memory_bytes, DN_OPTIONS_MEMORY_MIN_BYTES,
                        DN_GUEST_MEMORY_MAX_MIB * mib, error))
    return FALSE;
  /* Written so that not-a-number fails too. */
  if (o->cpus != 0 && !(o->cpus >= 0.01 && o->cpus <= DN_OPTIONS_CPUS_MAX))
    return dn_throw (error, DN_ERROR_USAGE, "--cpus %g: not from 0.01 to %d", o->cpus,
                     DN_OPTIONS_CPUS_MAX);
  if (o->cpu_shares != 0 && !check_number ("--cpu-shares", o->cpu_shares, 2, 262144, error))
    return FALSE;
  if (o->pids_limit != 0 && o->pids_limit != -1
      && !check_number ("--pids-limit", o->pids_limit, 1, DN_OPTIONS_PIDS_MAX, error))
    return FALSE;
  if (!check_memory_reservation (o, error) || !check_cpuset (o->cpuset_cpus, error)
      || !check_block_limits (o, error))
    return FALSE;
  if (o->guest_memory_bytes != 0
      && !check_number ("--guest-memory", o->guest_memory_bytes, DN_GUEST_MEMORY_MIN_MIB * mib,
                        DN_GUEST_MEMORY_MAX_MIB * mib, error))
    return FALSE;
  return (o->guest_vcpus == 0
          || check_number ("--guest-cpus", o->guest_vcpus, 1, DN_GUEST_VCPUS_MAX, error))
         && (o->stop_timeout_s == -1
             || check_number ("--stop-timeout", o->stop_timeout_s, 0, DN_OPTIONS_STOP_TIMEOUT_MAX_S,
                              error));
}

static gboolean
check_ulimits (char **ulimits, GError **error)
{
  for (guint i = 0; ulimits != NULL && ulimits[i] != NULL; i++)
    {
      DnUlimit ulimit;

      if (!dn_ulimit_parse (ulimits[i], &ulimit, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
check_tmpfs (char **tmpfs, GError **error)
{
  g_autoptr (GHashTable) paths = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (guint i = 0; tmpfs != NULL && tmpfs[i] != NULL; i++)
    {
      g_autoptr (DnTmpfs) one = dn_tmpfs_parse (tmpfs[i], error);

      if (one == NULL)
        return FALSE;
      if (i >= DN_TMPFS_MAX)
        return dn_throw (error, DN_ERROR_USAGE, "--tmpfs: more than %d of them", DN_TMPFS_MAX);
      if (!g_hash_table_add (paths, g_strdup (one->path)))
        return dn_throw (error, DN_ERROR_USAGE, "--tmpfs '%s': given twice", one->path);
    }
  return TRUE;
}

static gboolean
check_volumes (const DnContainerOptions *o, GError **error)
{
  g_autoptr (GPtrArray) specs = dn_mount_specs_parse (o->volumes, o->tmpfs, error);

  return specs != NULL;
}

/* Form alone: whether the context permits it is admission.h's, and the filter is read and compiled
 * by dn_seccomp_compile(). */
static gboolean
check_seccomp (const char *json, GError **error)
{
  if (json != NULL && strlen (json) > DN_SECCOMP_PROFILE_MAX_BYTES)
    return dn_throw (error, DN_ERROR_USAGE, "--security-opt seccomp: larger than %d bytes",
                     DN_SECCOMP_PROFILE_MAX_BYTES);
  return TRUE;
}

static gboolean
check_profile (const DnContainerOptions *o, GError **error)
{
  if (o->profile != NULL && o->profile_text != NULL)
    return dn_throw (error, DN_ERROR_USAGE, "--profile: a name and a file; give one of them");
  if (o->profile_text != NULL && strlen (o->profile_text) > DN_PROFILE_MAX_BYTES)
    return dn_throw (error, DN_ERROR_USAGE, "--profile: larger than %d bytes",
                     DN_PROFILE_MAX_BYTES);
  if (o->is_readonly && o->is_writable)
    return dn_throw (error, DN_ERROR_USAGE, "--read-only and --writable exclude each other");
  if (!o->is_writable && (o->is_on_disk || o->writable_bytes != 0))
    return dn_throw (error, DN_ERROR_USAGE,
                     "--writable: a size or a disk, and nothing is writable");
  if (o->writable_bytes != 0
      && (o->writable_bytes < (o->is_on_disk ? DN_SCRATCH_LEAST_BYTES : 4096)
          || o->writable_bytes > DN_SCRATCH_MOST_BYTES))
    return dn_throw (error, DN_ERROR_USAGE, "--writable: a size must be from %s to 64g",
                     o->is_on_disk ? "16m" : "4k");
  return o->profile == NULL || dn_name_check (o->profile, "profile", error);
}

static gboolean
check_signal (const char *signal, GError **error)
{
  if (signal == NULL || dn_signal_from_text (signal) > 0)
    return TRUE;
  return dn_throw (error, DN_ERROR_USAGE,
                   "--stop-signal '%.40s': no such signal\nfor instance SIGTERM, INT or 15",
                   signal);
}

static gboolean
check_publish (const DnContainerOptions *o, GError **error)
{
  g_autoptr (GArray) ports = dn_ports_parse (o->publish, error);

  if (ports == NULL)
    return FALSE;
  if ((ports->len > 0 || o->publishes_all) && g_strcmp0 (o->network, "none") == 0)
    return dn_throw (error, DN_ERROR_USAGE,
                     "--publish: a container with --network none has no network card\n"
                     "leave out --network, or take internal: a card for published ports alone");
  return TRUE;
}

static gboolean
check_network (const char *network, GError **error)
{
  return network == NULL || dn_network_mode_check (network, "--network", error);
}

static gboolean
check_texts (const DnContainerOptions *o, GError **error)
{
  return check_plain ("image", o->image, error) && check_plain ("--hostname", o->hostname, error)
         && check_plain ("--profile", o->profile, error)
         && check_plain ("--network", o->network, error)
         && check_plain ("--stop-signal", o->stop_signal, error)
         && check_plain ("--cpuset-cpus", o->cpuset_cpus, error)
         && check_all_plain ("--cap-add", o->cap_add, error)
         && check_all_plain ("--cap-drop", o->cap_drop, error)
         && check_all_plain ("--tmpfs", o->tmpfs, error)
         && check_all_plain ("--ulimit", o->ulimits, error)
         && check_all_plain ("--publish", o->publish, error)
         && check_all_plain ("--expose", o->expose, error)
         && check_all_plain ("--add-host", o->add_hosts, error)
         && check_all_plain ("--dns", o->dns, error)
         && check_all_plain ("--dns-search", o->dns_search, error)
         && check_all_plain ("--volume", o->volumes, error)
         && check_all_plain ("--secret", o->secrets, error)
         && check_all_plain ("--config", o->configs, error)
         && check_plain ("--restart", o->restart, error);
}

static gboolean
check_restart (const DnContainerOptions *o, GError **error)
{
  DnRestartPolicy policy;

  if (!dn_restart_policy_parse (o->restart, &policy, error))
    return FALSE;
  return policy.when == DN_RESTART_NO || !o->is_removed_at_exit
         || dn_throw (error, DN_ERROR_USAGE,
                      "--restart %s and --rm: a container that goes at its end is not started "
                      "again\nleave one of them out",
                      o->restart);
}

gboolean
dn_container_options_check (const DnContainerOptions *o, GError **error)
{
  DnUserText user;

  return check_texts (o, error) && (o->name == NULL || dn_name_check (o->name, "container", error))
         && (o->context == NULL || dn_name_check (o->context, "context", error))
         && (o->tenant == NULL || dn_name_check (o->tenant, "--tenant", error))
         && (o->stage == NULL || dn_name_check (o->stage, "--stage", error))
         && (o->tier == NULL || dn_name_check (o->tier, "--tier", error))
         && dn_options_check_command (o->command, "command", DN_ERROR_USAGE, error)
         && dn_options_check_command (o->entrypoint, "--entrypoint", DN_ERROR_USAGE, error)
         && check_hostname (o->hostname, error)
         && dn_env_check (o->env, "--env", DN_ERROR_USAGE, error)
         && dn_user_text_parse (o->user, "--user", DN_ERROR_USAGE, &user, error)
         && dn_options_check_directory (o->working_dir, "--workdir", DN_ERROR_USAGE, error)
         && check_labels (o->labels, error) && check_profile (o, error)
         && dn_capability_check (o->cap_add, o->cap_drop, error)
         && check_seccomp (o->seccomp_json, error) && check_tmpfs (o->tmpfs, error)
         && check_volumes (o, error) && dn_secrets_check (o, error) && check_limits (o, error)
         && check_ulimits (o->ulimits, error) && check_network (o->network, error)
         && dn_network_options_check (o, error) && check_publish (o, error)
         && check_signal (o->stop_signal, error) && check_restart (o, error)
         && dn_health_times_check (o, error);
}
