/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/spec/access.c launcher/daemon/host-access.c launcher/common/key-*.c
 * launcher/common/error.c launcher/common/names.c */
/* Who may do what: every rule, one row each. */
#include <string.h>

#include "../../launcher/common/error.h"
#include "../../launcher/daemon/host-access.h"

#define FILE_NAME "acme.conf"
#define HAS_GROUP "[access]\n"

/* The callers of the tables below. */
typedef enum
{
  ROOT,
  ALICE,
  BOB,
  NAMELESS, /* uid 1003, of whom the host knows no name */
  NUMBER,   /* uid 1004, whose name is "1001" */
  CALLERS,
} Who;

static const guint alices_groups[] = { 2001, 2002 };
static char *const alices_group_names[] = { "acme-ops", "" };
static const DnPrincipal callers[CALLERS] = {
  [ROOT] = { .uid = 0, .user = "root", .gid = 0, .group = "root" },
  [ALICE] = { .uid = 1001,
              .user = "alice",
              .gid = 1001,
              .group = "alice",
              .groups = alices_groups,
              .group_names = alices_group_names,
              .n_groups = 2 },
  [BOB] = { .uid = 1002, .user = "bob", .gid = 100, .group = "users" },
  [NAMELESS] = { .uid = 1003, .gid = 1003 },
  [NUMBER] = { .uid = 1004, .user = "1001", .gid = 1004, .group = "2001" },
};

static void
read_rules (const char *text, DnAccessRules *rules)
{
  DnKey keys[DN_ACCESS_KEYS + 1] = { { NULL, NULL, DN_KEY_INTEGER, NULL, 0, 0, 0, NULL } };
  g_autofree char *whole = g_strconcat (HAS_GROUP, text, NULL);
  g_autoptr (GError) error = NULL;

  dn_access_rules_init (rules);
  dn_access_rules_fill_keys (rules, keys);
  (void) dn_key_file_parse (whole, strlen (whole), FILE_NAME, keys, &error);
  g_assert_no_error (error);
  g_assert_true (dn_access_rules_check (rules, FILE_NAME, NULL, &error));
}

