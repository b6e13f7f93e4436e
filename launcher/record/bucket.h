/* SPDX-License-Identifier: Apache-2.0 */
/* How much each uid may add to the record: a bucket of bytes that fills up slowly.
 *
 * A user who asks in a loop would otherwise fill the disk, and a full disk stops everybody's work.
 * Who is over it is refused, and the refusals are counted in the next line that he gets.  Requests
 * that only look stop at a quarter, so that what is needed to stop or remove something still goes.
 * root has no bucket: he can write the disk full without us.
 *
 * Pure: the time is given.  Not locked: belongs to one lock of its owner's.
 */
#pragma once

#include <glib.h>

#define DN_RECORD_BUCKET_BYTES (256 * 1024)
#define DN_RECORD_BUCKET_REFILL_BYTES_PER_S 1024 /* 84 MiB a day */
#define DN_RECORD_BUCKET_LOOKS_BYTES (DN_RECORD_BUCKET_BYTES / 4)
/* Uids with a bucket that is not full; one more finds those that are and drops them. */
#define DN_RECORD_BUCKETS_MAX 4096

typedef struct DnRecordBuckets DnRecordBuckets;

DnRecordBuckets *dn_record_buckets_new (void);
void dn_record_buckets_free (DnRecordBuckets *buckets);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DnRecordBuckets, dn_record_buckets_free)

/* Takes @bytes out of @uid's. @is_look: it stops at a quarter.
 * @ret_refused: on success, how many were refused since the last success
 * Returns: FALSE when there is not enough, which is counted */
gboolean dn_record_buckets_take (DnRecordBuckets *buckets, guint uid, gsize bytes, gboolean is_look,
                                 gint64 now_us, guint64 *ret_refused);
