/* SPDX-License-Identifier: Apache-2.0 */
#include "scan-run.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "../common/autofd.h"
#include "../common/error.h"
#include "../common/names.h"
#include "../daemon/daemon.h"
#include "../daemon/settings-file.h"
#include "disk.h"
#include "guest-memory.h"
#include "intake.h"
#include "scan-damage.h"
#include "scan-lines.h"
#include "scan-plan.h"

#define CALL_TIMEOUT_MS 60000
/* From the last byte of the scanner's output to the word of its exit status. */
#define EXIT_WAIT_US (10 * G_USEC_PER_SEC)
#define EXIT_POLL_US (100 * 1000)
#define LOG_BYTES (128 * 1024)
#define LOG_RATE (64 * 1024)
#define SESSION_STDOUT 2 /* ../base/session.h */

typedef struct
{
  DnRequest *request;
  DnSettings *settings;
  DnScanPlan *plan;
  DnImage *image;
  const char *staging;
  gboolean allow_emulation;
  gint64 deadline_us;   /* from when it has its memory */
  guint64 memory_bytes; /* taken */
  gboolean has_waited;
  GMutex lock; /* guards what follows */
  DnGuest *guest;
  gboolean is_cancelled;
  const char *step; /* static text; NULL once it was told */
  int console_fd;
  DnFdList session; /* open as long as the scan is: who closes it is sent nothing any more */
  DnScanLines *lines;
} Scan;

static void
set_step (Scan *scan, const char *step)
{
  g_mutex_lock (&scan->lock);
  scan->step = step;
  g_mutex_unlock (&scan->lock);
}

static void
note_step (const char *step, gpointer data)
{
  Scan *scan = data;

  dn_trace_begin (scan->request->trace, step);
  set_step (scan, "start a guest for the scan");
}

static DnGuestPlan *
make_guest_plan (Scan *scan)
{
  const DnSettings *settings = scan->settings;
  const DnScanPlan *plan = scan->plan;
  DnStore *store = scan->request->daemon->store;
  DnGuestPlan *guest = dn_guest_plan_new ();
  DnGuestDisk *image = dn_store_make_disk (store, scan->image);

  guest->context = g_strdup ("scan");
  guest->hostname = g_strdup ("scan");
  guest->kind = DN_GUEST_KIND_CONTEXT;
  guest->memory_bytes = settings->scan.memory_bytes;
  guest->vcpus = 1;
  guest->host_percent = settings->memory_percent;
  guest->kernel = (DnKernel) settings->kernel;
  guest->boot_timeout_s = (guint) settings->guest_boot_timeout_s;
  guest->transport = (DnTransport) settings->transport;
  guest->allow_emulation = scan->allow_emulation;
  if (plan->scanner != NULL)
    g_ptr_array_add (guest->disks, dn_store_make_disk (store, plan->scanner));
  g_strlcpy (image->serial, plan->image_serial, sizeof image->serial);
  g_ptr_array_add (guest->disks, image);
  if (plan->data_disk != NULL)
    g_ptr_array_add (guest->disks, dn_guest_disk_new (plan->data_disk, DN_SCAN_SERIAL_DATA, TRUE));
  if (plan->program_disk != NULL)
    g_ptr_array_add (guest->disks,
                     dn_guest_disk_new (plan->program_disk, DN_SCAN_SERIAL_PROGRAM, TRUE));
  return guest;
}

/* Its standard error, and what of its output the log's limits let in: with the staging directory it
 * goes. */
static gboolean
add_process (Scan *scan, guint32 streams, GError **error)
{
  DnMsgProcess message = { .streams = streams, .log_bytes = LOG_BYTES, .log_rate = LOG_RATE };
  dn_autofd int first = -1;
  dn_autofd int second = -1;
  g_autofree char *one = g_build_filename (scan->staging, "log.0", NULL);
  g_autofree char *other = g_build_filename (scan->staging, "log.1", NULL);
  const int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_CREAT | O_EXCL;

  first = open (one, flags, 0600);
  second = first >= 0 ? open (other, flags, 0600) : -1;
  if (second < 0)
    return dn_throw_errno (error, "log '%s'", one);
  g_strlcpy (message.container, scan->plan->container, sizeof message.container);
  return dn_guest_add_process (scan->guest, &message, (const int[]){ first, second }, error);
}

static gboolean
call_create (Scan *scan, guint32 streams, GError **error)
{
  const DnImage *scanner = scan->plan->scanner;
  g_autoptr (GArray) layers
      = scanner != NULL ? dn_disk_layers (scanner->layers, scanner->layers->len) : NULL;
  DnMsgCreate message = { .streams = streams };
  DnGuestCall call = { .type = DN_MSG_CREATE,
                       .message = &message,
                       .pack = (int (*) (const void *, guint8 *, gsize)) dn_msg_create_pack,
                       .config = scan->plan->config,
                       .seccomp = scan->plan->seccomp,
                       .disk_layers = layers,
                       .timeout_ms = CALL_TIMEOUT_MS };

  g_strlcpy (message.container, scan->plan->container, sizeof message.container);
  g_strlcpy (message.disk, scan->plan->root_serial, sizeof message.disk);
  return dn_guest_call (scan->guest, &call, error);
}

