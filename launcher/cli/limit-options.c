/* SPDX-License-Identifier: Apache-2.0 */
#include "limit-options.h"

#include <string.h>

#include "../common/error.h"
#include "options.h"
#include "units.h"

void
dn_limit_options_clear (DnLimitOptions *options)
{
  g_clear_pointer (&options->memory, g_free);
  g_clear_pointer (&options->cpus, g_free);
  g_clear_pointer (&options->cpu_shares, g_free);
  g_clear_pointer (&options->pids_limit, g_free);
  g_clear_pointer (&options->memory_reservation, g_free);
  g_clear_pointer (&options->memory_swap, g_free);
  g_clear_pointer (&options->cpuset_cpus, g_free);
  g_clear_pointer (&options->read_bps, g_free);
  g_clear_pointer (&options->write_bps, g_free);
  g_clear_pointer (&options->read_iops, g_free);
  g_clear_pointer (&options->write_iops, g_free);
}

/* What Docker has and a container here cannot have, with what there is in its place. */
static const struct
{
  const char *flag;
  const char *why;
} impossible[] = {
  { "memory-swappiness", "guests have no swap" },
  { "kernel-memory", "the kernel counts its own memory for a container to --memory" },
  { "oom-kill-disable",
    "a container over its limit can only end or wait for ever; raise --memory" },
  { "blkio-weight", "disks have rates, no weights: --read-bps, --write-bps, --read-iops, "
                    "--write-iops" },
  { "device-read-bps", "a container's disks have no names: --read-bps holds for each" },
  { "device-write-bps", "a container's disks have no names: --write-bps holds for each" },
  { "device-read-iops", "a container's disks have no names: --read-iops holds for each" },
  { "device-write-iops", "a container's disks have no names: --write-iops holds for each" },
  { "cpuset-mems", "a guest's memory is one node" },
  { "cpu-period", "write it as --cpus NUMBER" },
  { "cpu-quota", "write it as --cpus NUMBER" },
};

static gboolean
refuse (const char *name, const char *value, gpointer data, GError **error)
{
  (void) value;
  (void) data;
  for (gsize i = 0; i < G_N_ELEMENTS (impossible); i++)
    if (g_str_equal (name + strspn (name, "-"), impossible[i].flag))
      return dn_throw (error, DN_ERROR_USAGE, "%s: %s", name, impossible[i].why);
  return FALSE;
}

void
dn_limit_options_fill (DnLimitOptions *options, GOptionEntry *ret_rows)
{
  const GOptionEntry rows[] = {
    { "memory", 'm', 0, G_OPTION_ARG_FILENAME, &options->memory, "Memory limit; -1 for none",
      "SIZE" },
    { "cpus", 0, 0, G_OPTION_ARG_FILENAME, &options->cpus, "How many processors' time", "NUMBER" },
    { "cpu-shares", 'c', 0, G_OPTION_ARG_FILENAME, &options->cpu_shares,
      "Weight against other containers of the context", "NUMBER" },
    { "pids-limit", 0, 0, G_OPTION_ARG_FILENAME, &options->pids_limit,
      "How many processes and threads; -1 for no limit", "NUMBER" },
    { "memory-reservation", 0, 0, G_OPTION_ARG_FILENAME, &options->memory_reservation,
      "Memory that is not taken from it while others have more than theirs; -1 for none", "SIZE" },
    { "memory-swap", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_FILENAME, &options->memory_swap, NULL,
      NULL },
    { "cpuset-cpus", 0, 0, G_OPTION_ARG_FILENAME, &options->cpuset_cpus,
      "Processors of the guest that it runs on: 0-1,3; all for all", "LIST" },
    { "read-bps", 0, 0, G_OPTION_ARG_FILENAME, &options->read_bps,
      "What it may read from each of its disks in a second; -1 for no limit", "SIZE" },
    { "write-bps", 0, 0, G_OPTION_ARG_FILENAME, &options->write_bps, "Likewise write", "SIZE" },
    { "read-iops", 0, 0, G_OPTION_ARG_FILENAME, &options->read_iops,
      "How often it may read from each of its disks in a second; -1 for no limit", "NUMBER" },
    { "write-iops", 0, 0, G_OPTION_ARG_FILENAME, &options->write_iops, "Likewise write", "NUMBER" },
  };

  memcpy (ret_rows, rows, sizeof rows);
  ret_rows += G_N_ELEMENTS (rows);
  for (gsize i = 0; i < G_N_ELEMENTS (impossible); i++)
    *ret_rows++ = (GOptionEntry){ .long_name = impossible[i].flag,
                                  .flags = G_OPTION_FLAG_HIDDEN | G_OPTION_FLAG_OPTIONAL_ARG,
                                  .arg = G_OPTION_ARG_CALLBACK,
                                  .arg_data = (gpointer) refuse };
  *ret_rows = (GOptionEntry) DN_OPTION_END;
}

