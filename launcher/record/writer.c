/* SPDX-License-Identifier: Apache-2.0 */
#include "writer.h"

#include <unistd.h>

#include "../common/error.h"
#include "check.h"

typedef struct
{
  char *body; /* owned */
  gint64 time_us;
  DnRecordWeight weight;
  gboolean is_awaited; /* its caller waits and frees it */
  gboolean is_done;
  guint64 seq;   /* 0: not written */
  GError *error; /* owned; of one that is awaited */
} Item;

struct DnRecordWriter
{
  DnRecordStore *store; /* the thread's alone */
  GThread *thread;
  GMutex lock;
  GCond queued;
  GCond done;
  GQueue queue;     /* Item; posted ones are owned */
  guint awaited;    /* of them */
  guint64 rounds;   /* batches that are over */
  gboolean is_busy; /* a batch is under way */
  gboolean stops;
  gint64 retry_us; /* monotonic; not before that, unless somebody waits */
  guint64 lost;
  char *failure; /* owned */
};

static void
free_item (gpointer data)
{
  Item *item = data;

  g_free (item->body);
  g_clear_error (&item->error);
  g_free (item);
}

static gint64
floor_of (DnRecordWeight weight)
{
  switch (weight)
    {
    case DN_RECORD_NEW:
      return DN_RECORD_RESERVE_BYTES;
    case DN_RECORD_LOOK:
      return DN_RECORD_RESERVE_BYTES / 2;
    case DN_RECORD_FREE:
      return DN_RECORD_RESERVE_BYTES / 8;
    case DN_RECORD_AFTERWARDS:
      return 0;
    }
  g_assert_not_reached ();
}

static char *
lost_body (guint64 lost)
{
  g_autoptr (DnRecordEntry) entry = dn_record_entry_new (DN_RECORD_ACT, DN_RECORD_VERB_LOST);
  g_autofree char *words = g_strdup_printf (
      "%" G_GUINT64_FORMAT " lines could not be written, nor kept until now", lost);

  entry->who.uid = geteuid ();
  entry->who.gid = getegid ();
  entry->who.pid = getpid ();
  dn_record_set_text (&entry->who.command, "danchid");
  dn_record_set_text (&entry->message, words);
  return dn_record_entry_print (entry);
}

#define FULL                                                                                       \
  "audit record: the disk is full, and nothing is done that could not be recorded\nmake room "     \
  "where "                                                                                         \
  "the record is; danchi stop, rm and image rm still work, and running containers go on"

/* Without the lock.  Sets seq or error of each; FALSE when nothing was written.  @ret_is_short: new
 * work is refused. */
static gboolean
write_batch (DnRecordStore *store, GPtrArray *batch, guint64 lost, gboolean *ret_is_short,
             GError **error)
{
  g_autofree char *lost_text = lost > 0 ? lost_body (lost) : NULL;

  if (!dn_record_store_prepare (store, error))
    return FALSE;
  *ret_is_short = dn_record_store_room (store) < floor_of (DN_RECORD_NEW);
  if (lost_text != NULL)
    (void) dn_record_store_add (store, lost_text, g_get_real_time ());
  for (guint i = 0; i < batch->len; i++)
    {
      Item *item = batch->pdata[i];

      if (dn_record_store_room (store) < floor_of (item->weight))
        dn_throw (&item->error, DN_ERROR_FAILED, "%s", FULL);
      else
        item->seq = dn_record_store_add (store, item->body, item->time_us);
    }
  return dn_record_store_commit (store, error);
}

/* Under the lock.  Returns: whether something was put back. */
static gboolean
settle (DnRecordWriter *writer, GPtrArray *batch, const GError *error)
{
  gboolean has_rest = FALSE;

  /* Backwards, so that what goes to the front again keeps its order. */
  for (guint i = batch->len; i > 0; i--)
    {
      Item *item = batch->pdata[i - 1];

      if (error != NULL)
        item->seq = 0;
      if (item->is_awaited)
        {
          if (error != NULL && item->error == NULL)
            item->error = g_error_copy (error);
          item->is_done = TRUE;
        }
      else if (item->seq > 0)
        free_item (item);
      else if (writer->queue.length - writer->awaited < DN_RECORD_BACKLOG_MAX)
        {
          g_clear_error (&item->error);
          g_queue_push_head (&writer->queue, item);
          has_rest = TRUE;
        }
      else
        {
          writer->lost++;
          free_item (item);
        }
    }
  return has_rest;
}

/* @words: NULL for none. */
static void
note_failure (DnRecordWriter *writer, const char *words)
{
  if (words != NULL && writer->failure == NULL)
    g_warning ("%s", words);
  else if (words == NULL && writer->failure != NULL)
    g_message ("audit record: is written again");
  g_free (writer->failure);
  writer->failure = g_strdup (words);
}

/* Under the lock. */
static GPtrArray *
take_batch (DnRecordWriter *writer)
{
  GPtrArray *batch = g_ptr_array_sized_new (DN_RECORD_BATCH_MAX);

  while (batch->len < DN_RECORD_BATCH_MAX && writer->queue.length > 0)
    {
      Item *item = g_queue_pop_head (&writer->queue);

      writer->awaited -= item->is_awaited;
      g_ptr_array_add (batch, item);
    }
  return batch;
}

/* Under the lock, which is left while it writes. */
static void
run_batch (DnRecordWriter *writer)
{
  g_autoptr (GPtrArray) batch = take_batch (writer);
  g_autoptr (GError) error = NULL;
  guint64 lost = writer->lost;
  gboolean is_short = FALSE;

  writer->is_busy = TRUE;
  g_mutex_unlock (&writer->lock);
  (void) write_batch (writer->store, batch, lost, &is_short, &error);
  g_mutex_lock (&writer->lock);
  writer->is_busy = FALSE;
  if (error == NULL)
    writer->lost -= lost;
  writer->retry_us
      = settle (writer, batch, error) ? g_get_monotonic_time () + DN_RECORD_RETRY_US : 0;
  note_failure (writer, error != NULL ? error->message : is_short ? FULL : NULL);
  writer->rounds++;
  g_cond_broadcast (&writer->done);
}

