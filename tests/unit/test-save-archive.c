/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/cli/save-*.c launcher/common/tar-writer.c launcher/common/json.c
 * launcher/common/error.c launcher/common/names.c */
/* Packages: json-glib-1.0 */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "../../launcher/cli/save-archive.h"
#include "../../launcher/common/autofd.h"
#include "../../launcher/common/error.h"

#define PLAIN "plain bytes of a layer"
#define GZIPPED "\x1f\x8b gzipped bytes of a layer"
#define BZIPPED "BZh91 bytes of a layer"
#define CONFIG "{\"config\": 1}"
#define OCI_MANIFEST "{\"mediaType\": \"application/vnd.oci.image.manifest.v1+json\"}"
#define DOCKER_MANIFEST "{\"mediaType\": \"application/vnd.docker.distribution.manifest.v2+json\"}"

static char *
digest (const char *text)
{
  return g_compute_checksum_for_string (G_CHECKSUM_SHA256, text, -1);
}

/* A blob of the store; @text's digest, or that of @claimed. */
static void
add_blob (DnSaveArchive *archive, const char *text, const char *claimed)
{
  g_autofree char *path = NULL;
  g_autofree char *sha256 = digest (claimed != NULL ? claimed : text);
  int fd = g_file_open_tmp ("danchi-blob-XXXXXX", &path, NULL);

  g_assert_cmpint (write (fd, text, strlen (text)), ==, (gssize) strlen (text));
  g_remove (path);
  dn_save_archive_add_blob (archive, sha256, strlen (text), fd);
}

static void
add_image (DnSaveArchive *archive, const char *name, const char *manifest, const char *layer,
           const char *second)
{
  DnSaveImage *image = g_new0 (DnSaveImage, 1);

  image->id = digest (CONFIG);
  image->name = g_strdup (name);
  image->manifest = manifest != NULL ? digest (manifest) : NULL;
  image->layers = g_new0 (char *, 3);
  image->layers[0] = digest (layer);
  image->layers[1] = second != NULL ? digest (second) : NULL;
  dn_save_archive_add_image (archive, image);
}

/* (transfer full): the archive's path, or NULL with @error */
static char *
write_archive (DnSaveArchive *archive, GError **error)
{
  g_autofree char *path = NULL;
  dn_autofd int fd = g_file_open_tmp ("danchi-save-XXXXXX", &path, NULL);

  if (dn_save_archive_write (archive, fd, error))
    {
      g_assert_cmpuint (dn_save_archive_bytes (archive), ==, (guint64) lseek (fd, 0, SEEK_END));
      return g_steal_pointer (&path);
    }
  g_remove (path);
  return NULL;
}

static char *
run_tar (const char *flags, const char *path, const char *member)
{
  char *argv[] = { "tar", (char *) flags, (char *) path, (char *) member, NULL };
  g_autofree char *out = NULL;
  int status;

  g_assert_true (
      g_spawn_sync (NULL, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &out, NULL, &status, NULL));
  g_assert_cmpint (status, ==, 0);
  return g_steal_pointer (&out);
}

static char *
blob_text (const char *path, const char *text)
{
  g_autofree char *sha256 = digest (text);
  g_autofree char *member = g_strconcat (DN_SAVE_BLOBS, sha256, NULL);

  return run_tar ("-xOf", path, member);
}

static void
test_dockers_format_names_config_and_layers (void)
{
  g_autoptr (DnSaveArchive) archive = dn_save_archive_new (FALSE);
  g_autoptr (GError) error = NULL;
  g_autofree char *path = NULL, *manifest = NULL, *wanted = NULL, *layer = NULL, *names = NULL;
  g_autofree char *config = digest (CONFIG), *one = digest (PLAIN), *two = digest (GZIPPED);

  add_blob (archive, CONFIG, NULL);
  add_blob (archive, DOCKER_MANIFEST, NULL);
  add_blob (archive, PLAIN, NULL);
  add_blob (archive, PLAIN, NULL);
  add_blob (archive, GZIPPED, NULL);
  add_image (archive, "docker.io/a/b:1", DOCKER_MANIFEST, PLAIN, GZIPPED);
  add_image (archive, "docker.io/a/b@sha256:00", NULL, PLAIN, NULL);
  add_image (archive, NULL, NULL, GZIPPED, NULL);
  path = write_archive (archive, &error);
  g_assert_no_error (error);
  names = run_tar ("-tf", path, NULL);
  wanted = g_strdup_printf ("manifest.json\n" DN_SAVE_BLOBS "%s\n" DN_SAVE_BLOBS
                            "%s\n" DN_SAVE_BLOBS "%s\n",
                            config, one, two);
  g_assert_cmpstr (names, ==, wanted);
  g_free (wanted);
  manifest = run_tar ("-xOf", path, "manifest.json");
  wanted = g_strdup_printf (
      "[{\"Config\":\"blobs/sha256/%s\",\"RepoTags\":[\"docker.io/a/b:1\"],\"Layers\":[\"blobs/"
      "sha256/%s\",\"blobs/sha256/%s\"]},{\"Config\":\"blobs/sha256/%s\",\"RepoTags\":[],"
      "\"Layers\":[\"blobs/sha256/%s\"]},{\"Config\":\"blobs/sha256/%s\",\"RepoTags\":[],"
      "\"Layers\":[\"blobs/sha256/%s\"]}]",
      config, one, two, config, one, config, two);
  g_assert_cmpstr (manifest, ==, wanted);
  layer = blob_text (path, PLAIN);
  g_assert_cmpstr (layer, ==, PLAIN);
  g_remove (path);
}

