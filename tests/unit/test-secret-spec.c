/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/common/secret-spec.c launcher/common/names.c launcher/common/error.c */
/* What secrets are called and where they go. */
#include <string.h>

#include "../../launcher/common/error.h"
#include "../../launcher/common/secret-spec.h"

static void
test_what_is_not_said_has_a_default (void)
{
  g_autoptr (DnSecretSpec) secret = dn_secret_spec_parse ("db.pass-1_x", FALSE, NULL);
  g_autoptr (DnSecretSpec) config = dn_secret_spec_parse ("app,target=/etc/app.conf", TRUE, NULL);

  g_assert_cmpstr (secret->target, ==, "/run/secrets/db.pass-1_x");
  g_assert_cmpstr (secret->file, ==, "db.pass-1_x");
  g_assert_false (secret->is_linked);
  g_assert_cmpuint (secret->mode, ==, 0400);
  g_assert_cmpuint (secret->uid, ==, DN_SECRET_OF_USER);
  g_assert_cmpuint (secret->gid, ==, DN_SECRET_OF_USER);
  g_assert_cmpstr (config->file, ==, "app");
  g_assert_true (config->is_linked);
  g_assert_cmpuint (config->mode, ==, 0444);
  g_assert_cmpuint (config->uid, ==, 0);
}

static void
test_all_of_it_can_be_said (void)
{
  g_autoptr (DnSecretSpec) spec
      = dn_secret_spec_parse ("a,uid=70,target=b,gid=71,mode=0440", FALSE, NULL);

  g_assert_cmpstr (spec->target, ==, "/run/secrets/b");
  g_assert_cmpstr (spec->file, ==, "b");
  g_assert_cmpuint (spec->uid, ==, 70);
  g_assert_cmpuint (spec->gid, ==, 71);
  g_assert_cmpuint (spec->mode, ==, 0440);
}

static void
test_what_cannot_be_is_refused_by_name (void)
{
  static const char *const refused[][2] = {
    { "", "letters, digits" },
    { ".hidden", "'.hidden'" },
    { "-flag", "'-flag'" },
    { "a/b", "'a/b'" },
    { "a b", "'a b'" },
    { "a\nb", "'a?b'" },
    { "0123456789012345678901234567890123456789012345678901234567890123x", "1 to 64" },
    { "a,b", "'b' is not known" },
    { "a,", "'' is not known" },
    { "a,src=/x", "'src=/x' is not known" },
    { "a,uid=-1", "uid '-1'" },
    { "a,uid=65536", "0 to 65535" },
    { "a,gid=x", "gid 'x'" },
    { "a,mode=800", "mode '800'" },
    { "a,mode=01777", "mode '01777'" },
    { "a,mode=0400,mode=0444", "said twice" },
    { "a,target=", "a name in /run/secrets" },
    { "a,target=x/y", "a name in /run/secrets" },
    { "a,target=/", "plain path" },
    { "a,target=/x/", "plain path" },
    { "a,target=//x", "plain path" },
    { "a,target=/x/../y", "plain path" },
    { "a,target=/./x", "plain path" },
    { "a,target=/proc", "the kernel's" },
    { "a,target=/proc/1/environ", "the kernel's" },
    { "a,target=/sys/x", "the kernel's" },
    { "a,target=/dev/shm/x", "Danchi makes it" },
    { "a,target=/etc/hosts", "Danchi makes it" },
    { "a,target=/etc/passwd", "before there are secrets" },
    { "a,target=/run", "hide all secrets" },
    { "a,target=/run/secrets", "hide all secrets" },
    { "a,target=/run/secrets/x/y", "no directories" },
    { "a,target=/run/secrets/.x", "no directories" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (refused); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (DnSecretSpec) spec = dn_secret_spec_parse (refused[i][0], i % 2 == 0, &error);

      if (spec != NULL || strstr (error->message, refused[i][1]) == NULL)
        g_error ("'%s': %s", refused[i][0], spec != NULL ? "taken" : error->message);
      g_assert_error (error, DN_ERROR, DN_ERROR_USAGE);
      g_assert_nonnull (strstr (error->message, i % 2 == 0 ? "--config: " : "--secret: "));
    }
}

static gboolean
is_refused (const char *first, const char *second, const char *config, const char *why)
{
  char *secrets[] = { (char *) first, (char *) second, NULL };
  char *configs[] = { (char *) config, NULL };
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) specs = dn_secret_specs_parse (secrets, configs, &error);

  return specs == NULL && strstr (error->message, why) != NULL;
}

static void
test_no_two_are_one_or_in_one_another (void)
{
  char *fine[] = { (char *) "a", (char *) "b,target=/etc/b", (char *) "c,target=/etc/bb", NULL };
  g_autoptr (GPtrArray) specs = dn_secret_specs_parse (fine, NULL, NULL);

  g_assert_cmpuint (specs->len, ==, 3);
  g_assert_nonnull (dn_secret_specs_find (specs, "b"));
  g_assert_null (dn_secret_specs_find (specs, "d"));
  g_assert_true (is_refused ("a", "a,target=/x", NULL, "'a': is there twice"));
  g_assert_true (is_refused ("a", NULL, "a", "'a': is there twice"));
  g_assert_true (is_refused ("a", "b,target=a", NULL, "in the place of 'a'"));
  g_assert_true (is_refused ("a,target=/x", "b,target=/x", NULL, "in the place of 'a'"));
  g_assert_true (is_refused ("a,target=/x/y", "b,target=/x", NULL, "in the place of 'a'"));
  g_assert_true (is_refused ("a,target=/x", NULL, "b,target=/x/y", "in the place of 'a'"));
  /* One file of the directory for both, though neither is where the other is. */
  g_assert_true (is_refused ("a,target=/x", "b,target=a", NULL, "in the place of 'a'"));
}

static void
test_there_is_a_most (void)
{
  g_autoptr (GPtrArray) texts = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) specs = NULL;
  g_autoptr (GPtrArray) more = NULL;
  g_autoptr (GError) error = NULL;
  char *one[] = { (char *) "one-more", NULL };

  for (guint i = 0; i < DN_SECRETS_MAX; i++)
    g_ptr_array_add (texts, g_strdup_printf ("s%u", i));
  g_ptr_array_add (texts, NULL);
  specs = dn_secret_specs_parse ((char **) texts->pdata, NULL, &error);
  g_assert_no_error (error);
  more = dn_secret_specs_parse ((char **) texts->pdata, one, &error);
  g_assert_null (more);
  g_assert_nonnull (strstr (error->message, "64 secrets at most"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/secret-spec/what is not said has a default",
                   test_what_is_not_said_has_a_default);
  g_test_add_func ("/secret-spec/all of it can be said", test_all_of_it_can_be_said);
  g_test_add_func ("/secret-spec/what cannot be is refused by name",
                   test_what_cannot_be_is_refused_by_name);
  g_test_add_func ("/secret-spec/no two are one, or in one another",
                   test_no_two_are_one_or_in_one_another);
  g_test_add_func ("/secret-spec/there is a most", test_there_is_a_most);
  return g_test_run ();
}