/* Under the lock: until there is something to write, at most as long as the anchor may lag. */
static gboolean
wait_for_work (DnRecordWriter *writer)
{
  gint64 now_us = g_get_monotonic_time ();
  gint64 until_us = now_us + DN_RECORD_ANCHOR_SYNC_US;

  if (writer->awaited > 0 || (writer->queue.length > 0 && now_us >= writer->retry_us))
    return TRUE;
  if (writer->stops)
    return FALSE;
  if (writer->queue.length > 0)
    (void) g_cond_wait_until (&writer->queued, &writer->lock, writer->retry_us);
  else if (!dn_record_store_is_anchor_unsynced (writer->store))
    g_cond_wait (&writer->queued, &writer->lock);
  else if (!g_cond_wait_until (&writer->queued, &writer->lock, until_us))
    {
      g_mutex_unlock (&writer->lock);
      dn_record_store_sync_anchor (writer->store);
      g_mutex_lock (&writer->lock);
    }
  return FALSE;
}

static gpointer
run (gpointer data)
{
  DnRecordWriter *writer = data;
  gint64 synced_us = g_get_monotonic_time ();

  g_mutex_lock (&writer->lock);
  for (;;)
    {
      if (wait_for_work (writer))
        run_batch (writer);
      else if (writer->stops)
        break;
      /* A danchid that is never idle syncs it as well. */
      if (g_get_monotonic_time () - synced_us < DN_RECORD_ANCHOR_SYNC_US)
        continue;
      synced_us = g_get_monotonic_time ();
      g_mutex_unlock (&writer->lock);
      if (dn_record_store_is_anchor_unsynced (writer->store))
        dn_record_store_sync_anchor (writer->store);
      g_mutex_lock (&writer->lock);
    }
  g_mutex_unlock (&writer->lock);
  dn_record_store_sync_anchor (writer->store);
  return NULL;
}

DnRecordWriter *
dn_record_writer_new (const DnRecordPlan *plan, DnRecordForward *forward)
{
  DnRecordWriter *writer = g_new0 (DnRecordWriter, 1);

  writer->store = dn_record_store_new (plan, forward);
  g_mutex_init (&writer->lock);
  g_cond_init (&writer->queued);
  g_cond_init (&writer->done);
  g_queue_init (&writer->queue);
  writer->thread = g_thread_new ("record", run, writer);
  return writer;
}

void
dn_record_writer_free (DnRecordWriter *writer)
{
  if (writer == NULL)
    return;
  dn_record_writer_flush (writer);
  g_mutex_lock (&writer->lock);
  writer->stops = TRUE;
  g_cond_signal (&writer->queued);
  g_mutex_unlock (&writer->lock);
  (void) g_thread_join (writer->thread);
  g_queue_clear_full (&writer->queue, free_item);
  dn_record_store_free (writer->store);
  g_mutex_clear (&writer->lock);
  g_cond_clear (&writer->queued);
  g_cond_clear (&writer->done);
  g_free (writer->failure);
  g_free (writer);
}

gboolean
dn_record_writer_commit (DnRecordWriter *writer, const char *body, DnRecordWeight weight,
                         guint64 *ret_seq, GError **error)
{
  Item *item = g_new0 (Item, 1);
  gboolean is_fine;

  item->body = g_strdup (body);
  item->time_us = g_get_real_time ();
  item->weight = weight;
  item->is_awaited = TRUE;
  g_mutex_lock (&writer->lock);
  g_queue_push_tail (&writer->queue, item);
  writer->awaited++;
  g_cond_signal (&writer->queued);
  while (!item->is_done)
    g_cond_wait (&writer->done, &writer->lock);
  g_mutex_unlock (&writer->lock);
  is_fine = item->seq > 0;
  if (ret_seq != NULL)
    *ret_seq = item->seq;
  if (!is_fine)
    g_propagate_error (error, g_steal_pointer (&item->error));
  free_item (item);
  return is_fine;
}

void
dn_record_writer_post (DnRecordWriter *writer, char *body)
{
  Item *item = g_new0 (Item, 1);

  item->body = body;
  item->time_us = g_get_real_time ();
  item->weight = DN_RECORD_AFTERWARDS;
  g_mutex_lock (&writer->lock);
  if (writer->queue.length - writer->awaited < DN_RECORD_BACKLOG_MAX)
    {
      g_queue_push_tail (&writer->queue, item);
      g_cond_signal (&writer->queued);
    }
  else
    {
      writer->lost++;
      free_item (item);
    }
  g_mutex_unlock (&writer->lock);
}

void
dn_record_writer_flush (DnRecordWriter *writer)
{
  guint64 round;

  g_mutex_lock (&writer->lock);
  /* What is under way took nothing of what is queued. */
  round = writer->rounds + 1 + writer->is_busy;
  writer->retry_us = 0;
  g_cond_signal (&writer->queued);
  while (writer->queue.length > 0 || writer->is_busy)
    {
      if (writer->rounds >= round && writer->failure != NULL)
        break;
      g_cond_wait (&writer->done, &writer->lock);
    }
  g_mutex_unlock (&writer->lock);
}

char *
dn_record_writer_failure (DnRecordWriter *writer)
{
  char *failure;

  g_mutex_lock (&writer->lock);
  failure = g_strdup (writer->failure);
  g_mutex_unlock (&writer->lock);
  return failure;
}
