/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/images/image-fields.c launcher/images/image.c launcher/images/layer.c
 * launcher/daemon/json-build.c
 * launcher/common/names.c launcher/images/reference.c launcher/common/error.c
 * launcher/common/json.c protocol/*.c */
/* Packages: glib-2.0 json-glib-1.0 */
/* Fields as an unpack guest may send them: a byte for the field, one for the length, the value.
 * What is taken has to read back from its image.json. */
#include <stdlib.h>
#include <string.h>

#include "../../launcher/common/json.h"
#include "../../launcher/images/image-fields.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  const DnMsgUnpackDone done = { .image_bytes = 4096 };
  g_autoptr (DnImageFields) fields = dn_image_fields_new ();
  g_autoptr (DnImage) image = NULL;

  while (size >= 2)
    {
      size_t value = data[1] < size - 2 ? data[1] : size - 2;

      dn_image_fields_add (fields, data[0], data + 2, (guint32) value);
      data += 2 + value;
      size -= 2 + value;
    }
  image = dn_image_fields_finish (fields, &done, NULL);
  if (image != NULL)
    {
      g_autoptr (JsonNode) node = dn_image_to_json (image);
      g_autofree char *text = dn_json_to_text (node, FALSE);
      g_autoptr (JsonNode) again = dn_json_parse (text, strlen (text), 1 << 24, "fuzz", NULL);
      g_autoptr (DnImage) second
          = again != NULL ? dn_image_from_json (json_node_get_object (again), "fuzz", NULL) : NULL;

      if (second == NULL)
        abort ();
    }
  return 0;
}
