/* SPDX-License-Identifier: Apache-2.0 */
#include "container-start.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "../common/autofd.h"
#include "../common/error.h"
#include "../common/json.h"
#include "../images/disk.h"
#include "../images/image-scan.h"
#include "../pods/pod-container.h"
#include "../spec/admission.h"
#include "container-admission.h"
#include "container-call.h"
#include "container-end.h"
#include "container-part.h"
#include "container-spec.h"
#include "context-freeze.h"
#include "context-guest.h"
#include "settings-file.h"

/* The agent mounts, makes namespaces and waits for its child; an emulated guest is slow at it. */
#define CREATE_TIMEOUT_MS 100000 /* its root may come through a busy host's share */
#define START_TIMEOUT_MS 60000

typedef struct
{
  DnContainer *container;
  const DnContainerStart *plan;
  DnRequest *request;
  guint slot;
  DnImage *image;       /* owned */
  char *config;         /* owned; config.json */
  GBytes *seccomp;      /* owned */
  char *seccomp_hash;   /* owned */
  char **relaxations;   /* owned */
  DnGuest *guest;       /* owned, once entered */
  gboolean is_in_guest; /* CREATE was sent */
  guint32 streams;
  guint32 flags;
  gboolean has_started;
  DnMsgStarted started;
} Start;

static void
clear_start (Start *start)
{
  dn_image_unref (start->image);
  g_free (start->config);
  g_clear_pointer (&start->seccomp, g_bytes_unref);
  g_free (start->seccomp_hash);
  g_strfreev (start->relaxations);
  if (start->guest != NULL)
    dn_guest_unref (start->guest);
}

static void
step (const char *name, gpointer data)
{
  static const char *const words[][2] = {
    { "journal", "prepare a guest" },   { "relay", "start its relay" },
    { "libvirt", "start its machine" }, { "kernel", "boot its kernel" },
    { "agent", "wait for its agent" },
  };
  Start *start = data;
  const char *shown = name;

  for (gsize i = 0; i < G_N_ELEMENTS (words); i++)
    if (g_str_equal (words[i][0], name))
      shown = words[i][1];
  dn_trace_begin (start->request->trace, name);
  start->request->steps++;
  dn_request_progress (start->request, shown, 0, 0);
}

JsonNode *
dn_container_build_spec (DnContainer *container, guint slot, GError **error)
{
  g_autoptr (DnImage) image = dn_store_find_id (container->daemon->store, container->image_id);
  g_autoptr (DnContainerOptions) options = dn_container_copy_options (container);
  g_autoptr (JsonNode) spec = NULL;
  DnImageConfig config;

  if (container->pod != NULL)
    return dn_pod_container_spec (container, options, slot);
  if (image == NULL)
    {
      dn_throw (error, DN_ERROR_NOT_FOUND, "image '%s': is not in the store any more",
                container->image);
      return NULL;
    }
  config = image->config;
  config.volumes = image->volumes;
  spec = dn_spec_build (options, container->profile, &config, container->id,
                        DN_CONTEXT_FIRST_UID + slot * DN_CONTEXT_UIDS, error);
  return spec != NULL && dn_container_parts_specify (container, options, slot, spec, error)
             ? g_steal_pointer (&spec)
             : NULL;
}

/* Where a verdict has become too old, or images are scanned only from now on. */
static gboolean
scan_image (DnContainer *container, const DnContainerStart *plan, DnRequest *request,
            GError **error)
{
  g_autoptr (DnImage) image = dn_store_find_id (container->daemon->store, container->image_id);
  g_autoptr (DnContainerOptions) options = dn_container_copy_options (container);

  /* One that is gone is told of later. */
  return image == NULL
         || dn_image_scan_when (request, image, NULL, DN_SCAN_WHEN_START,
                                options->allow_emulation || plan->allow_emulation, error);
}

/* Once more against the policy: it may have become narrower since the container was made. */
static gboolean
compile_filter (Start *start, const DnContainerOptions *options, GError **error)
{
  DnContainer *container = start->container;
  const char *json = options->seccomp_json;
  g_auto (DnVerdict) verdict = { 0 };
  guint64 ambient;

  if (container->pod != NULL)
    {
      start->seccomp
          = dn_pod_container_filter (container, &start->relaxations, &start->seccomp_hash, error);
      return start->seccomp != NULL;
    }
  if (!dn_container_admit (container, options, start->request, &verdict, error))
    return FALSE;
  start->relaxations = g_steal_pointer (&verdict.relaxations);
  if (json != NULL && g_str_equal (json, DN_SECCOMP_NO_FILTER))
    json = NULL;
  start->seccomp = dn_seccomp_compile (
      json, (DnSeccompBase) verdict.seccomp,
      dn_admission_capabilities (container->profile, options->cap_add, options->cap_drop, &ambient),
      &start->seccomp_hash, error);
  return start->seccomp != NULL;
}

