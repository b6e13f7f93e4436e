/* SPDX-License-Identifier: Apache-2.0 */
/* From a plan to an agent that answers.  What is made, and in which order, is in guest.h. */
#include <string.h>
#include <unistd.h>

#include "../../protocol/milestone.h"
#include "../common/error.h"
#include "../common/paths.h"
#include "../network/plan.h"
#include "boot-files.h"
#include "domain-xml.h"
#include "guest-private.h"
#include "host-clock.h"
#include "hypervisor.h"
#include "process.h"
#include "relay-process.h"

/* On the kernel's command line: images/modules.list. */
#define SCRATCH_WORD "danchi.scratch"
#define SHARE_WORD "danchi.share"
/* Of milliseconds of work; the rest is for an emulated guest on a loaded host. */
#define CONFIGURE_TIMEOUT_MS 30000
#define QEMU_PROCESS "qemu-system"
/* Without a milestone (its way, the console, may be broken) the agent is tried all the same: on
 * vsock often, since an agent that does not listen refuses at once; on serial late, since what is
 * sent before the agent reads piles up in the port. */
#define RETRY_VSOCK_MS 1000
#define RETRY_SERIAL_MS 10000
#define RETRY_LOST_LINK_MS 300
/* A guest of whose kernel nothing is heard in the first half of its time is given up and started
 * once more: KVM on a virtual machine now and then loses a guest in its first instructions. */
#define STARTS_MAX 2

typedef struct
{
  const DnGuestPlan *plan;
  DnGuestStepFunc step;
  gpointer step_data;
  const char *step_name;
  DnBootFiles files;
  gboolean is_last; /* no other start follows this one */
  gboolean was_silent;
} Start;

static void
enter_step (Start *start, const char *name)
{
  start->step_name = name;
  if (start->step != NULL)
    start->step (name, start->step_data);
}

/* Where libvirt surely can limit QEMU, which is on a host whose systemd has the unified hierarchy,
 * the domain asks for it and has no moment without.  Elsewhere a domain that asks may be refused as
 * a whole: there it is limited right after its start, as far as the host can. */
static gboolean
host_has_cgroups (void)
{
  g_autofree char *controllers = NULL;

  return access ("/run/systemd/system", F_OK) == 0
         && g_file_get_contents ("/sys/fs/cgroup/cgroup.controllers", &controllers, NULL, NULL)
         && strstr (controllers, "cpu") != NULL && strstr (controllers, "memory") != NULL;
}

/* (transfer full) */
static char *
build_cmdline (const DnJournalEntry *entry, const Start *start)
{
  guint khz = entry->accelerator == DN_ACCELERATOR_TCG ? dn_host_clock_khz () : 0;
  g_autofree char *clock = khz != 0 ? g_strdup_printf (" tsc_early_khz=%u", khz) : g_strdup ("");

  return g_strconcat (start->files.cmdline, start->plan->has_scratch ? " " SCRATCH_WORD : "",
                      entry->has_share ? " " SHARE_WORD : "", clock, NULL);
}

