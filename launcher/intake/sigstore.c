/* SPDX-License-Identifier: Apache-2.0 */
#include "sigstore.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>

#include "../common/error.h"
#include "../common/json.h"
#include "sigstore-identity.h"

#define PAYLOAD_TYPE "application/vnd.dev.cosign.simplesigning.v1+json"
#define ANNOTATION "dev.cosignproject.cosign/signature"
#define SIGNATURE_TYPE "cosign container image signature"
#define DIGEST "sha256:"
#define MANIFEST_MAX_BYTES (4 * 1024 * 1024)

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EVP_MD_CTX, EVP_MD_CTX_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EVP_PKEY, EVP_PKEY_free)

void
dn_sigstore_signature_free (DnSigstoreSignature *signature)
{
  g_bytes_unref (signature->payload);
  g_bytes_unref (signature->signature);
  g_free (signature);
}

static EVP_PKEY *
read_key (GBytes *pem)
{
  BIO *bio = BIO_new_mem_buf (g_bytes_get_data (pem, NULL), (int) g_bytes_get_size (pem));
  EVP_PKEY *key = bio != NULL ? PEM_read_bio_PUBKEY (bio, NULL, NULL, NULL) : NULL;

  BIO_free (bio);
  return key;
}

gboolean
dn_sigstore_verify (GBytes *pem, GBytes *payload, GBytes *signature, GError **error)
{
  g_autoptr (EVP_PKEY) key
      = g_bytes_get_size (pem) <= DN_SIGSTORE_KEY_MAX_BYTES ? read_key (pem) : NULL;
  g_autoptr (EVP_MD_CTX) context = EVP_MD_CTX_new ();
  const EVP_MD *digest = NULL;

  if (key == NULL)
    return dn_throw (error, DN_ERROR_CONFIG, "parsing public key: it is none in PEM");
  switch (EVP_PKEY_get_base_id (key))
    {
    case EVP_PKEY_EC:
    case EVP_PKEY_RSA:
      digest = EVP_sha256 ();
      break;
    case EVP_PKEY_ED25519:
      break; /* it hashes for itself */
    default:
      return dn_throw (error, DN_ERROR_CONFIG, "parsing public key: of a kind that is not known");
    }
  if (context != NULL && EVP_DigestVerifyInit (context, NULL, digest, NULL, key) == 1
      && EVP_DigestVerify (context, g_bytes_get_data (signature, NULL),
                           g_bytes_get_size (signature), g_bytes_get_data (payload, NULL),
                           g_bytes_get_size (payload))
             == 1)
    return TRUE;
  return dn_throw (error, DN_ERROR_DENIED, "cryptographic signature verification failed");
}

gboolean
dn_sigstore_check_payload (GBytes *payload, const char *digest, const char *reference,
                           JsonObject *identity, GError **error)
{
  gsize size;
  const char *text = g_bytes_get_data (payload, &size);
  g_autoptr (JsonNode) node
      = dn_json_parse (text, size, DN_SIGSTORE_PAYLOAD_MAX_BYTES, "payload", error);
  g_autoptr (JsonObject) critical = NULL, optional = NULL, image = NULL, claimed = NULL;
  g_autofree char *type = NULL, *signed_digest = NULL, *signed_reference = NULL;
  const DnJsonField fields[] = {
    { "critical", DN_JSON_OBJECT, TRUE, &critical },
    { "optional", DN_JSON_OBJECT, FALSE, &optional },
    { NULL, DN_JSON_STRING, FALSE, NULL },
  };
  const DnJsonField critical_fields[] = {
    { "type", DN_JSON_STRING, TRUE, &type },
    { "image", DN_JSON_OBJECT, TRUE, &image },
    { "identity", DN_JSON_OBJECT, TRUE, &claimed },
    { NULL, DN_JSON_STRING, FALSE, NULL },
  };
  const DnJsonField image_fields[] = {
    { "docker-manifest-digest", DN_JSON_STRING, TRUE, &signed_digest },
    { NULL, DN_JSON_STRING, FALSE, NULL },
  };
  const DnJsonField identity_fields[] = {
    { "docker-reference", DN_JSON_STRING, TRUE, &signed_reference },
    { NULL, DN_JSON_STRING, FALSE, NULL },
  };

  if (node == NULL)
    return FALSE;
  if (!JSON_NODE_HOLDS_OBJECT (node))
    return dn_throw (error, DN_ERROR_DENIED, "payload: unrecognized signature format");
  if (!dn_json_read (json_node_get_object (node), fields, "payload", error)
      || !dn_json_read (critical, critical_fields, "payload: critical", error)
      || !dn_json_read (image, image_fields, "payload: image", error)
      || !dn_json_read (claimed, identity_fields, "payload: identity", error))
    return FALSE;
  if (!g_str_equal (type, SIGNATURE_TYPE))
    return dn_throw (error, DN_ERROR_DENIED, "payload: unrecognized signature format");
  if (!g_str_equal (signed_digest, digest))
    return dn_throw (error, DN_ERROR_DENIED, "Signature for digest %s does not match",
                     signed_digest);
  return dn_sigstore_identity_matches (identity, reference, signed_reference)
         || dn_throw (error, DN_ERROR_DENIED, "Signature for identity %s is not accepted",
                      signed_reference);
}

