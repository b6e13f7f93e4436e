/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/common/signal-name.c launcher/common/error.c */
#include <glib.h>
#include <signal.h>

#include "../../launcher/common/signal-name.h"

static void
test_signals_are_known_by_name_and_number (void)
{
  g_assert_cmpint (dn_signal_from_text ("TERM"), ==, SIGTERM);
  g_assert_cmpint (dn_signal_from_text ("SIGTERM"), ==, SIGTERM);
  g_assert_cmpint (dn_signal_from_text ("sigwinch"), ==, SIGWINCH);
  g_assert_cmpint (dn_signal_from_text ("9"), ==, SIGKILL);
  g_assert_cmpint (dn_signal_from_text ("RTMIN"), ==, 34);
  g_assert_cmpint (dn_signal_from_text ("SIGRTMIN+3"), ==, 37);
  g_assert_cmpint (dn_signal_from_text ("RTMAX-1"), ==, 63);
}

static void
test_what_is_no_signal_is_refused (void)
{
  static const char *const texts[]
      = { "", "0", "65", "-9", "+9", "SIG", "SIGNOPE", "9x", "RTMIN+40", "RTMIN+", "RTMAX+1" };

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    g_assert_cmpint (dn_signal_from_text (texts[i]), ==, -1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/signal-name/signals-are-known-by-name-and-number",
                   test_signals_are_known_by_name_and_number);
  g_test_add_func ("/signal-name/what-is-no-signal-is-refused", test_what_is_no_signal_is_refused);
  return g_test_run ();
}