static void
test_decides_by_the_rules_of_a_file (void)
{
  static const struct
  {
    const char *text;
    Who who;
    guint rights;
    DnAccessVerdict verdict;
    const char *rule;
  } cases[] = {
    { "", ROOT, DN_RIGHT_ALL, DN_ACCESS_ALLOWED, "root" },
    { "", ALICE, DN_RIGHT_INSPECT, DN_ACCESS_INVISIBLE,
      "file 'acme.conf': [access] names neither uid 1001 nor a group of its" },
    { "", ALICE, 0, DN_ACCESS_INVISIBLE, NULL },
    /* By name, by number, by any of its groups. */
    { "users = alice", ALICE, DN_RIGHT_ALL, DN_ACCESS_ALLOWED,
      "file 'acme.conf': [access] users: alice" },
    { "users = bob;1001", ALICE, DN_RIGHT_EXEC, DN_ACCESS_ALLOWED,
      "file 'acme.conf': [access] users: 1001" },
    { "users = 1003", NAMELESS, DN_RIGHT_RUN, DN_ACCESS_ALLOWED, NULL },
    { "groups = acme-ops", ALICE, DN_RIGHT_RUN, DN_ACCESS_ALLOWED,
      "file 'acme.conf': [access] groups: acme-ops" },
    { "groups = 2002", ALICE, DN_RIGHT_RUN, DN_ACCESS_ALLOWED,
      "file 'acme.conf': [access] groups: 2002" },
    { "groups = alice", ALICE, DN_RIGHT_RUN, DN_ACCESS_ALLOWED, NULL },
    { "groups = users", BOB, DN_RIGHT_RUN, DN_ACCESS_ALLOWED, NULL },
    { "groups = 1003", NAMELESS, DN_RIGHT_RUN, DN_ACCESS_ALLOWED, NULL },
    /* Others stay out. */
    { "users = alice", BOB, DN_RIGHT_INSPECT, DN_ACCESS_INVISIBLE, NULL },
    { "users = alice", NAMELESS, DN_RIGHT_INSPECT, DN_ACCESS_INVISIBLE, NULL },
    { "groups = acme-ops", BOB, DN_RIGHT_INSPECT, DN_ACCESS_INVISIBLE, NULL },
    { "users = nobody-of-this-name", ALICE, DN_RIGHT_INSPECT, DN_ACCESS_INVISIBLE, NULL },
    { "users = acme-ops", ALICE, DN_RIGHT_INSPECT, DN_ACCESS_INVISIBLE, NULL },
    { "groups = bob", BOB, DN_RIGHT_INSPECT, DN_ACCESS_INVISIBLE, NULL },
    { "users = 2001", ALICE, DN_RIGHT_INSPECT, DN_ACCESS_INVISIBLE, NULL },
    /* A name of digits does not become another's number, nor get in by its own. */
    { "users = 1001\ngroups = 2001", NUMBER, DN_RIGHT_INSPECT, DN_ACCESS_INVISIBLE, NULL },
    { "users = 4294967295", NAMELESS, DN_RIGHT_INSPECT, DN_ACCESS_INVISIBLE, NULL },
    { "users = 18446744073709552617", ALICE, DN_RIGHT_INSPECT, DN_ACCESS_INVISIBLE, NULL },
    /* Some rights: the context is known, and the rule is told. */
    { "users = alice\nverbs = run;logs", ALICE, DN_RIGHT_RUN, DN_ACCESS_ALLOWED, NULL },
    { "users = alice\nverbs = run;logs", ALICE, DN_RIGHT_EXEC, DN_ACCESS_DENIED,
      "file 'acme.conf': [access] verbs: gives 'alice' no right to exec" },
    { "users = alice\nverbs = run", ALICE, DN_RIGHT_RUN | DN_RIGHT_STOP, DN_ACCESS_DENIED,
      "file 'acme.conf': [access] verbs: gives 'alice' no right to stop" },
    { "users = alice\nverbs = run", ALICE, 0, DN_ACCESS_ALLOWED, NULL },
    { "users = alice\nverbs = run", BOB, DN_RIGHT_EXEC, DN_ACCESS_INVISIBLE, NULL },
    { "users = alice\nverbs =", ALICE, 0, DN_ACCESS_INVISIBLE, NULL },
    /* Readers. */
    { "readers = bob", BOB, DN_RIGHT_INSPECT | DN_RIGHT_LOGS, DN_ACCESS_ALLOWED,
      "file 'acme.conf': [access] readers: bob" },
    { "readers = bob", BOB, DN_RIGHT_EXEC, DN_ACCESS_DENIED,
      "file 'acme.conf': [access] readers: gives 'bob' no right to exec" },
    { "reader_groups = acme-ops", ALICE, DN_RIGHT_LOGS, DN_ACCESS_ALLOWED,
      "file 'acme.conf': [access] reader_groups: acme-ops" },
    { "readers = bob", ALICE, DN_RIGHT_LOGS, DN_ACCESS_INVISIBLE, NULL },
    /* Both together. */
    { "users = alice\nreaders = alice\nverbs = exec", ALICE, DN_RIGHT_EXEC | DN_RIGHT_LOGS,
      DN_ACCESS_ALLOWED, NULL },
    { "users = alice\nreaders = alice\nverbs = exec", ALICE, DN_RIGHT_RM, DN_ACCESS_DENIED,
      "file 'acme.conf': [access] verbs: gives 'alice' no right to rm" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_auto (DnAccessRules) rules = { 0 };
      DnAccessSubject subject = { .rules = &rules, .file = FILE_NAME };
      DnAccessDecision decision;
      g_autofree char *rule = NULL;

      read_rules (cases[i].text, &rules);
      decision = dn_access_decide (&subject, &callers[cases[i].who], cases[i].rights);
      if (decision.verdict != cases[i].verdict)
        g_error ("'%s', caller %d, rights 0x%x: %d", cases[i].text, (int) cases[i].who,
                 cases[i].rights, (int) decision.verdict);
      rule = dn_access_rule_words (&decision, &subject, &callers[cases[i].who]);
      if (cases[i].rule != NULL)
        g_assert_cmpstr (rule, ==, cases[i].rule);
      /* While the file is wrong nobody but root gets in, whatever it said before. */
      subject.is_closed = TRUE;
      decision = dn_access_decide (&subject, &callers[cases[i].who], cases[i].rights);
      g_assert_cmpint (decision.verdict, ==,
                       cases[i].who == ROOT ? DN_ACCESS_ALLOWED : DN_ACCESS_INVISIBLE);
    }
}

static void
test_gives_a_context_without_a_file_to_its_owner_alone (void)
{
  const DnAccessSubject subject = { .owner_uid = 1001 };

  for (Who who = ROOT; who < CALLERS; who++)
    for (guint rights = 0; rights <= DN_RIGHT_ALL; rights++)
      {
        DnAccessDecision decision = dn_access_decide (&subject, &callers[who], rights);
        gboolean is_in = who == ROOT || who == ALICE;

        g_assert_cmpint (decision.verdict, ==, is_in ? DN_ACCESS_ALLOWED : DN_ACCESS_INVISIBLE);
      }
}

/* Each right alone, so that one more word of the file gives one more right and nothing else. */
static void
test_a_word_gives_one_right (void)
{
  guint all = 0;

  for (guint i = 0; dn_right_words[i] != NULL; i++)
    {
      g_autofree char *text = g_strconcat ("users = alice\nverbs = ", dn_right_words[i], NULL);
      g_auto (DnAccessRules) rules = { 0 };
      const DnAccessSubject subject = { .rules = &rules, .file = FILE_NAME };

      read_rules (text, &rules);
      all |= 1u << i;
      for (guint k = 0; dn_right_words[k] != NULL; k++)
        g_assert_cmpint (dn_access_decide (&subject, &callers[ALICE], 1u << k).verdict, ==,
                         i == k ? DN_ACCESS_ALLOWED : DN_ACCESS_DENIED);
    }
  g_assert_cmphex (all, ==, DN_RIGHT_ALL);
}

static void
test_refuses_a_right_that_there_is_not (void)
{
  DnKey keys[DN_ACCESS_KEYS + 1] = { { NULL, NULL, DN_KEY_INTEGER, NULL, 0, 0, 0, NULL } };
  g_auto (DnAccessRules) rules = { 0 };
  g_autoptr (GError) error = NULL;
  const char *text = "[access]\nverbs = run;root";

  dn_access_rules_init (&rules);
  dn_access_rules_fill_keys (&rules, keys);
  g_assert_true (dn_key_file_parse (text, strlen (text), FILE_NAME, keys, &error));
  g_assert_false (dn_access_rules_check (&rules, FILE_NAME, NULL, &error));
  g_assert_error (error, DN_ERROR, DN_ERROR_CONFIG);
  g_assert_cmpstr (error->message, ==,
                   "file 'acme.conf': [access] verbs: 'root': there is no such right\nthere are "
                   "run, exec, attach, logs, inspect, stop, rm, cp, update");
}

static void
read_host (const char *text, DnHostAccess *access)
{
  DnKey keys[DN_HOST_ACCESS_KEYS + 1] = { { NULL, NULL, DN_KEY_INTEGER, NULL, 0, 0, 0, NULL } };
  g_autoptr (GError) error = NULL;

  dn_host_access_init (access);
  dn_host_access_fill_keys (access, keys);
  (void) dn_key_file_parse (text, strlen (text), "danchi.conf", keys, &error);
  g_assert_no_error (error);
}

static void
test_knows_who_may_do_what_on_the_host (void)
{
  static const struct
  {
    const char *text;
    Who who;
    gboolean makes;
    gboolean loads;
  } cases[] = {
    { "", ROOT, TRUE, TRUE },
    { "", ALICE, FALSE, FALSE },
    { "[access]\nephemeral_users = alice", ALICE, TRUE, FALSE },
    { "[access]\nephemeral_users = alice", BOB, FALSE, FALSE },
    { "[access]\nephemeral_groups = acme-ops", ALICE, TRUE, FALSE },
    { "[access]\nload_users = bob\nload_groups = acme-ops", ALICE, FALSE, TRUE },
    { "[access]\nload_users = bob\nload_groups = acme-ops", BOB, FALSE, TRUE },
    { "[access]\nload_users = bob\nload_groups = acme-ops", NAMELESS, FALSE, FALSE },
    { "[access]\nsocket_group = users", BOB, FALSE, FALSE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      DnHostAccess access;

      read_host (cases[i].text, &access);
      g_assert_cmpint (dn_host_access_makes (&access, &callers[cases[i].who]), ==, cases[i].makes);
      g_assert_cmpint (dn_host_access_loads (&access, &callers[cases[i].who]), ==, cases[i].loads);
      dn_host_access_clear (&access);
    }
}

static void
test_limits_what_one_user_has (void)
{
  static const struct
  {
    const char *text;
    DnUse use;
    const char *message;
  } cases[] = {
    { "", { 4096, 4096, G_MAXINT64 }, NULL },
    { "[limits]\ncontexts_per_user = 2", { 2, 9, 0 }, NULL },
    { "[limits]\ncontexts_per_user = 2",
      { 3, 0, 0 },
      "uid 1001: would have 3 contexts of its own, and 2 is the most for one user\nfile "
      "'danchi.conf': [limits] contexts_per_user = 2; remove some of yours first" },
    { "[limits]\ncontainers_per_user = 1",
      { 0, 2, 0 },
      "uid 1001: would have 2 containers, and 1 is the most for one user\nfile 'danchi.conf': "
      "[limits] containers_per_user = 1; remove some of yours first" },
    { "[limits]\nmemory_mib_per_user = 512", { 1, 1, 512 * 1024 * 1024 }, NULL },
    { "[limits]\nmemory_mib_per_user = 512",
      { 1, 1, 512 * 1024 * 1024 + 1 },
      "uid 1001: would have 513 MiB of guests' memory, and 512 is the most for one user\nfile "
      "'danchi.conf': [limits] memory_mib_per_user = 512; remove some of yours first" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      DnHostAccess access;
      g_autoptr (GError) error = NULL;
      gboolean is_fine;

      read_host (cases[i].text, &access);
      is_fine = dn_host_access_check_use (&access, &cases[i].use, 1001, "danchi.conf", &error);
      g_assert_cmpint (is_fine, ==, cases[i].message == NULL);
      if (!is_fine)
        {
          g_assert_error (error, DN_ERROR, DN_ERROR_LIMIT);
          g_assert_cmpstr (error->message, ==, cases[i].message);
        }
      dn_host_access_clear (&access);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/access/decides-by-the-rules-of-a-file", test_decides_by_the_rules_of_a_file);
  g_test_add_func ("/access/gives-a-context-without-a-file-to-its-owner-alone",
                   test_gives_a_context_without_a_file_to_its_owner_alone);
  g_test_add_func ("/access/a-word-gives-one-right", test_a_word_gives_one_right);
  g_test_add_func ("/access/refuses-a-right-that-there-is-not",
                   test_refuses_a_right_that_there_is_not);
  g_test_add_func ("/access/knows-who-may-do-what-on-the-host",
                   test_knows_who_may_do_what_on_the_host);
  g_test_add_func ("/access/limits-what-one-user-has", test_limits_what_one_user_has);
  return g_test_run ();
}
