/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/images/image-report.c launcher/images/sharing.c launcher/images/history.c
 * launcher/images/image.c launcher/images/layer.c launcher/images/signature.c
 * launcher/spec/signing-key.c launcher/common/key-*.c
 * launcher/images/digest.c launcher/daemon/json-build.c
 * launcher/common/names.c launcher/common/error.c launcher/common/json.c
 * protocol/protocol.c protocol/pack.c */
/* Packages: json-glib-1.0 */
#include "../../launcher/common/json.h"
#include "../../launcher/images/image-report.h"

#define BLOCK 4096

static char *
digest (char digit)
{
  return g_strnfill (64, digit);
}

/* @layers: one digit for each, the lowest first; a digit's layer has as many blocks of data. */
static DnImage *
make_image (char id, const char *layers)
{
  DnImage *image = dn_image_new ();

  image->id = digest (id);
  image->manifest_sha256 = digest ('0');
  for (; *layers != '\0'; layers++)
    {
      DnLayer *layer = dn_layer_new ();

      layer->key = digest (*layers);
      layer->blob = digest (*layers);
      layer->diff_id = digest (*layers);
      layer->root_hash = digest ('f');
      layer->data_blocks = *layers - '0';
      layer->hash_blocks = 1;
      g_ptr_array_add (image->layers, layer);
    }
  return image;
}

static GPtrArray *
three_images (void)
{
  GPtrArray *images = g_ptr_array_new_with_free_func ((GDestroyNotify) dn_image_unref);

  g_ptr_array_add (images, make_image ('a', "234"));
  g_ptr_array_add (images, make_image ('b', "235"));
  g_ptr_array_add (images, make_image ('c', "26"));
  return images;
}

static void
test_sizes_part_into_shared_and_own (void)
{
  g_autoptr (GPtrArray) images = three_images ();
  g_autoptr (DnSharing) sharing = dn_sharing_new (images);
  g_autoptr (GPtrArray) others = NULL;
  g_autofree char *lowest = digest ('2'), *middle = digest ('3');

  g_assert_cmpint (dn_sharing_shared_bytes (sharing, images->pdata[0]), ==, (3 + 4) * BLOCK);
  g_assert_cmpint (dn_sharing_own_bytes (sharing, images->pdata[0]), ==, 5 * BLOCK);
  g_assert_cmpint (dn_sharing_shared_bytes (sharing, images->pdata[2]), ==, 3 * BLOCK);
  g_assert_cmpint (dn_sharing_own_bytes (sharing, images->pdata[2]), ==, 7 * BLOCK);
  g_assert_cmpuint (dn_sharing_base_layers (sharing, images->pdata[0]), ==, 2);
  g_assert_cmpuint (dn_sharing_base_layers (sharing, images->pdata[2]), ==, 1);
  others = dn_sharing_others (sharing, images->pdata[0], lowest);
  g_assert_cmpuint (others->len, ==, 2);
  g_ptr_array_unref (others);
  others = dn_sharing_others (sharing, images->pdata[0], middle);
  g_assert_cmpuint (others->len, ==, 1);
  g_assert_true (others->pdata[0] == images->pdata[1]);
}

/* Whoever sees one image alone learns nothing of the others. */
static void
test_what_is_not_seen_shares_nothing (void)
{
  g_autoptr (GPtrArray) images = three_images ();
  g_autoptr (DnSharing) sharing = NULL;

  g_ptr_array_set_size (images, 1);
  sharing = dn_sharing_new (images);
  g_assert_cmpint (dn_sharing_shared_bytes (sharing, images->pdata[0]), ==, 0);
  g_assert_cmpint (dn_sharing_own_bytes (sharing, images->pdata[0]), ==, 12 * BLOCK);
  g_assert_cmpuint (dn_sharing_base_layers (sharing, images->pdata[0]), ==, 0);
}

