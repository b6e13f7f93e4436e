/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/images/trust*.c launcher/images/signature.c launcher/spec/signing-key.c
   launcher/common/error.c launcher/common/json.c launcher/common/key-*.c launcher/common/names.c
   launcher/common/paths.c launcher/daemon/json-build.c */

/* Which entry of a policy counts for an image's name, what skopeo gets of it, and what is kept of
 * the decision (R5.1). */
#include <string.h>

#include "../../launcher/common/error.h"
#include "../../launcher/common/json.h"
#include "../../launcher/images/signature.h"
#include "../../launcher/images/trust.h"

#define FILE_NAME "policy.json"
#define DIGEST "1111111111111111111111111111111111111111111111111111111111111111"

static DnTrust *
choose (const char *text, const char *reference, GError **error)
{
  return dn_trust_choose (text, strlen (text), FILE_NAME, reference, "/work", error);
}

/* Each scope with a key of its own. */
static char *
make_policy (void)
{
  static const char *const scopes[][2] = {
    { "a.example.com:5000/acme/web:1", "tag" },
    { "a.example.com:5000/acme/web@sha256:" DIGEST, "digest" },
    { "a.example.com:5000/acme/web", "repository" },
    { "a.example.com:5000/acme", "parent" },
    { "a.example.com:5000", "registry" },
    { "*.example.com", "domain" },
    { "*.com", "top" },
  };
  GString *text = g_string_new ("{\"default\": [{\"type\": \"reject\"}], \"transports\": {"
                                "\"atomic\": {\"\": [{\"type\": \"insecureAcceptAnything\"}]},"
                                "\"docker\": {");

  for (guint i = 0; i < G_N_ELEMENTS (scopes); i++)
    g_string_append_printf (text,
                            "%s\"%s\": [{\"type\": \"signedBy\", \"keyType\": \"GPGKeys\", "
                            "\"keyPath\": \"/k/%s.gpg\"}]",
                            i > 0 ? ", " : "", scopes[i][0], scopes[i][1]);
  g_string_append (text, "}}}");
  return g_string_free (text, FALSE);
}

static char *policy;

