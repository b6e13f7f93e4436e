/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/spec/seccomp-profile.c launcher/spec/seccomp-words.c
   launcher/spec/seccomp-condition.c launcher/spec/capability.c launcher/common/[ej]*.c */
/* Packages: libseccomp */
#include "../../launcher/common/error.h"
#include "../../launcher/spec/seccomp-profile.h"
#include "golden.h"

static DnSeccompProfile *
read_text (const char *text, GError **error)
{
  return dn_seccomp_profile_read (text, strlen (text), 0, "profile", error);
}

/* A profile with these rules. */
static DnSeccompProfile *
read_rules (const char *rules)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *text
      = g_strdup_printf ("{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"syscalls\": [%s]}", rules);
  DnSeccompProfile *profile = read_text (text, &error);

  g_assert_no_error (error);
  return profile;
}

static void
test_refusals_are_as_reviewed (void)
{
  g_autofree char *input = NULL;
  g_auto (GStrv) lines = NULL;
  g_autoptr (GString) output = g_string_new (NULL);
  g_autoptr (GError) error = NULL;

  g_file_get_contents ("tests/golden/seccomp/refusals.in", &input, NULL, &error);
  g_assert_no_error (error);
  lines = g_strsplit (input, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    {
      g_autoptr (DnSeccompProfile) profile = NULL;
      g_autoptr (GError) refusal = NULL;

      if (lines[i][0] == '\0' || lines[i][0] == '#')
        continue;
      profile = read_text (lines[i], &refusal);
      if (profile != NULL)
        g_test_fail_printf ("not refused: %s", lines[i]);
      else
        {
          g_assert_error (refusal, DN_ERROR, DN_ERROR_CONFIG);
          g_string_append_printf (output, "%s\n  %s\n", lines[i], refusal->message);
        }
    }
  golden_compare ("tests/golden/seccomp/refusals.txt", output->str);
}

/* Whether a dirty upper half of an int's register makes no hole: it may lead to the refusing
 * default, or must make no difference. */
static gboolean
is_sound (const DnSeccompRule *rule, const struct scmp_arg_cmp *arg)
{
  if (arg->op == SCMP_CMP_EQ)
    return rule->action == SCMP_ACT_ALLOW && arg->datum_a <= G_MAXUINT32;
  if (arg->op != SCMP_CMP_MASKED_EQ)
    return FALSE;
  return rule->action == SCMP_ACT_ALLOW ? arg->datum_a <= G_MAXUINT32 : arg->datum_a == G_MAXUINT32;
}

/* All of @name, also what is for holders of capabilities. */
static void
check_allowlist (const char *name)
{
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (DnSeccompProfile) profile = NULL;

  g_file_get_contents (name, &text, NULL, &error);
  g_assert_no_error (error);
  profile = dn_seccomp_profile_read (text, strlen (text), G_MAXUINT64, name, &error);
  g_assert_no_error (error);
  g_assert_cmphex (profile->default_action, ==, SCMP_ACT_ERRNO (1));
  for (guint i = 0; i < profile->rules->len; i++)
    {
      const DnSeccompRule *rule = g_ptr_array_index (profile->rules, i);

      for (guint j = 0; j < rule->args_count; j++)
        if (!is_sound (rule, &rule->args[j]))
          g_test_fail_printf ("%s: %s: argument %u", name, rule->name, rule->args[j].arg);
      if (rule->action != SCMP_ACT_ALLOW)
        g_assert_cmpstr (rule->name, ==, "clone3");
    }
}

static void
test_our_profiles_are_allowlists_by_equality (void)
{
  check_allowlist ("config/seccomp/default.json");
  check_allowlist ("config/seccomp/relaxed.json");
}

static void
test_every_other_shape_of_comparison_is_noticed (void)
{
  const DnSeccompRule permits = { .action = SCMP_ACT_ALLOW },
                      refuses = { .action = SCMP_ACT_ERRNO (1) };
  const struct
  {
    const DnSeccompRule *rule;
    struct scmp_arg_cmp arg;
    gboolean is_sound;
  } shapes[] = {
    { &permits, { 0, SCMP_CMP_EQ, 1, 0 }, TRUE },
    { &permits, { 0, SCMP_CMP_EQ, G_GUINT64_CONSTANT (1) << 32, 0 }, FALSE },
    { &permits, { 0, SCMP_CMP_MASKED_EQ, 15, 1 }, TRUE },
    { &permits, { 0, SCMP_CMP_MASKED_EQ, G_MAXUINT64, 1 }, FALSE },
    { &permits, { 0, SCMP_CMP_NE, 1, 0 }, FALSE },
    { &permits, { 0, SCMP_CMP_LT, 1, 0 }, FALSE },
    { &permits, { 0, SCMP_CMP_LE, 1, 0 }, FALSE },
    { &permits, { 0, SCMP_CMP_GE, 1, 0 }, FALSE },
    { &permits, { 0, SCMP_CMP_GT, 1, 0 }, FALSE },
    { &refuses, { 0, SCMP_CMP_EQ, 1, 0 }, FALSE },
    { &refuses, { 0, SCMP_CMP_MASKED_EQ, 15, 1 }, FALSE },
    { &refuses, { 0, SCMP_CMP_MASKED_EQ, G_MAXUINT32, 1 }, TRUE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (shapes); i++)
    if (is_sound (shapes[i].rule, &shapes[i].arg) != shapes[i].is_sound)
      g_test_fail_printf ("shape %u", i);
}

static void
test_conditions_are_those_of_the_containers_capabilities (void)
{
  static const char text[] = "{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"syscalls\": ["
                             "{\"names\": [\"chroot\"], \"action\": \"SCMP_ACT_ALLOW\","
                             " \"includes\": {\"caps\": [\"CAP_CHOWN\"]}},"
                             "{\"names\": [\"acct\"], \"action\": \"SCMP_ACT_ALLOW\","
                             " \"includes\": {\"caps\": [\"CAP_CHOWN\", \"CAP_KILL\"]}},"
                             "{\"names\": [\"read\"], \"action\": \"SCMP_ACT_ALLOW\","
                             " \"excludes\": {\"caps\": [\"CAP_KILL\", \"CAP_CHOWN\"]}}]}";
  const guint64 chown = 1, both = 1 | 1 << 5;
  const struct
  {
    guint64 capabilities;
    gboolean permits[3];
  } cases[] = { { 0, { FALSE, FALSE, TRUE } },
                { chown, { TRUE, FALSE, FALSE } },
                { both, { TRUE, TRUE, FALSE } } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (DnSeccompProfile) profile
          = dn_seccomp_profile_read (text, strlen (text), cases[i].capabilities, "x", NULL);

      g_assert_nonnull (profile);
      g_assert_true (dn_seccomp_profile_permits (profile, "chroot") == cases[i].permits[0]);
      g_assert_true (dn_seccomp_profile_permits (profile, "acct") == cases[i].permits[1]);
      g_assert_true (dn_seccomp_profile_permits (profile, "read") == cases[i].permits[2]);
    }
}

static void
test_the_default_profile_says_why (void)
{
  g_autofree char *text = NULL;
  g_auto (GStrv) pieces = NULL;

  g_assert_true (g_file_get_contents ("config/seccomp/default.json", &text, NULL, NULL));
  pieces = g_strsplit (text, "\"comment\": \"", -1);
  g_assert_cmpuint (g_strv_length (pieces), >, 20);
}

static void
test_conditions_are_those_of_a_container_without_capabilities (void)
{
  g_autoptr (DnSeccompProfile) profile = read_rules (
      "{\"names\": [\"mount\"], \"action\": \"SCMP_ACT_ALLOW\","
      " \"includes\": {\"caps\": [\"CAP_SYS_ADMIN\"]}},"
      "{\"names\": [\"read\"], \"action\": \"SCMP_ACT_ALLOW\","
      " \"excludes\": {\"caps\": [\"CAP_SYS_ADMIN\"]}},"
      "{\"names\": [\"write\"], \"action\": \"SCMP_ACT_ALLOW\", \"includes\": {\"caps\": []}},"
      "{\"names\": [\"open\"], \"action\": \"SCMP_ACT_ALLOW\","
      " \"includes\": {\"arches\": [\"s390x\"]}},"
      "{\"names\": [\"close\"], \"action\": \"SCMP_ACT_ALLOW\","
      " \"includes\": {\"arches\": [\"amd64\", \"arm64\"]}},"
      "{\"names\": [\"stat\"], \"action\": \"SCMP_ACT_ALLOW\","
      " \"excludes\": {\"arches\": [\"amd64\", \"arm64\"]}},"
      "{\"names\": [\"dup\"], \"action\": \"SCMP_ACT_ALLOW\", \"includes\": {\"minKernel\": "
      "\"4.8\"}},"
      "{\"names\": [\"pipe2\"], \"action\": \"SCMP_ACT_ALLOW\", \"includes\": {\"minKernel\": "
      "\"6.1\"}},"
      "{\"names\": [\"getpid\"], \"action\": \"SCMP_ACT_ALLOW\", \"includes\": {\"minKernel\": "
      "\"6.10\"}},"
      "{\"names\": [\"getuid\"], \"action\": \"SCMP_ACT_ALLOW\", \"includes\": {\"minKernel\": "
      "\"7.0\"}}");
  static const char *const in[] = { "read", "write", "close", "dup", "pipe2" };
  static const char *const out[] = { "mount", "open", "stat", "getpid", "getuid" };

  for (guint i = 0; i < G_N_ELEMENTS (in); i++)
    g_assert_true (dn_seccomp_profile_permits (profile, in[i]));
  for (guint i = 0; i < G_N_ELEMENTS (out); i++)
    g_assert_false (dn_seccomp_profile_permits (profile, out[i]));
}

static void
test_other_architectures_and_newer_calls_are_left_out (void)
{
  g_autoptr (DnSeccompProfile) profile = read_rules (
      "{\"names\": [\"s390_runtime_instr\", \"mseal\", \"uretprobe\", \"file_setattr\", \"read\"],"
      " \"action\": \"SCMP_ACT_ALLOW\"}");

  g_assert_cmpuint (profile->rules->len, ==, 1);
  g_assert_true (dn_seccomp_profile_permits (profile, "read"));
}

static void
test_a_rule_that_says_the_default_is_left_out (void)
{
  g_autoptr (DnSeccompProfile) profile
      = read_rules ("{\"names\": [\"bpf\"], \"action\": \"SCMP_ACT_ERRNO\", \"errnoRet\": 1}");

  g_assert_cmpuint (profile->rules->len, ==, 0);
}

static void
test_rules_are_bounded (void)
{
  g_autoptr (GString) text = g_string_new ("{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"syscalls\": ["
                                           "{\"action\": \"SCMP_ACT_ALLOW\", \"names\": [\"read\"");
  g_autoptr (GError) error = NULL, larger = NULL;

  for (guint i = 0; i < DN_SECCOMP_RULES_MAX; i++)
    g_string_append (text, ",\"read\"");
  g_string_append (text, "]}]}");
  g_assert_null (read_text (text->str, &error));
  g_assert_error (error, DN_ERROR, DN_ERROR_CONFIG);
  g_assert_nonnull (strstr (error->message, "more than"));
  while (text->len <= DN_SECCOMP_PROFILE_MAX_BYTES)
    g_string_append (text, "                                                                ");
  g_assert_null (read_text (text->str, &larger));
  g_assert_nonnull (strstr (larger->message, "larger than"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/seccomp-profile/refusals-are-as-reviewed", test_refusals_are_as_reviewed);
  g_test_add_func ("/seccomp-profile/our-profiles-are-allowlists-by-equality",
                   test_our_profiles_are_allowlists_by_equality);
  g_test_add_func ("/seccomp-profile/every-other-shape-of-comparison-is-noticed",
                   test_every_other_shape_of_comparison_is_noticed);
  g_test_add_func ("/seccomp-profile/conditions-are-those-of-the-containers-capabilities",
                   test_conditions_are_those_of_the_containers_capabilities);
  g_test_add_func ("/seccomp-profile/the-default-profile-says-why",
                   test_the_default_profile_says_why);
  g_test_add_func ("/seccomp-profile/conditions-are-those-of-a-container-without-capabilities",
                   test_conditions_are_those_of_a_container_without_capabilities);
  g_test_add_func ("/seccomp-profile/other-architectures-and-newer-calls-are-left-out",
                   test_other_architectures_and_newer_calls_are_left_out);
  g_test_add_func ("/seccomp-profile/a-rule-that-says-the-default-is-left-out",
                   test_a_rule_that_says_the_default_is_left_out);
  g_test_add_func ("/seccomp-profile/rules-are-bounded", test_rules_are_bounded);
  return g_test_run ();
}
