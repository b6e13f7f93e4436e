/* SPDX-License-Identifier: Apache-2.0 */
/* Links: guest-agent/unpack/*.c !guest-agent/unpack/main.c protocol/*.c */
/* Packages: -larchive -ljansson -lnettle -lz -lzstd */
/* An image's config, from its bytes to the fields for the host. */
#include <stdlib.h>

#include "../../guest-agent/unpack/document.h"
#include "../../guest-agent/unpack/fields.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void
check_field (DnImageField field, const char *value, size_t size, void *data)
{
  size_t *total = data;

  (void) field;
  *total += size;
  if (size > DN_IMAGE_FIELD_VALUE_BYTES || *total > DN_IMAGE_FIELDS_TOTAL_BYTES)
    abort ();
  for (size_t i = 0; i < size; i++)
    if ((unsigned char) value[i] < 0x20 || value[i] == 0x7f)
      abort ();
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  DnManifest manifest = { 0 };
  DnFailure failure = { 0 };
  size_t total = 0;

  if (size > 65536)
    return 0;
  if (dn_document_parse ((const char *) data, size, "config", &manifest.config, &failure))
    (void) dn_fields_collect (&manifest, check_field, &total, &failure);
  dn_manifest_clear (&manifest);
  return 0;
}
