/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/intake/pull-manifest.c launcher/intake/pull-fault.c launcher/images/short-name.c
   launcher/images/reference.c launcher/images/pull-error.c launcher/images/thin.c
   launcher/cli/auth-file.c launcher/cli/answer.c launcher/cli/escape.c launcher/common/*.c
   launcher/base/*.c protocol/*.c
 */
/* What a pull decides by texts: whose credentials, which manifest, what went wrong. */
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "../../launcher/cli/auth-file.h"
#include "../../launcher/common/error.h"
#include "../../launcher/common/json.h"
#include "../../launcher/images/pull-error.h"
#include "../../launcher/images/short-name.h"
#include "../../launcher/images/thin.h"
#include "../../launcher/intake/pull-fault.h"
#include "../../launcher/intake/pull-manifest.h"

#define D1 "sha256:1111111111111111111111111111111111111111111111111111111111111111"
#define D2 "sha256:2222222222222222222222222222222222222222222222222222222222222222"

static JsonNode *
parse (const char *text)
{
  g_autoptr (GError) error = NULL;
  JsonNode *node = dn_json_parse (text, strlen (text), 65536, "test", &error);

  g_assert_no_error (error);
  return node;
}

static void
test_the_nearest_name_above_the_repository_counts (void)
{
  g_autoptr (JsonNode) node
      = parse ("{\"auths\": {\"r.example\": {\"auth\": \"registry\"}, \"r.example/a\": {\"auth\": "
               "\"space\"}, \"r.example/a/b\": {\"auth\": \"repository\"}, \"other.example\": "
               "{\"auth\": \"other\"}, \"https://index.docker.io/v1/\": {\"auth\": \"docker\"}, "
               "\"empty.example\": {}, \"r.examples\": {\"auth\": \"longer\"}}}");
  static const struct
  {
    const char *repository;
    const char *auth; /* NULL: none */
  } cases[] = { { "r.example/a/b", "repository" }, { "r.example/a/bb", "space" },
                { "r.example/ab", "registry" },    { "docker.io/library/redis", "docker" },
                { "empty.example/a", NULL },       { "example/a", NULL },
                { "r.example:5000/a", NULL } };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_auto (DnAuthEntry) entry = { NULL };
      gboolean is_found
          = dn_auth_file_find (json_node_get_object (node), cases[i].repository, &entry);

      g_assert_cmpint (is_found, ==, cases[i].auth != NULL);
      g_assert_cmpstr (entry.auth, ==, cases[i].auth);
    }
}

static void
test_a_helper_is_asked_where_the_file_names_one (void)
{
  g_autoptr (JsonNode) node
      = parse ("{\"auths\": {\"r.example\": {}}, \"credHelpers\": {\"h.example\": \"pass\"}, "
               "\"credsStore\": \"secretservice\"}");
  g_auto (DnAuthEntry) own = { NULL }, store = { NULL };

  g_assert_true (dn_auth_file_find (json_node_get_object (node), "h.example/a", &own));
  g_assert_cmpstr (own.helper, ==, "pass");
  g_assert_cmpstr (own.server, ==, "h.example");
  g_assert_true (dn_auth_file_find (json_node_get_object (node), "docker.io/a/b", &store));
  g_assert_cmpstr (store.helper, ==, "secretservice");
  g_assert_cmpstr (store.server, ==, "https://index.docker.io/v1/");
}