static void
test_inspect_names_who_shares_a_layer (void)
{
  g_autoptr (GPtrArray) images = three_images ();
  g_autoptr (DnSharing) sharing = dn_sharing_new (images);
  DnImage *image = images->pdata[0];
  g_autoptr (JsonObject) object = NULL;
  JsonArray *layers, *shared;

  image->created = g_strdup ("2026-01-02T00:00:00Z");
  image->provenance = g_strdup ("{\"signature\": [{\"is_signed\": true, \"by\": \"archive\", "
                                "\"keys\": [\"/etc/danchi/keys/acme.gpg\"]}], \"scan\": "
                                "{\"verdict\": \"pass\"}, \"digest\": \"sha256:77\"}");
  object = dn_image_report_full (image, sharing,
                                 dn_image_created_us (image)
                                     + G_GINT64_CONSTANT (3) * 24 * 3600 * G_USEC_PER_SEC);
  layers = json_object_get_array_member (object, "layers");
  g_assert_cmpuint (json_array_get_length (layers), ==, 3);
  shared = json_object_get_array_member (json_array_get_object_element (layers, 0), "shared_with");
  g_assert_cmpuint (json_array_get_length (shared), ==, 2);
  shared = json_object_get_array_member (json_array_get_object_element (layers, 2), "shared_with");
  g_assert_cmpuint (json_array_get_length (shared), ==, 0);
  g_assert_cmpint (json_object_get_int_member (object, "age_days"), ==, 3);
  g_assert_cmpint (json_object_get_int_member (object, "base_layers"), ==, 2);
  g_assert_cmpint (json_object_get_int_member (object, "size_bytes"), ==, 12 * BLOCK);
  g_assert_cmpstr (json_object_get_string_member (object, "signature"), ==, "acme");
  g_assert_cmpstr (json_object_get_string_member (object, "verdict"), ==, "pass");
  g_assert_cmpstr (json_object_get_string_member (object, "digest"), ==, "sha256:77");
}

static void
set_list (char ***list, const char *const *texts)
{
  g_strfreev (*list);
  *list = g_strdupv ((char **) texts);
}

static void
test_history_has_the_size_of_each_layer (void)
{
  g_autoptr (DnImage) image = make_image ('a', "23");
  g_autoptr (JsonArray) history = NULL;
  JsonObject *step;

  set_list (&image->history, (const char *const[]){ "ADD", "ENV", "COPY", NULL });
  set_list (&image->history_steps,
            (const char *const[]){ "layer 2026-01-02T03:04:05Z", "empty ", "layer no time", NULL });
  history = dn_image_report_history (image);
  g_assert_cmpuint (json_array_get_length (history), ==, 3);
  step = json_array_get_object_element (history, 0);
  g_assert_cmpstr (json_object_get_string_member (step, "created_by"), ==, "COPY");
  g_assert_cmpint (json_object_get_int_member (step, "size_bytes"), ==, 4 * BLOCK);
  g_assert_cmpint (json_object_get_int_member (step, "created_us"), ==, 0);
  step = json_array_get_object_element (history, 1);
  g_assert_false (json_object_has_member (step, "layer"));
  g_assert_cmpint (json_object_get_int_member (step, "size_bytes"), ==, 0);
  step = json_array_get_object_element (history, 2);
  g_assert_cmpint (json_object_get_int_member (step, "created_us") / G_USEC_PER_SEC, ==,
                   1767323045);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(function, name) g_test_add_func ("/image-report/" name, function)
  ADD (test_sizes_part_into_shared_and_own, "sizes-part-into-shared-and-own");
  ADD (test_what_is_not_seen_shares_nothing, "what-is-not-seen-shares-nothing");
  ADD (test_inspect_names_who_shares_a_layer, "inspect-names-who-shares-a-layer");
  ADD (test_history_has_the_size_of_each_layer, "history-has-the-size-of-each-layer");
  return g_test_run ();
}
