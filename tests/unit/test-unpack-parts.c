/* SPDX-License-Identifier: Apache-2.0 */
/* Links: guest-agent/unpack/*.c !guest-agent/unpack/main.c protocol/*.c guest-agent/init/modules.c
 * guest-agent/init/poweroff.c guest-agent/init/console.c */
/* Packages: -larchive -ljansson -lnettle -lz -lzstd */
/* The unpacker's pure parts, one by one; and the one pure part of init. */
#include <errno.h>
#include <glib.h>
#include <string.h>

#include "../../guest-agent/init/modules.h"
#include "../../guest-agent/unpack/document.h"
#include "../../guest-agent/unpack/fields.h"
#include "../../guest-agent/unpack/options.h"

static void
test_archive_names_stay_inside (void)
{
  char name[64];

  g_assert_true (dn_archive_normalise ("./a//b/../c", name));
  g_assert_cmpstr (name, ==, "a/c");
  g_assert_true (dn_archive_normalise ("a/..", name));
  g_assert_cmpstr (name, ==, "");
  g_assert_false (dn_archive_normalise ("/a", name));
  g_assert_false (dn_archive_normalise ("a/../../b", name));
  g_assert_false (dn_archive_normalise ("..", name));
}

static void
test_a_digest_is_64_lower_case_digits (void)
{
  const char *const wrong[] = { "", "sha256:", "md5:00", "sha512:0000" };
  g_autofree char *digits = g_strnfill (62, 'a');
  g_autofree char *good = g_strdup_printf ("sha256:%s0f", digits);
  char text[DN_DIGEST_TEXT_BYTES + 1];
  DnFailure failure;
  DnDigest digest;

  g_assert_true (dn_digest_read (good, "it", &digest, &failure));
  dn_digest_write (&digest, text);
  g_assert_cmpstr (text, ==, good);
  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++)
    g_assert_false (dn_digest_read (wrong[i], "it", &digest, &failure));
  good[20] = 'A';
  g_assert_false (dn_digest_read (good, "it", &digest, &failure));
}

static gboolean
parses (const char *text)
{
  DnFailure failure;
  json_t *root = NULL;
  gboolean result = dn_document_parse (text, strlen (text), "it", &root, &failure);

  json_decref (root);
  return result;
}

static void
test_documents_are_read_strictly (void)
{
  g_autofree char *deep = g_strnfill (DN_DOCUMENT_DEPTH + 1, '[');

  g_assert_true (parses ("{\"a\": [1, \"[[[[{{{{\"]}"));
  g_assert_false (parses (""));
  g_assert_false (parses ("{\"a\": 1, \"a\": 2}"));
  g_assert_false (parses ("{} {}"));
  g_assert_false (parses ("{\"a\": \"\\u0000\"}"));
  g_assert_false (parses ("{\"a\": \"\xff\"}"));
  g_assert_false (parses ("// comment\n{}"));
  g_assert_false (parses (deep));
}

static void
test_members_of_the_wrong_type_are_refused (void)
{
  json_t *root
      = json_pack ("{s:i, s:s, s:n, s:f}", "number", 12, "text", "12", "null", "real", 1.5);
  const char *text = "before";
  gint64 number = -7;
  DnFailure failure;

  g_assert_false (dn_document_text (root, "number", &text, &failure));
  g_assert_nonnull (strstr (failure.message, "'number'"));
  g_assert_false (dn_document_number (root, "text", &number, &failure));
  g_assert_false (dn_document_number (root, "real", &number, &failure));
  g_assert_true (dn_document_text (root, "null", &text, &failure));
  g_assert_true (dn_document_text (root, "missing", &text, &failure));
  g_assert_cmpstr (text, ==, "before");
  g_assert_true (dn_document_number (root, "number", &number, &failure));
  g_assert_cmpint (number, ==, 12);
  json_decref (root);
}

static void
count_field (DnImageField field, const char *value, size_t size, void *data)
{
  guint *counts = data;

  (void) value;
  (void) size;
  counts[field]++;
}