static char *
build_xml (const DnGuest *guest, const Start *start, gboolean *ret_has_host_limits,
           guint64 *ret_limit_bytes, GError **error)
{
  g_autofree char *model = dn_hypervisor_get_security_model (error);
  const DnJournalEntry *entry = guest->entry;
  g_autofree char *cmdline = build_cmdline (entry, start);
  g_autofree char *secret = g_build_filename (guest->directory, "secret", NULL);
  g_autofree char *console = g_build_filename (guest->directory, "console.sock", NULL);
  g_autofree char *agent = g_build_filename (guest->directory, "agent.sock", NULL);
  g_autofree char *share = entry->has_share ? dn_guest_share_socket (guest) : NULL;
  char tap[DN_NETWORK_TAP_BYTES], mac[DN_NETWORK_MAC_TEXT_BYTES];
  const DnDomain domain = { .id = guest->id,
                            .context = guest->context,
                            .owner = dn_paths ()->run,
                            .accelerator = entry->accelerator,
                            .memory_bytes = entry->memory_bytes,
                            .vcpus = entry->vcpus,
                            .uid = entry->uid,
                            .gid = entry->gid,
                            .vsock_cid = entry->vsock_cid,
                            .security_model = model,
                            .mcs = start->plan->mcs,
                            .firmware = start->files.firmware,
                            .kernel = start->files.kernel,
                            .initrd = start->files.initrd,
                            .cmdline = cmdline,
                            .secret = secret,
                            .console = console,
                            .agent = agent,
                            .share = share,
                            .root = start->files.root,
                            .tap = entry->has_card ? tap : NULL,
                            .mac = mac,
                            .disks = start->plan->disks,
                            .spare_disks = entry->spare_disks,
                            .limits = entry->limits,
                            .has_balloon = entry->has_balloon,
                            .has_host_cgroups = host_has_cgroups () };

  dn_network_tap_name (entry->slot, tap);
  dn_network_slot_mac (entry->slot, mac);
  *ret_has_host_limits = domain.has_host_cgroups;
  *ret_limit_bytes = dn_domain_host_limit_bytes (&domain);
  return model != NULL ? dn_domain_xml_build (&domain, error) : NULL;
}

static gboolean
start_relay (DnGuest *guest, GError **error)
{
  gboolean is_done;

  g_mutex_lock (&guest->journal_lock);
  is_done = dn_relay_process_start (guest->directory, guest->entry, error);
  g_mutex_unlock (&guest->journal_lock);
  return is_done && dn_guest_open_channel (guest, error);
}

static void
fill_info (DnGuest *guest)
{
  g_mutex_lock (&guest->lock);
  dn_guest_describe (&guest->info, guest->entry);
  g_mutex_unlock (&guest->lock);
}

static gboolean
start_domain (DnGuest *guest, const Start *start, GError **error)
{
  gboolean has_host_limits;
  guint64 limit_bytes;
  g_autofree char *xml = build_xml (guest, start, &has_host_limits, &limit_bytes, error);
  g_autofree char *uuid = NULL;
  gint pid;

  if (xml == NULL || !dn_hypervisor_start (xml, DN_GUEST_LIBVIRT_TIMEOUT_MS, &uuid, error))
    return FALSE;
  pid = dn_process_find (guest->entry->uid, QEMU_PROCESS);
  guest->qemu_start_ticks = dn_process_start_ticks (pid);
  g_mutex_lock (&guest->lock);
  guest->info.domain_uuid = g_steal_pointer (&uuid);
  guest->info.qemu_pid = pid;
  g_mutex_unlock (&guest->lock);
  if (pid == 0)
    return dn_throw (error, DN_ERROR_HYPERVISOR, "QEMU ended right after its start");
  g_mutex_lock (&guest->journal_lock);
  guest->entry->host_limit_bytes = limit_bytes; /* with the next write */
  g_mutex_unlock (&guest->journal_lock);
  fill_info (guest);
  if (!has_host_limits)
    dn_guest_limit_after_start (guest);
  dn_guest_limit_share (guest);
  return TRUE;
}

/* Why the guest will not come up, or NULL.  Under the lock. */
static char *
find_problem (const DnGuest *guest)
{
  if (guest->domain_end != NULL)
    return g_strdup (guest->domain_end);
  if (!guest->has_relay)
    return g_strdup ("the relay ended");
  if (guest->is_suspect)
    return g_strdup_printf ("the guest broke the protocol: %s", guest->link_problem);
  return NULL;
}

typedef enum
{
  WAIT_LINKED,
  WAIT_TRY, /* it is time to connect */
  WAIT_SILENT,
  WAIT_LATE,
  WAIT_PROBLEM,
} WaitResult;

