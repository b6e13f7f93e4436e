/* SPDX-License-Identifier: Apache-2.0 */
#include "restart.h"

#include <sys/socket.h>
#include <unistd.h>

#include "../common/autofd.h"
#include "../common/error.h"
#include "../daemon/container-start.h"
#include "../daemon/context-guest.h"
#include "../daemon/daemon-record.h"
#include "../secrets/secrets-part.h"
#include "../spec/restart-policy.h"
#include "../volumes/volume-part.h"

/* Under the daemon's lock. */
static gboolean
wants_restart (DnContainer *container, gboolean is_at_start)
{
  const DnRestartFacts facts = { .exit_code = container->exit_code,
                                 .is_stopped = container->restart.is_stopped,
                                 .is_at_start = is_at_start,
                                 .restarts = container->restart.restarts };
  DnRestartPolicy policy;

  return !container->is_removed && !container->options->is_removed_at_exit
         && dn_restart_policy_parse (container->options->restart, &policy, NULL)
         && dn_restart_policy_wants (&policy, &facts);
}

/* Under the daemon's lock. */
static void
make_pending (DnContainer *container, gint64 ran_us)
{
  DnRestart *restart = &container->restart;

  if (dn_restart_policy_is_anew (ran_us))
    restart->restarts = 0;
  restart->delay_ms = dn_restart_policy_delay_ms (restart->delay_ms, ran_us);
  restart->due_us = g_get_real_time () + (gint64) restart->delay_ms * 1000;
  restart->is_pending = TRUE;
  restart->serial++;
  if (!restart->holds_context)
    container->context->users++;
  restart->holds_context = TRUE;
}

void
dn_restart_ended (DnContainer *container)
{
  if (wants_restart (container, FALSE))
    make_pending (container, container->finished_us - container->started_us);
}

/* Nobody who asks is behind a restart: progress goes to a socket that nobody reads and that holds
 * all of a start's. */
typedef struct
{
  DnRequest request;
  DnCaller caller;
  int sockets[2];
} Errand;

static gboolean
begin_errand (Errand *errand, DnDaemon *daemon, GError **error)
{
  *errand = (Errand){ .sockets = { -1, -1 } };
  if (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, errand->sockets) < 0)
    return dn_throw_errno (error, "restart");
  errand->caller = (DnCaller){ .uid = geteuid (), .gid = getegid (), .command = "danchid" };
  errand->caller.login_uid = DN_CALLER_NO_LOGIN;
  errand->request = (DnRequest){ .daemon = daemon,
                                 .caller = &errand->caller,
                                 .socket = errand->sockets[0],
                                 .fds = DN_FD_LIST_INIT,
                                 .trace = dn_trace_new (),
                                 .console_fd = -1 };
  return TRUE;
}

static void
end_errand (Errand *errand)
{
  if (errand->request.trace != NULL)
    dn_trace_free (errand->request.trace);
  dn_fd_clear (&errand->request.console_fd);
  dn_fd_clear (&errand->sockets[0]);
  dn_fd_clear (&errand->sockets[1]);
  g_free (errand->request.rule);
  dn_caller_clear (&errand->caller);
}

static gboolean
start_again (DnContainer *container, GError **error)
{
  const DnContainerStart start = { 0 };
  DnFdList session = DN_FD_LIST_INIT;
  Errand errand;
  gboolean is_fine;

  if (!begin_errand (&errand, container->daemon, error))
    return FALSE;
  is_fine = dn_container_start (container, &start, &errand.request, &session, error);
  dn_fd_list_clear (&session);
  end_errand (&errand);
  return is_fine;
}

static void
tell_failed (DnContainer *container, const char *why)
{
  g_warning ("container %s: starting it again: %s", container->id, why);
  dn_daemon_record_container (container, "container-restart-failed", "failed", why);
  dn_container_event (container, "restart-failed", (const char *const[]){ "reason", why, NULL });
  g_mutex_lock (&container->daemon->lock);
  g_free (container->reason);
  container->reason = g_strdup_printf ("starting it again: %s", why);
  container->restart.restarts++;
  container->restart.is_pending = FALSE;
  if (wants_restart (container, FALSE))
    make_pending (container, 0);
  g_mutex_unlock (&container->daemon->lock);
  dn_container_save_state_or_warn (container);
}