static gboolean
collects (json_t *config, guint counts[DN_IMAGE_HEALTH_TIME + 1], DnFailure *failure)
{
  DnManifest manifest = { .config = json_pack ("{s:s, s:o}", "os", "linux", "config", config) };
  gboolean result = dn_fields_collect (&manifest, count_field, counts, failure);

  dn_manifest_clear (&manifest);
  return result;
}

static void
test_fields_have_limits_and_no_control_characters (void)
{
  guint counts[DN_IMAGE_HEALTH_TIME + 1] = { 0 };
  json_t *many = json_array ();
  DnFailure failure;

  g_assert_true (collects (
      json_pack ("{s:[s,s], s:{s:s}}", "Env", "A=1", "B=", "Labels", "a", "\n"), counts, &failure));
  g_assert_cmpuint (counts[DN_IMAGE_ENV], ==, 2);
  g_assert_cmpuint (counts[DN_IMAGE_LABEL], ==, 1);
  g_assert_false (collects (json_pack ("{s:[s]}", "Env", "NOVALUE"), counts, &failure));
  g_assert_false (collects (json_pack ("{s:[s]}", "Env", "=1"), counts, &failure));
  g_assert_false (collects (json_pack ("{s:s}", "User", "a\x1b[2J"), counts, &failure));
  g_assert_nonnull (strstr (failure.message, "User"));
  g_assert_null (strchr (failure.message, 0x1b));
  g_assert_false (collects (json_pack ("{s:s}", "WorkingDir", "/\xc2\x9b"), counts, &failure));
  g_assert_false (collects (json_pack ("{s:s}", "Cmd", "text"), counts, &failure));
  for (int i = 0; i < 1025; i++)
    json_array_append_new (many, json_string ("x"));
  g_assert_false (collects (json_pack ("{s:o}", "Cmd", many), counts, &failure));
  g_assert_cmpint (failure.status, ==, -EFBIG);
}