typedef struct
{
  gint64 try_us;
  gint64 silence_us; /* by then a milestone must have come */
  gint64 end_us;
  gboolean has_tried; /* since the agent listens */
} Patience;

static guint
boot_timeout_s (const DnGuest *guest, const DnGuestPlan *plan)
{
  return guest->entry->accelerator == DN_ACCELERATOR_KVM ? plan->boot_timeout_s
                                                         : plan->boot_timeout_s * 3 / 2;
}

/* Sleeps until something is to be done.  Under the lock. */
static WaitResult
wait_for_boot (DnGuest *guest, const Patience *patience, char **ret_problem)
{
  for (;;)
    {
      gint64 now_us = g_get_monotonic_time ();
      gboolean is_listening = guest->milestone >= DN_MILESTONE_LISTENING;

      if (guest->is_linked)
        return WAIT_LINKED;
      if ((*ret_problem = find_problem (guest)) != NULL)
        return WAIT_PROBLEM;
      if (now_us >= patience->end_us)
        return WAIT_LATE;
      if (guest->milestone == 0 && now_us >= patience->silence_us)
        return WAIT_SILENT;
      if ((is_listening && !patience->has_tried) || now_us >= patience->try_us)
        return WAIT_TRY;
      /* A second at most: an event of libvirt's may be missed, QEMU's process not. */
      if (!g_cond_wait_until (
              &guest->changed, &guest->lock,
              MIN (MIN (patience->end_us, patience->try_us), now_us + G_TIME_SPAN_SECOND))
          && dn_process_start_ticks (guest->info.qemu_pid) != guest->qemu_start_ticks
          && guest->domain_end == NULL)
        guest->domain_end = g_strdup ("QEMU ended");
    }
}

/* Asks the relay to connect, and says when to ask again. */
static void
try_channel (DnGuest *guest, gboolean was_listening, Patience *patience)
{
  gint64 retry_us
      = (guest->entry->transport == DN_TRANSPORT_VSOCK ? RETRY_VSOCK_MS : RETRY_SERIAL_MS)
        * G_TIME_SPAN_MILLISECOND;
  g_autoptr (GError) refused = NULL;

  patience->has_tried = was_listening;
  /* Refused: the agent is not there yet.  Where it is, again soon. */
  patience->try_us = g_get_monotonic_time ()
                     + (dn_guest_send_channel (guest, &refused) || !was_listening
                            ? retry_us
                            : RETRY_LOST_LINK_MS * G_TIME_SPAN_MILLISECOND);
}

static gboolean
wait_for_agent (DnGuest *guest, Start *start, GError **error)
{
  guint timeout_s = boot_timeout_s (guest, start->plan);
  gint64 now_us = g_get_monotonic_time ();
  Patience patience
      = { .try_us
          = now_us
            + (guest->entry->transport == DN_TRANSPORT_VSOCK ? RETRY_VSOCK_MS : RETRY_SERIAL_MS)
                  * G_TIME_SPAN_MILLISECOND,
          .silence_us = start->is_last ? G_MAXINT64 : now_us + timeout_s * G_TIME_SPAN_SECOND / 2,
          .end_us = now_us + timeout_s * G_TIME_SPAN_SECOND };

  for (;;)
    {
      g_autofree char *problem = NULL;
      gboolean was_listening;
      WaitResult result;

      g_mutex_lock (&guest->lock);
      result = wait_for_boot (guest, &patience, &problem);
      was_listening = guest->milestone >= DN_MILESTONE_LISTENING;
      g_mutex_unlock (&guest->lock);
      if (was_listening && strcmp (start->step_name, "agent") != 0)
        enter_step (start, "agent");
      switch (result)
        {
        case WAIT_LINKED:
          return TRUE;
        case WAIT_TRY:
          try_channel (guest, was_listening, &patience);
          break;
        case WAIT_PROBLEM:
          return dn_throw (error, DN_ERROR_GUEST, "%s", problem);
        case WAIT_SILENT:
          start->was_silent = TRUE;
          return dn_throw (error, DN_ERROR_GUEST, "no sign of life within %u s", timeout_s / 2);
        case WAIT_LATE:
          return dn_throw (error, DN_ERROR_GUEST, "no answer within %u s", timeout_s);
        }
    }
}

