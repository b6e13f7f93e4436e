/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/common/secret-spec.c launcher/common/names.c launcher/common/error.c
   protocol/secret-stream.c */
/* Packages: glib-2.0 */
/* A secret's words, and its bytes on their way: what is taken of the words leads nowhere else, and
 * bytes come out the same however they are cut. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../launcher/common/secret-spec.h"
#include "../../protocol/secret-stream.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void
check_words (const uint8_t *data, size_t size)
{
  g_autofree char *text = g_strndup ((const char *) data, size);
  g_autoptr (DnSecretSpec) spec = dn_secret_spec_parse (text, size % 2 == 0, NULL);

  if (spec == NULL)
    return;
  if (spec->target[0] != '/' || strstr (spec->target, "/../") != NULL
      || strstr (spec->target, "//") != NULL || strchr (spec->file, '/') != NULL
      || spec->file[0] == '.' || g_str_has_prefix (spec->target, "/proc/") || spec->mode > 0777)
    abort ();
}

/* How many bytes come out, and a sum of them. */
static uint64_t
read_all (const uint8_t *data, size_t size, size_t step)
{
  DnSecretReader reader = { 0 };
  uint64_t sum = 0;

  for (size_t at = 0; at < size; at += step)
    {
      const uint8_t *from = data + at;
      size_t left = step < size - at ? step : size - at;
      const uint8_t *piece;
      int64_t n;

      while ((n = dn_secret_reader_next (&reader, &from, &left, &piece)) > 0)
        for (int64_t i = 0; i < n; i++)
          sum = sum * 31 + piece[i] + 1;
      if (n < 0)
        return sum;
    }
  return sum + reader.bytes;
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  check_words (data, size);
  if (size > 0 && read_all (data, size, size) != read_all (data, size, 1))
    abort ();
  return 0;
}