static gboolean
call_start (Scan *scan, GError **error)
{
  DnMsgStart message = { 0 };
  DnGuestCall call = { .type = DN_MSG_START,
                       .message = &message,
                       .pack = (int (*) (const void *, guint8 *, gsize)) dn_msg_start_pack,
                       .timeout_ms = CALL_TIMEOUT_MS };

  g_strlcpy (message.container, scan->plan->container, sizeof message.container);
  return dn_guest_call (scan->guest, &call, error);
}

/* (transfer full): or NULL where it ended with status 0. */
static char *
describe_exit (const DnMsgExited *exited)
{
  if (exited->oom_kills > 0)
    return g_strdup ("the scanner was killed: its memory was not enough ([scan] memory_mib)");
  if (exited->signal != 0)
    return g_strdup_printf ("the scanner was killed by signal %u", exited->signal);
  return exited->code != 0 ? g_strdup_printf ("the scanner ended with status %u", exited->code)
                           : NULL;
}

/* Asked, not told: what a guest tells by itself may come when this scan is over already.  (transfer
 * full): or NULL where it ended with status 0. */
static char *
wait_for_exit (Scan *scan)
{
  gint64 end_us = MIN (scan->deadline_us, g_get_monotonic_time () + EXIT_WAIT_US);

  do
    {
      g_autoptr (GArray) processes = dn_guest_list_processes (scan->guest, NULL);

      if (processes == NULL)
        return g_strdup ("the scanner's guest ended");
      for (guint i = 0; i < processes->len; i++)
        {
          const DnGuestProcess *process = &g_array_index (processes, DnGuestProcess, i);

          if (process->has_exited && process->exited.process == 0
              && g_str_equal (process->exited.container, scan->plan->container))
            return describe_exit (&process->exited);
        }
      g_usleep (EXIT_POLL_US);
    }
  while (g_get_monotonic_time () < end_us);
  return g_strdup ("the scanner closed its output and does not end");
}

static gboolean
take_line (DnIntake *intake, char **words, gpointer data, GError **error)
{
  (void) intake;
  return dn_scan_lines_add (((Scan *) data)->lines, words, error);
}

static void
take_failure (const char *code, const char *text, gpointer data, GError **error)
{
  (void) code;
  (void) data;
  dn_throw (error, DN_ERROR_GUEST, "%s", text);
}

static gboolean
read_verdict (Scan *scan, GError **error)
{
  static const char *const no_order[] = { NULL };
  gint64 left_us = scan->deadline_us - g_get_monotonic_time ();
  const DnIntakePlan plan = { .task = "verdict",
                              .staging = scan->staging,
                              .order = no_order,
                              .files = { scan->session.fds[SESSION_STDOUT] },
                              .file_count = 1,
                              .timeout_s = (guint) MAX (left_us / G_USEC_PER_SEC, 1),
                              .line = take_line,
                              .failed = take_failure,
                              .data = scan };

  return dn_intake_run (scan->request, &plan, error);
}

/* Whatever the reader says: where the time is over, that is why. */
static DnScan *
judge_failure (Scan *scan, const GError *failure)
{
  g_autofree char *words = NULL;

  if (g_get_monotonic_time () < scan->deadline_us - G_USEC_PER_SEC)
    words = dn_text_clean (failure->message, DN_SCAN_SUMMARY_BYTES);
  else
    words = g_strdup_printf ("the scan took more than %" G_GUINT64_FORMAT " s ([scan] timeout_s)",
                             scan->settings->scan.timeout_s);
  return dn_scan_new (DN_SCAN_ERROR, words);
}

/* The scanner runs.  (transfer full): NULL where the client has gone */
static DnScan *
judge (Scan *scan, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autoptr (DnScan) result = NULL;
  g_autofree char *bad_end = NULL;

  if (read_verdict (scan, &failure))
    result = dn_scan_lines_finish (scan->lines, &failure);
  if (result == NULL && dn_request_is_gone (scan->request))
    {
      dn_throw (error, DN_ERROR_FAILED, "the client has gone");
      return NULL;
    }
  if (result == NULL)
    return judge_failure (scan, failure);
  /* Damage that was read before that is known by then: its message came first. */
  bad_end = wait_for_exit (scan);
  if (bad_end == NULL && dn_scan_damage_was_seen (scan->guest))
    bad_end = g_strdup ("a block of the image is damaged (danchi image verify)");
  return bad_end != NULL ? dn_scan_new (DN_SCAN_ERROR, bad_end) : g_steal_pointer (&result);
}

static gboolean
start_scanner (Scan *scan, GError **error)
{
  guint32 streams = dn_guest_take_streams (scan->guest);

  dn_trace_begin (scan->request->trace, "scan");
  set_step (scan, "scan the image");
  return add_process (scan, streams, error)
         && dn_guest_open_session (scan->guest, scan->plan->container, 0, DN_SESSION_STDOUT,
                                   &scan->session, error)
         && call_create (scan, streams, error) && call_start (scan, error);
}

