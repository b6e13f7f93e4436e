/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/intake/checksum.c launcher/intake/gpg-status.c launcher/intake/key-text.c
 * launcher/intake/sigstore*.c launcher/images/trust.c launcher/images/signature.c
 * launcher/spec/signing-key.c launcher/daemon/json-build.c launcher/common/error.c
 * launcher/common/json.c launcher/common/key-*.c launcher/common/names.c */
/* Packages: glib-2.0 json-glib-1.0 libcrypto */
/* What is read of signatures, keys, checksum files and policies: the first byte says as which. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../launcher/images/trust.h"
#include "../../launcher/intake/checksum.h"
#include "../../launcher/intake/gpg-status.h"
#include "../../launcher/intake/key-text.h"
#include "../../launcher/intake/sigstore.h"

#define HEX "1111111111111111111111111111111111111111111111111111111111111111"
#define DIGEST "sha256:" HEX
#define ASKED "registry.example.com/acme/web:1"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static GBytes *
read_any (const char *hex, gpointer data)
{
  if (strlen (hex) != 64)
    abort ();
  return g_bytes_ref (data);
}

static void
read_status (const char *text, gsize size)
{
  char id[DN_KEY_ID_MAX_BYTES + 1];
  gint64 signed_s = -1;
  DnGpgFinding finding = dn_gpg_status_read (text, size, id, &signed_s);

  if (finding == DN_GPG_GOOD && id[0] == '\0')
    abort ();
  if (strspn (id, "0123456789ABCDEF") != strlen (id) || signed_s < 0)
    abort ();
}

static void
read_keys (const char *text, gsize size)
{
  g_autoptr (GBytes) bytes = dn_armor_decode (text, size);
  char id[16 + 1];

  if (dn_minisign_id (text, size, id) && strspn (id, "0123456789ABCDEF") != strlen (id))
    abort ();
  if (dn_minisign_time_s (text, size) < 0)
    abort ();
  (void) dn_signature_form (text, size);
}

static void
read_sigstore (const char *text, gsize size)
{
  g_autoptr (GBytes) payload = g_bytes_new (text, size);
  g_autoptr (GPtrArray) all = dn_sigstore_read (text, size, read_any, payload, NULL);

  (void) dn_sigstore_check_payload (payload, DIGEST, ASKED, NULL, NULL);
  if (all != NULL && all->len > DN_SIGSTORE_SIGNATURES_MAX)
    abort ();
}

/* A policy that is taken has requirements, and none that no key could meet. */
static void
read_policy (const char *text, gsize size)
{
  g_autoptr (DnTrust) trust = dn_trust_choose (text, size, "policy", ASKED, "/work", NULL);

  if (trust != NULL && (trust->types[0] == NULL || trust->derived == NULL))
    abort ();
  if (trust != NULL && g_strv_contains ((const char *const *) trust->types, "reject"))
    abort ();
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  const char *text = (const char *) data + 1;

  if (size < 1 || size > 16384)
    return 0;
  size--;
  switch (data[0] % 5)
    {
    case 0:
      (void) dn_checksum_has (text, size, HEX);
      break;
    case 1:
      read_status (text, size);
      break;
    case 2:
      read_keys (text, size);
      break;
    case 3:
      read_sigstore (text, size);
      break;
    default:
      read_policy (text, size);
      break;
    }
  return 0;
}