static gboolean
configure (DnGuest *guest, GError **error)
{
  DnMsgConfigure message = { .time_ns = (guint64) g_get_real_time () * 1000 };
  DnGuestCall call = { .type = DN_MSG_CONFIGURE,
                       .message = &message,
                       .pack = (int (*) (const void *, guint8 *, gsize)) dn_msg_configure_pack,
                       .timeout_ms = CONFIGURE_TIMEOUT_MS };

  g_strlcpy (message.hostname, guest->hostname, sizeof message.hostname);
  return dn_guest_call_in_any_state (guest, &call, error);
}

static gboolean
make_running (DnGuest *guest, GError **error)
{
  gboolean is_running;

  g_mutex_lock (&guest->journal_lock);
  g_free (guest->entry->state);
  guest->entry->state = g_strdup ("running");
  g_mutex_unlock (&guest->journal_lock);
  if (!dn_guest_write_journal (guest, error))
    return FALSE;
  g_mutex_lock (&guest->lock);
  /* It may have ended since the agent's last answer: from here on the reader and libvirt's events
   * take care of that, until here we do. */
  is_running = guest->domain_end == NULL && guest->is_linked;
  if (is_running)
    guest->state = DN_GUEST_RUNNING;
  g_mutex_unlock (&guest->lock);
  if (!is_running)
    return dn_throw (error, DN_ERROR_GUEST, "the guest ended right after its start");
  dn_guest_watch_share (guest);
  return TRUE;
}

static gboolean
run_start (DnGuest *guest, Start *start, GError **error)
{
  enter_step (start, "journal");
  if (!dn_boot_files_find (start->plan->kind, start->plan->kernel, start->plan->has_network,
                           &start->files, error)
      || !dn_guest_prepare (guest, start->plan, error))
    return FALSE;
  g_mutex_lock (&guest->journal_lock);
  /* With the next write. */
  guest->entry->root_hash = dn_boot_files_root_hash (&start->files);
  guest->entry->kernel_path = g_strdup (start->files.kernel);
  guest->entry->initrd_path = g_strdup (start->files.initrd);
  guest->entry->root_path = g_strdup (start->files.root);
  g_mutex_unlock (&guest->journal_lock);
  enter_step (start, "relay");
  if (!start_relay (guest, error))
    return FALSE;
  fill_info (guest);
  enter_step (start, "libvirt");
  if (!start_domain (guest, start, error))
    return FALSE;
  enter_step (start, "kernel");
  return wait_for_agent (guest, start, error) && configure (guest, error)
         && make_running (guest, error);
}

/* The last line QEMU printed, which is often the reason. QEMU's words may hold a guest's: they are
 * made one printable line. */
static char *
read_qemu_words (const DnGuest *guest)
{
  g_autofree char *path = g_strdup_printf ("/var/log/libvirt/qemu/%s.log", guest->domain);
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    return NULL;
  lines = g_strsplit (text, "\n", -1);
  for (guint i = g_strv_length (lines); i > 0; i--)
    if (strstr (lines[i - 1], "qemu-system-x86_64: ") != NULL)
      return dn_hypervisor_flatten (lines[i - 1]);
  return NULL;
}

