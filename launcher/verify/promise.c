/* SPDX-License-Identifier: Apache-2.0 */
#include "promise.h"

static void
promise_free (gpointer data)
{
  DnVerifyPromise *promise = data;

  g_free (promise->control);
  g_free (promise->demand);
  g_free (promise->fact);
  g_free (promise->promised);
  g_free (promise);
}

GPtrArray *
dn_verify_promises_new (void)
{
  return g_ptr_array_new_with_free_func (promise_free);
}

DnVerifyPromise *
dn_verify_promise (GPtrArray *promises, const char *control, const char *demand, DnVerifyHow how,
                   const char *promised)
{
  DnVerifyPromise *promise = g_new0 (DnVerifyPromise, 1);

  promise->control = g_strdup (control);
  promise->demand = g_strdup (demand);
  promise->fact = g_strdup (control);
  promise->promised = g_strdup (promised);
  promise->how = how;
  g_ptr_array_add (promises, promise);
  return promise;
}

DnVerifyPromise *
dn_verify_promisef (GPtrArray *promises, const char *control, const char *demand, DnVerifyHow how,
                    const char *format, ...)
{
  g_autofree char *promised = NULL;
  va_list args;

  va_start (args, format);
  promised = g_strdup_vprintf (format, args);
  va_end (args);
  return dn_verify_promise (promises, control, demand, how, promised);
}
