/* SPDX-License-Identifier: Apache-2.0 */
#include "digest.h"

#include <errno.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char prefix[] = "sha256:";

static int
hexadecimal (char character)
{
  if (character >= '0' && character <= '9')
    return character - '0';
  if (character >= 'a' && character <= 'f')
    return character - 'a' + 10;
  return -1;
}

bool
dn_digest_read (const char *text, const char *what, DnDigest *ret_digest, DnFailure *failure)
{
  DnDigest digest;
  uint8_t sum = 0;

  if (strncmp (text, prefix, strlen (prefix)) != 0 || strlen (text) != DN_DIGEST_TEXT_BYTES)
    return dn_fail (failure, -EINVAL, "%s: '%s' is no sha256 digest", what,
                    dn_failure_name (text).text);
  for (size_t i = 0; i < DN_DIGEST_BYTES; i++)
    {
      int high = hexadecimal (text[strlen (prefix) + 2 * i]);
      int low = hexadecimal (text[strlen (prefix) + 2 * i + 1]);

      if (high < 0 || low < 0)
        return dn_fail (failure, -EINVAL, "%s: '%s' is no sha256 digest", what,
                        dn_failure_name (text).text);
      digest.bytes[i] = (uint8_t) (high << 4 | low);
      sum |= digest.bytes[i];
    }
  if (sum == 0)
    return dn_fail (failure, -EINVAL, "%s: zeroes are no digest", what);
  *ret_digest = digest;
  return true;
}

void
dn_digest_write (const DnDigest *digest, char ret_text[DN_DIGEST_TEXT_BYTES + 1])
{
  memcpy (ret_text, prefix, sizeof prefix);
  for (size_t i = 0; i < DN_DIGEST_BYTES; i++)
    (void) snprintf (ret_text + strlen (prefix) + 2 * i, 3, "%02x", digest->bytes[i]);
}

bool
dn_digest_is_equal (const DnDigest *a, const DnDigest *b)
{
  return memcmp (a->bytes, b->bytes, DN_DIGEST_BYTES) == 0;
}

struct DnDigester
{
  struct sha256_ctx context;
};

DnDigester *
dn_digester_new (void)
{
  DnDigester *digester = calloc (1, sizeof *digester);

  if (digester == NULL)
    abort ();
  sha256_init (&digester->context);
  return digester;
}

void
dn_digester_free (DnDigester *digester)
{
  free (digester);
}

void
dn_digester_add (DnDigester *digester, const void *bytes, size_t size)
{
  sha256_update (&digester->context, size, bytes);
}

void
dn_digester_finish (DnDigester *digester, DnDigest *ret_digest)
{
  sha256_digest (&digester->context, DN_DIGEST_BYTES, ret_digest->bytes);
}
