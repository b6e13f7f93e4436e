/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/spec/mount-*.c launcher/spec/tmpfs.c launcher/spec/quantity.c
   launcher/common/names.c launcher/common/error.c */
#include "../../launcher/common/error.h"
#include "../../launcher/spec/mount-spec.h"
#include "golden.h"

static void
print_spec (GString *output, const DnMountSpec *spec)
{
  g_string_append_printf (output, "  %s", dn_mount_kind_words[spec->kind]);
  if (spec->kind != DN_MOUNT_TMPFS)
    g_string_append_printf (output, " '%s'", spec->source != NULL ? spec->source : "");
  g_string_append_printf (output, " on '%s' %s%s", spec->target, spec->is_readonly ? "ro" : "rw",
                          spec->is_executable ? " exec" : " noexec");
  if (spec->is_not_filled)
    g_string_append (output, " nocopy");
  if (spec->size_bytes != 0)
    g_string_append_printf (output, " size %" G_GINT64_FORMAT, spec->size_bytes);
  if (spec->id[0] != '\0')
    g_string_append_printf (output, " id %s", spec->id);
  if (spec->tmpfs != NULL)
    g_string_append_printf (output, " tmpfs '%s'", spec->tmpfs);
  g_string_append_c (output, '\n');
}

static void
check_comes_back (const DnMountSpec *spec)
{
  g_autofree char *text = dn_mount_spec_to_text (spec);
  g_autoptr (GError) error = NULL;
  g_autoptr (DnMountSpec) again = dn_mount_spec_parse (text, &error);
  g_autoptr (GString) first = g_string_new (NULL), second = g_string_new (NULL);

  g_assert_no_error (error);
  print_spec (first, spec);
  print_spec (second, again);
  g_assert_cmpstr (first->str, ==, second->str);
}

static void
test_every_text_means_what_was_reviewed (void)
{
  g_autofree char *input = NULL;
  g_auto (GStrv) lines = NULL;
  g_autoptr (GString) output = g_string_new (NULL);
  g_autoptr (GError) error = NULL;

  g_file_get_contents ("tests/golden/mounts/texts.in", &input, NULL, &error);
  g_assert_no_error (error);
  lines = g_strsplit (input, "\n", -1);
  for (guint i = 0; lines[i] != NULL && lines[i + 1] != NULL; i++)
    {
      g_autofree char *text = g_strcompress (lines[i]);
      g_autoptr (GError) refusal = NULL;
      g_autoptr (DnMountSpec) spec = dn_mount_spec_parse (text, &refusal);

      g_string_append_printf (output, "%s\n", lines[i]);
      if (spec == NULL)
        {
          g_auto (GStrv) words = g_strsplit (refusal->message, "\n", -1);
          g_autofree char *shown = g_strjoinv ("\n    ", words);

          g_assert_error (refusal, DN_ERROR, DN_ERROR_USAGE);
          g_string_append_printf (output, "  refused: %s\n", shown);
          continue;
        }
      print_spec (output, spec);
      if (spec->kind == DN_MOUNT_VOLUME)
        check_comes_back (spec);
    }
  golden_compare ("tests/golden/mounts/texts.txt", output->str);
}

static void
test_a_path_is_mounted_on_once (void)
{
  char *twice[] = { "a:/data", "/srv:/data/:ro", NULL };
  char *with_tmpfs[] = { "a:/data", NULL };
  char *tmpfs[] = { "/data:size=1m", NULL };
  char *fine[] = { "a:/data", "a:/data/inner", "/srv:/srv", NULL };
  g_autoptr (GError) error = NULL, other = NULL, none = NULL;
  g_autoptr (GPtrArray) specs = dn_mount_specs_parse (twice, NULL, &error);

  g_assert_null (specs);
  g_assert_error (error, DN_ERROR, DN_ERROR_USAGE);
  g_assert_nonnull (strstr (error->message, "'/data' is mounted on twice"));
  specs = dn_mount_specs_parse (with_tmpfs, tmpfs, &other);
  g_assert_null (specs);
  g_assert_nonnull (strstr (other->message, "'/data' is mounted on twice"));
  specs = dn_mount_specs_parse (fine, tmpfs, &none);
  g_assert_nonnull (strstr (none->message, "twice"));
  g_clear_error (&none);
  specs = dn_mount_specs_parse (fine, NULL, &none);
  g_assert_no_error (none);
  g_assert_cmpuint (specs->len, ==, 3);
}

static void
test_their_number_is_bounded (void)
{
  g_autoptr (GPtrArray) texts = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) specs = NULL;
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i <= DN_MOUNT_SPECS_MAX; i++)
    g_ptr_array_add (texts, g_strdup_printf ("v%u:/data/%u", i, i));
  g_ptr_array_add (texts, NULL);
  specs = dn_mount_specs_parse ((char **) texts->pdata, NULL, &error);
  g_assert_null (specs);
  g_assert_error (error, DN_ERROR, DN_ERROR_USAGE);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/mount-spec/every text means what was reviewed",
                   test_every_text_means_what_was_reviewed);
  g_test_add_func ("/mount-spec/a path is mounted on once", test_a_path_is_mounted_on_once);
  g_test_add_func ("/mount-spec/their number is bounded", test_their_number_is_bounded);
  return g_test_run ();
}