/* Whatever can be found wrong without a guest is found before one is started. */
static gboolean
prepare (Start *start, GError **error)
{
  DnContainer *container = start->container;
  g_autoptr (DnContainerOptions) options = dn_container_copy_options (container);
  g_autoptr (JsonNode) spec = dn_container_build_spec (container, start->slot, error);

  if (spec == NULL)
    return FALSE;
  start->image = dn_store_find_id (container->daemon->store, container->image_id);
  if (start->image == NULL && container->pod == NULL)
    return dn_throw (error, DN_ERROR_NOT_FOUND, "image '%s': is not in the store any more",
                     container->image);
  start->config = dn_json_to_text (spec, FALSE);
  if (strlen (start->config) > DN_PART_TOTAL_BYTES)
    return dn_throw (error, DN_ERROR_LIMIT,
                     "container: its configuration has more than %d bytes\nshorten its command or "
                     "environment",
                     DN_PART_TOTAL_BYTES);
  if (!compile_filter (start, options, error))
    return FALSE;
  start->flags = (options->has_terminal ? DN_PROCESS_TERMINAL : 0)
                 | (options->keeps_stdin_open || (start->plan->session & DN_SESSION_STDIN) != 0
                        ? DN_PROCESS_STDIN
                        : 0)
                 | (options->has_init ? DN_PROCESS_REAPER : 0);
  return TRUE;
}

gboolean
dn_container_open_logs (const DnContainer *container, int ret_fds[2], GError **error)
{
  for (guint half = 0; half < 2; half++)
    {
      g_autofree char *path = dn_container_log_path (container, half);

      ret_fds[half] = open (path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_CREAT, 0600);
      if (ret_fds[half] < 0)
        {
          dn_throw_errno (error, "log '%s'", path);
          if (half == 1)
            (void) close (ret_fds[0]);
          ret_fds[0] = ret_fds[1] = -1;
          return FALSE;
        }
    }
  return TRUE;
}

static gboolean
add_process (Start *start, GError **error)
{
  g_autoptr (DnSettings) settings = dn_settings_get (start->container->daemon);
  DnMsgProcess message = { .process = 0,
                           .streams = start->streams,
                           .flags = start->flags,
                           .log_bytes = settings->log_bytes,
                           .log_rate = settings->log_rate };
  int logs[2];
  gboolean is_fine;

  if (!dn_container_open_logs (start->container, logs, error))
    return FALSE;
  g_strlcpy (message.container, start->container->id, sizeof message.container);
  is_fine = dn_guest_add_process (start->guest, &message, logs, error);
  (void) close (logs[0]);
  (void) close (logs[1]);
  return is_fine;
}

static gboolean
call_create (Start *start, GError **error)
{
  g_autoptr (GArray) layers = start->image != NULL
                                  ? dn_disk_layers (start->image->layers, start->image->layers->len)
                                  : NULL;
  DnMsgCreate message = { .streams = start->streams,
                          .flags = start->flags,
                          .rows = start->plan->rows,
                          .columns = start->plan->columns };
  DnGuestCall call = { .type = DN_MSG_CREATE,
                       .message = &message,
                       .pack = (DnPackFunc) dn_msg_create_pack,
                       .config = start->config,
                       .seccomp = start->seccomp,
                       .disk_layers = layers,
                       .timeout_ms = CREATE_TIMEOUT_MS };

  g_strlcpy (message.container, start->container->id, sizeof message.container);
  if (start->image != NULL)
    dn_image_disk_serial (start->image, message.disk);
  start->is_in_guest = TRUE;
  return dn_guest_call (start->guest, &call, error);
}

static void
take_started (guint16 type, const guint8 *payload, guint32 size, gpointer data)
{
  Start *start = data;

  if (type == DN_MSG_STARTED)
    start->has_started = dn_msg_started_unpack (payload, size, &start->started) == 0;
}

