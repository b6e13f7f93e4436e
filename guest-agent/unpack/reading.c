/* SPDX-License-Identifier: Apache-2.0 */
#include "reading.h"

#include <string.h>

#include "fields.h"
#include "report.h"

static void
report_field (DnImageField field, const char *value, size_t size, void *data)
{
  (void) data;
  dn_report_field (field, value, size);
}

static void
ignore_field (DnImageField field, const char *value, size_t size, void *data)
{
  (void) field;
  (void) value;
  (void) size;
  (void) data;
}

static void
report_bytes (uint64_t bytes, uint64_t total)
{
  dn_report_progress (DN_UNPACK_PHASE_VERIFY, bytes, total);
}

static void
report_entries (const DnManifest *manifest)
{
  for (size_t i = 0; i < manifest->layers_count; i++)
    {
      const DnLayer *layer = &manifest->layers[i];
      DnMsgUnpackEntry entry
          = { .offset = layer->is_elsewhere ? DN_UNPACK_ELSEWHERE : layer->blob.offset,
              .bytes = layer->blob.size };

      if (layer->has_digest)
        memcpy (entry.sha256, layer->digest.bytes, DN_DIGEST_BYTES);
      memcpy (entry.diff_id, layer->diff_id.bytes, DN_DIGEST_BYTES);
      dn_report_entry (&entry);
    }
}

static void
report_done (const DnArchive *archive, const DnManifest *manifest)
{
  DnMsgUnpackReadDone done = { .expanded_bytes = dn_archive_expanded (archive),
                               .config_offset = manifest->config_blob.offset,
                               .config_bytes = manifest->config_blob.size };

  memcpy (done.config_sha256, manifest->config_digest.bytes, DN_DIGEST_BYTES);
  if (manifest->has_manifest)
    {
      done.manifest_offset = manifest->manifest_blob.offset;
      done.manifest_bytes = manifest->manifest_blob.size;
      memcpy (done.manifest_sha256, manifest->manifest_digest.bytes, DN_DIGEST_BYTES);
    }
  dn_report_read_done (&done);
}

bool
dn_reading_run (const DnReadOptions *options, DnFailure *failure)
{
  DnManifest manifest = { 0 };
  DnArchive *archive;
  bool is_good;

  report_bytes (0, options->archive_bytes);
  archive = dn_archive_open (options->archive, options->archive_bytes, options->output,
                             options->expanded_limit, report_bytes, failure);
  is_good = archive != NULL
            && dn_manifest_read (archive, options->reference, &manifest, failure)
            /* All of them, before the first is said. */
            && dn_fields_collect (&manifest, ignore_field, NULL, failure);
  if (is_good)
    {
      report_bytes (options->archive_bytes, options->archive_bytes);
      is_good = dn_fields_collect (&manifest, report_field, NULL, failure);
    }
  if (is_good)
    {
      report_entries (&manifest);
      report_done (archive, &manifest);
    }
  dn_manifest_clear (&manifest);
  dn_archive_free (archive);
  return is_good;
}
