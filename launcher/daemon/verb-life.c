/* SPDX-License-Identifier: Apache-2.0 */
/* Verbs about a container that exists: stopping, freezing, changing, removing, waiting. */
#include <signal.h>

#include "../common/error.h"
#include "../common/signal-name.h"
#include "container-call.h"
#include "container-end.h"
#include "context-freeze.h"
#include "lookup.h"
#include "verbs.h"

/* cgroup v1's shares (2 to 262,144) on cgroup v2's scale of weights (1 to 10,000), as runc has it.
 */
#define SHARES_MIN 2
#define SHARES_MAX 262144
#define CPU_PERIOD_US 100000

typedef gboolean (*LockedFunc) (DnContainer *container, GError **error);

/* Runs @func on the container of the request under its op_lock. */
static JsonObject *
with_lock (DnRequest *request, LockedFunc func, GError **error)
{
  g_autoptr (DnContainer) container = dn_verb_read_container (request, error);
  gboolean is_fine;

  if (container == NULL)
    return NULL;
  g_mutex_lock (&container->op_lock);
  is_fine = func (container, error);
  g_mutex_unlock (&container->op_lock);
  return is_fine ? dn_verb_answer (container) : NULL;
}

DN_VERB (container_pause)
{
  (void) ret_fds;
  return with_lock (request, dn_container_pause, error);
}

DN_VERB (container_unpause)
{
  (void) ret_fds;
  return with_lock (request, dn_container_unpause, error);
}

DN_VERB (container_stop)
{
  g_autofree char *name = NULL;
  gint64 timeout_s = -1;
  const DnJsonField fields[] = {
    { "container", DN_JSON_STRING, TRUE, &name },
    { "timeout_s", DN_JSON_INT, FALSE, &timeout_s },
    { NULL, DN_JSON_STRING, FALSE, NULL },
  };
  g_autoptr (DnContainer) container = NULL;
  gboolean is_fine, was_running;

  (void) ret_fds;
  if (!dn_request_read (request, fields, error))
    return NULL;
  container = dn_lookup_container (request, name, error);
  if (container == NULL)
    return NULL;
  g_mutex_lock (&container->op_lock);
  was_running = !dn_container_wait_ended (container, 0);
  is_fine = dn_container_stop (container, timeout_s, error);
  g_mutex_unlock (&container->op_lock);
  if (is_fine && was_running)
    dn_container_event (container, "stop", NULL);
  return is_fine ? dn_verb_answer (container) : NULL;
}

DN_VERB (container_kill)
{
  g_autofree char *name = NULL;
  g_autofree char *text = NULL;
  const DnJsonField fields[] = {
    { "container", DN_JSON_STRING, TRUE, &name },
    { "signal", DN_JSON_STRING, FALSE, &text },
    { NULL, DN_JSON_STRING, FALSE, NULL },
  };
  g_autoptr (DnContainer) container = NULL;
  gint64 timeout_s = -1;
  int number;

  (void) ret_fds;
  if (!dn_request_read (request, fields, error))
    return NULL;
  number = text != NULL ? dn_signal_from_text (text) : SIGKILL;
  if (number < 0)
    {
      dn_throw (error, DN_ERROR_USAGE,
                "signal '%.40s': there is none\nuse a name like TERM, or a "
                "number",
                text);
      return NULL;
    }
  container = dn_lookup_container (request, name, error);
  /* Without op_lock: a stop that waits for its timeout can be cut short.  The whole pid namespace
   * goes with its first process, so SIGKILL needs no DN_SIGNAL_ALL. */
  if (container == NULL)
    return NULL;
  /* As by stop: it is meant to end, and not to come again. */
  if (number == SIGKILL || number == dn_container_stop_signal (container, &timeout_s))
    dn_restart_forbid (container);
  if (!dn_container_signal (container, 0, number, 0, error))
    return NULL;
  if (number == SIGKILL)
    (void) dn_container_wait_ended (container, DN_CALL_TIMEOUT_MS);
  text = text != NULL ? text : g_strdup ("KILL");
  dn_container_event (container, "kill", (const char *const[]){ "signal", text, NULL });
  return dn_verb_answer (container);
}

/* What `wait` waits for: the end of a run, or the container's removal. */
static gboolean
is_over (const DnContainer *container, gboolean until_removed)
{
  if (until_removed || container->is_removed)
    return container->is_removed;
  return container->state == DN_CONTAINER_EXITED && !container->restart.is_pending;
}

DN_VERB (container_wait)
{
  DnDaemon *daemon = request->daemon;
  g_autofree char *name = NULL;
  gboolean until_removed = FALSE, is_gone = FALSE;
  const DnJsonField fields[] = {
    { "container", DN_JSON_STRING, TRUE, &name },
    { "removed", DN_JSON_BOOL, FALSE, &until_removed },
    { NULL, DN_JSON_STRING, FALSE, NULL },
  };
  g_autoptr (DnContainer) container = NULL;
  JsonObject *ok;

  (void) ret_fds;
  if (!dn_request_read (request, fields, error))
    return NULL;
  container = dn_lookup_container (request, name, error);
  if (container == NULL)
    return NULL;
  g_mutex_lock (&daemon->lock);
  while (!is_gone && !is_over (container, until_removed))
    {
      (void) g_cond_wait_until (&daemon->changed, &daemon->lock,
                                g_get_monotonic_time () + DN_REQUEST_WATCH_MS * 1000);
      is_gone = dn_request_is_gone (request);
    }
  ok = json_object_new ();
  json_object_set_int_member (ok, "exit_code", container->exit_code);
  g_mutex_unlock (&daemon->lock);
  return ok;
}

