/* SPDX-License-Identifier: Apache-2.0 */
#include "bucket.h"

typedef struct
{
  gint64 left; /* bytes */
  gint64 at_us;
  guint64 refused;
} Bucket;

struct DnRecordBuckets
{
  GHashTable *table; /* uid → Bucket */
};

DnRecordBuckets *
dn_record_buckets_new (void)
{
  DnRecordBuckets *buckets = g_new0 (DnRecordBuckets, 1);

  buckets->table = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  return buckets;
}

void
dn_record_buckets_free (DnRecordBuckets *buckets)
{
  if (buckets == NULL)
    return;
  g_hash_table_unref (buckets->table);
  g_free (buckets);
}

static void
refill (Bucket *bucket, gint64 now_us)
{
  gint64 bytes = (now_us - bucket->at_us) * DN_RECORD_BUCKET_REFILL_BYTES_PER_S / G_USEC_PER_SEC;

  if (bytes <= 0)
    return;
  bucket->left = MIN (bucket->left + bytes, DN_RECORD_BUCKET_BYTES);
  bucket->at_us = now_us;
}

/* A full bucket says nothing that a new one does not. */
static gboolean
is_full (gpointer uid, gpointer value, gpointer now_us)
{
  Bucket *bucket = value;

  (void) uid;
  refill (bucket, *(gint64 *) now_us);
  return bucket->left >= DN_RECORD_BUCKET_BYTES && bucket->refused == 0;
}

static Bucket *
find (DnRecordBuckets *buckets, guint uid, gint64 now_us)
{
  Bucket *bucket = g_hash_table_lookup (buckets->table, GUINT_TO_POINTER (uid));

  if (bucket != NULL)
    return bucket;
  if (g_hash_table_size (buckets->table) >= DN_RECORD_BUCKETS_MAX)
    (void) g_hash_table_foreach_remove (buckets->table, is_full, &now_us);
  if (g_hash_table_size (buckets->table) >= DN_RECORD_BUCKETS_MAX)
    return NULL;
  bucket = g_new0 (Bucket, 1);
  bucket->left = DN_RECORD_BUCKET_BYTES;
  bucket->at_us = now_us;
  g_hash_table_insert (buckets->table, GUINT_TO_POINTER (uid), bucket);
  return bucket;
}

gboolean
dn_record_buckets_take (DnRecordBuckets *buckets, guint uid, gsize bytes, gboolean is_look,
                        gint64 now_us, guint64 *ret_refused)
{
  gint64 floor = is_look ? DN_RECORD_BUCKET_LOOKS_BYTES : 0;
  Bucket *bucket;

  *ret_refused = 0;
  if (uid == 0)
    return TRUE;
  bucket = find (buckets, uid, now_us);
  if (bucket == NULL)
    return FALSE;
  refill (bucket, now_us);
  if (bucket->left - (gint64) bytes < floor)
    {
      bucket->refused++;
      return FALSE;
    }
  bucket->left -= (gint64) bytes;
  *ret_refused = bucket->refused;
  bucket->refused = 0;
  return TRUE;
}
