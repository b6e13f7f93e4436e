/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/common/error.c */
#include <errno.h>

#include "../../launcher/common/error.h"

static void
test_every_code_travels_by_name (void)
{
  for (int code = DN_ERROR_USAGE; code <= DN_ERROR_FAILED; code++)
    {
      const char *name = dn_error_code_to_name ((DnError) code);

      g_assert_nonnull (name);
      g_assert_cmpint (dn_error_code_from_name (name), ==, code);
    }
}

static void
test_what_is_no_code_is_a_failure (void)
{
  g_assert_cmpint (dn_error_code_from_name ("no-such-code"), ==, DN_ERROR_FAILED);
  g_assert_cmpint (dn_error_code_from_name (""), ==, DN_ERROR_FAILED);
  g_assert_cmpint (dn_error_code_from_name (NULL), ==, DN_ERROR_FAILED);
  g_assert_cmpstr (dn_error_code_to_name ((DnError) 1000), ==, "failed");
  g_assert_cmpstr (dn_error_code_to_name ((DnError) -1), ==, "failed");
}

static void
test_the_domain_keeps_its_dashes (void)
{
  g_assert_cmpstr (g_quark_to_string (DN_ERROR), ==, "dn-error-quark");
}

static void
test_a_throw_returns_false_and_sets_the_error (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (dn_throw (&error, DN_ERROR_DENIED, "%s '%s': %d", "a", "b", 7));
  g_assert_error (error, DN_ERROR, DN_ERROR_DENIED);
  g_assert_cmpstr (error->message, ==, "a 'b': 7");
  g_assert_false (dn_throw (NULL, DN_ERROR_DENIED, "nobody listens"));
}

static void
test_errnos_words_come_last (void)
{
  g_autoptr (GError) error = NULL;

  errno = ENOENT;
  g_assert_false (dn_throw_errno (&error, "opening '%s'", "x"));
  g_assert_error (error, DN_ERROR, DN_ERROR_FAILED);
  g_assert_cmpstr (error->message, ==, "opening 'x': No such file or directory");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, function) g_test_add_func ("/error/" name, function)
  ADD ("every-code-travels-by-name", test_every_code_travels_by_name);
  ADD ("what-is-no-code-is-a-failure", test_what_is_no_code_is_a_failure);
  ADD ("the-domain-keeps-its-dashes", test_the_domain_keeps_its_dashes);
  ADD ("a-throw-returns-false-and-sets-the-error", test_a_throw_returns_false_and_sets_the_error);
  ADD ("errnos-words-come-last", test_errnos_words_come_last);
  return g_test_run ();
}
