/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/intake/sigstore*.c launcher/common/error.c launcher/common/json.c */
/* Packages: glib-2.0 gio-unix-2.0 json-glib-1.0 libcrypto */

/* Signatures as cosign makes them: whose they are, of which image, for which name (R5.1).  Keys and
 * signatures are made here. */
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>

#include "../../launcher/common/error.h"
#include "../../launcher/common/json.h"
#include "../../launcher/intake/sigstore-identity.h"
#include "../../launcher/intake/sigstore.h"

#define DIGEST "sha256:1111111111111111111111111111111111111111111111111111111111111111"
#define OTHER "sha256:2222222222222222222222222222222222222222222222222222222222222222"
#define HEX "3333333333333333333333333333333333333333333333333333333333333333"
#define ASKED "registry.example.com/acme/web:1"

static EVP_PKEY *keys[4];
static GBytes *pems[4];

static void
make_keys (void)
{
  keys[0] = EVP_EC_gen ("P-256");
  keys[1] = EVP_EC_gen ("P-256");
  keys[2] = EVP_RSA_gen (2048);
  keys[3] = EVP_PKEY_Q_keygen (NULL, NULL, "ED25519");
  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    {
      BIO *bio = BIO_new (BIO_s_mem ());
      char *text;
      long size;

      g_assert_nonnull (keys[i]);
      g_assert_cmpint (PEM_write_bio_PUBKEY (bio, keys[i]), ==, 1);
      size = BIO_get_mem_data (bio, &text);
      pems[i] = g_bytes_new (text, (gsize) size);
      BIO_free (bio);
    }
}

static GBytes *
sign (guint key, GBytes *payload)
{
  EVP_MD_CTX *context = EVP_MD_CTX_new ();
  guchar bytes[1024];
  gsize size = sizeof bytes;

  g_assert_cmpint (
      EVP_DigestSignInit (context, NULL, key == 3 ? NULL : EVP_sha256 (), NULL, keys[key]), ==, 1);
  g_assert_cmpint (EVP_DigestSign (context, bytes, &size, g_bytes_get_data (payload, NULL),
                                   g_bytes_get_size (payload)),
                   ==, 1);
  EVP_MD_CTX_free (context);
  return g_bytes_new (bytes, size);
}

static GBytes *
make_payload (const char *digest, const char *reference)
{
  char *text = g_strdup_printf (
      "{\"critical\":{\"identity\":{\"docker-reference\":\"%s\"},\"image\":{"
      "\"docker-manifest-digest\":\"%s\"},\"type\":\"cosign container image signature\"},"
      "\"optional\":null}",
      reference, digest);

  return g_bytes_new_take (text, strlen (text));
}

static GPtrArray *
signed_by (guint key, const char *digest, const char *reference)
{
  GPtrArray *all = g_ptr_array_new_with_free_func ((GDestroyNotify) dn_sigstore_signature_free);
  DnSigstoreSignature *signature = g_new0 (DnSigstoreSignature, 1);

  signature->payload = make_payload (digest, reference);
  signature->signature = sign (key, signature->payload);
  g_ptr_array_add (all, signature);
  return all;
}

static JsonObject *
object (const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = dn_json_parse (text, strlen (text), 65536, "test", &error);

  g_assert_no_error (error);
  return json_node_dup_object (node);
}

static void
test_signatures_of_each_kind_of_key_are_verified (void)
{
  g_autoptr (JsonObject) requirement = object ("{\"type\":\"sigstoreSigned\"}");

  for (guint key = 0; key < G_N_ELEMENTS (keys); key++)
    {
      g_autoptr (GPtrArray) signatures = signed_by (key, DIGEST, ASKED);
      g_autoptr (GError) error = NULL;

      for (guint other = 0; other < G_N_ELEMENTS (keys); other++)
        {
          g_clear_error (&error);
          g_assert_true (
              dn_sigstore_meet (requirement, pems[other], signatures, DIGEST, ASKED, &error)
              == (key == other));
          if (key != other)
            g_assert_cmpstr (error->message, ==, "cryptographic signature verification failed");
        }
    }
}

static void
test_a_key_may_stand_in_the_policy_itself (void)
{
  g_autoptr (GPtrArray) signatures = signed_by (0, DIGEST, ASKED);
  g_autofree char *base64
      = g_base64_encode (g_bytes_get_data (pems[0], NULL), g_bytes_get_size (pems[0]));
  g_autofree char *text = g_strdup_printf ("{\"keyData\":\"%s\"}", base64);
  g_autoptr (JsonObject) requirement = object (text), wrong = object ("{\"keyData\":\"QQ==\"}");
  g_autoptr (GError) error = NULL;

  g_assert_true (dn_sigstore_meet (requirement, NULL, signatures, DIGEST, ASKED, &error));
  g_assert_no_error (error);
  g_assert_false (dn_sigstore_meet (wrong, NULL, signatures, DIGEST, ASKED, &error));
  g_assert_true (g_str_has_prefix (error->message, "parsing public key"));
}

