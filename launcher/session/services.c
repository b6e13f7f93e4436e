/* SPDX-License-Identifier: Apache-2.0 */
#include "services.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../common/autofd.h"
#include "../common/error.h"
#include "child.h"
#include "upstream.h"

#define LIBVIRT_SOCKET "/run/libvirt/libvirt-sock"
#define FIRST_START_S 60
#define TURN_MS 500

static DnChild services[] = { { .name = "virtlogd", .words = (char *[]){ "virtlogd", NULL } },
                              { .name = "libvirtd", .words = (char *[]){ "libvirtd", NULL } } };

static gboolean
answers (void)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = LIBVIRT_SOCKET };
  dn_autofd int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

  return fd >= 0 && connect (fd, (struct sockaddr *) &address, sizeof address) == 0;
}

static void
keep_all (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (services); i++)
    dn_child_keep (&services[i]);
}

void
dn_services_run (int addresses_fd, void (*ready) (void *data), void *data, GError **error)
{
  gint64 end_us = g_get_monotonic_time () + FIRST_START_S * G_TIME_SPAN_SECOND;
  gboolean is_ready = FALSE;
  struct pollfd changes = { .fd = addresses_fd, .events = POLLIN };

  if (!dn_upstream_loopback (error) || !dn_upstream_update (addresses_fd, error))
    return;
  for (;;)
    {
      keep_all ();
      if (!is_ready && answers ())
        {
          is_ready = TRUE;
          ready (data);
        }
      if (!is_ready && g_get_monotonic_time () > end_us)
        {
          dn_throw (error, DN_ERROR_HYPERVISOR,
                    "session mode: the session's libvirtd does not answer\nits log is "
                    "session.log beside danchid's");
          return;
        }
      if (poll (&changes, 1, is_ready ? TURN_MS : TURN_MS / 10) > 0)
        {
          g_autoptr (GError) problem = NULL;

          /* Without it an address of the host's might be reached: then rather nothing is. */
          if (!dn_upstream_update (addresses_fd, &problem))
            {
              g_printerr ("danchi-session: %s\n", problem->message);
              exit (EXIT_FAILURE);
            }
        }
    }
}