/* Step, how far the guest came, why, what to do. */
static void
explain (DnGuest *guest, const Start *start, GError **error)
{
  g_autofree char *words = NULL;
  g_autofree char *message = g_steal_pointer (&(*error)->message);
  gboolean was_booting
      = strcmp (start->step_name, "kernel") == 0 || strcmp (start->step_name, "agent") == 0;
  /* A guest that finds a wrong block is gone at once: what it met is found out here. */
  g_autofree char *damage = was_booting ? dn_boot_files_find_damage (&start->files) : NULL;
  char *hint = strchr (message, '\n');
  guint32 milestone;

  if (hint != NULL)
    *hint++ = '\0';
  if (damage != NULL && (hint = strchr (damage, '\n')) != NULL)
    *hint++ = '\0';
  g_mutex_lock (&guest->lock);
  milestone = guest->milestone;
  g_mutex_unlock (&guest->lock);
  if (!was_booting)
    (*error)->message
        = g_strdup_printf ("guest of context '%s': %s%s%s%s%s", guest->context,
                           /* libvirt's and the relay's own errors begin with the step's name */
                           g_str_has_prefix (message, start->step_name) ? "" : start->step_name,
                           g_str_has_prefix (message, start->step_name) ? "" : ": ", message,
                           hint != NULL ? "\n" : "", hint != NULL ? hint : "");
  else
    {
      words = read_qemu_words (guest);
      (*error)->message = g_strdup_printf (
          "guest of context '%s': %s: %s%s%s (last boot milestone %u: %s)%s%s\n%s", guest->context,
          start->step_name, damage != NULL ? damage : "", damage != NULL ? "; " : "", message,
          milestone, dn_milestone_words (milestone), words != NULL ? "; " : "",
          words != NULL ? words : "", hint != NULL ? hint : "the guest's console has more");
    }
}

static void
abandon (DnGuest *guest, int *ret_console)
{
  g_mutex_lock (&guest->lock);
  guest->state = DN_GUEST_ENDING;
  g_cond_broadcast (&guest->changed);
  g_mutex_unlock (&guest->lock);
  if (ret_console != NULL)
    *ret_console = dn_guest_open_console (guest, NULL);
  if (guest->is_entry_written)
    dn_guest_take_down (guest);
}

static DnGuest *
start_once (Start *start, const DnGuestHandlers *handlers, int *ret_console, GError **error)
{
  const DnGuestPlan *plan = start->plan;
  g_autoptr (DnGuest) guest = dn_guest_new (plan->id, plan->context, plan->hostname);
  GError *problem = NULL;
  gboolean is_running;

  if (handlers != NULL)
    guest->handlers = *handlers;
  /* From the first moment: a gc at the same time must not take it for an orphan. */
  guest->promised_bytes = plan->memory_bytes;
  if (!dn_guest_register_within (guest, plan->host_percent, error))
    {
      g_prefix_error (error, "guest of context '%s': ", plan->context);
      return NULL;
    }
  is_running = run_start (guest, start, &problem);
  if (!is_running)
    {
      explain (guest, start, &problem);
      g_propagate_error (error, problem);
      abandon (guest, start->was_silent ? NULL : ret_console);
      dn_guest_unregister (guest);
    }
  dn_boot_files_clear (&start->files);
  return is_running ? g_steal_pointer (&guest) : NULL;
}

DnGuest *
dn_guest_start (const DnGuestPlan *plan, const DnGuestHandlers *handlers, DnGuestStepFunc step,
                gpointer step_data, int *ret_console, GError **error)
{
  if (ret_console != NULL)
    *ret_console = -1;
  dn_guest_watch_domains ();
  for (guint number = 1;; number++)
    {
      g_autoptr (GError) problem = NULL;
      Start start = { .plan = plan,
                      .step = step,
                      .step_data = step_data,
                      .step_name = "",
                      .is_last = number == STARTS_MAX };
      DnGuest *guest = start_once (&start, handlers, ret_console, &problem);

      if (guest != NULL)
        return guest;
      if (!start.was_silent)
        {
          g_propagate_error (error, g_steal_pointer (&problem));
          return NULL;
        }
      problem->message[strcspn (problem->message, "\n")] = '\0'; /* the hint is for users */
      g_warning ("%s: it is started once more", problem->message);
    }
}
