/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/spec/admission*.c launcher/spec/placement.c launcher/spec/terms.c
   launcher/spec/bind-policy.c launcher/spec/signing-key.c launcher/spec/reference-glob.c
   launcher/spec/policy.c launcher/spec/profile.c launcher/spec/profile-file.c
   launcher/spec/profile-table.c launcher/spec/capability.c launcher/spec/tmpfs.c
   launcher/spec/quantity.c launcher/spec/ulimit.c launcher/common/key-*.c launcher/common/names.c
   launcher/common/error.c launcher/spec/network-policy.c launcher/base/network-rule.c
   launcher/base/public-address.c launcher/common/json.c */

/* Who may loosen what: a table of wishes and policies (R3.5, R3.6, R5.12). */
#include <string.h>

#include "../../launcher/common/error.h"
#include "../../launcher/spec/admission.h"
#include "../../launcher/spec/capability.h"
#include "../../launcher/spec/profile-file.h"

#define JSON "{}" /* some filter: what is in it is not looked at here */

static DnProfile *strict, *standard;

/* The operator's, permitted or not. */
static char *operators[] = { (char *) "standard", (char *) "strict", NULL };

/* strict's file with the first @from made @to, under another name. */
static DnProfile *
own_profile (const char *from, const char *to)
{
  g_autofree char *text = dn_profile_print (strict), *changed = NULL;
  g_autoptr (GError) error = NULL;
  const char *at;
  DnProfile *profile;

  at = strstr (text, from);
  g_assert_nonnull (at);
  changed = g_strdup_printf ("%.*s%s%s", (int) (at - text), text, to, at + strlen (from));
  profile = dn_profile_parse (changed, strlen (changed), "own", &error);
  g_assert_no_error (error);
  g_free (profile->name);
  profile->name = g_strdup ("mine");
  return profile;
}

static void
read_policy (const char *text, DnPolicy *policy)
{
  DnKey keys[DN_POLICY_KEYS + 1] = { { NULL } };
  g_autofree char *file = g_strconcat ("[confinement]\n", text, NULL);
  g_autoptr (GError) error = NULL;

  dn_policy_init (policy);
  dn_policy_fill_keys (policy, keys);
  g_assert_true (dn_key_file_parse (file, strlen (file), "policy", keys, &error));
  g_assert_true (dn_policy_check (policy, "policy", NULL, &error));
}

/* In a context, on a host and of an image that have nothing against it. */
static gboolean
decide (const DnAdmissionRequest *request, const DnPolicy *policy, DnVerdict *verdict,
        GError **error)
{
  char *none[] = { NULL }, *references[] = { (char *) "localhost/a:1", NULL };
  g_auto (DnTerms) terms = { 0 };
  g_auto (DnNetworkPolicy) network = { 0 };
  const DnAdmissionContext context = { .name = "a",
                                       .labels = { .values = { "none", "none", "none" } },
                                       .policy = policy,
                                       .terms = &terms,
                                       .network = &network };
  const DnAdmissionHost host
      = { .accepts = none, .networks = none, .network = "none", .file = "danchi.conf" };
  const DnAdmissionImage image = { .asked = "a:1", .references = references, .digests = none };
  const DnAdmission admission
      = { .request = request, .context = &context, .host = &host, .image = &image };

  dn_terms_init (&terms);
  dn_network_policy_init (&network);
  return dn_admission_decide (&admission, verdict, error);
}

typedef struct
{
  const char *policy;
  const char *profile; /* "strict", "standard", or of the caller's own: strict with ... */
  const char *from;    /* ... this made ... */
  const char *to;      /* ... that */
  const char *add;     /* capabilities, with spaces between them */
  const char *seccomp;
  const char *outcome; /* its relaxations; or "!" and a part of the refusal */
  int base;
} Case;

#define DEFAULTS ""
#define CALLERS "own"

