/* SPDX-License-Identifier: Apache-2.0 */
#include "archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "document.h"

#define BLOCK_BYTES (64 * 1024)

typedef struct
{
  char *name; /* owned, normalised */
  char *link; /* owned; the normalised name this one stands for, or NULL */
  DnBlob blob;
} Entry;

struct DnArchive
{
  int fd; /* owned */
  uint64_t size;
  uint64_t expanded;
  Entry *entries; /* owned; sorted by name after the first pass */
  size_t count;
  /* Of the first pass. */
  uint64_t position;
  uint8_t block[BLOCK_BYTES];
};

bool
dn_archive_normalise (const char *name, char *ret_name)
{
  size_t used = 0;

  if (*name == '/')
    return false;
  while (*name != '\0')
    {
      size_t length = strcspn (name, "/");

      if (length == 2 && memcmp (name, "..", 2) == 0)
        {
          if (used == 0)
            return false;
          while (used > 0 && ret_name[--used] != '/')
            ;
        }
      else if (length > 0 && !(length == 1 && *name == '.'))
        {
          if (used > 0)
            ret_name[used++] = '/';
          memmove (ret_name + used, name, length);
          used += length;
        }
      name += length;
      name += *name == '/';
    }
  ret_name[used] = '\0';
  return true;
}

static la_ssize_t
read_next (struct archive *reader, void *data, const void **ret_bytes)
{
  DnArchive *archive = data;
  uint64_t left = archive->size - archive->position;
  ssize_t n = pread (archive->fd, archive->block, left < BLOCK_BYTES ? (size_t) left : BLOCK_BYTES,
                     (off_t) archive->position);

  if (n < 0)
    {
      archive_set_error (reader, errno, "%s", strerror (errno));
      return ARCHIVE_FATAL;
    }
  archive->position += (uint64_t) n;
  *ret_bytes = archive->block;
  return n;
}

/* libarchive asks to pass over @request bytes; those that are not there show up as truncation. */
static la_int64_t
skip (struct archive *reader, void *data, la_int64_t request)
{
  DnArchive *archive = data;
  uint64_t left = archive->size - archive->position;

  (void) reader;
  if (request < 0)
    return 0;
  if ((uint64_t) request > left)
    request = (la_int64_t) left;
  archive->position += (uint64_t) request;
  return request;
}

/* The name a link stands for: a symbolic link's is relative to where the link is. */
static char *
link_target (const char *name, const char *target, bool is_symbolic)
{
  const char *slash = is_symbolic ? strrchr (name, '/') : NULL;
  size_t before = slash != NULL ? (size_t) (slash - name) + 1 : 0;
  char *joined = malloc (before + strlen (target) + 1);

  if (joined == NULL)
    abort ();
  memcpy (joined, name, before);
  strcpy (joined + before, target);
  if (*target != '/' && dn_archive_normalise (joined, joined))
    return joined;
  free (joined);
  return NULL;
}

static bool
add_entry (DnArchive *archive, struct archive *reader, struct archive_entry *entry,
           DnFailure *failure)
{
  const char *name = archive_entry_pathname (entry);
  const char *hard = archive_entry_hardlink (entry);
  const char *symbolic = archive_entry_symlink (entry);
  Entry *added;

  if (name == NULL || *name == '\0' || strlen (name) > DN_PATH_BYTES)
    return dn_fail (failure, -ENAMETOOLONG, "an entry's name is empty or over %d bytes",
                    DN_PATH_BYTES);
  if (hard == NULL && symbolic == NULL && archive_entry_filetype (entry) != AE_IFREG)
    return true; /* directories say nothing; anything else cannot be looked up */
  if (archive_entry_sparse_count (entry) > 0)
    return dn_fail (failure, -EINVAL, "entry '%s' is sparse", dn_failure_name (name).text);
  if (archive->count == DN_ARCHIVE_ENTRIES_MAX)
    return dn_fail (failure, -EFBIG, "more than %d entries", DN_ARCHIVE_ENTRIES_MAX);
  if (archive->count % 256 == 0)
    {
      archive->entries
          = reallocarray (archive->entries, archive->count + 256, sizeof *archive->entries);
      if (archive->entries == NULL)
        abort ();
    }
  added = &archive->entries[archive->count];
  memset (added, 0, sizeof *added);
  added->name = strdup (name);
  if (added->name == NULL)
    abort ();
  if (!dn_archive_normalise (name, added->name))
    {
      free (added->name);
      return dn_fail (failure, -EINVAL, "entry '%s' leads outside", dn_failure_name (name).text);
    }
  archive->count++;
  if (hard != NULL || symbolic != NULL)
    {
      added->link = link_target (added->name, hard != NULL ? hard : symbolic, hard == NULL);
      if (added->link == NULL)
        return dn_fail (failure, -EINVAL, "link '%s' leads outside", dn_failure_name (name).text);
      return true;
    }
  /* The header is consumed, so this is where the file's bytes begin. */
  added->blob.offset = (uint64_t) archive_filter_bytes (reader, 0);
  added->blob.size = (uint64_t) archive_entry_size (entry);
  if (added->blob.offset > archive->size || added->blob.size > archive->size - added->blob.offset)
    return dn_fail (failure, -EINVAL, "entry '%s' is longer than the archive",
                    dn_failure_name (name).text);
  return true;
}