typedef struct
{
  DnContainer *container; /* a reference */
  guint serial;
} Due;

static void
free_due (gpointer data)
{
  Due *due = data;

  dn_container_unref (due->container);
  g_free (due);
}

static gboolean
is_held_in_vain (DnContainer *container)
{
  gboolean is;

  g_mutex_lock (&container->daemon->lock);
  is = container->restart.holds_context && !container->restart.is_pending;
  g_mutex_unlock (&container->daemon->lock);
  return is;
}

/* With op_lock held.  Unless something is pending: what was kept for the container goes, and then
 * the guest, if that was kept for it alone. */
static void
release_hold (DnContainer *container)
{
  DnContext *context = container->context;
  gboolean is_idle = FALSE;

  if (!is_held_in_vain (container))
    return;
  dn_volume_drop (container);
  dn_secrets_drop (container);
  g_mutex_lock (&container->daemon->lock);
  if (container->restart.holds_context && !container->restart.is_pending)
    {
      container->restart.holds_context = FALSE;
      context->users--;
      is_idle = dn_context_goes_with_container (context) && context->users == 0
                && context->guest != NULL && !dn_guest_is_frozen (context->guest);
    }
  g_mutex_unlock (&container->daemon->lock);
  if (is_idle)
    dn_context_stop_idle_guest (context, 0, "the guest was stopped");
}

static void
run_due (gpointer data)
{
  Due *due = data;
  DnContainer *container = due->container;
  DnDaemon *daemon = container->daemon;
  g_autoptr (GError) error = NULL;
  gboolean is_ours;

  g_mutex_lock (&container->op_lock);
  g_mutex_lock (&daemon->lock);
  is_ours = container->restart.is_pending && container->restart.serial == due->serial
            && container->state == DN_CONTAINER_EXITED && !container->is_removed;
  g_mutex_unlock (&daemon->lock);
  if (is_ours && start_again (container, &error))
    dn_restart_started (container, TRUE);
  else if (is_ours)
    {
      tell_failed (container, error->message);
      dn_restart_wait (container);
    }
  g_mutex_unlock (&container->op_lock);
  free_due (due);
}

static gboolean
time_has_come (gpointer data)
{
  Due *due = data;

  dn_daemon_work (due->container->daemon, run_due, due);
  return G_SOURCE_REMOVE;
}

void
dn_restart_wait (DnContainer *container)
{
  Due *due = NULL;
  guint delay_ms = 0;

  g_mutex_lock (&container->daemon->lock);
  if (container->restart.is_pending)
    {
      due = g_new0 (Due, 1);
      due->container = dn_container_ref (container);
      due->serial = container->restart.serial;
      delay_ms = container->restart.delay_ms;
    }
  g_mutex_unlock (&container->daemon->lock);
  if (due != NULL)
    (void) g_timeout_add (delay_ms, time_has_come, due);
  else
    release_hold (container);
}

void
dn_restart_hold (DnContainer *container)
{
  DnRestart *restart = &container->restart;

  g_mutex_lock (&container->daemon->lock);
  restart->is_pending = TRUE;
  restart->serial++;
  if (!restart->holds_context)
    container->context->users++;
  restart->holds_context = TRUE;
  g_mutex_unlock (&container->daemon->lock);
}

void
dn_restart_let_go (DnContainer *container)
{
  g_mutex_lock (&container->daemon->lock);
  container->restart.is_pending = FALSE;
  g_mutex_unlock (&container->daemon->lock);
  release_hold (container);
}