static gboolean
call_start (Start *start, GError **error)
{
  DnMsgStart message = { 0 };
  DnGuestCall call = { .type = DN_MSG_START,
                       .message = &message,
                       .pack = (DnPackFunc) dn_msg_start_pack,
                       .timeout_ms = START_TIMEOUT_MS,
                       .answer = take_started,
                       .answer_data = start };

  g_strlcpy (message.container, start->container->id, sizeof message.container);
  return dn_guest_call (start->guest, &call, error);
}

/* Under op_lock.  On disk before anything of it is in a guest: after a crash danchid asks the guest
 * what became of it. */
static gboolean
journal (Start *start, GError **error)
{
  DnContainer *container = start->container;

  g_mutex_lock (&container->daemon->lock);
  container->is_starting = TRUE;
  container->in_guest = TRUE;
  container->is_drained = FALSE;
  container->is_hurried = FALSE;
  container->has_early_exit = FALSE;
  container->has_session = start->plan->session != 0;
  container->slot = start->slot;
  container->run++;
  container->oom = (DnOomVictim){ 0 };
  g_clear_pointer (&container->refusals, g_array_unref);
  container->damage = (DnDamage){ 0 };
  g_clear_pointer (&container->exit_reason, g_free);
  g_mutex_unlock (&container->daemon->lock);
  return dn_container_save_state (container, error);
}

static gboolean
run_in_guest (Start *start, DnPartStart *part, DnFdList *ret_session, GError **error)
{
  DnContainer *container = start->container;

  if (!dn_container_parts_enter (part, error))
    return FALSE;
  start->streams = dn_guest_take_streams (start->guest);
  if (!dn_container_spec_save (container, start->config, error) || !add_process (start, error))
    return FALSE;
  /* Before the process is: its first byte of output already has somewhere to go. */
  if (start->plan->session != 0
      && !dn_guest_open_session (start->guest, container->id, 0, start->plan->session, ret_session,
                                 error))
    return FALSE;
  dn_trace_begin (start->request->trace, "create");
  start->request->steps++;
  dn_request_progress (start->request, "create the container", 0, 0);
  if (!call_create (start, error) || !dn_container_parts_furnish (part, error))
    return FALSE;
  dn_trace_begin (start->request->trace, "container");
  return call_start (start, error);
}

static void
succeed (Start *start)
{
  DnContainer *container = start->container;
  g_autofree char *spec_hash = g_compute_checksum_for_string (G_CHECKSUM_SHA256, start->config, -1);

  g_mutex_lock (&container->daemon->lock);
  container->is_starting = FALSE;
  container->is_provisional = FALSE;
  container->state = DN_CONTAINER_RUNNING;
  container->started_us = g_get_real_time ();
  container->finished_us = 0;
  container->exit_code = 0;
  container->exit_signal = 0;
  container->is_oom_killed = FALSE;
  container->restart.is_stopped = FALSE;
  container->restart.is_pending = FALSE;
  container->has_started = start->has_started;
  container->started = start->started;
  g_clear_pointer (&container->reason, g_free);
  g_free (container->spec_sha256);
  container->spec_sha256 = g_steal_pointer (&spec_hash);
  g_free (container->seccomp_sha256);
  container->seccomp_sha256 = g_strdup (start->seccomp_hash);
  g_strfreev (container->relaxations);
  container->relaxations = g_strdupv (start->relaxations);
  g_cond_broadcast (&container->daemon->changed);
  g_mutex_unlock (&container->daemon->lock);
  dn_container_save_state_or_warn (container);
  dn_container_event (container, "start", NULL);
  /* What happened while this was not over yet: after `start` in the events, as in the world. */
  g_mutex_lock (&container->daemon->lock);
  if (container->has_early_exit)
    dn_container_end (container, &container->early_exit);
  else if (container->context->guest != start->guest)
    dn_container_end_all (container->context, "the guest ended while the container was started");
  g_mutex_unlock (&container->daemon->lock);
}