/* One value of a config's member, and what its refusal says: NULL where it is good. */
static const struct
{
  const char *json;
  const char *words;
} values[] = {
  { "{\"User\": \"\"}", NULL },
  { "{\"User\": \"www-data\"}", NULL },
  { "{\"User\": \"1000:1000\"}", NULL },
  { "{\"User\": \"app:2147483647\"}", NULL },
  { "{\"User\": \"machine$\"}", NULL },
  { "{\"User\": \"2147483648\"}", "User: '2147483648': a number over 2147483647" },
  { "{\"User\": \"0:4294967296\"}", "a number over" },
  { "{\"User\": \"18446744073709551616\"}", "a number over" },
  { "{\"User\": \"-1\"}", "not USER[:GROUP]" },
  { "{\"User\": \"--privileged\"}", "not USER[:GROUP]" },
  { "{\"User\": \"a:b:c\"}", "not USER[:GROUP]" },
  { "{\"User\": \"a:\"}", "not USER[:GROUP]" },
  { "{\"User\": \"../../root\"}", "not USER[:GROUP]" },
  { "{\"User\": \"r\u00f6\u00f6t\"}", "not USER[:GROUP]" },
  { "{\"WorkingDir\": \"\"}", NULL },
  { "{\"WorkingDir\": \"/a..b/..c/d../...\"}", NULL },
  { "{\"WorkingDir\": \"srv\"}", "WorkingDir: 'srv': not an absolute path" },
  { "{\"WorkingDir\": \"/srv/../etc\"}", "its path has '..'" },
  { "{\"WorkingDir\": \"/..\"}", "its path has '..'" },
  { "{\"WorkingDir\": \"..\"}", "not an absolute path" },
  { "{\"Volumes\": {\"/data\": {}, \"/var/lib/x\": {}}}", NULL },
  { "{\"Volumes\": {\"/data/../../etc\": {}}}", "Volumes: '/data/../../etc': its path has '..'" },
  { "{\"Volumes\": {\"data\": {}}}", "not an absolute path" },
  { "{\"Volumes\": {\"\": {}}}", "not an absolute path" },
  { "{\"Volumes\": {\"//./\": {}}}", "is the root" },
  { "{\"Volumes\": [\"/data\"]}", "'Volumes' is not an object" },
  { "{\"StopSignal\": \"SIGQUIT\"}", NULL },
  { "{\"StopSignal\": \"quit\"}", NULL },
  { "{\"StopSignal\": \"3\"}", NULL },
  { "{\"StopSignal\": \"SIGRTMIN+3\"}", NULL },
  { "{\"StopSignal\": \"RTMAX-1\"}", NULL },
  { "{\"StopSignal\": \"0\"}", "StopSignal: '0': no such signal" },
  { "{\"StopSignal\": \"65\"}", "no such signal" },
  { "{\"StopSignal\": \"-9\"}", "no such signal" },
  { "{\"StopSignal\": \"SIGRTMIN+31\"}", "no such signal" },
  { "{\"StopSignal\": \"SIGNONSENSE\"}", "no such signal" },
  { "{\"StopSignal\": 9}", "'StopSignal' is not a text" },
  { "{\"Env\": [\"A=\", \"B=x=y\", \"npm_config.a-b=1\"]}", NULL },
  { "{\"Env\": [\"A=1\", \"PATH\"]}", "Env: element 2 is not NAME=VALUE" },
  { "{\"Env\": [\"=1\"]}", "Env: element 1" },
  { "{\"Env\": [\"A B=1\"]}", "Env: element 1" },
  { "{\"Env\": [\"1A=1\"]}", "Env: element 1" },
  { "{\"Env\": [\"A=\\u0000\"]}", "config: line" },
  { "{\"Env\": [\"A=\xff\"]}", "config: line" },
  { "{\"Env\": {\"A\": \"1\"}}", "'Env' is not a list" },
  { "{\"ExposedPorts\": {\"80\": {}, \"53/udp\": {}, \"1-65535/sctp\": {}}}", NULL },
  { "{\"ExposedPorts\": {\"0/tcp\": {}}}", "ExposedPorts: '0/tcp': no port from 1 to 65535" },
  { "{\"ExposedPorts\": {\"65536\": {}}}", "no port" },
  { "{\"ExposedPorts\": {\"80/icmp\": {}}}", "not PORT/tcp" },
  { "{\"ExposedPorts\": {\"90-80/tcp\": {}}}", "no range" },
  { "{\"ExposedPorts\": {\"80-/tcp\": {}}}", "no range" },
  { "{\"ExposedPorts\": {\"http\": {}}}", "no port" },
  { "{\"Labels\": {\"\": \"x\"}}", "Labels: '=x': has no name" },
  { "{\"Labels\": {\"a=b\": \"x\"}}", "Labels: 'a=b': a name with '='" },
  { "{\"Labels\": {\"a\": 7}}", "Labels: 'a' is not a text" },
  { "{\"Entrypoint\": [7]}", "Entrypoint: element 1 is not a text" },
  { "{\"Entrypoint\": [\"a\\tb\"]}", "Entrypoint: 'a\\x09b' has a control character" },
  { "{\"Cmd\": [\"a\"], \"Cmd\": [\"b\"]}", "duplicate object key" },
  { "{\"Healthcheck\": {\"Test\": [\"CMD\", \"x\"], \"Interval\": 30000000000, \"Retries\": 3}}",
    NULL },
  { "{\"Healthcheck\": {\"Interval\": -1}}", "'Interval' is not a whole number" },
  { "{\"Healthcheck\": {\"Interval\": 99999999999999999999}}", "config: line" },
  /* What others act on at build time, and what nobody knows, is passed over. */
  { "{\"OnBuild\": [\"RUN x\"], \"Shell\": [\"/bin/zsh\"], \"ArgsEscaped\": true, "
    "\"MacAddress\": 7, \"cmd\": 8, \"AttachStdout\": [[]]}",
    NULL },
};

