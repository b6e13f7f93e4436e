/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/images/reference.c launcher/common/names.c launcher/common/error.c */
#include <string.h>

#include "../../launcher/common/error.h"
#include "../../launcher/images/reference.h"

#define DIGEST "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void
assert_normal (const char *text, const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *reference = dn_reference_normalise (text, &error);
  g_autofree char *again = NULL;

  g_assert_no_error (error);
  g_assert_cmpstr (reference, ==, expected);
  again = dn_reference_normalise (reference, NULL);
  g_assert_cmpstr (again, ==, expected);
}

static void
assert_refused (const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *reference = dn_reference_normalise (text, &error);

  g_assert_cmpstr (reference, ==, NULL);
  g_assert_error (error, DN_ERROR, DN_ERROR_USAGE);
}

static void
test_a_short_name_is_this_hosts (void)
{
  assert_normal ("nginx", "localhost/nginx:latest");
  assert_normal ("nginx:demo", "localhost/nginx:demo");
  assert_normal ("acme/web", "localhost/acme/web:latest");
  assert_normal ("a__b-c/d.e--f:V1_x", "localhost/a__b-c/d.e--f:V1_x");
}

static void
test_a_name_with_a_registry_stays (void)
{
  assert_normal ("docker.io/library/nginx:1.25", "docker.io/library/nginx:1.25");
  assert_normal ("localhost/x", "localhost/x:latest");
  assert_normal ("localhost:5000/x", "localhost:5000/x:latest");
  assert_normal ("r.example.com:443/a/b:c", "r.example.com:443/a/b:c");
}

static void
test_a_digest_needs_no_tag (void)
{
  assert_normal ("x@sha256:" DIGEST, "localhost/x@sha256:" DIGEST);
  assert_normal ("r.io/x:t@sha256:" DIGEST, "r.io/x:t@sha256:" DIGEST);
}

static void
test_what_is_no_reference_is_refused (void)
{
  g_autofree char *long_name = g_strnfill (DN_REFERENCE_MAX_BYTES, 'a');

  assert_refused ("");
  assert_refused ("Nginx");
  assert_refused ("../etc");
  assert_refused ("a/../b");
  assert_refused ("a//b");
  assert_refused ("/a");
  assert_refused ("a/");
  assert_refused ("-a");
  assert_refused ("a:");
  assert_refused ("a:-x");
  assert_refused ("a b");
  assert_refused ("a\n");
  assert_refused ("x@sha256:12");
  assert_refused ("x@md5:" DIGEST);
  assert_refused ("r.io:99999/x");
  assert_refused ("r.io:0/x");
  assert_refused (long_name);
}

static void
test_people_see_no_localhost (void)
{
  g_assert_cmpstr (dn_reference_short ("localhost/nginx:demo"), ==, "nginx:demo");
  g_assert_cmpstr (dn_reference_short ("docker.io/nginx:demo"), ==, "docker.io/nginx:demo");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/reference/a-short-name-is-this-hosts", test_a_short_name_is_this_hosts);
  g_test_add_func ("/reference/a-name-with-a-registry-stays", test_a_name_with_a_registry_stays);
  g_test_add_func ("/reference/a-digest-needs-no-tag", test_a_digest_needs_no_tag);
  g_test_add_func ("/reference/what-is-no-reference-is-refused",
                   test_what_is_no_reference_is_refused);
  g_test_add_func ("/reference/people-see-no-localhost", test_people_see_no_localhost);
  return g_test_run ();
}