static void
test_one_entry_alone_goes_on (void)
{
  static const char text[] = "{\"auths\": {\"r.example\": {\"auth\": \"bWluZQ==\"}, "
                             "\"other.example\": {\"auth\": \"c2VjcmV0\"}}}";
  g_autofree char *directory = g_dir_make_tmp ("danchi-auth-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (directory, "auth.json", NULL);
  g_autoptr (GError) error = NULL;
  char bytes[512] = "";
  int fd;

  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  fd = dn_auth_file_open ("r.example/a:1", path, &error);
  g_assert_no_error (error);
  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (pread (fd, bytes, sizeof bytes - 1, 0), >, 0);
  g_assert_cmpstr (bytes, ==, "{\"auths\":{\"r.example\":{\"auth\":\"bWluZQ==\"}}}");
  g_assert_cmpint (pwrite (fd, "x", 1, 0), ==, -1);
  (void) close (fd);
  g_assert_cmpint (dn_auth_file_open ("third.example/a:1", path, &error), ==, -1);
  g_assert_no_error (error);
  (void) g_unlink (path);
  (void) g_rmdir (directory);
}

static DnManifest *
read_manifest (const char *text, GError **error)
{
  return dn_manifest_parse (text, strlen (text), error);
}

static void
test_a_manifest_names_its_blobs_once_each (void)
{
  g_autoptr (DnManifest) manifest
      = read_manifest ("{\"config\": {\"digest\": \"" D1 "\", \"size\": 5}, \"layers\": "
                       "[{\"digest\": \"" D2 "\", \"size\": 7}, {\"digest\": \"" D2
                       "\", \"size\": 7}], \"unknown\": 1}",
                       NULL);

  g_assert_nonnull (manifest);
  g_assert_false (manifest->is_index);
  g_assert_cmpuint (manifest->blobs->len, ==, 2);
  g_assert_cmpstr (((DnManifestBlob *) manifest->blobs->pdata[0])->digest, ==, D1);
  g_assert_cmpuint (((DnManifestBlob *) manifest->blobs->pdata[1])->size, ==, 7);
}

static void
test_an_index_has_one_for_this_host (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (DnManifest) manifest = read_manifest (
      "{\"mediaType\": \"application/vnd.docker.distribution.manifest.list.v2+json\", "
      "\"manifests\": [{\"digest\": \"" D1 "\", \"size\": 1, \"platform\": {\"os\": \"linux\", "
      "\"architecture\": \"arm64\"}}, {\"digest\": \"" D2 "\", \"size\": 1, \"platform\": "
      "{\"os\": \"linux\", \"architecture\": \"amd64\"}}]}",
      &error);
  g_autoptr (DnManifest) none = NULL;

  g_assert_no_error (error);
  g_assert_true (manifest->is_index);
  g_assert_cmpstr (manifest->chosen, ==, D2);
  none = read_manifest ("{\"manifests\": [{\"digest\": \"" D1 "\", \"size\": 1, \"platform\": "
                        "{\"os\": \"linux\", \"architecture\": \"arm64\"}}]}",
                        &error);
  g_assert_null (none);
  g_assert_error (error, DN_ERROR, DN_ERROR_NOT_FOUND);
}

static void
test_manifests_without_sense_are_refused (void)
{
  static const char *const wrong[]
      = { "",
          "[]",
          "{}",
          "{\"layers\": []}",
          "{\"config\": {\"digest\": \"sha256:1\", \"size\": 5}, \"layers\": []}",
          "{\"config\": {\"digest\": \"" D1 "\", \"size\": -5}, \"layers\": []}",
          "{\"config\": {\"digest\": \"" D1 "\", \"size\": \"5\"}, \"layers\": []}",
          "{\"config\": {\"digest\": \"" D1 "\", \"size\": 5}, \"layers\": [1]}",
          "{\"config\": {\"digest\": \"" D1 "\", \"size\": 5}, \"layers\": [{\"digest\": \"" D1
          "\", \"size\": 6}]}",
          "{\"mediaType\": \"text/plain\", \"layers\": []}",
          "{\"manifests\": {}}" };

  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (read_manifest (wrong[i], &error));
      g_assert_nonnull (error);
    }
}

static void
test_skopeos_words_become_codes (void)
{
  static const struct
  {
    const char *words;
    const char *code;
    gboolean is_brief;
  } cases[] = {
    { "dial tcp 127.0.0.1:1: connect: connection refused", "refused", FALSE },
    { "x509: certificate signed by unknown authority", "tls-authority", FALSE },
    { "reading manifest 1 in r/a: manifest unknown: manifest unknown", "not-found", FALSE },
    { "unable to retrieve auth token: invalid username/password: unauthorized", "unauthorized",
      FALSE },
    { "too many requests to registry", "busy", TRUE },
    { "received unexpected HTTP status: 503 Service Unavailable", "server-error", TRUE },
    { "happened during read: Digest did not match, expected sha256:1, got sha256:2", "digest",
      FALSE },
    { "copying blob: unexpected EOF", "broken", TRUE },
    { "something else", "other", FALSE },
  };
  g_autofree char *message
      = dn_pull_fault_message ("time=\"now\" level=fatal msg=\"Get \\\"https://r/v2/\\\": EOF\"\n");

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      const DnPullFault *fault = dn_pull_fault_find (cases[i].words);

      g_assert_cmpstr (fault->code, ==, cases[i].code);
      g_assert_cmpint (fault->is_brief, ==, cases[i].is_brief);
    }
  g_assert_cmpstr (message, ==, "Get \"https://r/v2/\": EOF");
}

