/* SPDX-License-Identifier: Apache-2.0 */
#include "hypervisor-connection.h"

#include <libvirt/virterror.h>

#include "../common/error.h"
#include "hypervisor.h"

#define WORDS_MAX_BYTES 600
#define BACKOFF_FIRST_MS 100
#define BACKOFF_MOST_MS 5000
/* A connection over which nothing comes for this long is given up, and with it every call that
 * hangs on it. */
#define KEEPALIVE_INTERVAL_S 5
#define KEEPALIVE_COUNT 6

static GMutex lock;
static GCond changed;            /* the connection was lost or made */
static virConnectPtr connection; /* under lock; one reference is ours */
static guint connections_made;   /* under lock */
static const DnHypervisorWatch *watch;
static GMutex opening; /* held while a connection is made: never two at once */

char *
dn_hypervisor_flatten (const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text != NULL ? text : "unknown error", -1);
  GString *line = g_string_new (NULL);
  gboolean needs_blank = FALSE;

  for (const char *p = valid; *p != '\0' && line->len < WORDS_MAX_BYTES; p = g_utf8_next_char (p))
    {
      gunichar c = g_utf8_get_char (p);

      if (g_unichar_isspace (c) || !g_unichar_isprint (c))
        {
          needs_blank = line->len > 0;
          continue;
        }
      if (needs_blank)
        g_string_append_c (line, ' ');
      needs_blank = FALSE;
      g_string_append_unichar (line, c);
    }
  return g_string_free (line, FALSE);
}

gboolean
dn_hypervisor_throw_words (const char *what, GError **error)
{
  const virError *last = virGetLastError ();
  g_autofree char *words = dn_hypervisor_flatten (last != NULL ? last->message : NULL);

  return dn_throw (error, DN_ERROR_HYPERVISOR, "%s: libvirt: %s", what, words);
}

const char *
dn_hypervisor_uri (void)
{
  const char *uri = g_getenv ("LIBVIRT_DEFAULT_URI");

  return uri != NULL && uri[0] != '\0' ? uri : "qemu:///system";
}

static void
ignore_error (void *data, virErrorPtr error)
{
  (void) data;
  (void) error;
}

static gpointer
run_events (gpointer data)
{
  (void) data;
  for (;;)
    if (virEventRunDefaultImpl () < 0)
      g_usleep (10000); /* its errors are of one turn; the loop must not end, nor spin */
  return NULL;
}

const char dn_hypervisor_switched_off[] = "the guest switched itself off";

static const char *
describe_stop (int event, int detail)
{
  if (event == VIR_DOMAIN_EVENT_CRASHED)
    return "QEMU reports that the guest crashed";
  if (event == VIR_DOMAIN_EVENT_SHUTDOWN)
    return dn_hypervisor_switched_off;
  switch (detail)
    {
    case VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN:
      return dn_hypervisor_switched_off;
    case VIR_DOMAIN_EVENT_STOPPED_DESTROYED:
      return "it was destroyed from outside";
    case VIR_DOMAIN_EVENT_STOPPED_CRASHED:
      return "QEMU crashed or was killed";
    case VIR_DOMAIN_EVENT_STOPPED_FAILED:
      return "QEMU ended with an error";
    default:
      return "QEMU ended";
    }
}

static int
on_lifecycle (virConnectPtr from, virDomainPtr domain, int event, int detail, void *data)
{
  (void) from;
  (void) data;
  /* SHUTDOWN comes while QEMU still stands, on the guest's own request alone: the sooner the
   * better, since the relay notices the end as well, without knowing why. */
  if ((event == VIR_DOMAIN_EVENT_STOPPED || event == VIR_DOMAIN_EVENT_CRASHED
       || (event == VIR_DOMAIN_EVENT_SHUTDOWN && detail == VIR_DOMAIN_EVENT_SHUTDOWN_GUEST))
      && watch != NULL)
    watch->ended (virDomainGetName (domain), describe_stop (event, detail));
  return 0;
}

static void
on_close (virConnectPtr closed, int reason, void *data)
{
  (void) reason;
  (void) data;
  g_mutex_lock (&lock);
  /* The reference is dropped by the keeper: not from inside the connection's own callback. */
  if (connection == closed)
    g_cond_broadcast (&changed);
  g_mutex_unlock (&lock);
}