static void
test_values_are_good_or_refused_by_name (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (values); i++)
    {
      g_autofree char *text
          = g_strdup_printf ("{\"os\": \"linux\", \"config\": %s}", values[i].json);
      guint counts[DN_IMAGE_HEALTH_TIME + 1] = { 0 };
      DnManifest manifest = { 0 };
      DnFailure failure = { 0 };
      gboolean is_good
          = dn_document_parse (text, strlen (text), "config", &manifest.config, &failure)
            && dn_fields_collect (&manifest, count_field, counts, &failure);

      g_test_message ("%s: %s", values[i].json, is_good ? "good" : failure.message);
      g_assert_cmpint (is_good, ==, values[i].words == NULL);
      g_assert_true (is_good || strstr (failure.message, values[i].words) != NULL);
      dn_manifest_clear (&manifest);
    }
}

/* A config of one member, whose value @count times @one makes between @start and @end. */
static void
assert_flood_is_refused (const char *start, const char *one, guint count, const char *end,
                         const char *words)
{
  g_autoptr (GString) text = g_string_new (start);
  guint counts[DN_IMAGE_HEALTH_TIME + 1] = { 0 };
  DnManifest manifest = { 0 };
  DnFailure failure = { 0 };

  for (guint i = 0; i < count; i++)
    {
      g_autofree char *element = g_strdup_printf ("%s\"%u%s", i > 0 ? "," : "", i, one);

      g_string_append (text, element);
    }
  g_string_append (text, end);
  g_assert_false (dn_document_parse (text->str, text->len, "config", &manifest.config, &failure)
                  && dn_fields_collect (&manifest, count_field, counts, &failure));
  g_test_message ("%s", failure.message);
  g_assert_nonnull (strstr (failure.message, words));
  dn_manifest_clear (&manifest);
}

static void
test_floods_are_refused_by_name (void)
{
  g_autofree char *long_value = g_strnfill (DN_IMAGE_FIELD_VALUE_BYTES, 'x');
  g_autofree char *long_label = g_strdup_printf ("\": \"%s\"", long_value);
  g_autofree char *long_word = g_strdup_printf ("%s\"", long_value);
  g_autofree char *part_word = g_strndup (long_word + 1000, DN_IMAGE_FIELD_VALUE_BYTES);

  assert_flood_is_refused ("{\"config\": {\"Env\": [", "=1\"", 200000, "]}}",
                           "'Env' has more than 1024");
  assert_flood_is_refused ("{\"config\": {\"Env\": [", "=1\"", 1000000, "]}}",
                           "config: more than 4194304 bytes");
  assert_flood_is_refused ("{\"config\": {\"Labels\": {", "\": \"\"", 1025, "}}}",
                           "'Labels' has more than 1024");
  assert_flood_is_refused ("{\"config\": {\"Volumes\": {", "\": {}", 1025, "}}}",
                           "'Volumes' has more than 1024");
  assert_flood_is_refused ("{\"config\": {\"ExposedPorts\": {", "\": {}", 1025, "}}}",
                           "'ExposedPorts' has more than 1024");
  assert_flood_is_refused ("{\"history\": [", "\"", 1025, "]}", "'history' has more than 1024");
  assert_flood_is_refused ("{\"config\": {\"Labels\": {", long_label, 1, "}}}", "is too long");
  assert_flood_is_refused ("{\"config\": {\"Cmd\": [", long_word, 1, "]}}",
                           "Cmd: more than an image's config may hold");
  assert_flood_is_refused ("{\"config\": {\"Cmd\": [", part_word, 100, "]}}",
                           "Cmd: more than an image's config may hold");
}

/* What each step of the history says of its layer: one line each. */
static void
note_step (DnImageField field, const char *value, size_t size, void *data)
{
  if (field == DN_IMAGE_HISTORY_STEP)
    g_string_append_printf (data, "%.*s\n", (int) size, value);
}

static gboolean
reads_history (const char *text, GString *steps, DnFailure *failure)
{
  json_t *history = json_loads (text, 0, NULL);
  DnManifest manifest = { .config = json_pack ("{s:s, s:o}", "os", "linux", "history", history) };
  gboolean result = dn_fields_collect (&manifest, note_step, steps, failure);

  dn_manifest_clear (&manifest);
  return result;
}