static void
test_an_error_names_registry_and_remedy (void)
{
  g_autoptr (GError) error = NULL, other = NULL;

  dn_pull_error_set (&error, "r.example:5000/a:1", "unauthorized", "evil\x1b[2J");
  g_assert_nonnull (strstr (error->message, "registry 'r.example:5000'"));
  g_assert_nonnull (strstr (error->message, "\nskopeo login r.example:5000"));
  g_assert_null (strstr (error->message, "evil"));
  dn_pull_error_set (&other, "r.example/a:1", "nothing known", "evil\x1b[2J");
  g_assert_nonnull (strstr (other->message, "evil?[2J"));
}

static void
test_short_names_are_refused_with_candidates (void)
{
  g_auto (GStrv) registries = dn_pull_name_find_registries (
      "# unqualified-search-registries = [\"x\"]\n[[registry]]\nlocation = \"y\"\n"
      "unqualified-search-registries = [\"quay.io\",\n  \"r.example:5000\"] # \"z\"\n");
  g_autofree char *whole = dn_pull_name_check ("r.example:5000/a/b", NULL);
  g_autofree char *digest = dn_pull_name_check ("r.example/a@" D1, NULL);
  static const char *const wrong[]
      = { "redis", "library/redis", "docker.io/redis", "localhost/redis", "r.example/a:1@" D1, "" };

  g_assert_cmpstr (registries[0], ==, "quay.io");
  g_assert_cmpstr (registries[1], ==, "r.example:5000");
  g_assert_cmpstr (whole, ==, "r.example:5000/a/b:latest");
  g_assert_cmpstr (digest, ==, "r.example/a@" D1);
  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (dn_pull_name_check (wrong[i], &error));
      g_assert_error (error, DN_ERROR, DN_ERROR_USAGE);
    }
}

static void
test_a_thin_archive_is_a_layout_that_tar_reads (void)
{
  const DnThin thin = { .media_type = "application/vnd.oci.image.index.v1+json",
                        .files = { { D1 + 7, "{}", 2 }, { D2 + 7, "abc", 3 } },
                        .count = 2 };
  g_autofree char *directory = g_dir_make_tmp ("danchi-thin-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (directory, "thin", NULL);
  g_autofree char *command = g_strdup_printf ("tar -xOf '%s' index.json", path);
  g_autofree char *output = NULL;
  g_autoptr (GError) error = NULL;
  guint64 bytes;

  g_assert_true (dn_thin_write (&thin, path, &bytes, &error));
  g_assert_cmpuint (bytes % 512, ==, 0);
  g_assert_true (g_spawn_command_line_sync (command, &output, NULL, NULL, NULL));
  g_assert_cmpstr (output, ==,
                   "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"application/"
                   "vnd.oci.image.index.v1+json\",\"digest\":\"" D1 "\",\"size\":2}]}");
  g_assert_false (dn_thin_is_media_type ("application/json\",\""));
  (void) g_unlink (path);
  (void) g_rmdir (directory);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/pull/the-nearest-name-above-the-repository-counts",
                   test_the_nearest_name_above_the_repository_counts);
  g_test_add_func ("/pull/a-helper-is-asked-where-the-file-names-one",
                   test_a_helper_is_asked_where_the_file_names_one);
  g_test_add_func ("/pull/one-entry-alone-goes-on", test_one_entry_alone_goes_on);
  g_test_add_func ("/pull/a-manifest-names-its-blobs-once-each",
                   test_a_manifest_names_its_blobs_once_each);
  g_test_add_func ("/pull/an-index-has-one-for-this-host", test_an_index_has_one_for_this_host);
  g_test_add_func ("/pull/manifests-without-sense-are-refused",
                   test_manifests_without_sense_are_refused);
  g_test_add_func ("/pull/skopeos-words-become-codes", test_skopeos_words_become_codes);
  g_test_add_func ("/pull/an-error-names-registry-and-remedy",
                   test_an_error_names_registry_and_remedy);
  g_test_add_func ("/pull/short-names-are-refused-with-candidates",
                   test_short_names_are_refused_with_candidates);
  g_test_add_func ("/pull/a-thin-archive-is-a-layout-that-tar-reads",
                   test_a_thin_archive_is_a_layout_that_tar_reads);
  return g_test_run ();
}
