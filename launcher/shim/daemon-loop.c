/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon-loop.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "pod.h"
#include "task-service.h"
#include "ttrpc-server.h"

/* Not by a signal: a shim that ended so would take the pod's streams and waits with it, while the
 * guest goes on.  containerd's Shutdown ends it. */
static void
ignore_signals (void)
{
  static const int ignored[] = { SIGHUP, SIGINT, SIGPIPE, SIGTERM };

  for (gsize i = 0; i < G_N_ELEMENTS (ignored); i++)
    (void) signal (ignored[i], SIG_IGN);
}

int
dn_daemon_loop_run (const DnDaemonLoopPlan *plan)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  DnPod *pod = dn_pod_new (plan->name_space, plan->pod, g_getenv ("TTRPC_ADDRESS"), loop);
  DnTtrpcServer *server = dn_ttrpc_server_new (plan->socket, dn_task_service_handle, pod);

  ignore_signals ();
  g_main_loop_run (loop);
  (void) unlink (plan->path);
  /* Without freeing the pod: threads may still wait for danchid's answers, and tell them. */
  dn_ttrpc_server_free (server);
  return EXIT_SUCCESS;
}