static void
test_the_narrowest_entry_for_a_name_counts (void)
{
  static const struct
  {
    const char *reference, *scope, *key;
  } cases[] = {
    { "a.example.com:5000/acme/web:1", "a.example.com:5000/acme/web:1", "/k/tag.gpg" },
    { "a.example.com:5000/acme/web@sha256:" DIGEST, "a.example.com:5000/acme/web@sha256:" DIGEST,
      "/k/digest.gpg" },
    { "a.example.com:5000/acme/web:2", "a.example.com:5000/acme/web", "/k/repository.gpg" },
    { "a.example.com:5000/acme/web/deep:1", "a.example.com:5000/acme/web", "/k/repository.gpg" },
    { "a.example.com:5000/acme/website:1", "a.example.com:5000/acme", "/k/parent.gpg" },
    { "a.example.com:5000/other:1", "a.example.com:5000", "/k/registry.gpg" },
    /* A port is part of the registry's name, and not of the domain's. */
    { "a.example.com/acme/web:1", "*.example.com", "/k/domain.gpg" },
    { "b.example.com:5000/acme/web:1", "*.example.com", "/k/domain.gpg" },
    { "example.com/web:1", "*.com", "/k/top.gpg" },
    { "b.c.example.com/web:1", "*.example.com", "/k/domain.gpg" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (DnTrust) trust = choose (policy, cases[i].reference, &error);

      g_assert_no_error (error);
      g_assert_cmpstr (trust->scope, ==, cases[i].scope);
      g_assert_cmpstr (trust->keys[0], ==, cases[i].key);
      g_assert_null (trust->keys[1]);
    }
}

static void
test_what_no_entry_is_for_is_the_default_s (void)
{
  static const char open[] = "{\"default\": [{\"type\": \"insecureAcceptAnything\"}],"
                             "\"transports\": {\"docker\": {\"\": [{\"type\": \"reject\"}]}}}";
  g_autoptr (GError) refused = NULL, again = NULL;

  g_assert_null (choose (policy, "b.example.org/web:1", &refused));
  g_assert_error (refused, DN_ERROR, DN_ERROR_DENIED);
  g_assert_true (g_str_has_prefix (
      refused->message, "image 'b.example.org/web:1': the policy takes none of that name (rule "
                        "image-policy, reject for its default, policy.json)\n"));
  g_assert_null (choose (open, "b.example.org/web:1", &again));
  g_assert_nonnull (strstr (again->message, "(rule image-policy, reject for all of docker"));
}

static void
test_skopeo_gets_that_entry_and_nothing_else (void)
{
  g_autoptr (DnTrust) trust = choose (policy, "a.example.com:5000/acme/web:2", NULL);
  g_autofree char *text = dn_json_to_text (trust->derived, FALSE);

  g_assert_cmpstr (
      text, ==,
      "{\"default\":[{\"type\":\"reject\"}],\"transports\":{\"docker\":{\"\":"
      "[{\"type\":\"signedBy\",\"keyType\":\"GPGKeys\",\"keyPath\":\"/work/key.0\"}]}}}");
  g_assert_null (trust->sigstore);
  g_assert_true (dn_trust_wants_signature (trust));
}

static void
test_sigstore_s_requirements_are_kept_from_skopeo (void)
{
  static const char both[]
      = "{\"default\": [{\"type\": \"sigstoreSigned\", \"keyPath\": \"/k/s.pub\"},"
        "{\"type\": \"signedBy\", \"keyType\": \"GPGKeys\", \"keyPaths\": [\"/k/a.gpg\", "
        "\"/k/b.gpg\"]}]}";
  static const char one[]
      = "{\"default\": [{\"type\": \"sigstoreSigned\", \"keyData\": \"QQ==\"}]}";
  g_autoptr (DnTrust) trust = choose (both, "r.example/a:1", NULL);
  g_autoptr (DnTrust) alone = choose (one, "r.example/a:1", NULL);
  g_autofree char *theirs = dn_json_to_text (trust->derived, FALSE);
  g_autofree char *own = dn_json_to_text (trust->sigstore, FALSE);
  g_autofree char *nothing = dn_json_to_text (alone->derived, FALSE);
  g_autoptr (JsonArray) decisions = dn_trust_decide (trust, DIGEST, 0);

  g_assert_cmpstr (own, ==, "[{\"type\":\"sigstoreSigned\",\"keyPath\":\"/work/key.0\"}]");
  g_assert_nonnull (strstr (theirs, "{\"\":[{\"type\":\"signedBy\",\"keyType\":\"GPGKeys\","
                                    "\"keyPaths\":[\"/work/key.1\",\"/work/key.2\"]}]}"));
  g_assert_nonnull (strstr (nothing, "{\"\":[{\"type\":\"insecureAcceptAnything\"}]}"));
  g_assert_true (dn_trust_wants_signature (alone));
  /* Two signatures, each with a decision of its own. */
  g_assert_cmpuint (json_array_get_length (decisions), ==, 2);
}

static void
test_an_image_that_anything_lets_in_is_not_signed (void)
{
  g_autoptr (DnTrust) trust
      = choose ("{\"default\": [{\"type\": \"insecureAcceptAnything\"}]}", "r.example/a:1", NULL);
  g_autoptr (JsonArray) decisions = dn_trust_decide (trust, DIGEST, 0);
  g_autofree char *words = dn_signature_words (json_array_get_object_element (decisions, 0));

  g_assert_false (dn_trust_wants_signature (trust));
  g_assert_cmpstr (words, ==,
                   "not signed: the policy takes anything (insecureAcceptAnything for its default, "
                   "policy.json)");
}

static void
test_a_policy_that_is_none_is_refused (void)
{
  static const char *const slips[][2] = {
    { "", "policy 'policy.json': " },
    { "[]", "must be an object" },
    { "{}", "'default'" },
    { "{\"default\": {}}", "'default'" },
    { "{\"default\": []}", "a list of requirements must not be empty" },
    { "{\"default\": [1]}", "a requirement must be an object" },
    { "{\"default\": [{}]}", "a requirement's type must be" },
    { "{\"default\": [{\"type\": \"signedBaseLayer\"}]}", "a requirement's type must be" },
    { "{\"default\": [{\"type\": \"reject\"}], \"transport\": {}}", "'transport'" },
    { "{\"default\": [{\"type\": \"reject\"}], \"default\": []}", "policy 'policy.json': " },
    { "{\"default\": [{\"type\": \"reject\"}], \"transports\": {\"docker\": []}}",
      "must be an object of scopes" },
    { "{\"default\": [{\"type\": \"reject\"}], \"transports\": {\"docker\": {\"\": {}}}}",
      "a scope must be a list" },
    { "{\"default\": [{\"type\": \"signedBy\", \"keyPath\": \"k.gpg\"}]}", "absolute paths" },
    { "{\"default\": [{\"type\": \"signedBy\", \"keyPaths\": \"/k.gpg\"}]}", "must be a list" },
    { "{\"default\": [{\"type\": \"sigstoreSigned\", \"keyPath\": \"/k\", \"fulcio\": {}}]}",
      "keyPath or keyData and signedIdentity alone" },
    { "{\"default\": [{\"type\": \"sigstoreSigned\"}]}", "either keyPath or keyData" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (slips); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (choose (slips[i][0], "r.example/a:1", &error));
      g_assert_error (error, DN_ERROR, DN_ERROR_CONFIG);
      if (strstr (error->message, slips[i][1]) == NULL
          || strstr (error->message, "policy.json") == NULL)
        g_test_fail_printf ("%u: %s", i, error->message);
    }
}

static void
test_skopeo_s_refusals_name_rule_and_remedy (void)
{
  static const char *const words[][2] = {
    { "Source image rejected: A signature was required, but no signature exists", "not signed" },
    { "rejected: Invalid GPG signature: gpgme.Signature{Summary:128, Status:gpgme.Error{err:0x9},",
      "a key that the policy does not name" },
    { "gpgme.Signature{Summary:32, Status:gpgme.Error{err:0x7000099}, ", "key that has expired" },
    { "Signature for digest sha256:25 does not match", "one of another image" },
    { "Signature for identity r.example/a:9 is not accepted", "for another name" },
    { "something new", "the policy's requirements are not met" },
  };
  g_autoptr (DnTrust) trust = choose (policy, "a.example.com:5000/acme/web:2", NULL);

  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    {
      g_autoptr (GError) error = NULL;
      const char *hint;

      dn_trust_refuse (trust, words[i][0], &error);
      g_assert_error (error, DN_ERROR, DN_ERROR_DENIED);
      hint = strchr (error->message, '\n');
      g_assert_true (hint != NULL && hint[1] != '\0');
      if (strstr (error->message, words[i][1]) == NULL
          || strstr (error->message,
                     "(rule image-policy, signedBy for a.example.com:5000/acme/web, "
                     "policy.json)")
                 == NULL)
        g_test_fail_printf ("%u: %s", i, error->message);
    }
}

static JsonObject *
signed_by (const char *key)
{
  return dn_signature_of_archive (
      &(DnArchiveSignature){
          .kind = DN_SIGNING_GPG, .key = key, .key_id = "ABCD", .over = DN_SIGNED_CHECKSUM },
      DIGEST, G_USEC_PER_SEC);
}

static JsonArray *
take_into (JsonArray *old, JsonObject *decision)
{
  g_autoptr (JsonArray) mine = old, new = json_array_new ();

  json_array_add_object_element (new, decision);
  return dn_signature_merge (mine, new);
}

static void
test_a_signature_that_was_found_stays (void)
{
  g_autoptr (JsonObject) provenance = json_object_new ();
  g_autoptr (GPtrArray) keys = NULL;
  g_autofree char *signer = NULL, *words = NULL;
  JsonArray *list;

  list = take_into (NULL, dn_signature_missing (DIGEST, "no --signature", 1));
  g_assert_cmpuint (json_array_get_length (list), ==, 1);
  list = take_into (list, signed_by ("/k/acme.gpg"));
  list = take_into (list, dn_signature_missing (DIGEST, "no --signature", 1));
  list = take_into (list, signed_by ("/k/ci.gpg"));
  list = take_into (list, signed_by ("/k/acme.gpg"));
  /* The same again is no news; those that found none are gone. */
  g_assert_cmpuint (json_array_get_length (list), ==, 2);
  json_object_set_array_member (provenance, DN_SIGNATURE_MEMBER, list);
  keys = dn_signature_keys (provenance);
  g_assert_cmpuint (keys->len, ==, 2);
  g_assert_cmpstr (((char **) keys->pdata[0])[0], ==, "/k/acme.gpg");
  g_assert_cmpstr (((char **) keys->pdata[1])[0], ==, "/k/ci.gpg");
  signer = dn_signature_signer (provenance);
  g_assert_cmpstr (signer, ==, "acme");
  words = dn_signature_words (dn_signature_first (provenance));
  g_assert_cmpstr (words, ==, "signed by acme (GPG ABCD), over the archive's checksum");
}

static void
test_an_unsigned_image_has_no_signer (void)
{
  g_autoptr (JsonObject) provenance = json_object_new ();
  g_autoptr (GPtrArray) none = dn_signature_keys (provenance);
  g_autofree char *words = NULL;

  g_assert_cmpuint (none->len, ==, 0);
  g_assert_null (dn_signature_signer (provenance));
  dn_signature_set (provenance, dn_signature_missing (DIGEST, "no --signature", 1));
  g_assert_null (dn_signature_signer (provenance));
  words = dn_signature_words (dn_signature_first (provenance));
  g_assert_cmpstr (words, ==, "not signed: no --signature");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  policy = make_policy ();
  g_test_add_func ("/trust/the-narrowest-entry-for-a-name-counts",
                   test_the_narrowest_entry_for_a_name_counts);
  g_test_add_func ("/trust/what-no-entry-is-for-is-the-default-s",
                   test_what_no_entry_is_for_is_the_default_s);
  g_test_add_func ("/trust/skopeo-gets-that-entry-and-nothing-else",
                   test_skopeo_gets_that_entry_and_nothing_else);
  g_test_add_func ("/trust/sigstore-s-requirements-are-kept-from-skopeo",
                   test_sigstore_s_requirements_are_kept_from_skopeo);
  g_test_add_func ("/trust/an-image-that-anything-lets-in-is-not-signed",
                   test_an_image_that_anything_lets_in_is_not_signed);
  g_test_add_func ("/trust/a-policy-that-is-none-is-refused",
                   test_a_policy_that_is_none_is_refused);
  g_test_add_func ("/trust/skopeo-s-refusals-name-rule-and-remedy",
                   test_skopeo_s_refusals_name_rule_and_remedy);
  g_test_add_func ("/trust/a-signature-that-was-found-stays",
                   test_a_signature_that_was_found_stays);
  g_test_add_func ("/trust/an-unsigned-image-has-no-signer", test_an_unsigned_image_has_no_signer);
  return g_test_run ();
}