static const Case cases[] = {
  /* Names. */
  { DEFAULTS, "strict", NULL, NULL, NULL, NULL, "", 0 },
  { DEFAULTS, "standard", NULL, NULL, NULL, NULL, "", 0 },
  { "profiles = strict\n", "strict", NULL, NULL, NULL, NULL, "", 0 },
  { "profiles = strict\n", "standard", NULL, NULL, NULL, NULL,
    "!--profile 'standard': not permitted in this context", 0 },
  /* Capabilities. */
  { DEFAULTS, "strict", NULL, NULL, "NET_RAW", NULL, "!capability NET_RAW", 0 },
  { DEFAULTS, "strict", NULL, NULL, "NET_RAW SYS_ADMIN", NULL,
    "!capability NET_RAW, capability SYS_ADMIN", 0 },
  { DEFAULTS, "strict", NULL, NULL, "CHOWN", NULL, "!capability CHOWN", 0 },
  { DEFAULTS, "standard", NULL, NULL, "CHOWN", NULL, "", 0 }, /* it has that one */
  { "capabilities = NET_RAW\n", "strict", NULL, NULL, "cap_net_raw", NULL, "capability NET_RAW",
    0 },
  { "capabilities = NET_RAW\n", "strict", NULL, NULL, "NET_RAW SYS_ADMIN", NULL,
    "!context: capability SYS_ADMIN (rule capabilities, ", 0 },
  { "seccomp = unconfined\nprofile_files = yes\n", "strict", NULL, NULL, "NET_RAW", NULL,
    "![confinement] capabilities", 0 },
  /* Filters: a caller's own is always welcome, since it takes away. */
  { DEFAULTS, "strict", NULL, NULL, NULL, JSON, "", DN_SECCOMP_DEFAULT },
  { "seccomp = relaxed\n", "strict", NULL, NULL, NULL, NULL, "", DN_SECCOMP_DEFAULT },
  { "seccomp = relaxed\n", "strict", NULL, NULL, NULL, JSON, "seccomp relaxed",
    DN_SECCOMP_RELAXED },
  { DEFAULTS, "strict", NULL, NULL, NULL, "unconfined", "!seccomp unconfined", 0 },
  { "seccomp = relaxed\n", "strict", NULL, NULL, NULL, "unconfined", "![confinement] seccomp", 0 },
  { "seccomp = unconfined\n", "strict", NULL, NULL, NULL, NULL, "", DN_SECCOMP_DEFAULT },
  { "seccomp = unconfined\n", "strict", NULL, NULL, NULL, "{}", "seccomp relaxed",
    DN_SECCOMP_RELAXED },
  { "seccomp = unconfined\n", "strict", NULL, NULL, NULL, "unconfined", "seccomp unconfined",
    DN_SECCOMP_UNCONFINED },
  /* The caller's own profile. */
  { DEFAULTS, CALLERS, "pids = 512", "pids = 100", NULL, NULL, "", 0 },
  { DEFAULTS, CALLERS, "capabilities = ", "capabilities = CHOWN;SETUID", NULL, NULL, "", 0 },
  { "profiles = strict\n", CALLERS, "capabilities = ", "capabilities = CHOWN", NULL, NULL,
    "!capability CHOWN", 0 },
  { DEFAULTS, CALLERS, "capabilities = ", "capabilities = SYS_ADMIN", NULL, NULL,
    "!capability SYS_ADMIN", 0 },
  { "profile_files = yes\n", CALLERS, "capabilities = ", "capabilities = SYS_ADMIN", NULL, NULL,
    "![confinement] capabilities", 0 },
  { "capabilities = SYS_ADMIN\n", CALLERS, "capabilities = ", "capabilities = SYS_ADMIN", NULL,
    NULL, "capability SYS_ADMIN", 0 },
  { DEFAULTS, CALLERS, "/proc/kcore = masked\n", "", NULL, NULL, "!path /proc/kcore is not masked",
    0 },
  { "profile_files = yes\n", CALLERS, "/proc/kcore = masked\n", "", NULL, NULL,
    "path /proc/kcore is not masked", 0 },
  { "profile_files = yes\n", CALLERS, "base = default", "base = unconfined", NULL, NULL,
    "![confinement] seccomp", 0 },
  { "seccomp = relaxed\n", CALLERS, "base = default", "base = relaxed", NULL, NULL,
    "seccomp relaxed", DN_SECCOMP_RELAXED },
  { DEFAULTS, CALLERS, "/proc/kcore = masked\n", "", "NET_RAW", "unconfined",
    "!/proc/kcore is not masked, capability NET_RAW, seccomp unconfined", 0 },
};