static int
compare_entries (const void *a, const void *b)
{
  return strcmp (((const Entry *) a)->name, ((const Entry *) b)->name);
}

static bool
index_entries (DnArchive *archive, DnFailure *failure)
{
  struct archive *reader = archive_read_new ();
  struct archive_entry *entry;
  bool is_good = true;
  int result;

  if (reader == NULL)
    abort ();
  (void) archive_read_support_format_tar (reader);
  (void) archive_read_set_read_callback (reader, read_next);
  (void) archive_read_set_skip_callback (reader, skip);
  (void) archive_read_set_callback_data (reader, archive);
  result = archive_read_open1 (reader);
  /* A warning is about a name in another character set: it is kept as its bytes. */
  while (is_good && result >= ARCHIVE_WARN
         && (result = archive_read_next_header (reader, &entry)) != ARCHIVE_EOF
         && result >= ARCHIVE_WARN)
    is_good = add_entry (archive, reader, entry, failure);
  if (is_good && result != ARCHIVE_EOF)
    {
      const char *words = archive_error_string (reader);

      is_good = dn_fail (failure, -EINVAL, "this is no whole tar archive: %s",
                         dn_failure_name (words != NULL ? words : "unknown error").text);
    }
  (void) archive_read_free (reader);
  if (archive->count > 0)
    qsort (archive->entries, archive->count, sizeof *archive->entries, compare_entries);
  return is_good;
}

static bool
write_all (int fd, const char *bytes, size_t size, DnFailure *failure)
{
  while (size > 0)
    {
      ssize_t n = write (fd, bytes, size);

      if (n < 0)
        return errno == ENOSPC ? dn_fail (failure, -ENOSPC, "the output disk is full")
                               : dn_fail_errno (failure, "cannot write the output disk");
      bytes += n;
      size -= (size_t) n;
    }
  return true;
}