static void
undo (Start *start)
{
  DnContainer *container = start->container;
  DnMsgDelete message = { 0 };

  if (start->guest != NULL && start->is_in_guest
      && !dn_context_goes_with_container (container->context))
    {
      g_strlcpy (message.container, container->id, sizeof message.container);
      (void) dn_container_call (start->guest, DN_MSG_DELETE, &message,
                                (DnPackFunc) dn_msg_delete_pack, DN_CALL_TIMEOUT_MS, NULL);
    }
  if (start->guest != NULL)
    (void) dn_guest_forget_process (start->guest, container->id, 0, NULL);
  dn_container_parts_leave (
      container, dn_context_goes_with_container (container->context) ? NULL : start->guest);
  g_mutex_lock (&container->daemon->lock);
  container->is_starting = FALSE;
  container->in_guest = FALSE;
  g_cond_broadcast (&container->daemon->changed);
  g_mutex_unlock (&container->daemon->lock);
  dn_container_save_state_or_warn (container);
}

static gboolean
start_reserved (Start *start, DnFdList *ret_session, GError **error)
{
  DnContainer *container = start->container;
  g_autoptr (DnContainerOptions) options = dn_container_copy_options (container);
  DnContextEntry entry
      = { .allow_emulation = options->allow_emulation || start->plan->allow_emulation,
          .step = step,
          .step_data = start };
  DnPartStart part = { .container = container,
                       .options = options,
                       .plan = start->plan,
                       .request = start->request,
                       .slot = start->slot,
                       .entry = &entry };
  int console = -1;

  if (!prepare (start, error))
    return FALSE;
  entry.image = start->image;
  part.image = start->image;
  if (!dn_container_parts_prepare (&part, error))
    {
      dn_container_parts_leave (container, NULL);
      return FALSE;
    }
  start->guest = dn_context_enter (container->context, &entry, &console, error);
  if (console >= 0)
    {
      dn_fd_clear (&start->request->console_fd);
      start->request->console_fd = console;
    }
  if (start->guest == NULL)
    {
      dn_container_parts_leave (container, NULL);
      return FALSE;
    }
  part.guest = start->guest;
  if (journal (start, error) && run_in_guest (start, &part, ret_session, error))
    {
      succeed (start);
      return TRUE;
    }
  dn_fd_list_clear (ret_session);
  undo (start);
  return FALSE;
}

static gboolean
is_running (DnContainer *container, gboolean *ret_is_paused)
{
  DnContainerState state;

  g_mutex_lock (&container->daemon->lock);
  state = container->state;
  g_mutex_unlock (&container->daemon->lock);
  *ret_is_paused = state == DN_CONTAINER_PAUSED;
  return state == DN_CONTAINER_RUNNING;
}

gboolean
dn_container_start (DnContainer *container, const DnContainerStart *plan, DnRequest *request,
                    DnFdList *ret_session, GError **error)
{
  Start start = { .container = container, .plan = plan, .request = request };
  gboolean is_paused, is_fine;

  dn_trace_begin (request->trace, "admission");
  if (container->is_removed)
    return dn_throw (error, DN_ERROR_NOT_FOUND, "container '%s': was removed", container->name);
  if (is_running (container, &is_paused) && plan->contents != NULL)
    return dn_throw (error, DN_ERROR_CONFLICT,
                     "container '%s': runs, and has its secrets\nfor new contents there is danchi "
                     "secret update",
                     container->name);
  if (is_running (container, &is_paused))
    return plan->session == 0 || dn_container_attach (container, plan->session, ret_session, error);
  if (is_paused)
    return dn_throw (error, DN_ERROR_CONFLICT,
                     "container '%s': is paused\nuse danchi unpause, or stop it first",
                     container->name);
  if (!dn_context_check_thawed (container->context, error))
    return FALSE;
  /* The last run's output may still be on its way to a slow reader: he has lost it now. */
  dn_container_hurry (container);
  dn_container_leave_guest (container);
  if (!scan_image (container, plan, request, error)
      || !dn_context_reserve (container->context, &start.slot, error))
    return FALSE;
  is_fine = start_reserved (&start, ret_session, error);
  if (!is_fine)
    dn_context_release (container->context, start.slot,
                        start.guest != NULL ? dn_guest_id (start.guest) : "", container->image_id);
  clear_start (&start);
  return is_fine;
}

gboolean
dn_container_attach (DnContainer *container, guint32 session, DnFdList *ret_session, GError **error)
{
  g_autoptr (DnGuest) guest = dn_container_get_guest (container, error);

  if (guest == NULL)
    return FALSE;
  g_mutex_lock (&container->daemon->lock);
  container->has_session = TRUE;
  g_mutex_unlock (&container->daemon->lock);
  return dn_guest_open_session (guest, container->id, 0, session, ret_session, error);
}
