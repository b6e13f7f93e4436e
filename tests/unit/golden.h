/* SPDX-License-Identifier: Apache-2.0 */
/* Golden files: what a test once put out and a person has read.  Compared byte by byte; with
 * DN_TEST_REGENERATE=1 they are written anew, for `git diff` to be read. */
#pragma once

#include <glib.h>
#include <string.h>

static inline void
golden_compare (const char *path, const char *text)
{
  g_autofree char *expected = NULL;
  g_autoptr (GError) error = NULL;

  if (g_strcmp0 (g_getenv ("DN_TEST_REGENERATE"), "1") == 0)
    {
      g_file_set_contents (path, text, -1, &error);
      g_assert_no_error (error);
      return;
    }
  if (!g_file_get_contents (path, &expected, NULL, &error))
    g_error ("%s: %s; DN_TEST_REGENERATE=1 writes it", path, error->message);
  if (!g_str_equal (expected, text))
    {
      g_auto (GStrv) was = g_strsplit (expected, "\n", -1), is = g_strsplit (text, "\n", -1);
      guint line = 0;

      while (was[line] != NULL && is[line] != NULL && g_str_equal (was[line], is[line]))
        line++;
      g_test_message ("%s:%u: expected: %s", path, line + 1, was[line] != NULL ? was[line] : "EOF");
      g_test_message ("%s:%u: got:      %s", path, line + 1, is[line] != NULL ? is[line] : "EOF");
      g_test_fail_printf ("%s differs from line %u on", path, line + 1);
    }
}