/* Returns: whether it has ended, so that nobody else gives back what was kept for it. */
static gboolean
forbid (DnContainer *container)
{
  gboolean is_news, has_ended;

  g_mutex_lock (&container->daemon->lock);
  is_news = !container->restart.is_stopped && container->options->restart != NULL;
  has_ended = container->state == DN_CONTAINER_EXITED;
  container->restart.is_stopped = TRUE;
  container->restart.is_pending = FALSE;
  g_cond_broadcast (&container->daemon->changed);
  g_mutex_unlock (&container->daemon->lock);
  if (is_news)
    dn_container_save_state_or_warn (container);
  return has_ended;
}

void
dn_restart_forbid (DnContainer *container)
{
  if (forbid (container))
    release_hold (container);
}

static void
run_release (gpointer data)
{
  DnContainer *container = data;

  g_mutex_lock (&container->op_lock);
  release_hold (container);
  g_mutex_unlock (&container->op_lock);
  dn_container_unref (container);
}

void
dn_restart_forbid_soon (DnContainer *container)
{
  if (forbid (container) && is_held_in_vain (container))
    dn_daemon_work (container->daemon, run_release, dn_container_ref (container));
}

void
dn_restart_forbid_all (DnContext *context)
{
  g_autoptr (GPtrArray) all = dn_container_list (context->daemon);

  for (guint i = 0; i < all->len; i++)
    if (((DnContainer *) all->pdata[i])->context == context)
      dn_restart_forbid_soon (all->pdata[i]);
}

void
dn_restart_started (DnContainer *container, gboolean is_by_policy)
{
  DnRestart *restart = &container->restart;
  g_autofree char *count = NULL;

  g_mutex_lock (&container->daemon->lock);
  restart->restarts = is_by_policy ? restart->restarts + 1 : 0;
  restart->delay_ms = is_by_policy ? restart->delay_ms : 0;
  count = g_strdup_printf ("%" G_GUINT64_FORMAT, restart->restarts);
  g_mutex_unlock (&container->daemon->lock);
  if (is_by_policy)
    {
      dn_daemon_record_container (container, "container-restarted", "ok", count);
      dn_container_event (container, "restart", (const char *const[]){ "restarts", count, NULL });
    }
  dn_container_save_state_or_warn (container);
  release_hold (container);
}

void
dn_restart_changed (DnContainer *container)
{
  gboolean is_over;

  g_mutex_lock (&container->daemon->lock);
  is_over = container->restart.is_pending && !wants_restart (container, FALSE);
  if (is_over)
    {
      container->restart.is_pending = FALSE;
      g_cond_broadcast (&container->daemon->changed);
    }
  g_mutex_unlock (&container->daemon->lock);
  if (is_over)
    release_hold (container);
  /* Whether somebody stopped it is written down where there is a policy (dn_restart_forbid). */
  dn_container_save_state_or_warn (container);
}

void
dn_restart_adopt (DnDaemon *daemon)
{
  g_autoptr (GPtrArray) containers = dn_container_list (daemon);

  for (guint i = 0; i < containers->len; i++)
    {
      DnContainer *container = containers->pdata[i];
      gboolean is_due;

      g_mutex_lock (&daemon->lock);
      is_due = container->state == DN_CONTAINER_EXITED && !container->in_guest
               && !container->restart.is_pending && wants_restart (container, TRUE);
      if (is_due)
        make_pending (container, 0);
      g_mutex_unlock (&daemon->lock);
      if (is_due)
        dn_restart_wait (container);
    }
}

JsonObject *
dn_restart_to_json (DnContainer *container)
{
  const DnRestart *restart = &container->restart;
  JsonObject *object = json_object_new ();

  json_object_set_string_member (
      object, "policy", container->options->restart != NULL ? container->options->restart : "no");
  json_object_set_int_member (object, "restarts", (gint64) restart->restarts);
  json_object_set_boolean_member (object, "is_stopped", restart->is_stopped);
  if (restart->is_pending)
    json_object_set_int_member (object, "due_us", restart->due_us);
  return object;
}
