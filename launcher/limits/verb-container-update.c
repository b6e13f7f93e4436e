/* SPDX-License-Identifier: Apache-2.0 */
/* The verb container-update: a container's limits, in its options and, while it runs, in its guest;
 * and its restart policy, which is danchid's alone and holds from its next end on.
 *
 * What cannot be kept is refused before anything is changed.  The guest first: what it refuses is
 * not written down.  danchid that is killed between the two leaves the guest's limits as they were
 * asked for, and the options as they were; the next start has those of the options.
 */
#include <string.h>

#include "../common/error.h"
#include "../common/json.h"
#include "../daemon/container-call.h"
#include "../daemon/container-file.h"
#include "../daemon/lookup.h"
#include "../daemon/verbs.h"
#include "container-limits.h"

#define CPU_PERIOD_US 100000
/* cgroup v1's shares (2 to 262,144) on cgroup v2's scale of weights (1 to 10,000), as runc has it.
 */
#define SHARES_MIN 2
#define SHARES_MAX 262144

/* 0: as it is; -1: none, as all of these. */
typedef struct
{
  gint64 memory_bytes;
  gint64 memory_reservation_bytes;
  double cpus;
  gint64 cpu_shares;
  char *cpuset_cpus; /* owned; NULL: as it is; "all" */
  gint64 pids_limit;
  gint64 read_bytes_per_s;
  gint64 write_bytes_per_s;
  gint64 reads_per_s;
  gint64 writes_per_s;
  char *restart; /* owned; NULL: as it is */
} Limits;

/* Whether there is something that its guest holds it to. */
static gboolean
have_guests (const Limits *limits)
{
  return limits->memory_bytes != 0 || limits->memory_reservation_bytes != 0 || limits->cpus != 0
         || limits->cpu_shares != 0 || limits->cpuset_cpus != NULL || limits->pids_limit != 0
         || limits->read_bytes_per_s != 0 || limits->write_bytes_per_s != 0
         || limits->reads_per_s != 0 || limits->writes_per_s != 0;
}

static guint64
limit_or_none (gint64 value)
{
  return value < 0 ? DN_LIMIT_NONE : (guint64) value;
}

static gboolean
send_update (DnGuest *guest, DnContainer *container, const Limits *limits, GError **error)
{
  DnMsgUpdate message = { .memory_bytes = limit_or_none (limits->memory_bytes),
                          .pids = limit_or_none (limits->pids_limit) };

  if (limits->cpus != 0)
    {
      message.cpu_period_us = CPU_PERIOD_US;
      message.cpu_quota_us
          = limits->cpus < 0 ? DN_LIMIT_NONE : (guint64) (limits->cpus * CPU_PERIOD_US + 0.5);
    }
  if (limits->cpu_shares > 0)
    message.cpu_weight
        = 1
          + (guint64) (CLAMP (limits->cpu_shares, SHARES_MIN, SHARES_MAX) - SHARES_MIN) * 9999
                / (SHARES_MAX - SHARES_MIN);
  g_strlcpy (message.container, container->id, sizeof message.container);
  return dn_container_call (guest, DN_MSG_UPDATE, &message, (DnPackFunc) dn_msg_update_pack,
                            DN_CALL_TIMEOUT_MS, error);
}

static gboolean
update_in_guest (DnContainer *container, const Limits *limits, GError **error)
{
  g_autoptr (DnGuest) guest = dn_container_get_guest (container, error);
  const DnContainerOptions given = { .memory_reservation_bytes = limits->memory_reservation_bytes,
                                     .cpuset_cpus = limits->cpuset_cpus,
                                     .read_bytes_per_s = limits->read_bytes_per_s,
                                     .write_bytes_per_s = limits->write_bytes_per_s,
                                     .reads_per_s = limits->reads_per_s,
                                     .writes_per_s = limits->writes_per_s };

  /* First what may be refused for its size or by an older guest. */
  return guest != NULL && dn_container_limits_send (guest, container->id, &given, error)
         && send_update (guest, container, limits, error);
}

static void
change (gint64 *value, gint64 given)
{
  if (given != 0)
    *value = given;
}

