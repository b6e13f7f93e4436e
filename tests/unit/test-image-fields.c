/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/images/image-fields.c launcher/images/image.c launcher/images/layer.c
 * launcher/images/digest.c launcher/daemon/json-build.c
 * launcher/common/names.c launcher/images/reference.c launcher/common/error.c
 * launcher/common/json.c protocol/*.c */
/* Packages: json-glib-1.0 */
#include <string.h>

#include "../../launcher/common/error.h"
#include "../../launcher/images/image-fields.h"

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

static void
add (DnImageFields *fields, guint16 field, const char *text)
{
  dn_image_fields_add (fields, field, (const guint8 *) text, (guint32) strlen (text));
}

static void
test_fields_become_an_image_that_reads_back (void)
{
  g_autoptr (DnImageFields) fields = dn_image_fields_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (DnImage) image = NULL, again = NULL;
  g_autoptr (JsonNode) node = NULL;

  add (fields, DN_IMAGE_NAME, "nginx:demo");
  add (fields, DN_IMAGE_NAME, "localhost/nginx:demo");
  add (fields, DN_IMAGE_USER, "app");
  add (fields, DN_IMAGE_STOP_SIGNAL, "");
  add (fields, DN_IMAGE_ENV, "A=1");
  add (fields, DN_IMAGE_ENV, "B=2");
  add (fields, DN_IMAGE_CMD, "/bin/x");
  add (fields, DN_IMAGE_CREATED, "2026-01-02T03:04:05.123Z");
  add (fields, DN_IMAGE_HISTORY_STEP, "layer 2026-01-02T03:04:05Z");
  add (fields, DN_IMAGE_HISTORY, "RUN a\n\tb");
  add (fields, DN_IMAGE_HEALTH_TIME, "retries=3");
  image = dn_image_fields_finish (fields, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (g_strv_length (image->names), ==, 1);
  g_assert_cmpstr (image->names[0], ==, "localhost/nginx:demo");
  g_assert_cmpstr (image->config.user, ==, "app");
  g_assert_null (image->config.stop_signal);
  g_assert_cmpstr (image->config.env[1], ==, "B=2");
  g_assert_cmpstr (image->history[0], ==, "RUN a??b");
  g_assert_cmpint (dn_image_created_us (image) / G_USEC_PER_SEC, ==, 1767323045);
  complete (image);
  node = dn_image_to_json (image);
  again = dn_image_from_json (json_node_get_object (node), "image", &error);
  g_assert_no_error (error);
  g_assert_cmpstr (again->config.cmd[0], ==, "/bin/x");
  g_assert_cmpstr (again->history_steps[0], ==, "layer 2026-01-02T03:04:05Z");
  g_assert_cmpstr (again->health_times[0], ==, "retries=3");
}

static void
assert_refused (guint16 field, const char *value, gsize size, const char *words)
{
  g_autoptr (DnImageFields) fields = dn_image_fields_new ();
  g_autoptr (GError) error = NULL;

  dn_image_fields_add (fields, field, (const guint8 *) value, (guint32) size);
  g_assert_null (dn_image_fields_finish (fields, &error));
  g_assert_error (error, DN_ERROR, DN_ERROR_GUEST);
  g_assert_nonnull (strstr (error->message, words));
}

static void
test_values_that_could_do_harm_are_refused_by_name (void)
{
  assert_refused (DN_IMAGE_USER, "a\x1b[31m", 6, "user: has a control character");
  assert_refused (DN_IMAGE_ENV, "A=\0B", 4, "environment: not UTF-8");
  assert_refused (DN_IMAGE_CMD, "\xff\xfe", 2, "command: not UTF-8");
  assert_refused (DN_IMAGE_USER, "-u", 2, "user: not USER[:GROUP]");
  assert_refused (DN_IMAGE_WORKING_DIR, "/a/..", 5, "working directory: its path has '..'");
  assert_refused (DN_IMAGE_VOLUME, "/", 1, "volume: is the root");
  assert_refused (DN_IMAGE_STOP_SIGNAL, "SIGNO", 5, "stop signal: no such signal");
  assert_refused (DN_IMAGE_ENV, "A", 1, "environment: not NAME=VALUE");
  assert_refused (DN_IMAGE_EXPOSED_PORT, "x", 1, "exposed port: no port");
  assert_refused (DN_IMAGE_LABEL, "=", 1, "label: has no name");
  assert_refused (0, "x", 1, "field 0: unknown");
  assert_refused (999, "x", 1, "field 999: unknown");
}

static void
test_a_name_that_is_no_reference_is_refused (void)
{
  g_autoptr (DnImageFields) fields = dn_image_fields_new ();
  g_autoptr (GError) error = NULL;

  add (fields, DN_IMAGE_NAME, "../../etc/passwd");
  g_assert_null (dn_image_fields_finish (fields, &error));
  g_assert_nonnull (error);
}

static void
test_the_number_and_size_of_fields_are_limited (void)
{
  g_autoptr (DnImageFields) twice = dn_image_fields_new ();
  g_autoptr (DnImageFields) large = dn_image_fields_new ();
  g_autofree char *text = g_strnfill (DN_IMAGE_FIELD_VALUE_BYTES, 'x');
  g_autoptr (GError) error = NULL;

  add (twice, DN_IMAGE_USER, "a");
  add (twice, DN_IMAGE_USER, "b");
  g_assert_null (dn_image_fields_finish (twice, &error));
  g_assert_cmpstr (error->message, ==, "user: more than an image's config may hold");
  g_clear_error (&error);
  for (gsize i = 0; i <= DN_IMAGE_FIELDS_TOTAL_BYTES / DN_IMAGE_FIELD_VALUE_BYTES; i++)
    add (large, DN_IMAGE_LABEL, text);
  g_assert_null (dn_image_fields_finish (large, &error));
  g_assert_cmpstr (error->message, ==, "label: more than an image's config may hold");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/image-fields/fields-become-an-image-that-reads-back",
                   test_fields_become_an_image_that_reads_back);
  g_test_add_func ("/image-fields/values-that-could-do-harm-are-refused-by-name",
                   test_values_that_could_do_harm_are_refused_by_name);
  g_test_add_func ("/image-fields/a-name-that-is-no-reference-is-refused",
                   test_a_name_that_is_no_reference_is_refused);
  g_test_add_func ("/image-fields/the-number-and-size-of-fields-are-limited",
                   test_the_number_and_size_of_fields_are_limited);
  return g_test_run ();
}
