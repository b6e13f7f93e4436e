/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/spec/options*.c launcher/spec/restart-policy.c launcher/spec/health-times.c
   launcher/spec/profile*.c launcher/spec/tmpfs.c
   launcher/spec/mount-*.c launcher/spec/c[ap]*.c launcher/spec/env.c launcher/common/names.c
   launcher/common/secret-spec.c launcher/spec/secrets-check.c
   launcher/spec/u*t.c launcher/spec/quantity.c launcher/common/signal-name.c
   launcher/common/[ej]*.c launcher/common/key-*.c launcher/common/paths.c
   launcher/spec/network-*.c launcher/spec/port-spec.c launcher/base/network-rule.c
   launcher/base/public-address.c */
#include "../../launcher/common/error.h"
#include "../../launcher/common/json.h"
#include "../../launcher/spec/spec.h"
#include "golden.h"

static DnContainerOptions *
read_text (const char *text, GError **error)
{
  g_autoptr (JsonNode) root = dn_json_parse (text, strlen (text), 4 * 1024 * 1024, "args", error);

  return root != NULL ? dn_container_options_read (json_node_get_object (root), error) : NULL;
}

static void
test_refusals_are_as_reviewed (void)
{
  g_autofree char *input = NULL;
  g_auto (GStrv) lines = NULL;
  g_autoptr (GString) output = g_string_new (NULL);
  g_autoptr (GError) error = NULL;

  g_file_get_contents ("tests/golden/options/refusals.in", &input, NULL, &error);
  g_assert_no_error (error);
  lines = g_strsplit (input, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    {
      g_autoptr (DnContainerOptions) options = NULL;
      g_autoptr (GError) refusal = NULL;

      if (lines[i][0] != '{')
        continue;
      options = read_text (lines[i], &refusal);
      if (options != NULL)
        g_test_fail_printf ("not refused: %s", lines[i]);
      else
        g_string_append_printf (output, "%s\n  %s: %s\n", lines[i],
                                dn_error_code_to_name ((DnError) refusal->code), refusal->message);
    }
  golden_compare ("tests/golden/options/refusals.txt", output->str);
}

static void
test_takes_what_people_write (void)
{
  static const char *const fine[] = {
    "{}",
    "{\"image\": null, \"env\": []}",
    "{\"hostname\": \"WEB-1.acme.example\"}",
    "{\"user\": \"www-data\"}",
    "{\"user\": \"www-data:33\"}",
    "{\"user\": \"0:0\"}",
    "{\"user\": \"host$\"}",
    "{\"env\": [\"my.var-1=\", \"X==\"]}",
    "{\"tmpfs\": [\"/var/cache:size=16m,mode=755,exec,rw\", \"/dev/shm:size=128m\"]}",
    "{\"ulimits\": [\"nofile=1024\", \"memlock=-1\", \"nproc=10:20\", \"core=unlimited\"]}",
    "{\"cap_drop\": [\"all\", \"CAP_NET_RAW\"], \"cap_add\": []}",
    "{\"cpus\": 2, \"cpu_shares\": 2, \"pids_limit\": -1, \"memory_bytes\": -1}",
    "{\"stop_signal\": \"rtmin+3\", \"stop_timeout_s\": 0}",
    "{\"stop_signal\": \"sigint\"}",
    "{\"network\": \"none\", \"profile\": \"strict\"}",
  };

  for (guint i = 0; i < G_N_ELEMENTS (fine); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (DnContainerOptions) options = read_text (fine[i], &error);

      if (options == NULL)
        g_test_fail_printf ("%s: %s", fine[i], error->message);
    }
}

static void
test_what_is_not_given_is_the_default (void)
{
  g_autoptr (DnContainerOptions) options = read_text ("{}", NULL);

  g_assert_nonnull (options);
  g_assert_null (options->image);
  g_assert_null (options->entrypoint);
  g_assert_false (options->is_writable);
  g_assert_cmpint (options->stop_timeout_s, ==, -1);
  g_assert_cmpint (options->memory_bytes, ==, 0);
  g_assert_cmpuint (g_hash_table_size (options->labels), ==, 0);
}

static void
test_stored_options_read_back_the_same (void)
{
  const char *text = "{\"image\":\"w\",\"command\":[\"a\",\"\"],\"context\":\"c\",\"name\":\"n\","
                     "\"hostname\":\"h\",\"env\":[\"A=b\"],\"user\":\"u\",\"working_dir\":\"/w\","
                     "\"entrypoint\":[\"\"],\"labels\":{\"x\":\"1\",\"y\":\"2\"},"
                     "\"profile\":\"strict\",\"cap_drop\":[\"ALL\"],\"seccomp_json\":\"{}\","
                     "\"is_writable\":true,\"tmpfs\":[\"/t\"],\"memory_bytes\":8388608,"
                     "\"cpus\":0.5,\"cpu_shares\":10,\"pids_limit\":-1,\"ulimits\":[\"core=0\"],"
                     "\"guest_memory_bytes\":268435456,\"guest_vcpus\":2,\"network\":\"none\","
                     "\"stop_signal\":\"INT\",\"stop_timeout_s\":0,\"has_terminal\":true,"
                     "\"keeps_stdin_open\":true,\"is_removed_at_exit\":true,"
                     "\"allow_emulation\":true}";
  g_autoptr (GError) error = NULL;
  g_autoptr (DnContainerOptions) first = read_text (text, &error);
  g_autoptr (DnContainerOptions) second = NULL;
  g_autoptr (JsonNode) node = NULL, again = NULL;
  g_autofree char *once = NULL, *twice = NULL;

  g_assert_no_error (error);
  node = dn_container_options_to_json (first);
  once = dn_json_to_text (node, FALSE);
  g_assert_cmpstr (once, ==, text);
  second = dn_container_options_read (json_node_get_object (node), &error);
  g_assert_no_error (error);
  again = dn_container_options_to_json (second);
  twice = dn_json_to_text (again, FALSE);
  g_assert_cmpstr (twice, ==, once);
}

/* Each limit from both sides. */
static void
test_bounds_what_a_user_can_make_long (void)
{
  static const struct
  {
    const char *member;
    guint fits;
    gboolean is_list; /* of that many elements, else one of that many bytes */
  } limits[] = {
    { "command", 1024, TRUE },
    { "command", 128 * 1024 - 1, FALSE },
    { "env", 1024, TRUE },
    { "env", 32 * 1024, FALSE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (limits); i++)
    for (guint excess = 0; excess < 2; excess++)
      {
        g_autoptr (GString) text = g_string_new ("{\"");
        g_autoptr (DnContainerOptions) options = NULL;
        g_autoptr (GError) error = NULL;

        g_string_append_printf (text, "%s\": [", limits[i].member);
        if (limits[i].is_list)
          for (guint j = 0; j < limits[i].fits + excess; j++)
            g_string_append_printf (text, "%s\"A%u=\"", j > 0 ? "," : "", j);
        else
          {
            g_string_append (text, "\"A=");
            for (guint j = 2; j < limits[i].fits + excess; j++)
              g_string_append_c (text, 'x');
            g_string_append_c (text, '"');
          }
        g_string_append (text, "]}");
        options = read_text (text->str, &error);
        if (excess == 0)
          g_assert_no_error (error);
        else
          g_assert_error (error, DN_ERROR, DN_ERROR_USAGE);
      }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/options/refusals-are-as-reviewed", test_refusals_are_as_reviewed);
  g_test_add_func ("/options/takes-what-people-write", test_takes_what_people_write);
  g_test_add_func ("/options/what-is-not-given-is-the-default",
                   test_what_is_not_given_is_the_default);
  g_test_add_func ("/options/stored-options-read-back-the-same",
                   test_stored_options_read_back_the_same);
  g_test_add_func ("/options/bounds-what-a-user-can-make-long",
                   test_bounds_what_a_user_can_make_long);
  return g_test_run ();
}
