/* SPDX-License-Identifier: Apache-2.0 */
/* Which of the host's ids a session has: launcher/session/subids.h. */
/* Links: launcher/session/subids.c launcher/common/error.c */
#include <glib.h>
#include <string.h>

#include "../../launcher/common/error.h"
#include "../../launcher/session/subids.h"

#define TEXT                                                                                       \
  "# a comment\nother:100000:65536\nmika:300000:100\nmika:524288:65536\n1001:700000:70000\n"

static void
test_the_largest_range_of_the_user_is_taken (void)
{
  g_autoptr (GError) error = NULL;
  DnSubids ids;

  g_assert_true (dn_subids_parse (TEXT, "/etc/subuid", "mika", 1000, &ids, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (ids.first, ==, 524288);
  g_assert_cmpuint (ids.count, ==, 65536);
  /* A line may have the number. */
  g_assert_true (dn_subids_parse (TEXT, "/etc/subuid", "mika", 1001, &ids, &error));
  g_assert_cmpuint (ids.first, ==, 700000);
}

static void
test_without_a_range_the_error_names_file_user_and_remedy (void)
{
  static const char *const texts[] = { "",
                                       "mika:300000:100\n",
                                       "mika:0:65536\n",
                                       "mika:4294900000:4294900000\n",
                                       "mika:x:65536\n",
                                       "mika:524288:65536:1\n",
                                       "mikas:524288:65536\n" };

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autoptr (GError) error = NULL;
      DnSubids ids;

      g_assert_false (dn_subids_parse (texts[i], "/etc/subuid", "mika", 1000, &ids, &error));
      g_assert_error (error, DN_ERROR, DN_ERROR_CONFIG);
      g_assert_nonnull (strstr (error->message, "/etc/subuid"));
      g_assert_nonnull (strstr (error->message, "usermod --add-subuids"));
    }
}

static void
test_ids_are_mapped_once_each (void)
{
  g_auto (GStrv) words = dn_subids_map_words ("newuidmap", 42, 1000, &(DnSubids){ 524288, 65536 });
  g_autofree char *line = g_strjoinv (" ", words);

  g_assert_cmpstr (line, ==, "newuidmap 42 0 1000 1 200000 524288 10001 1 534289 55535");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/subids/the-largest-range-of-the-user-is-taken",
                   test_the_largest_range_of_the_user_is_taken);
  g_test_add_func ("/subids/without-a-range-the-error-names-file-user-and-remedy",
                   test_without_a_range_the_error_names_file_user_and_remedy);
  g_test_add_func ("/subids/ids-are-mapped-once-each", test_ids_are_mapped_once_each);
  return g_test_run ();
}
