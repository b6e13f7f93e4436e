/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/images/image-fields.c launcher/images/image.c launcher/images/layer.c
 * launcher/images/digest.c launcher/daemon/json-build.c
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

/* What the host adds to what the guest says. */
static void
complete (DnImage *image)
{
  static const char digest[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
  GPtrArray *layers = g_ptr_array_new_with_free_func ((GDestroyNotify) dn_layer_unref);
  DnLayer *layer = dn_layer_new ();

  layer->key = g_strdup (digest);
  layer->blob = g_strdup (digest);
  layer->diff_id = g_strdup (digest);
  layer->root_hash = g_strdup (digest);
  layer->data_blocks = 2;
  layer->hash_blocks = 1;
  g_ptr_array_add (layers, layer);
  dn_image_set_layers (image, layers);
  image->id = g_strdup (digest);
  image->manifest_sha256 = g_strdup (digest);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (DnImageFields) fields = dn_image_fields_new ();
  g_autoptr (DnImage) image = NULL;

  while (size >= 2)
    {
      size_t value = data[1] < size - 2 ? data[1] : size - 2;

      dn_image_fields_add (fields, data[0], data + 2, (guint32) value);
      data += 2 + value;
      size -= 2 + value;
    }
  image = dn_image_fields_finish (fields, NULL);
  if (image != NULL)
    complete (image);
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
