/* SPDX-License-Identifier: Apache-2.0 */
#include "worker.h"

#include "../common/error.h"

struct DnWorkerJob
{
  gint references;
  DnWorkerFunc function;
  DnWorkerLateFunc late;
  gpointer data;
  GDestroyNotify free_data;
  GMutex lock;
  GCond done;
  /* under lock */
  gboolean is_done;
  gboolean is_abandoned;
  gboolean result;
  GError *error;
};

void
dn_worker_job_unref (DnWorkerJob *job)
{
  if (job == NULL || !g_atomic_int_dec_and_test (&job->references))
    return;
  if (job->free_data != NULL)
    job->free_data (job->data);
  g_clear_error (&job->error);
  g_mutex_clear (&job->lock);
  g_cond_clear (&job->done);
  g_free (job);
}

static void
work (gpointer data, gpointer user_data)
{
  DnWorkerJob *job = data;
  GError *error = NULL;
  gboolean result = FALSE;
  gboolean is_abandoned;

  (void) user_data;
  g_mutex_lock (&job->lock);
  is_abandoned = job->is_abandoned;
  g_mutex_unlock (&job->lock);
  /* It waited for a thread until nobody waited for it any more. */
  if (!is_abandoned)
    result = job->function (job->data, &error);
  g_mutex_lock (&job->lock);
  job->result = result;
  job->error = error;
  job->is_done = TRUE;
  is_abandoned = job->is_abandoned;
  g_cond_signal (&job->done);
  g_mutex_unlock (&job->lock);
  if (is_abandoned && result && job->late != NULL)
    job->late (job->data);
  dn_worker_job_unref (job);
}

static GThreadPool *
pool (void)
{
  static gsize is_ready;
  static GThreadPool *workers;

  if (g_once_init_enter (&is_ready))
    {
      /* Not exclusive: idle threads go back to GLib. Cannot fail then. */
      workers = g_thread_pool_new (work, NULL, DN_WORKER_THREADS, FALSE, NULL);
      g_once_init_leave (&is_ready, 1);
    }
  return workers;
}

gboolean
dn_worker_run (DnWorkerFunc function, gpointer data, GDestroyNotify free_data,
               DnWorkerLateFunc late, guint timeout_ms, const char *what, DnWorkerJob **ret_job,
               GError **error)
{
  DnWorkerJob *job = g_new0 (DnWorkerJob, 1);
  gint64 end_us = g_get_monotonic_time () + timeout_ms * G_TIME_SPAN_MILLISECOND;
  gboolean result;

  job->references = 2;
  job->function = function;
  job->late = late;
  job->data = data;
  job->free_data = free_data;
  g_mutex_init (&job->lock);
  g_cond_init (&job->done);
  if (ret_job != NULL)
    *ret_job = NULL;
  (void) g_thread_pool_push (pool (), job, NULL);
  g_mutex_lock (&job->lock);
  while (!job->is_done && g_cond_wait_until (&job->done, &job->lock, end_us))
    ;
  if (!job->is_done)
    {
      job->is_abandoned = TRUE;
      result
          = dn_throw (error, DN_ERROR_HYPERVISOR, "%s: no answer within %u ms", what, timeout_ms);
    }
  else
    {
      result = job->result;
      if (job->error != NULL)
        g_propagate_error (error, g_steal_pointer (&job->error));
    }
  g_mutex_unlock (&job->lock);
  if (result && ret_job != NULL)
    *ret_job = job;
  else
    dn_worker_job_unref (job);
  return result;
}
