/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a blocking function on a worker thread and waits for it with a deadline.
 *
 * A function that hangs costs a thread until it returns, never its caller.  At most
 * %DN_WORKER_THREADS hang at once; then callers get an error at their deadline without their
 * function having run.
 */
#pragma once

#include <glib.h>

#define DN_WORKER_THREADS 32

typedef struct DnWorkerJob DnWorkerJob;

/* Runs on the worker's thread. */
typedef gboolean (*DnWorkerFunc) (gpointer data, GError **error);

/* Runs on the worker's thread when the function succeeded after its caller had given up. */
typedef void (*DnWorkerLateFunc) (gpointer data);

/**
 * dn_worker_run:
 * @data: owned by the job from here on; freed with @free_data after function and caller are done
 * @late: may be NULL
 * @what: names the called one in the error of a missed deadline
 * @ret_job: (out) (optional): on success, keeps @data alive until dn_worker_job_unref(); on
 *   failure NULL, and @data must not be touched any more
 *
 * Returns: what the function returned, or FALSE with DN_ERROR_HYPERVISOR after @timeout_ms
 */
gboolean dn_worker_run (DnWorkerFunc function, gpointer data, GDestroyNotify free_data,
                        DnWorkerLateFunc late, guint timeout_ms, const char *what,
                        DnWorkerJob **ret_job, GError **error);

void dn_worker_job_unref (DnWorkerJob *job);
