/* SPDX-License-Identifier: Apache-2.0 */
/* Links: protocol/milestone.c */
#include <glib.h>
#include <string.h>

#include "../../protocol/milestone.h"

static guint32
scan (DnMilestoneScanner *scanner, const char *text)
{
  return dn_milestone_scan (scanner, (const guint8 *) text, strlen (text));
}

static void
test_finds_a_milestone_in_any_pieces (void)
{
  static const char text[] = "[ 0.1] x\r\ndanchi-boot: 3\r\nddanchi-boot: 5\n";

  for (gsize cut = 0; cut < sizeof text - 1; cut++)
    {
      DnMilestoneScanner scanner = { 0 };

      (void) dn_milestone_scan (&scanner, (const guint8 *) text, cut);
      g_assert_cmpuint (
          dn_milestone_scan (&scanner, (const guint8 *) text + cut, sizeof text - 1 - cut), ==, 5);
    }
}

static void
test_keeps_the_highest_and_takes_no_nonsense (void)
{
  DnMilestoneScanner scanner = { 0 };

  g_assert_cmpuint (scan (&scanner, "danchi-boot: 6\n"), ==, 6);
  g_assert_cmpuint (scan (&scanner, "danchi-boot: 2\n"), ==, 6);
  g_assert_cmpuint (scan (&scanner, "danchi-boot: 99999999999999999999\n"), ==, 6);
  g_assert_cmpuint (scan (&scanner, "danchi-boot: x\n"), ==, 6);
  g_assert_cmpuint (scan (&scanner, "danchi-boot 7\n"), ==, 6);
  g_assert_cmpuint (scan (&scanner, "danchi-danchi-boot: 7\n"), ==, 7);
}

static void
test_has_words_for_every_number (void)
{
  for (guint32 number = 0; number < 200; number++)
    g_assert_cmpuint (strlen (dn_milestone_words (number)), >, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define TEST(name) g_test_add_func ("/milestone/" #name, test_##name)
  TEST (finds_a_milestone_in_any_pieces);
  TEST (keeps_the_highest_and_takes_no_nonsense);
  TEST (has_words_for_every_number);
  return g_test_run ();
}
