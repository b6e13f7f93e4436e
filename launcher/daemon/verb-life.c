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

gboolean
dn_verb_read_signal (const char *text, int *ret_signal, GError **error)
{
  int signal = dn_signal_from_text (text);

  if (signal < 0)
    return dn_throw (error, DN_ERROR_USAGE,
                     "signal '%.40s': there is none\nuse a name like TERM, or a number", text);
  *ret_signal = signal;
  return TRUE;
}

DN_VERB (container_stop)
{
  g_autofree char *name = NULL;
  g_autofree char *text = NULL;
  gint64 timeout_s = -1;
  const DnJsonField fields[] = {
    { "container", DN_JSON_STRING, TRUE, &name },
    { "signal", DN_JSON_STRING, FALSE, &text },
    { "timeout_s", DN_JSON_INT, FALSE, &timeout_s },
    { NULL, DN_JSON_STRING, FALSE, NULL },
  };
  g_autoptr (DnContainer) container = NULL;
  gboolean is_fine, was_running;
  int number = 0;

  (void) ret_fds;
  if (!dn_request_read (request, fields, error)
      || (text != NULL && !dn_verb_read_signal (text, &number, error)))
    return NULL;
  container = dn_lookup_container (request, name, error);
  if (container == NULL)
    return NULL;
  g_mutex_lock (&container->op_lock);
  was_running = !dn_container_wait_ended (container, 0);
  is_fine = dn_container_stop (container, number, timeout_s, error);
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
  int number = SIGKILL;

  (void) ret_fds;
  if (!dn_request_read (request, fields, error)
      || (text != NULL && !dn_verb_read_signal (text, &number, error)))
    return NULL;
  container = dn_lookup_container (request, name, error);
  /* Without op_lock: a stop that waits for its timeout can be cut short.  The whole pid namespace
   * goes with its first process, so SIGKILL needs no DN_SIGNAL_ALL. */
  if (container == NULL)
    return NULL;
  /* As by stop: it is meant to end, and not to come again. */
  if (number == SIGKILL || number == dn_container_stop_signal (container, &timeout_s))
    dn_restart_forbid_soon (container);
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
remove_locked (DnContainer *container, gboolean force, gboolean with_volumes, GError **error)
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
  g_mutex_lock (&container->daemon->lock);
  container->drops_volumes = with_volumes;
  g_mutex_unlock (&container->daemon->lock);
  dn_container_forget (container);
  return TRUE;
}

DN_VERB (container_remove)
{
  g_autofree char *name = NULL;
  gboolean force = FALSE, volumes = FALSE, is_fine;
  const DnJsonField fields[] = {
    { "container", DN_JSON_STRING, TRUE, &name },
    { "force", DN_JSON_BOOL, FALSE, &force },
    { "volumes", DN_JSON_BOOL, FALSE, &volumes },
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
  is_fine = remove_locked (container, force, volumes, error);
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