gboolean
dn_limit_set_size (JsonObject *args, const char *member, const char *flag, const char *text,
                   gboolean may_be_none, GError **error)
{
  gint64 bytes = -1;

  if (text == NULL)
    return TRUE;
  if (!(may_be_none && g_str_equal (text, "-1")) && !dn_units_parse_size (text, &bytes, error))
    {
      g_prefix_error (error, "%s: ", flag);
      return FALSE;
    }
  json_object_set_int_member (args, member, bytes);
  return TRUE;
}

gboolean
dn_limit_set_int (JsonObject *args, const char *member, const char *flag, const char *text,
                  gint64 least, gint64 most, GError **error)
{
  gint64 number;

  if (text == NULL)
    return TRUE;
  if (!dn_units_parse_int (text, least, most, &number, error))
    {
      g_prefix_error (error, "%s: ", flag);
      return FALSE;
    }
  json_object_set_int_member (args, member, number);
  return TRUE;
}

/* Memory and swap together, as Docker counts it: the same as memory alone is what there is. */
static gboolean
check_swap (const DnLimitOptions *options, GError **error)
{
  gint64 swap, memory = 0;

  if (options->memory_swap == NULL)
    return TRUE;
  if (options->memory != NULL && dn_units_parse_size (options->memory_swap, &swap, NULL)
      && dn_units_parse_size (options->memory, &memory, NULL) && swap == memory)
    return TRUE;
  return dn_throw (error, DN_ERROR_USAGE,
                   "--memory-swap: guests have no swap\n"
                   "leave it out: --memory is all that the container may use");
}

gboolean
dn_limit_options_to_args (const DnLimitOptions *options, JsonObject *args, GError **error)
{
  double cpus;

  if (options->cpus != NULL)
    {
      if (!dn_units_parse_cpus (options->cpus, &cpus, error))
        {
          g_prefix_error (error, "--cpus: ");
          return FALSE;
        }
      json_object_set_double_member (args, "cpus", cpus);
    }
  if (options->cpuset_cpus != NULL)
    json_object_set_string_member (args, "cpuset_cpus", options->cpuset_cpus);
  return check_swap (options, error)
         && dn_limit_set_size (args, "memory_reservation_bytes", "--memory-reservation",
                               options->memory_reservation, TRUE, error)
         && dn_limit_set_size (args, "read_bytes_per_s", "--read-bps", options->read_bps, TRUE,
                               error)
         && dn_limit_set_size (args, "write_bytes_per_s", "--write-bps", options->write_bps, TRUE,
                               error)
         && dn_limit_set_int (args, "reads_per_s", "--read-iops", options->read_iops, -1, G_MAXINT,
                              error)
         && dn_limit_set_int (args, "writes_per_s", "--write-iops", options->write_iops, -1,
                              G_MAXINT, error)
         && dn_limit_set_size (args, "memory_bytes", "--memory", options->memory, TRUE, error)
         && dn_limit_set_int (args, "cpu_shares", "--cpu-shares", options->cpu_shares, 2, 262144,
                              error)
         && dn_limit_set_int (args, "pids_limit", "--pids-limit", options->pids_limit, -1, 4194304,
                              error);
}
