/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/guest/hypervisor.c launcher/guest/hypervisor-connection.c launcher/guest/worker.c
 * launcher/common/error.c */
/* Packages: libvirt */
/* libvirt's test driver needs neither KVM nor a daemon. */
#include <string.h>

#include "../../launcher/common/error.h"
#include "../../launcher/guest/hypervisor.h"
#include "../../launcher/guest/worker.h"

#define DOMAIN(extra)                                                                              \
  "<domain type='test'><name>danchi-x</name><metadata><d:guest xmlns:d='urn:x' owner='/run/me'/>"  \
  "</metadata><memory>1024</memory><os><type>hvm</type></os>" extra "</domain>"

static GMutex lock;
static GCond ended_cond;
static gboolean has_ended;

static void
on_ended (const char *name, const char *reason)
{
  g_assert_cmpstr (name, ==, "danchi-x");
  g_assert_nonnull (reason);
  g_mutex_lock (&lock);
  has_ended = TRUE;
  g_cond_signal (&ended_cond);
  g_mutex_unlock (&lock);
}

static void
on_reconnected (void)
{
}

/* The driver has a domain "test" of its own, which is nobody's of ours. */
static void
check_machines (void)
{
  g_autoptr (GPtrArray) machines
      = dn_hypervisor_list_machines ("urn:x", "/run/me", DN_HYPERVISOR_TIMEOUT_MS, NULL);
  guint ours = 0, foreign = 0;

  g_assert_nonnull (machines);
  for (guint i = 0; i < machines->len; i++)
    {
      const DnHypervisorMachine *machine = machines->pdata[i];

      g_assert_cmpstr (machine->hypervisor, ==, "test");
      g_assert_cmpuint (strlen (machine->uuid), ==, 36);
      g_assert_cmpint (machine->pid, ==, 0);
      g_assert_true (machine->is_ours == g_str_equal (machine->name, "danchi-x"));
      ours += machine->is_ours;
      foreign += g_str_equal (machine->name, "test");
    }
  g_assert_cmpuint (ours, ==, 1);
  g_assert_cmpuint (foreign, ==, 1);
}

static void
test_starts_lists_and_destroys (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *uuid = NULL;
  g_autoptr (GPtrArray) mine = NULL;
  g_autoptr (GPtrArray) others = NULL;
  gboolean is_active = FALSE;

  g_assert_true (dn_hypervisor_start (DOMAIN (""), 5000, &uuid, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (strlen (uuid), ==, 36);
  g_assert_true (dn_hypervisor_is_active ("danchi-x", &is_active, NULL, NULL));
  g_assert_true (is_active);
  mine = dn_hypervisor_list ("danchi-", "urn:x", "/run/me", NULL);
  g_assert_cmpuint (mine->len, ==, 1);
  others = dn_hypervisor_list ("danchi-", "urn:x", "/run/you", NULL);
  g_assert_cmpuint (others->len, ==, 0);
  check_machines ();
  g_assert_true (dn_hypervisor_suspend ("danchi-x", NULL));
  g_assert_true (dn_hypervisor_resume ("danchi-x", NULL));
  g_assert_true (dn_hypervisor_destroy ("danchi-x", 5000, NULL));
  g_assert_true (dn_hypervisor_destroy ("danchi-x", 5000, NULL));
  g_assert_true (dn_hypervisor_is_active ("danchi-x", &is_active, NULL, NULL));
  g_assert_false (is_active);
  g_mutex_lock (&lock);
  while (!has_ended)
    g_assert_true (
        g_cond_wait_until (&ended_cond, &lock, g_get_monotonic_time () + 5 * G_TIME_SPAN_SECOND));
  g_mutex_unlock (&lock);
}

static void
test_reports_libvirts_words_on_one_line (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *uuid = NULL;

  g_assert_false (dn_hypervisor_start ("<domain", 5000, &uuid, &error));
  g_assert_error (error, DN_ERROR, DN_ERROR_HYPERVISOR);
  g_assert_null (strchr (error->message, '\n'));
  g_assert_cmpuint (strlen (error->message), <, 700);
}

static void
test_flattens_foreign_text (void)
{
  g_autofree char *text = dn_hypervisor_flatten ("\n a \x1b[31m\t b\n\nc\xff ");
  g_autofree char *long_text = g_strnfill (100000, 'x');
  g_autofree char *capped = dn_hypervisor_flatten (long_text);

  g_assert_cmpstr (text, ==, "a [31m b c\xef\xbf\xbd");
  g_assert_cmpuint (strlen (capped), <=, 604);
}

static gint late_calls;

static gboolean
sleep_long (gpointer data, GError **error)
{
  (void) data;
  (void) error;
  g_usleep (200000);
  return TRUE;
}

static void
come_late (gpointer data)
{
  (void) data;
  g_atomic_int_inc (&late_calls);
}

static void
test_gives_up_at_the_deadline_and_undoes_late_results (void)
{
  g_autoptr (GError) error = NULL;
  gint64 start_us = g_get_monotonic_time ();

  g_assert_false (
      dn_worker_run (sleep_long, g_strdup ("data"), g_free, come_late, 20, "it", NULL, &error));
  g_assert_error (error, DN_ERROR, DN_ERROR_HYPERVISOR);
  g_assert_cmpint (g_get_monotonic_time () - start_us, <, 150000);
  for (int i = 0; i < 100 && g_atomic_int_get (&late_calls) == 0; i++)
    g_usleep (10000);
  g_assert_cmpint (g_atomic_int_get (&late_calls), ==, 1);
}

int
main (int argc, char **argv)
{
  static const DnHypervisorWatch watch = { .ended = on_ended, .reconnected = on_reconnected };

  g_test_init (&argc, &argv, NULL);
  g_setenv ("LIBVIRT_DEFAULT_URI", "test:///default", TRUE);
  dn_hypervisor_set_watch (&watch);
  g_test_add_func ("/hypervisor/starts, lists and destroys", test_starts_lists_and_destroys);
  g_test_add_func ("/hypervisor/reports libvirt's words on one line",
                   test_reports_libvirts_words_on_one_line);
  g_test_add_func ("/hypervisor/flattens foreign text", test_flattens_foreign_text);
  g_test_add_func ("/hypervisor/gives up at the deadline and undoes late results",
                   test_gives_up_at_the_deadline_and_undoes_late_results);
  return g_test_run ();
}