static gboolean
wait_for_memory (gpointer data, GError **error)
{
  Scan *scan = data;
  gboolean is_cancelled;

  if (!scan->has_waited)
    set_step (scan, "wait for memory");
  scan->has_waited = TRUE;
  g_mutex_lock (&scan->lock);
  is_cancelled = scan->is_cancelled;
  g_mutex_unlock (&scan->lock);
  return !is_cancelled || dn_throw (error, DN_ERROR_FAILED, "the client has gone");
}

/* On a thread beside: until the scanner runs. */
static gboolean
work (gpointer data, GError **error)
{
  Scan *scan = data;
  g_autoptr (DnGuestPlan) plan = make_guest_plan (scan);
  const DnGuestHandlers handlers = { .disk_damage = dn_scan_damage_take };
  DnGuest *guest;
  gboolean is_fine;

  if (!dn_guest_memory_take (scan->settings, plan->memory_bytes, wait_for_memory, scan, error))
    return FALSE;
  scan->memory_bytes = plan->memory_bytes;
  scan->deadline_us
      = g_get_monotonic_time () + (gint64) scan->settings->scan.timeout_s * G_USEC_PER_SEC;
  guest = dn_guest_start (plan, &handlers, note_step, scan, &scan->console_fd, error);
  if (guest == NULL)
    return FALSE;
  dn_scan_damage_watch (guest);
  g_mutex_lock (&scan->lock);
  scan->guest = guest;
  is_fine = !scan->is_cancelled;
  g_mutex_unlock (&scan->lock);
  return is_fine ? start_scanner (scan, error)
                 : dn_throw (error, DN_ERROR_FAILED, "the client has gone");
}

static void
tick (DnRequest *request, gpointer data)
{
  Scan *scan = data;
  const char *step;

  g_mutex_lock (&scan->lock);
  step = g_steal_pointer (&scan->step);
  g_mutex_unlock (&scan->lock);
  if (step == NULL)
    return;
  request->steps++;
  dn_request_progress (request, step, 0, 0);
}

/* The guest's end closes the scanner's output, which ends its reader. */
static void
cancel (gpointer data)
{
  Scan *scan = data;
  DnGuest *guest;

  g_mutex_lock (&scan->lock);
  scan->is_cancelled = TRUE;
  guest = scan->guest != NULL ? dn_guest_ref (scan->guest) : NULL;
  g_mutex_unlock (&scan->lock);
  if (guest == NULL)
    return;
  dn_guest_destroy (guest);
  dn_guest_unref (guest);
}

/* Everything that is the guest's ends here, whatever happened. */
static DnScan *
run_planned (Scan *scan, GError **error)
{
  const DnRequestJob job = { .work = work, .tick = tick, .cancel = cancel, .data = scan };
  DnScan *result = NULL;

  g_mutex_init (&scan->lock);
  if (dn_request_supervise (scan->request, &job, error))
    {
      tick (scan->request, scan);
      result = judge (scan, error);
    }
  if (scan->guest != NULL)
    {
      dn_guest_destroy (scan->guest);
      dn_scan_damage_forget (scan->guest);
      dn_guest_unref (scan->guest);
    }
  dn_guest_memory_give (scan->memory_bytes);
  dn_fd_list_clear (&scan->session);
  g_mutex_clear (&scan->lock);
  if (scan->console_fd >= 0)
    {
      dn_fd_clear (&scan->request->console_fd);
      scan->request->console_fd = scan->console_fd;
    }
  return result;
}

static DnScan *
run_staged (Scan *scan, GError **error)
{
  g_autoptr (DnScanPlan) plan = dn_scan_plan_new (scan->request->daemon, &scan->settings->scan,
                                                  scan->image, scan->staging, error);
  g_autoptr (DnScanLines) lines = dn_scan_lines_new ();
  DnScan *result;

  if (plan == NULL)
    return NULL;
  scan->plan = plan;
  scan->lines = lines;
  result = run_planned (scan, error);
  if (result == NULL)
    return NULL;
  g_free (result->scanner);
  result->scanner = g_strdup (plan->words);
  g_strfreev (result->data);
  result->data = g_strdupv (plan->data);
  return result;
}

DnScan *
dn_scan_run (DnRequest *request, DnImage *image, gboolean allow_emulation, GError **error)
{
  DnStore *store = request->daemon->store;
  g_autoptr (DnSettings) settings = dn_settings_get (request->daemon);
  char *staging = dn_store_begin_staging (store, error);
  Scan scan = { .request = request,
                .settings = settings,
                .image = image,
                .staging = staging,
                .allow_emulation = allow_emulation || settings->allow_emulation,
                .console_fd = -1,
                .session = DN_FD_LIST_INIT };
  DnScan *result;

  if (staging == NULL)
    return NULL;
  result = run_staged (&scan, error);
  dn_store_end_staging (store, staging);
  return result;
}