static gboolean
is_restarting (DnContainer *container)
{
  gboolean is_pending;

  g_mutex_lock (&container->daemon->lock);
  is_pending = container->restart.is_pending;
  g_mutex_unlock (&container->daemon->lock);
  return is_pending;
}

static gboolean
remove_locked (DnContainer *container, gboolean force, GError **error)
{
  if (container->is_removed)
    return dn_throw (error, DN_ERROR_NOT_FOUND, "container '%s': was removed", container->name);
  if (!dn_context_check_thawed (container->context, error))
    return FALSE;
  if (!force && is_restarting (container))
    return dn_throw (error, DN_ERROR_CONFLICT,
                     "container '%s': is being started again by its policy\nstop it first, or use "
                     "danchi rm -f",
                     container->name);
  if (!dn_container_wait_ended (container, 0))
    {
      if (!force)
        return dn_throw (error, DN_ERROR_CONFLICT,
                         "container '%s': runs\nstop it first, or use danchi rm -f",
                         container->name);
      if (!dn_container_kill (container, error))
        return FALSE;
    }
  dn_container_leave_guest (container);
  dn_container_forget (container);
  return TRUE;
}

DN_VERB (container_remove)
{
  g_autofree char *name = NULL;
  gboolean force = FALSE, is_fine;
  const DnJsonField fields[] = {
    { "container", DN_JSON_STRING, TRUE, &name },
    { "force", DN_JSON_BOOL, FALSE, &force },
    { NULL, DN_JSON_STRING, FALSE, NULL },
  };
  g_autoptr (DnContainer) container = NULL;

  (void) ret_fds;
  if (!dn_request_read (request, fields, error))
    return NULL;
  container = dn_lookup_container (request, name, error);
  if (container == NULL)
    return NULL;
  g_mutex_lock (&container->op_lock);
  is_fine = remove_locked (container, force, error);
  g_mutex_unlock (&container->op_lock);
  return is_fine ? dn_verb_answer (container) : NULL;
}

DN_VERB (container_rename)
{
  g_autofree char *name = NULL, *fresh = NULL;
  const DnJsonField fields[] = {
    { "container", DN_JSON_STRING, TRUE, &name },
    { "name", DN_JSON_STRING, TRUE, &fresh },
    { NULL, DN_JSON_STRING, FALSE, NULL },
  };
  g_autoptr (DnContainer) container = NULL;

  (void) ret_fds;
  if (!dn_request_read (request, fields, error))
    return NULL;
  container = dn_lookup_container (request, name, error);
  if (container == NULL || !dn_container_rename (container, fresh, request, error))
    return NULL;
  return dn_verb_answer (container);
}

typedef struct
{
  gint64 memory_bytes; /* 0: as it is; -1: none; as all of these */
  double cpus;
  gint64 cpu_shares;
  gint64 pids_limit;
} Limits;

static guint64
limit_or_none (gint64 value)
{
  return value < 0 ? DN_LIMIT_NONE : (guint64) value;
}

static gboolean
update_in_guest (DnContainer *container, const Limits *limits, GError **error)
{
  g_autoptr (DnGuest) guest = dn_container_get_guest (container, error);
  DnMsgUpdate message = { .memory_bytes = limit_or_none (limits->memory_bytes),
                          .pids = limit_or_none (limits->pids_limit) };

  if (guest == NULL)
    return FALSE;
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

/* The container's options with the new limits, checked as at create. */
static DnContainerOptions *
changed_options (DnContainer *container, const Limits *limits, GError **error)
{
  g_autoptr (DnContainerOptions) old = dn_container_copy_options (container);
  g_autoptr (JsonNode) node = NULL;
  g_autoptr (DnContainerOptions) options = NULL;
  guint64 guest_memory;

  if (limits->memory_bytes != 0)
    old->memory_bytes = limits->memory_bytes;
  if (limits->cpus != 0)
    old->cpus = limits->cpus;
  if (limits->cpu_shares != 0)
    old->cpu_shares = limits->cpu_shares;
  if (limits->pids_limit != 0)
    old->pids_limit = limits->pids_limit;
  node = dn_container_options_to_json (old);
  options = dn_container_options_read (json_node_get_object (node), error);
  if (options == NULL)
    return NULL;
  g_mutex_lock (&container->daemon->lock);
  guest_memory = container->context->definition.guest_memory_bytes;
  g_mutex_unlock (&container->daemon->lock);
  if (!dn_container_check_memory (options->memory_bytes, guest_memory, container->context->name,
                                  error))
    return NULL;
  return g_steal_pointer (&options);
}

static gboolean
update_locked (DnContainer *container, const Limits *limits, GError **error)
{
  DnContainerOptions *options = changed_options (container, limits, error), *old;

  if (options == NULL)
    return FALSE;
  if (!dn_container_wait_ended (container, 0) && !update_in_guest (container, limits, error))
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
    { "cpus", DN_JSON_DOUBLE, FALSE, &limits.cpus },
    { "cpu_shares", DN_JSON_INT, FALSE, &limits.cpu_shares },
    { "pids_limit", DN_JSON_INT, FALSE, &limits.pids_limit },
    { NULL, DN_JSON_STRING, FALSE, NULL },
  };
  g_autoptr (DnContainer) container = NULL;
  gboolean is_fine;

  (void) ret_fds;
  if (!dn_request_read (request, fields, error))
    return NULL;
  container = dn_lookup_container (request, name, error);
  if (container == NULL)
    return NULL;
  g_mutex_lock (&container->op_lock);
  is_fine = update_locked (container, &limits, error);
  g_mutex_unlock (&container->op_lock);
  return is_fine ? dn_verb_answer (container) : NULL;
}