/* A reference to the connection if it lives, else NULL. */
static virConnectPtr
living_connection (void)
{
  virConnectPtr found = NULL;

  g_mutex_lock (&lock);
  if (connection != NULL && virConnectIsAlive (connection) == 1)
    {
      found = connection;
      virConnectRef (found);
    }
  g_mutex_unlock (&lock);
  return found;
}

static void
forget_connection (void)
{
  virConnectPtr old;

  g_mutex_lock (&lock);
  old = g_steal_pointer (&connection);
  g_mutex_unlock (&lock);
  if (old == NULL)
    return;
  (void) virConnectUnregisterCloseCallback (old, on_close);
  (void) virConnectClose (old);
}

static virConnectPtr
open_connection (GError **error)
{
  virConnectPtr opened = virConnectOpen (dn_hypervisor_uri ());

  if (opened == NULL)
    {
      const virError *last = virGetLastError ();
      g_autofree char *words = dn_hypervisor_flatten (last != NULL ? last->message : NULL);

      dn_throw (error, DN_ERROR_HYPERVISOR,
                "libvirt: not reachable at %s: %s\nstart libvirtd or virtqemud",
                dn_hypervisor_uri (), words);
      return NULL;
    }
  /* Not every driver has these (the test driver has no keepalive): without, a call that hangs ends
   * at its deadline all the same. */
  (void) virConnectSetKeepAlive (opened, KEEPALIVE_INTERVAL_S, KEEPALIVE_COUNT);
  (void) virConnectRegisterCloseCallback (opened, on_close, NULL, NULL);
  if (virConnectDomainEventRegisterAny (opened, NULL, VIR_DOMAIN_EVENT_ID_LIFECYCLE,
                                        VIR_DOMAIN_EVENT_CALLBACK (on_lifecycle), NULL, NULL)
      < 0)
    {
      dn_hypervisor_throw_words ("events", error);
      (void) virConnectUnregisterCloseCallback (opened, on_close);
      (void) virConnectClose (opened);
      return NULL;
    }
  return opened;
}

virConnectPtr
dn_hypervisor_get_connection (GError **error)
{
  virConnectPtr found;

  g_mutex_lock (&opening);
  found = living_connection ();
  if (found == NULL)
    {
      virConnectPtr opened;

      forget_connection ();
      opened = open_connection (error);
      if (opened != NULL)
        {
          g_mutex_lock (&lock);
          connection = opened;
          virConnectRef (opened);
          found = opened;
          connections_made++;
          g_cond_broadcast (&changed);
          g_mutex_unlock (&lock);
        }
    }
  g_mutex_unlock (&opening);
  return found;
}

/* Waits until the connection is lost, or was made anew by a call. */
static guint
wait_for_change (guint seen)
{
  guint made;

  g_mutex_lock (&lock);
  while (connections_made == seen
         && (connections_made == 0 || (connection != NULL && virConnectIsAlive (connection) == 1)))
    g_cond_wait_until (&changed, &lock, g_get_monotonic_time () + G_TIME_SPAN_SECOND);
  made = connections_made;
  g_mutex_unlock (&lock);
  return made;
}

/* Makes a lost connection anew without waiting for a call: or ends of guests would go unnoticed. */
static gpointer
keep_connected (gpointer data)
{
  guint seen = 0;
  guint backoff_ms = BACKOFF_FIRST_MS;

  (void) data;
  for (;;)
    {
      guint made = wait_for_change (seen);

      if (made == seen)
        {
          virConnectPtr again = dn_hypervisor_get_connection (NULL);

          if (again != NULL)
            (void) virConnectClose (again);
          else
            {
              g_usleep (backoff_ms * 1000UL);
              backoff_ms = MIN (2 * backoff_ms, BACKOFF_MOST_MS);
            }
          continue;
        }
      backoff_ms = BACKOFF_FIRST_MS;
      if (seen > 0 && watch != NULL)
        watch->reconnected ();
      seen = made;
    }
  return NULL;
}

void
dn_hypervisor_initialize (void)
{
  static gsize is_ready;

  if (!g_once_init_enter (&is_ready))
    return;
  virSetErrorFunc (NULL, ignore_error);
  (void) virInitialize ();
  (void) virEventRegisterDefaultImpl ();
  g_thread_unref (g_thread_new ("libvirt-events", run_events, NULL));
  g_thread_unref (g_thread_new ("libvirt-keeper", keep_connected, NULL));
  g_once_init_leave (&is_ready, 1);
}

void
dn_hypervisor_set_watch (const DnHypervisorWatch *new_watch)
{
  watch = new_watch;
}