static void
check_case (const Case *c)
{
  g_auto (DnPolicy) policy = { 0 };
  g_auto (GStrv) add = c->add != NULL ? g_strsplit (c->add, " ", -1) : NULL;
  g_auto (DnVerdict) verdict = { 0 };
  g_autoptr (DnProfile) own = c->from != NULL ? own_profile (c->from, c->to) : NULL;
  g_autoptr (GPtrArray) permitted = g_ptr_array_new ();
  g_autoptr (GError) error = NULL;
  g_autofree char *outcome = NULL;
  DnAdmissionRequest request = { .profile = own != NULL                          ? own
                                            : g_str_equal (c->profile, "strict") ? strict
                                                                                 : standard,
                                 .is_own = own != NULL,
                                 .permitted = permitted,
                                 .operators = operators,
                                 .cap_add = add,
                                 .seccomp_json = c->seccomp };

  read_policy (c->policy, &policy);
  g_ptr_array_add (permitted, strict);
  if (g_strv_contains ((const char *const *) policy.profiles, "standard"))
    g_ptr_array_add (permitted, standard);
  if (decide (&request, &policy, &verdict, &error))
    outcome = g_strjoinv (", ", verdict.relaxations);
  else
    outcome = g_strdup (error->message);
  if (c->outcome[0] == '!')
    {
      g_assert_error (error, DN_ERROR, DN_ERROR_DENIED);
      if (strstr (outcome, c->outcome + 1) == NULL)
        g_test_fail_printf ("case %d: %s", (int) (c - cases), outcome);
      return;
    }
  if (error != NULL || !g_str_equal (outcome, c->outcome) || verdict.seccomp != c->base)
    g_test_fail_printf ("case %d: %s, base %d", (int) (c - cases), outcome, verdict.seccomp);
}

static void
test_the_policy_decides (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    check_case (&cases[i]);
}

/* strict's file with the first @from made @to, @name its name, where only strict is permitted; NULL
 * or the refusal. */
static char *
own_refusal (const char *name, const char *from, const char *to)
{
  g_auto (DnPolicy) policy = { 0 };
  g_autoptr (DnProfile) own = own_profile (from, to);
  g_autoptr (GPtrArray) permitted = g_ptr_array_new ();
  g_autoptr (GError) error = NULL;
  g_auto (DnVerdict) verdict = { 0 };
  DnAdmissionRequest request
      = { .profile = own, .is_own = TRUE, .permitted = permitted, .operators = operators };

  read_policy ("profiles = strict\n", &policy);
  g_ptr_array_add (permitted, strict);
  g_free (own->name);
  own->name = g_strdup (name);
  if (decide (&request, &policy, &verdict, &error))
    return NULL;
  g_assert_error (error, DN_ERROR, DN_ERROR_DENIED);
  return g_strdup (error->message);
}

static void
test_an_own_profile_cannot_pass_for_the_operators (void)
{
  g_autofree char *same = own_refusal ("strict", "pids", "pids");
  g_autofree char *other = own_refusal ("strict", "pids = 512", "pids = 100");
  g_autofree char *not_permitted = own_refusal ("standard", "pids = 512", "pids = 100");
  g_autofree char *own = own_refusal ("mine", "pids = 512", "pids = 100");

  g_assert_cmpstr (same, ==, NULL);
  g_assert_cmpstr (other, ==,
                   "--profile: calls itself 'strict' and is another (rule profile-name, built in)\n"
                   "give it a name of its own: [profile] name");
  g_assert_cmpstr (not_permitted, ==,
                   "--profile: calls itself 'standard', as one of the operator's that is not "
                   "permitted in this context (rule profile-name, built in)\ngive it a name of its "
                   "own: [profile] name");
  g_assert_cmpstr (own, ==, NULL);
}

