/* SPDX-License-Identifier: Apache-2.0 */
#include "context-freeze.h"

#include "../common/error.h"
#include "adopt.h"
#include "context-guest.h"

#define THAW_RETRY_US G_USEC_PER_SEC

/* (transfer full), or NULL */
static DnGuest *
get_guest (DnContext *context)
{
  DnGuest *guest;

  g_mutex_lock (&context->daemon->lock);
  guest = context->guest != NULL ? dn_guest_ref (context->guest) : NULL;
  g_mutex_unlock (&context->daemon->lock);
  return guest;
}

gboolean
dn_context_is_frozen_locked (const DnContext *context)
{
  return context->guest != NULL && dn_guest_is_frozen (context->guest);
}

gboolean
dn_context_is_frozen (DnContext *context)
{
  g_autoptr (DnGuest) guest = get_guest (context);

  return guest != NULL && dn_guest_is_frozen (guest);
}

gboolean
dn_context_check_thawed (DnContext *context, GError **error)
{
  g_autoptr (DnGuest) guest = get_guest (context);

  return guest == NULL || dn_guest_check_thawed (guest, error);
}

static gboolean
throw_no_guest (DnContext *context, GError **error)
{
  return dn_throw (error, DN_ERROR_CONFLICT,
                   "context '%s': has no guest running\nsee danchi context ls", context->name);
}

gboolean
dn_context_freeze (DnContext *context, gboolean is_passing, char **ret_how, GError **error)
{
  g_autoptr (DnGuest) guest = get_guest (context);

  if (guest == NULL)
    return throw_no_guest (context, error);
  if (!dn_guest_freeze (guest, is_passing, ret_how, error))
    return FALSE;
  dn_events_add (context->daemon->events, "context", "freeze", context->name, context->name,
                 context->name, (const char *const[]){ "how", *ret_how, NULL });
  return TRUE;
}

static gboolean
is_idle (DnContext *context)
{
  gboolean result;

  g_mutex_lock (&context->daemon->lock);
  result = dn_context_goes_with_container (context) && context->users == 0;
  g_mutex_unlock (&context->daemon->lock);
  return result;
}

gboolean
dn_context_thaw (DnContext *context, GError **error)
{
  DnDaemon *daemon = context->daemon;
  g_autoptr (DnGuest) guest = get_guest (context);

  if (guest == NULL)
    return throw_no_guest (context, error);
  if (!dn_guest_is_frozen (guest))
    return dn_throw (error, DN_ERROR_CONFLICT, "context '%s': is not frozen", context->name);
  if (!dn_guest_thaw (guest, error))
    return FALSE;
  dn_events_add (daemon->events, "context", "thaw", context->name, context->name, context->name,
                 NULL);
  g_mutex_lock (&daemon->lock);
  g_cond_broadcast (&daemon->changed);
  g_mutex_unlock (&daemon->lock);
  dn_adopt_thawed (context, guest);
  if (is_idle (context))
    dn_context_stop_idle_guest (context, 0, "the guest was stopped");
  return TRUE;
}

void
dn_context_wait_thawed (DnContext *context)
{
  DnDaemon *daemon = context->daemon;

  g_mutex_lock (&daemon->lock);
  while (dn_context_is_frozen_locked (context))
    (void) g_cond_wait_until (&daemon->changed, &daemon->lock,
                              g_get_monotonic_time () + G_USEC_PER_SEC);
  g_mutex_unlock (&daemon->lock);
}

static gboolean
is_left_frozen (DnContext *context)
{
  g_autoptr (DnGuest) guest = get_guest (context);

  return guest != NULL && dn_guest_is_frozen (guest) && dn_guest_is_frozen_in_passing (guest);
}

void
dn_context_thaw_later (gpointer data)
{
  g_autoptr (DnContext) context = data;

  while (is_left_frozen (context) && !dn_context_thaw (context, NULL))
    g_usleep (THAW_RETRY_US);
}

void
dn_context_report_frozen (DnDaemon *daemon, GPtrArray *lines)
{
  g_autoptr (GPtrArray) contexts = dn_context_list (daemon);

  for (guint i = 0; i < contexts->len; i++)
    {
      DnContext *context = contexts->pdata[i];
      gboolean is_left;

      g_mutex_lock (&daemon->lock);
      is_left = dn_context_is_frozen_locked (context) && !context->is_captured;
      g_mutex_unlock (&daemon->lock);
      if (is_left)
        g_ptr_array_add (lines, g_strdup_printf ("kept: context '%s' is frozen; danchi context "
                                                 "thaw %s lets it go on",
                                                 context->name, context->name));
    }
}