static void
test_the_history_says_which_steps_made_layers (void)
{
  g_autoptr (GString) steps = g_string_new (NULL);
  DnFailure failure;

  g_assert_true (reads_history ("[{\"created\": \"2026-01-02T03:04:05Z\", \"created_by\": \"ADD\"},"
                                " {\"created_by\": \"ENV\", \"empty_layer\": true},"
                                " {\"empty_layer\": false}]",
                                steps, &failure));
  g_assert_cmpstr (steps->str, ==, "layer 2026-01-02T03:04:05Z\nempty \nlayer \n");
  g_assert_false (reads_history ("[{\"empty_layer\": 1}]", steps, &failure));
  g_assert_nonnull (strstr (failure.message, "empty_layer"));
  g_assert_false (reads_history ("[{\"created\": \"\\u001b[2J\"}]", steps, &failure));
  g_assert_null (strchr (failure.message, 0x1b));
  g_assert_false (reads_history ("[{\"created\": \"0123456789012345678901234567890123456789"
                                 "012345678901234567890123456789\"}]",
                                 steps, &failure));
  g_assert_cmpint (failure.status, ==, -EFBIG);
}

static void
test_names_in_messages_are_printable_and_short (void)
{
  g_autofree char *name = g_strnfill (5000, '\n');
  DnFailureName shown = dn_failure_name (name);

  g_assert_cmpuint (strlen (shown.text), <=, DN_FAILURE_NAME_BYTES);
  g_assert_true (g_str_has_prefix (shown.text, "\\x0a\\x0a"));
  g_assert_true (g_str_has_suffix (shown.text, "..."));
  g_assert_cmpstr (dn_failure_name ("plain/name").text, ==, "plain/name");
}

static void
test_a_message_keeps_its_beginning_when_it_is_cut (void)
{
  g_autofree char *words = g_strnfill (2 * DN_MESSAGE_BYTES, 'w');
  DnFailure failure;

  g_assert_false (dn_fail (&failure, -EINVAL, "%s", words));
  g_assert_cmpuint (strlen (failure.message), ==, DN_MESSAGE_BYTES);
  g_assert_false (dn_fail_prefix (&failure, "layer %d", 7));
  g_assert_true (g_str_has_prefix (failure.message, "layer 7: www"));
  g_assert_cmpuint (strlen (failure.message), ==, DN_MESSAGE_BYTES);
}

static void
test_a_compression_is_told_by_its_first_bytes (void)
{
  g_assert_cmpint (dn_compression_sniff ((const guint8 *) "\x1f\x8b\x08", 3), ==,
                   DN_COMPRESSION_GZIP);
  g_assert_cmpint (dn_compression_sniff ((const guint8 *) "\x28\xb5\x2f\xfd", 4), ==,
                   DN_COMPRESSION_ZSTD);
  g_assert_cmpint (dn_compression_sniff ((const guint8 *) "\x1f", 1), ==, DN_COMPRESSION_NONE);
  g_assert_cmpint (dn_compression_sniff ((const guint8 *) "", 0), ==, DN_COMPRESSION_NONE);
}

static void
test_options_are_whole_or_refused (void)
{
  char *argv[]
      = { "read", "--archive", "a", "--archive-bytes", "5", "--output", "o", "--expanded-limit",
          "9",    NULL };
  DnReadOptions options;
  DnFailure failure;

  g_assert_true (dn_options_read_archive (9, argv, &options, &failure));
  g_assert_cmpuint (options.expanded_limit, ==, 9);
  g_assert_cmpstr (options.reference, ==, "");
  g_assert_false (dn_options_read_archive (7, argv, &options, &failure));
  argv[4] = "-5";
  g_assert_false (dn_options_read_archive (9, argv, &options, &failure));
  argv[4] = "99999999999999999999";
  g_assert_false (dn_options_read_archive (9, argv, &options, &failure));
  argv[4] = "5x";
  g_assert_false (dn_options_read_archive (9, argv, &options, &failure));
}

