/* SPDX-License-Identifier: Apache-2.0 */
#include "worker.h"

typedef struct
{
  void (*work) (gpointer data);
  void (*done) (gpointer data);
  gpointer data;
} Worker;

static gboolean
on_done (gpointer user_data)
{
  g_autofree Worker *worker = user_data;

  worker->done (worker->data);
  return G_SOURCE_REMOVE;
}

static gpointer
run (gpointer user_data)
{
  Worker *worker = user_data;

  worker->work (worker->data);
  (void) g_idle_add_full (G_PRIORITY_DEFAULT, on_done, worker, NULL);
  return NULL;
}

void
dn_worker_run (void (*work) (gpointer data), void (*done) (gpointer data), gpointer data)
{
  Worker *worker = g_new (Worker, 1);
  g_autoptr (GError) error = NULL;
  GThread *thread;

  *worker = (Worker){ .work = work, .done = done, .data = data };
  thread = g_thread_try_new ("worker", run, worker, &error);
  if (thread != NULL)
    g_thread_unref (thread);
  else
    {
      g_warning ("no thread: %s", error->message);
      (void) run (worker);
    }
}
