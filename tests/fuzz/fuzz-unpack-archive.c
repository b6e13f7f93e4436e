/* SPDX-License-Identifier: Apache-2.0 */
/* Links: guest-agent/unpack/*.c !guest-agent/unpack/main.c protocol/*.c */
/* Packages: -larchive -ljansson -lnettle -lz -lzstd */
/* An archive, from its bytes to a manifest: index, documents, digests, decompression. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../guest-agent/unpack/manifest.h"

#define LIMIT_BYTES (4 * 1024 * 1024)

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void
read_layers (const DnArchive *archive, const DnManifest *manifest)
{
  for (size_t i = 0; i < manifest->layers_count && i < 4; i++)
    {
      const DnLayer *layer = &manifest->layers[i];
      DnFailure failure = { 0 };
      DnDigest in;
      DnDigest out;
      DnStream *stream = dn_stream_new (dn_archive_fd (archive), layer->blob.offset,
                                        layer->blob.size, layer->compression, LIMIT_BYTES);

      (void) dn_stream_finish (stream, &in, &out, &failure);
      dn_stream_free (stream);
    }
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  int fd = memfd_create ("archive", MFD_CLOEXEC);
  int scratch = open ("/dev/shm", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DnManifest manifest = { 0 };
  DnFailure failure = { 0 };
  DnArchive *archive;
  char path[64];

  if (fd < 0 || scratch < 0)
    abort ();
  if (size > 0 && size < 262144 && write (fd, data, size) == (ssize_t) size)
    {
      (void) snprintf (path, sizeof path, "/proc/self/fd/%d", fd);
      archive = dn_archive_open (path, size, scratch, LIMIT_BYTES, &failure);
      if (archive != NULL && dn_manifest_read (archive, "", &manifest, &failure))
        read_layers (archive, &manifest);
      dn_manifest_clear (&manifest);
      dn_archive_free (archive);
    }
  (void) close (fd);
  (void) close (scratch);
  return 0;
}