static void
test_a_good_signature_of_another_image_or_name_counts_for_nothing (void)
{
  g_autoptr (JsonObject) requirement = object ("{}");
  g_autoptr (GPtrArray) swapped = signed_by (0, OTHER, ASKED);
  g_autoptr (GPtrArray) renamed = signed_by (0, DIGEST, "registry.example.com/acme/web:2");
  g_autoptr (GPtrArray) none = g_ptr_array_new ();
  g_autoptr (GError) first = NULL, second = NULL, third = NULL;

  g_assert_false (dn_sigstore_meet (requirement, pems[0], swapped, DIGEST, ASKED, &first));
  g_assert_cmpstr (first->message, ==, "Signature for digest " OTHER " does not match");
  g_assert_false (dn_sigstore_meet (requirement, pems[0], renamed, DIGEST, ASKED, &second));
  g_assert_cmpstr (second->message, ==,
                   "Signature for identity registry.example.com/acme/web:2 is not accepted");
  g_assert_false (dn_sigstore_meet (requirement, pems[0], none, DIGEST, ASKED, &third));
  g_assert_cmpstr (third->message, ==, "A signature was required, but no signature exists");
}

static void
test_a_payload_that_says_more_or_less_is_refused (void)
{
  static const char *const payloads[] = {
    "",
    "[]",
    "{}",
    "{\"critical\":{},\"optional\":null}",
    "{\"critical\":{\"identity\":{\"docker-reference\":\"" ASKED
    "\"},\"image\":{\"docker-manifest-digest\":\"" DIGEST
    "\"},\"type\":\"another\"},\"optional\":null}",
    "{\"critical\":{\"identity\":{\"docker-reference\":\"" ASKED
    "\"},\"image\":{\"docker-manifest-digest\":\"" DIGEST
    "\"},\"type\":\"cosign container image signature\",\"more\":1},\"optional\":null}",
    "{\"critical\":{\"identity\":{\"docker-reference\":\"" ASKED
    "\"},\"image\":{\"docker-manifest-digest\":\"" OTHER "\",\"docker-manifest-digest\":\"" DIGEST
    "\"},\"type\":\"cosign container image signature\"},\"optional\":null}",
  };

  for (guint i = 0; i < G_N_ELEMENTS (payloads); i++)
    {
      g_autoptr (GBytes) payload = g_bytes_new_static (payloads[i], strlen (payloads[i]));
      g_autoptr (GError) error = NULL;

      g_assert_false (dn_sigstore_check_payload (payload, DIGEST, ASKED, NULL, &error));
      g_assert_nonnull (error);
    }
}

#define PIN "registry.example.com/acme/web@" DIGEST

