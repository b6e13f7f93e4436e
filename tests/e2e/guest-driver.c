/* SPDX-License-Identifier: Apache-2.0 */
/* Starts one guest as danchid would, without danchid: for work on the guest's start, and to measure
 * its phases.  Built by hand; needs root, libvirt (tests/tools/host.sh start) and built images.
 *
 *   guest-driver [--emulation] [--serial|--vsock] [--spare N] [--rounds N] [--hold SECONDS]
 *                [--run DIR] [--state DIR] [--adopt | --gc]
 *
 * Prints a line for each phase with its milliseconds, and what the agent says of itself.  --hold
 * keeps the guest for experiments (kill -9 of the relay or of QEMU) and pings it once a second.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../launcher/common/paths.h"
#include "../../launcher/guest/guest.h"

static gboolean wants_emulation, wants_serial, wants_vsock, wants_adopt, wants_gc;
static gint spare_disks, rounds = 1, hold_s;
static char *run_directory = "/run/danchi", *state_directory = "/var/lib/danchi";

static const GOptionEntry options[] = {
  { "emulation", 0, 0, G_OPTION_ARG_NONE, &wants_emulation, "allow software emulation", NULL },
  { "serial", 0, 0, G_OPTION_ARG_NONE, &wants_serial, "virtio-serial", NULL },
  { "vsock", 0, 0, G_OPTION_ARG_NONE, &wants_vsock, "vsock", NULL },
  { "spare", 0, 0, G_OPTION_ARG_INT, &spare_disks, "ports for later disks", "N" },
  { "rounds", 0, 0, G_OPTION_ARG_INT, &rounds, "how often", "N" },
  { "hold", 0, 0, G_OPTION_ARG_INT, &hold_s, "keep it for so long", "SECONDS" },
  { "run", 0, 0, G_OPTION_ARG_STRING, &run_directory, "instead of /run/danchi", "DIR" },
  { "state", 0, 0, G_OPTION_ARG_STRING, &state_directory, "instead of /var/lib/danchi", "DIR" },
  { "adopt", 0, 0, G_OPTION_ARG_NONE, &wants_adopt, "take over a running guest, then stop it",
    NULL },
  { "gc", 0, 0, G_OPTION_ARG_NONE, &wants_gc, "remove what belongs to nobody", NULL },
  { 0 },
};

typedef struct
{
  gint64 last_us;
  char *last_step;
} Clock;

static void
tick (const char *step, gpointer data)
{
  Clock *clock = data;
  gint64 now_us = g_get_monotonic_time ();

  if (clock->last_step != NULL)
    printf ("%-10s %8.1f ms\n", clock->last_step, (double) (now_us - clock->last_us) / 1000);
  g_free (clock->last_step);
  clock->last_step = g_strdup (step);
  clock->last_us = now_us;
}

static void
gone (DnGuest *guest, gboolean is_suspect, const char *reason, gpointer data)
{
  (void) data;
  printf ("gone: guest %s%s: %s\n", dn_guest_id (guest), is_suspect ? " (suspect)" : "", reason);
  fflush (stdout);
}

static gboolean
ping (DnGuest *guest)
{
  g_autoptr (GError) error = NULL;
  DnMsgPing message = { 0 };
  DnGuestCall call = { .type = DN_MSG_PING,
                       .message = &message,
                       .pack = (int (*) (const void *, guint8 *, gsize)) dn_msg_ping_pack,
                       .timeout_ms = 5000 };
  gint64 start_us = g_get_monotonic_time ();

  if (!dn_guest_call (guest, &call, &error))
    {
      printf ("ping: %s\n", error->message);
      return FALSE;
    }
  printf ("ping       %8.1f ms\n", (double) (g_get_monotonic_time () - start_us) / 1000);
  return TRUE;
}

static void
show (DnGuest *guest)
{
  DnGuestInfo info;

  dn_guest_get_info (guest, &info);
  printf ("guest %s: transport %d accelerator %d uid %u qemu %d relay %d kernel %s boot_id %s "
          "agent %s\n",
          dn_guest_id (guest), info.transport, info.accelerator, info.uid, info.qemu_pid,
          info.relay_pid, info.kernel, info.boot_id, info.agent_version);
  fflush (stdout);
  dn_guest_info_clear (&info);
}

static void
hold (DnGuest *guest)
{
  for (gint i = 0; i < hold_s && dn_guest_is_running (guest); i++)
    {
      (void) ping (guest);
      fflush (stdout);
      sleep (1);
    }
}

static void
print_console (int fd)
{
  char buffer[70000];
  ssize_t n = fd >= 0 ? pread (fd, buffer, sizeof buffer - 1, 16) : 0;

  for (ssize_t i = 0; i < n; i++)
    if (buffer[i] == '\n' || g_ascii_isprint (buffer[i]))
      putchar (buffer[i]);
  if (fd >= 0)
    close (fd);
}

static int
run_round (void)
{
  g_autoptr (DnGuestPlan) plan = dn_guest_plan_new ();
  g_autoptr (GError) error = NULL;
  const DnGuestHandlers handlers = { .gone = gone };
  Clock clock = { 0 };
  Clock whole = { .last_us = g_get_monotonic_time (), .last_step = g_strdup ("start") };
  g_autoptr (DnGuest) guest = NULL;
  int console;

  plan->context = g_strdup ("driver");
  plan->hostname = g_strdup ("driver");
  plan->allow_emulation = wants_emulation;
  plan->spare_disks = (guint) spare_disks;
  plan->transport = wants_serial  ? DN_TRANSPORT_SERIAL
                    : wants_vsock ? DN_TRANSPORT_VSOCK
                                  : DN_TRANSPORT_AUTO;
  guest = dn_guest_start (plan, &handlers, tick, &clock, &console, &error);
  tick ("stop", &clock);
  tick ("", &whole);
  g_free (whole.last_step);
  if (guest == NULL)
    {
      printf ("failed: %s\n", error->message);
      print_console (console);
      g_free (clock.last_step);
      return 1;
    }
  show (guest);
  (void) ping (guest);
  hold (guest);
  clock.last_us = g_get_monotonic_time ();
  dn_guest_stop (guest, 5000);
  tick ("", &clock);
  g_free (clock.last_step);
  return 0;
}

static gboolean
choose (const char *guest_id, const char *context, DnGuestHandlers *ret_handlers, gpointer data)
{
  (void) data;
  printf ("found guest %s of context %s\n", guest_id, context);
  *ret_handlers = (DnGuestHandlers){ .gone = gone };
  return TRUE;
}

static int
adopt (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) guests = dn_guest_adopt_all (choose, NULL, &error);

  for (guint i = 0; i < guests->len; i++)
    {
      DnGuest *guest = g_ptr_array_index (guests, i);

      show (guest);
      (void) ping (guest);
      hold (guest);
      dn_guest_stop (guest, 5000);
    }
  return 0;
}

static int
collect_garbage (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) removed = dn_guest_gc (&error);

  for (guint i = 0; removed != NULL && i < removed->len; i++)
    printf ("removed %s\n", (const char *) g_ptr_array_index (removed, i));
  if (removed == NULL)
    printf ("gc: %s\n", error->message);
  return removed == NULL;
}

int
main (int argc, char **argv)
{
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autoptr (GError) error = NULL;
  int result = 0;

  g_option_context_add_main_entries (context, options, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error))
    {
      fprintf (stderr, "guest-driver: %s\n", error->message);
      return 2;
    }
  dn_paths_override (NULL, state_directory, run_directory);
  if (wants_gc)
    return collect_garbage ();
  if (wants_adopt)
    return adopt ();
  for (gint i = 0; i < rounds && result == 0; i++)
    result = run_round ();
  return result;
}