static const char *
text_of (JsonObject *object, const char *name)
{
  JsonNode *node = object != NULL ? json_object_get_member (object, name) : NULL;

  return node != NULL && json_node_get_value_type (node) == G_TYPE_STRING
             ? json_node_get_string (node)
             : "";
}

static JsonObject *
object_of (JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member (object, name);

  return node != NULL && JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
}

/* One layer of the manifest: NULL where it is no signature. */
static DnSigstoreSignature *
read_layer (JsonObject *layer, GBytes *(*read) (const char *hex, gpointer data), gpointer data)
{
  const char *digest = text_of (layer, "digest");
  const char *base64
      = text_of (object_of (layer, "annotations") != NULL ? object_of (layer, "annotations") : NULL,
                 ANNOTATION);
  DnSigstoreSignature *signature;
  GBytes *payload;
  guchar *bytes;
  gsize size;

  if (!g_str_equal (text_of (layer, "mediaType"), PAYLOAD_TYPE) || *base64 == '\0'
      || !g_str_has_prefix (digest, DIGEST)
      || strspn (digest + strlen (DIGEST), "0123456789abcdef") != 64
      || strlen (digest) != strlen (DIGEST) + 64)
    return NULL;
  payload = read (digest + strlen (DIGEST), data);
  if (payload == NULL)
    return NULL;
  bytes = g_base64_decode (base64, &size);
  signature = g_new0 (DnSigstoreSignature, 1);
  signature->payload = payload;
  signature->signature = g_bytes_new_take (bytes, size);
  return signature;
}

GPtrArray *
dn_sigstore_read (const char *manifest, gsize size,
                  GBytes *(*read) (const char *hex, gpointer data), gpointer data, GError **error)
{
  g_autoptr (JsonNode) node
      = dn_json_parse (manifest, size, MANIFEST_MAX_BYTES, "signatures", error);
  g_autoptr (GPtrArray) all
      = g_ptr_array_new_with_free_func ((GDestroyNotify) dn_sigstore_signature_free);
  JsonNode *layers;

  if (node == NULL)
    return NULL;
  layers = JSON_NODE_HOLDS_OBJECT (node)
               ? json_object_get_member (json_node_get_object (node), "layers")
               : NULL;
  if (layers == NULL || !JSON_NODE_HOLDS_ARRAY (layers))
    {
      dn_throw (error, DN_ERROR_DENIED, "signatures: unrecognized signature format");
      return NULL;
    }
  for (guint i = 0; i < json_array_get_length (json_node_get_array (layers))
                    && all->len < DN_SIGSTORE_SIGNATURES_MAX;
       i++)
    {
      JsonNode *layer = json_array_get_element (json_node_get_array (layers), i);
      DnSigstoreSignature *signature = JSON_NODE_HOLDS_OBJECT (layer)
                                           ? read_layer (json_node_get_object (layer), read, data)
                                           : NULL;

      if (signature != NULL)
        g_ptr_array_add (all, signature);
    }
  return g_steal_pointer (&all);
}

gboolean
dn_sigstore_meet (JsonObject *requirement, GBytes *key, GPtrArray *signatures, const char *digest,
                  const char *reference, GError **error)
{
  g_autoptr (GError) last = NULL;
  g_autoptr (GBytes) own = NULL;

  if (key == NULL)
    {
      gsize size;
      guchar *bytes = g_base64_decode (text_of (requirement, "keyData"), &size);

      key = own = g_bytes_new_take (bytes, size);
    }
  for (guint i = 0; i < signatures->len; i++)
    {
      const DnSigstoreSignature *signature = signatures->pdata[i];

      g_clear_error (&last);
      if (dn_sigstore_verify (key, signature->payload, signature->signature, &last)
          && dn_sigstore_check_payload (signature->payload, digest, reference,
                                        object_of (requirement, "signedIdentity"), &last))
        return TRUE;
    }
  if (signatures->len > 1)
    return dn_throw (error, DN_ERROR_DENIED, "None of the signatures were accepted, the last: %s",
                     last->message);
  if (last == NULL)
    return dn_throw (error, DN_ERROR_DENIED, "A signature was required, but no signature exists");
  g_propagate_error (error, g_steal_pointer (&last));
  return FALSE;
}
