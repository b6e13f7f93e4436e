/* SPDX-License-Identifier: Apache-2.0 */
#include "../limits/guest-size.h"
#include "oci-spec.h"

#define DEFAULT_PERIOD_US 100000
#define SHARES_LEAST 2

/* A limit that the guest as a whole keeps anyway is none: there is no less than the guest has. */
static gint64
limit_memory (gint64 bytes, const DnOciRoom *room)
{
  return bytes > 0 && dn_guest_size_least ((guint64) bytes) > room->memory_bytes ? -1 : bytes;
}

DnContainerOptions *
dn_oci_options_new (const DnOciConfig *config, const DnOciRoom *room)
{
  g_autoptr (JsonObject) none = json_object_new ();
  DnContainerOptions *options = dn_container_options_read (none, NULL);
  gint64 period = config->cpu_period_us > 0 ? config->cpu_period_us : DEFAULT_PERIOD_US;

  g_assert (options != NULL);
  options->memory_bytes = limit_memory (config->memory_bytes, room);
  options->pids_limit = config->pids;
  options->cpu_shares = config->cpu_shares >= SHARES_LEAST ? config->cpu_shares : 0;
  if (config->cpu_quota_us > 0)
    options->cpus = MIN ((double) config->cpu_quota_us / (double) period, (double) room->vcpus);
  options->ends_whole = config->ends_whole;
  return options;
}