/* Replaces the archive's descriptor with that of its decompressed bytes. */
static bool
decompress (DnArchive *archive, DnCompression compression, const char *output, uint64_t limit_bytes,
            DnArchiveProgress progress, DnFailure *failure)
{
  DnStream *stream = dn_stream_new (archive->fd, 0, archive->size, compression, limit_bytes);
  int fd = open (output, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  uint64_t size = 0;
  const void *bytes;
  ssize_t n = -1;
  bool is_good = fd >= 0 || dn_fail_errno (failure, "cannot open the output disk");

  while (is_good && (n = dn_stream_read (stream, &bytes, failure)) > 0)
    {
      is_good = write_all (fd, bytes, (size_t) n, failure);
      size += (uint64_t) n;
      progress (dn_stream_bytes_in (stream), archive->size);
    }
  if (is_good && n == 0 && fsync (fd) < 0)
    is_good = dn_fail_errno (failure, "cannot write the output disk");
  dn_stream_free (stream);
  if (!is_good || n < 0)
    {
      if (fd >= 0)
        (void) close (fd);
      return false;
    }
  (void) close (archive->fd);
  archive->fd = fd;
  archive->size = size;
  archive->expanded = size;
  return true;
}

DnArchive *
dn_archive_open (const char *path, uint64_t size, const char *output, uint64_t limit_bytes,
                 DnArchiveProgress progress, DnFailure *failure)
{
  DnArchive *archive = calloc (1, sizeof *archive);
  uint8_t start[4];
  DnCompression compression;
  ssize_t n;
  bool is_good;

  if (archive == NULL)
    abort ();
  archive->size = size;
  archive->fd = open (path, O_RDONLY | O_CLOEXEC);
  if (archive->fd < 0)
    is_good = dn_fail_errno (failure, "cannot open the archive");
  else if ((n = pread (archive->fd, start, sizeof start, 0)) < 0)
    is_good = dn_fail_errno (failure, "cannot read the archive");
  else
    {
      compression = dn_compression_sniff (start, (size_t) n);
      is_good = (compression == DN_COMPRESSION_NONE
                 || decompress (archive, compression, output, limit_bytes, progress, failure))
                && index_entries (archive, failure);
    }
  if (is_good)
    return archive;
  dn_archive_free (archive);
  return NULL;
}

void
dn_archive_free (DnArchive *archive)
{
  if (archive == NULL)
    return;
  for (size_t i = 0; i < archive->count; i++)
    {
      free (archive->entries[i].name);
      free (archive->entries[i].link);
    }
  free (archive->entries);
  if (archive->fd >= 0)
    (void) close (archive->fd);
  free (archive);
}

uint64_t
dn_archive_expanded (const DnArchive *archive)
{
  return archive->expanded;
}

static const Entry *
find (const DnArchive *archive, const char *name)
{
  const Entry key = { .name = (char *) name };

  return archive->count == 0 ? NULL
                             : bsearch (&key, archive->entries, archive->count,
                                        sizeof *archive->entries, compare_entries);
}

bool
dn_archive_has (const DnArchive *archive, const char *name)
{
  return find (archive, name) != NULL;
}

bool
dn_archive_find (const DnArchive *archive, const char *name, DnBlob *ret_blob, DnFailure *failure)
{
  const Entry *end = archive->entries + archive->count;
  const char *wanted = name;

  for (int links = 0; links <= DN_ARCHIVE_LINKS_MAX; links++)
    {
      const Entry *entry = find (archive, wanted);

      if (entry == NULL)
        return dn_fail (failure, links == 0 ? -ENOENT : -EINVAL, "the archive has no file '%s'",
                        dn_failure_name (wanted).text);
      if ((entry > archive->entries && strcmp (entry[-1].name, wanted) == 0)
          || (entry + 1 < end && strcmp (entry[1].name, wanted) == 0))
        return dn_fail (failure, -EINVAL, "the archive has the file '%s' twice",
                        dn_failure_name (wanted).text);
      if (entry->link == NULL)
        {
          *ret_blob = entry->blob;
          return true;
        }
      wanted = entry->link;
    }
  return dn_fail (failure, -ELOOP, "too many links from '%s'", dn_failure_name (name).text);
}

bool
dn_archive_read (const DnArchive *archive, const DnBlob *blob, const char *what, char **ret_text,
                 DnDigest *ret_digest, DnFailure *failure)
{
  DnDigester *digester;
  char *text;
  size_t used = 0;

  if (blob->size > DN_DOCUMENT_BYTES)
    return dn_fail (failure, -EFBIG, "%s: more than %d bytes", what, DN_DOCUMENT_BYTES);
  text = malloc ((size_t) blob->size + 1);
  if (text == NULL)
    abort ();
  while (used < blob->size)
    {
      ssize_t n = pread (archive->fd, text + used, (size_t) blob->size - used,
                         (off_t) (blob->offset + used));

      if (n <= 0)
        {
          free (text);
          errno = n == 0 ? EIO : errno;
          return dn_fail_errno (failure, "%s: cannot read the archive", what);
        }
      used += (size_t) n;
    }
  text[used] = '\0';
  digester = dn_digester_new ();
  dn_digester_add (digester, text, used);
  dn_digester_finish (digester, ret_digest);
  dn_digester_free (digester);
  *ret_text = text;
  return true;
}