/* The container's options with the new limits, checked as at create. */
static DnContainerOptions *
changed_options (DnContainer *container, const Limits *limits, GError **error)
{
  g_autoptr (DnContainerOptions) old = dn_container_copy_options (container);
  g_autoptr (JsonNode) node = NULL;
  g_autoptr (DnContainerOptions) options = NULL;
  DnLimitsRoom room = dn_container_limits_room (container->context);

  change (&old->memory_bytes, limits->memory_bytes);
  change (&old->memory_reservation_bytes, limits->memory_reservation_bytes);
  change (&old->cpu_shares, limits->cpu_shares);
  change (&old->pids_limit, limits->pids_limit);
  change (&old->read_bytes_per_s, limits->read_bytes_per_s);
  change (&old->write_bytes_per_s, limits->write_bytes_per_s);
  change (&old->reads_per_s, limits->reads_per_s);
  change (&old->writes_per_s, limits->writes_per_s);
  if (limits->cpus != 0)
    old->cpus = limits->cpus;
  if (limits->cpuset_cpus != NULL)
    {
      g_free (old->cpuset_cpus);
      old->cpuset_cpus = g_strdup (limits->cpuset_cpus);
    }
  if (limits->restart != NULL)
    {
      g_free (old->restart);
      old->restart = g_strdup (limits->restart);
    }
  node = dn_container_options_to_json (old);
  options = dn_container_options_read (json_node_get_object (node), error);
  if (options == NULL || !dn_container_limits_check (options, &room, error))
    return NULL;
  return g_steal_pointer (&options);
}

static gboolean
update_locked (DnContainer *container, const Limits *limits, GError **error)
{
  DnContainerOptions *options = changed_options (container, limits, error), *old;

  if (options == NULL)
    return FALSE;
  if (have_guests (limits) && !dn_container_wait_ended (container, 0)
      && !update_in_guest (container, limits, error))
    {
      dn_container_options_free (options);
      return FALSE;
    }
  g_mutex_lock (&container->daemon->lock);
  old = container->options;
  container->options = options;
  g_mutex_unlock (&container->daemon->lock);
  dn_container_options_free (old);
  if (!dn_container_save_options (container, error))
    return FALSE;
  if (limits->restart != NULL)
    dn_restart_changed (container);
  dn_container_event (container, "update", NULL);
  return TRUE;
}

DN_VERB (container_update)
{
  g_autofree char *name = NULL;
  Limits limits = { 0 };
  const DnJsonField fields[] = {
    { "container", DN_JSON_STRING, TRUE, &name },
    { "memory_bytes", DN_JSON_INT, FALSE, &limits.memory_bytes },
    { "memory_reservation_bytes", DN_JSON_INT, FALSE, &limits.memory_reservation_bytes },
    { "cpus", DN_JSON_DOUBLE, FALSE, &limits.cpus },
    { "cpu_shares", DN_JSON_INT, FALSE, &limits.cpu_shares },
    { "cpuset_cpus", DN_JSON_STRING, FALSE, &limits.cpuset_cpus },
    { "pids_limit", DN_JSON_INT, FALSE, &limits.pids_limit },
    { "read_bytes_per_s", DN_JSON_INT, FALSE, &limits.read_bytes_per_s },
    { "write_bytes_per_s", DN_JSON_INT, FALSE, &limits.write_bytes_per_s },
    { "reads_per_s", DN_JSON_INT, FALSE, &limits.reads_per_s },
    { "writes_per_s", DN_JSON_INT, FALSE, &limits.writes_per_s },
    { "restart", DN_JSON_STRING, FALSE, &limits.restart },
    { NULL, DN_JSON_STRING, FALSE, NULL },
  };
  g_autoptr (DnContainer) container = NULL;
  g_autofree char *cpus = NULL, *restart = NULL;
  gboolean is_fine;

  (void) ret_fds;
  is_fine = dn_request_read (request, fields, error);
  cpus = limits.cpuset_cpus;
  restart = limits.restart;
  if (!is_fine)
    return NULL;
  container = dn_lookup_container (request, name, error);
  if (container == NULL)
    return NULL;
  g_mutex_lock (&container->op_lock);
  is_fine = update_locked (container, &limits, error);
  g_mutex_unlock (&container->op_lock);
  return is_fine ? dn_verb_answer (container) : NULL;
}
