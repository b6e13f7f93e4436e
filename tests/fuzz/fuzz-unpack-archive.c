/* SPDX-License-Identifier: Apache-2.0 */
/* Links: guest-agent/unpack/*.c !guest-agent/unpack/main.c protocol/*.c */
/* Packages: -larchive -ljansson -lnettle -lz -lzstd */
/* An archive, from its bytes to a manifest: index, documents, digests, decompression. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../guest-agent/unpack/manifest.h"

#define LIMIT_BYTES (4 * 1024 * 1024)

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void
ignore_progress (uint64_t bytes, uint64_t total)
{
  (void) bytes;
  (void) total;
}

static void
read_layers (const uint8_t *data, size_t size, const DnArchive *archive, const DnManifest *manifest)
{
  for (size_t i = 0; i < manifest->layers_count && i < 4; i++)
    {
      const DnBlob *blob = &manifest->layers[i].blob;
      DnCompression compression;
      DnFailure failure = { 0 };
      DnStream *stream;
      DnDigest in;
      DnDigest out;
      int fd;

      if (manifest->layers[i].is_elsewhere || dn_archive_expanded (archive) > 0)
        continue;
      if (blob->offset > size || blob->size > size - blob->offset)
        abort ();
      compression = dn_compression_sniff (data + blob->offset, (size_t) blob->size);
      fd = memfd_create ("blob", MFD_CLOEXEC);
      if (fd < 0 || write (fd, data + blob->offset, (size_t) blob->size) != (ssize_t) blob->size)
        abort ();
      stream = dn_stream_new (fd, 0, blob->size, compression, LIMIT_BYTES);
      (void) dn_stream_finish (stream, &in, &out, &failure);
      dn_stream_free (stream);
      (void) close (fd);
    }
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  int fd = memfd_create ("archive", MFD_CLOEXEC);
  int expanded = memfd_create ("expanded", MFD_CLOEXEC);
  DnManifest manifest = { 0 };
  DnFailure failure = { 0 };
  DnArchive *archive;
  char path[64];
  char output[64];

  if (fd < 0 || expanded < 0)
    abort ();
  if (size > 0 && size < 262144 && write (fd, data, size) == (ssize_t) size)
    {
      (void) snprintf (path, sizeof path, "/proc/self/fd/%d", fd);
      (void) snprintf (output, sizeof output, "/proc/self/fd/%d", expanded);
      archive = dn_archive_open (path, size, output, LIMIT_BYTES, ignore_progress, &failure);
      if (archive != NULL && dn_manifest_read (archive, "", &manifest, &failure))
        read_layers (data, size, archive, &manifest);
      dn_manifest_clear (&manifest);
      dn_archive_free (archive);
    }
  (void) close (fd);
  (void) close (expanded);
  return 0;
}
