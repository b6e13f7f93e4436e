/* SPDX-License-Identifier: Apache-2.0 */
#include "layer.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "ahead.h"

/* The tar reader's way to the stream below it. */
typedef struct
{
  DnAhead *ahead;
  DnFailure *failure; /* filled when the stream failed: its words are better than the reader's */
  DnLayerProgress progress;
  void *progress_data;
} Feed;

static la_ssize_t
feed_reader (struct archive *reader, void *data, const void **ret_bytes)
{
  Feed *feed = data;
  uint64_t bytes_in;
  ssize_t n = dn_ahead_read (feed->ahead, ret_bytes, &bytes_in, feed->failure);

  if (n < 0)
    {
      archive_set_error (reader, EIO, "the stream failed");
      return ARCHIVE_FATAL;
    }
  feed->progress (bytes_in, feed->progress_data);
  return n;
}

static bool
apply_entries (struct archive *reader, DnTree *tree, DnBudget *budget, DnFailure *stream_failure,
               DnFailure *failure)
{
  struct archive_entry *entry;
  int result;

  /* A warning is about a name in another character set: it is kept as its bytes. */
  while ((result = archive_read_next_header (reader, &entry)) >= ARCHIVE_WARN
         && result != ARCHIVE_EOF)
    if (!dn_apply_entry (tree, reader, entry, budget, failure))
      break;
  if (stream_failure->status != 0)
    {
      *failure = *stream_failure;
      return false;
    }
  if (result < ARCHIVE_WARN)
    {
      const char *words = archive_error_string (reader);

      return dn_fail (failure, -EINVAL, "no whole tar archive: %s",
                      dn_failure_name (words != NULL ? words : "unknown error").text);
    }
  return result == ARCHIVE_EOF;
}

static bool
check_digests (const DnLayerBlob *blob, DnStream *stream, DnFailure *failure)
{
  DnDigest digest;
  DnDigest diff_id;

  if (!dn_stream_finish (stream, &digest, &diff_id, failure))
    return false;
  if (!dn_digest_is_equal (&digest, &blob->digest))
    return dn_fail (failure, -EBADMSG, "has the wrong digest");
  if (!dn_digest_is_equal (&diff_id, &blob->diff_id))
    return dn_fail (failure, -EBADMSG, "has the wrong digest: not the config's diff id");
  return true;
}

static bool
sniff (const DnLayerBlob *blob, DnCompression *ret_compression, DnFailure *failure)
{
  uint8_t start[4];
  ssize_t n = pread (blob->fd, start, sizeof start, 0);

  if (n < 0)
    return dn_fail_errno (failure, "cannot read it");
  *ret_compression
      = dn_compression_sniff (start, (uint64_t) n < blob->size ? (size_t) n : (size_t) blob->size);
  return true;
}

/* Reads the tar archive that @feed gives, and applies it. */
static bool
apply (Feed *feed, DnTree *tree, DnBudget *budget, DnFailure *failure)
{
  struct archive *reader = archive_read_new ();
  bool is_good;

  if (reader == NULL)
    abort ();
  /* Only tar, and no filter: the stream below has decompressed. */
  (void) archive_read_support_format_tar (reader);
  (void) archive_read_support_format_empty (reader);
  if (archive_read_open (reader, feed, NULL, feed_reader, NULL) != ARCHIVE_OK)
    is_good = feed->failure->status != 0
                  ? (*failure = *feed->failure, false)
                  : dn_fail (failure, -EINVAL, "no tar archive: %s",
                             dn_failure_name (archive_error_string (reader)).text);
  else
    is_good = apply_entries (reader, tree, budget, feed->failure, failure);
  (void) archive_read_free (reader);
  return is_good;
}

bool
dn_layer_apply (const DnLayerBlob *blob, DnTree *tree, DnBudget *budget, uint64_t stream_limit,
                DnLayerProgress progress, void *progress_data, DnFailure *failure)
{
  DnFailure stream_failure = { 0 };
  Feed feed = { NULL, &stream_failure, progress, progress_data };
  DnCompression compression = DN_COMPRESSION_NONE;
  DnStream *stream;
  bool is_good;

  if (!sniff (blob, &compression, failure))
    return false;
  stream = dn_stream_new (blob->fd, 0, blob->size, compression, stream_limit);
  feed.ahead = dn_ahead_new (stream, failure);
  is_good = feed.ahead != NULL && apply (&feed, tree, budget, failure);
  if (feed.ahead != NULL)
    dn_ahead_end (feed.ahead);
  is_good = is_good && check_digests (blob, stream, failure);
  dn_stream_free (stream);
  return is_good;
}