static void
test_a_layers_options_are_whole_or_refused (void)
{
  g_autofree char *digits = g_strnfill (64, '7');
  g_autofree char *digest = g_strconcat ("sha256:", digits, NULL);
  char *argv[] = { "layer", "--blob",    "b",    "--blob-bytes",  "5",    "--digest",
                   digest,  "--diff-id", digest, "--chain",       digest, "--scratch",
                   "s",     "--output",  "o",    "--files-limit", "7",    "--unpacked-limit",
                   "9",     "--base",    "/one", "--base",        "/two", NULL };
  DnLayerOptions options;
  DnFailure failure;

  g_assert_true (dn_options_read_layer (19, argv, &options, &failure));
  g_assert_cmpuint (options.bases_count, ==, 0);
  g_assert_true (dn_options_read_layer (23, argv, &options, &failure));
  g_assert_cmpuint (options.bases_count, ==, 2);
  g_assert_cmpstr (options.bases[1], ==, "/two");
  g_assert_cmpuint (options.chain.bytes[31], ==, 0x77);
  argv[9] = "--diff-id"; /* twice, and so there is no chain */
  g_assert_false (dn_options_read_layer (23, argv, &options, &failure));
  argv[9] = "--chain";
  argv[10] = "7777";
  g_assert_false (dn_options_read_layer (23, argv, &options, &failure));
}

static void
test_a_driver_is_loaded_where_its_device_is (void)
{
  const char devices[] = "0000\t808629c0\t0\n0008\t1af41042\ta\tffff\n0010\t1af41053\tb\n";

  g_assert_true (dn_modules_is_wanted ("", devices, "quiet danchi.scratch\n"));
  g_assert_true (dn_modules_is_wanted ("1af41053 1af41012", devices, "quiet danchi.scratch\n"));
  g_assert_true (dn_modules_is_wanted ("1af41012 1af41053", devices, "quiet danchi.scratch\n"));
  g_assert_false (dn_modules_is_wanted ("1af41043 1af41003", devices, "quiet danchi.scratch\n"));
  g_assert_false (dn_modules_is_wanted ("1af4105", devices, "quiet danchi.scratch\n"));
  g_assert_false (dn_modules_is_wanted ("1af41053", "", "quiet danchi.scratch\n"));
  g_assert_true (dn_modules_is_wanted ("@danchi.scratch", "", "quiet danchi.scratch\n"));
  g_assert_true (dn_modules_is_wanted ("1af41043 @quiet", devices, "quiet danchi.scratch\n"));
  g_assert_false (dn_modules_is_wanted ("@danchi.scratch", devices, "xdanchi.scratch danchi"));
  g_assert_false (dn_modules_is_wanted ("@danchi.scratch", devices, ""));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(function, name) g_test_add_func ("/unpack/parts/" name, function)
  ADD (test_archive_names_stay_inside, "archive-names-stay-inside");
  ADD (test_a_digest_is_64_lower_case_digits, "a-digest-is-64-lower-case-digits");
  ADD (test_documents_are_read_strictly, "documents-are-read-strictly");
  ADD (test_members_of_the_wrong_type_are_refused, "members-of-the-wrong-type-are-refused");
  ADD (test_fields_have_limits_and_no_control_characters,
       "fields-have-limits-and-no-control-characters");
  ADD (test_values_are_good_or_refused_by_name, "values-are-good-or-refused-by-name");
  ADD (test_floods_are_refused_by_name, "floods-are-refused-by-name");
  ADD (test_the_history_says_which_steps_made_layers, "the-history-says-which-steps-made-layers");
  ADD (test_names_in_messages_are_printable_and_short, "names-in-messages-are-printable-and-short");
  ADD (test_a_message_keeps_its_beginning_when_it_is_cut,
       "a-message-keeps-its-beginning-when-it-is-cut");
  ADD (test_a_compression_is_told_by_its_first_bytes, "a-compression-is-told-by-its-first-bytes");
  ADD (test_options_are_whole_or_refused, "options-are-whole-or-refused");
  ADD (test_a_layers_options_are_whole_or_refused, "a-layers-options-are-whole-or-refused");
  ADD (test_a_driver_is_loaded_where_its_device_is, "a-driver-is-loaded-where-its-device-is");
  return g_test_run ();
}