static void
test_an_oci_manifest_is_kept_byte_for_byte (void)
{
  g_autoptr (DnSaveArchive) archive = dn_save_archive_new (TRUE);
  g_autoptr (GError) error = NULL;
  g_autofree char *path = NULL, *manifest = NULL, *index = NULL, *sha256 = digest (OCI_MANIFEST);

  add_blob (archive, CONFIG, NULL);
  add_blob (archive, OCI_MANIFEST, NULL);
  add_blob (archive, PLAIN, NULL);
  add_image (archive, "docker.io/a/b:1", OCI_MANIFEST, PLAIN, NULL);
  path = write_archive (archive, &error);
  g_assert_no_error (error);
  manifest = blob_text (path, OCI_MANIFEST);
  g_assert_cmpstr (manifest, ==, OCI_MANIFEST);
  index = run_tar ("-xOf", path, "index.json");
  g_assert_nonnull (strstr (index, sha256));
  g_assert_nonnull (strstr (index, "\"org.opencontainers.image.ref.name\":\"docker.io/a/b:1\""));
  g_remove (path);
}

/* Of a docker-archive, or of a registry that speaks docker's. */
static void
test_an_oci_manifest_is_made_where_there_is_none (void)
{
  const char *const kinds[] = { NULL, DOCKER_MANIFEST };

  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      g_autoptr (DnSaveArchive) archive = dn_save_archive_new (TRUE);
      g_autoptr (GError) error = NULL;
      g_autofree char *path = NULL, *manifest = NULL, *wanted = NULL;
      g_autofree char *config = digest (CONFIG), *one = digest (PLAIN), *two = digest (GZIPPED);

      add_blob (archive, CONFIG, NULL);
      if (kinds[i] != NULL)
        add_blob (archive, kinds[i], NULL);
      add_blob (archive, PLAIN, NULL);
      add_blob (archive, GZIPPED, NULL);
      add_image (archive, NULL, kinds[i], PLAIN, GZIPPED);
      path = write_archive (archive, &error);
      g_assert_no_error (error);
      wanted = g_strdup_printf (
          "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\","
          "\"config\":{\"mediaType\":\"application/vnd.oci.image.config.v1+json\",\"digest\":"
          "\"sha256:%s\",\"size\":%zu},\"layers\":[{\"mediaType\":\"application/"
          "vnd.oci.image.layer.v1.tar\",\"digest\":\"sha256:%s\",\"size\":%zu},{\"mediaType\":"
          "\"application/"
          "vnd.oci.image.layer.v1.tar+gzip\",\"digest\":\"sha256:%s\",\"size\":%zu}]}",
          config, strlen (CONFIG), one, strlen (PLAIN), two, strlen (GZIPPED));
      manifest = blob_text (path, wanted);
      g_assert_cmpstr (manifest, ==, wanted);
      g_remove (path);
    }
}

static void
test_a_damaged_blob_ends_it (void)
{
  g_autoptr (DnSaveArchive) archive = dn_save_archive_new (FALSE);
  g_autoptr (GError) error = NULL;

  add_blob (archive, CONFIG, NULL);
  add_blob (archive, PLAIN, GZIPPED);
  add_image (archive, "a", NULL, GZIPPED, NULL);
  g_assert_null (write_archive (archive, &error));
  g_assert_error (error, DN_ERROR, DN_ERROR_FAILED);
  g_assert_nonnull (strstr (error->message, "not those of its digest"));
}

static void
test_what_oci_has_no_name_for_is_refused (void)
{
  g_autoptr (DnSaveArchive) archive = dn_save_archive_new (TRUE);
  g_autoptr (GError) error = NULL;

  add_blob (archive, CONFIG, NULL);
  add_blob (archive, BZIPPED, NULL);
  add_image (archive, "a", NULL, BZIPPED, NULL);
  g_assert_null (write_archive (archive, &error));
  g_assert_error (error, DN_ERROR, DN_ERROR_USAGE);
}

static void
test_a_full_disk_is_told (void)
{
  g_autoptr (DnSaveArchive) archive = dn_save_archive_new (FALSE);
  g_autoptr (GError) error = NULL;
  dn_autofd int fd = open ("/dev/full", O_WRONLY | O_CLOEXEC);

  add_blob (archive, CONFIG, NULL);
  g_assert_false (dn_save_archive_write (archive, fd, &error));
  g_assert_nonnull (strstr (error->message, "No space left"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(function, name) g_test_add_func ("/save-archive/" name, function)
  ADD (test_dockers_format_names_config_and_layers, "dockers-format-names-config-and-layers");
  ADD (test_an_oci_manifest_is_kept_byte_for_byte, "an-oci-manifest-is-kept-byte-for-byte");
  ADD (test_an_oci_manifest_is_made_where_there_is_none,
       "an-oci-manifest-is-made-where-there-is-none");
  ADD (test_a_damaged_blob_ends_it, "a-damaged-blob-ends-it");
  ADD (test_what_oci_has_no_name_for_is_refused, "what-oci-has-no-name-for-is-refused");
  ADD (test_a_full_disk_is_told, "a-full-disk-is-told");
  return g_test_run ();
}