static void
test_additions_outlast_drops_and_reach_other_users (void)
{
  char *drop_all[] = { (char *) "all", NULL }, *raw[] = { (char *) "NET_RAW", NULL };
  char *chown[] = { (char *) "CAP_CHOWN", NULL };
  guint64 ambient = 0, raw_bit = 0, chown_bit = 0;

  g_assert_true (dn_capability_bit ("NET_RAW", &raw_bit));
  g_assert_true (dn_capability_bit ("CHOWN", &chown_bit));
  g_assert_cmphex (dn_admission_capabilities (standard, raw, drop_all, &ambient), ==, raw_bit);
  g_assert_cmphex (ambient, ==, raw_bit);
  g_assert_cmphex (dn_admission_capabilities (standard, NULL, chown, &ambient), ==,
                   standard->capabilities & ~chown_bit);
  g_assert_cmphex (ambient, ==, 0);
  g_assert_cmphex (dn_admission_capabilities (strict, NULL, NULL, &ambient), ==, 0);
}

static void
test_wrong_policies_are_named (void)
{
  static const char *const wrong[][2] = {
    { "profiles = \n", ":2': [confinement] profiles: names none" },
    { "profiles = standard\n",
      ":2': [confinement] profiles: lacks 'strict', which holds where none is asked for" },
    { "\nprofile = mine\n", ":3': [confinement] profile: 'mine' is not one of profiles" },
    { "capabilities = ALL\n", ":2': [confinement] capabilities: 'ALL': no such capability" },
    { "capabilities = NET_ROW\n", "'NET_ROW': no such capability" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_auto (DnPolicy) policy = { 0 };
      DnKey keys[DN_POLICY_KEYS + 1] = { { NULL } };
      g_autoptr (DnKeyPlaces) places = dn_key_places_new ();
      g_autofree char *file = g_strconcat ("[confinement]\n", wrong[i][0], NULL);
      g_autoptr (GError) error = NULL;

      dn_policy_init (&policy);
      dn_policy_fill_keys (&policy, keys);
      g_assert_true (
          dn_key_file_parse_places (file, strlen (file), "x.conf", keys, places, &error));
      g_assert_false (dn_policy_check (&policy, "x.conf", places, &error));
      g_assert_error (error, DN_ERROR, DN_ERROR_CONFIG);
      if (strstr (error->message, wrong[i][1]) == NULL)
        g_test_fail_printf ("%s: %s", wrong[i][0], error->message);
    }
}

static DnProfile *
load (const char *path)
{
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;
  DnProfile *profile;
  gsize size;

  g_file_get_contents (path, &text, &size, &error);
  g_assert_no_error (error);
  profile = dn_profile_parse (text, size, path, &error);
  g_assert_no_error (error);
  return profile;
}

int
main (int argc, char **argv)
{
  int status;

  g_test_init (&argc, &argv, NULL);
  strict = load ("config/profiles/strict.conf");
  standard = load ("config/profiles/standard.conf");
  g_test_add_func ("/admission/the-policy-decides", test_the_policy_decides);
  g_test_add_func ("/admission/an-own-profile-cannot-pass-for-the-operators",
                   test_an_own_profile_cannot_pass_for_the_operators);
  g_test_add_func ("/admission/additions-outlast-drops-and-reach-other-users",
                   test_additions_outlast_drops_and_reach_other_users);
  g_test_add_func ("/admission/wrong-policies-are-named", test_wrong_policies_are_named);
  status = g_test_run ();
  dn_profile_free (strict);
  dn_profile_free (standard);
  return status;
}