static void
test_the_name_that_was_signed_has_to_be_one_that_the_policy_accepts (void)
{
  static const struct
  {
    const char *identity, *asked, *signed_for;
    gboolean is_accepted;
  } cases[] = {
    { NULL, ASKED, ASKED, TRUE },
    { NULL, ASKED, "registry.example.com/acme/web", FALSE },
    { NULL, ASKED, "registry.example.com/acme/web:2", FALSE },
    { NULL, PIN, ASKED, TRUE },
    { NULL, PIN, "registry.example.com/acme/web", FALSE },
    { NULL, PIN, "registry.example.com/acme/db:1", FALSE },
    { "{\"type\":\"matchExact\"}", PIN, ASKED, FALSE },
    { "{\"type\":\"matchExact\"}", ASKED, ASKED, TRUE },
    { "{\"type\":\"matchRepository\"}", ASKED, "registry.example.com/acme/web", TRUE },
    { "{\"type\":\"matchRepository\"}", ASKED, "registry.example.com/acme/web:9", TRUE },
    { "{\"type\":\"matchRepository\"}", ASKED, "registry.example.com/acme/webs", FALSE },
    { "{\"type\":\"matchRepository\"}", ASKED, "registry.example.com:5000/acme/web", FALSE },
    { "{\"type\":\"exactReference\",\"dockerReference\":\"r.example/x:1\"}", ASKED, "r.example/x:1",
      TRUE },
    { "{\"type\":\"exactReference\",\"dockerReference\":\"r.example/x:1\"}", ASKED, ASKED, FALSE },
    { "{\"type\":\"exactReference\"}", ASKED, "", FALSE },
    { "{\"type\":\"exactRepository\",\"dockerRepository\":\"r.example/x\"}", ASKED, "r.example/x:7",
      TRUE },
    { "{\"type\":\"exactRepository\"}", ASKED, "", FALSE },
    { "{\"type\":\"remapIdentity\",\"prefix\":\"registry.example.com\",\"signedPrefix\":"
      "\"vendor.example\"}",
      ASKED, "vendor.example/acme/web:1", TRUE },
    { "{\"type\":\"remapIdentity\",\"prefix\":\"registry.example.com/ac\",\"signedPrefix\":"
      "\"vendor.example\"}",
      ASKED, "vendor.exampleme/web:1", FALSE },
    { "{\"type\":\"somethingNew\"}", ASKED, ASKED, FALSE },
    { "{}", ASKED, ASKED, FALSE },
    /* Docker's own registry has several spellings. */
    { NULL, "docker.io/library/redis:7", "redis:7", TRUE },
    { NULL, "docker.io/library/redis:7", "index.docker.io/library/redis:7", TRUE },
    { NULL, "docker.io/acme/web:1", "acme/web:1", TRUE },
    { NULL, "docker.io/library/redis:7", "localhost/redis:7", FALSE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (JsonObject) identity
          = cases[i].identity != NULL ? object (cases[i].identity) : NULL;

      if (dn_sigstore_identity_matches (identity, cases[i].asked, cases[i].signed_for)
          != cases[i].is_accepted)
        g_test_fail_printf ("case %u: %s for %s", i, cases[i].signed_for, cases[i].asked);
    }
}

static GBytes *
read_fixed (const char *hex, gpointer data)
{
  (void) data;
  return g_str_equal (hex, HEX) ? g_bytes_new_static ("payload", 7) : NULL;
}

#define LAYER(type, digest, annotations)                                                           \
  "{\"mediaType\":\"" type "\",\"digest\":\"" digest "\"," annotations "\"size\":7}"
#define SIMPLE "application/vnd.dev.cosign.simplesigning.v1+json"
#define SIGNED "\"annotations\":{\"dev.cosignproject.cosign/signature\":\"QUJD\"},"

static void
test_of_a_manifest_those_layers_count_that_are_signatures (void)
{
  static const char manifest[] = "{\"layers\":[" LAYER (SIMPLE, "sha256:" HEX, SIGNED) "," LAYER (
      "application/other", "sha256:" HEX,
      SIGNED) "," LAYER (SIMPLE, "sha256:" HEX, "") "," LAYER (SIMPLE, "sha256:../../etc",
                                                               SIGNED) "," LAYER (SIMPLE, OTHER,
                                                                                  SIGNED) ",7]}";
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) all
      = dn_sigstore_read (manifest, strlen (manifest), read_fixed, NULL, &error);
  const DnSigstoreSignature *signature;

  g_assert_no_error (error);
  g_assert_cmpuint (all->len, ==, 1);
  signature = all->pdata[0];
  g_assert_cmpmem (g_bytes_get_data (signature->signature, NULL),
                   g_bytes_get_size (signature->signature), "ABC", 3);
  g_assert_null (dn_sigstore_read ("{}", 2, read_fixed, NULL, &error));
  g_clear_error (&error);
  g_assert_null (dn_sigstore_read ("nothing", 7, read_fixed, NULL, &error));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  make_keys ();
  g_test_add_func ("/sigstore/signatures-of-each-kind-of-key-are-verified",
                   test_signatures_of_each_kind_of_key_are_verified);
  g_test_add_func ("/sigstore/a-key-may-stand-in-the-policy-itself",
                   test_a_key_may_stand_in_the_policy_itself);
  g_test_add_func ("/sigstore/a-good-signature-of-another-image-or-name-counts-for-nothing",
                   test_a_good_signature_of_another_image_or_name_counts_for_nothing);
  g_test_add_func ("/sigstore/a-payload-that-says-more-or-less-is-refused",
                   test_a_payload_that_says_more_or_less_is_refused);
  g_test_add_func ("/sigstore/the-name-that-was-signed-has-to-be-one-that-the-policy-accepts",
                   test_the_name_that_was_signed_has_to_be_one_that_the_policy_accepts);
  g_test_add_func ("/sigstore/of-a-manifest-those-layers-count-that-are-signatures",
                   test_of_a_manifest_those_layers_count_that_are_signatures);
  return g_test_run ();
}
