/* SPDX-License-Identifier: Apache-2.0 */
#include "ahead.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

typedef struct
{
  ssize_t size; /* as dn_stream_read() returned it */
  uint64_t bytes_in;
  uint8_t bytes[DN_AHEAD_BLOCK_BYTES];
} Block;

struct DnAhead
{
  DnStream *stream;
  pthread_t thread;
  pthread_mutex_t lock;
  pthread_cond_t changed;
  /* Under the lock.  Blocks from `taken` on, `waiting` of them, are the reader's; one behind those
   * is the thread's. */
  size_t taken;
  size_t waiting;
  bool is_ended;     /* by the reader */
  bool has_one;      /* the reader still uses block `taken` */
  DnFailure failure; /* of the thread, before it gives a block of -1 */
  Block blocks[DN_AHEAD_BLOCKS];
};

/* A block to fill; NULL when the reader has ended. */
static Block *
wait_for_room (DnAhead *ahead)
{
  Block *block = NULL;

  (void) pthread_mutex_lock (&ahead->lock);
  while (!ahead->is_ended && ahead->waiting == DN_AHEAD_BLOCKS)
    (void) pthread_cond_wait (&ahead->changed, &ahead->lock);
  if (!ahead->is_ended)
    block = &ahead->blocks[(ahead->taken + ahead->waiting) % DN_AHEAD_BLOCKS];
  (void) pthread_mutex_unlock (&ahead->lock);
  return block;
}

static void *
run (void *data)
{
  DnAhead *ahead = data;
  ssize_t size = 1;
  Block *block;

  while (size > 0 && (block = wait_for_room (ahead)) != NULL)
    {
      const void *bytes;

      size = dn_stream_read (ahead->stream, &bytes, &ahead->failure);
      if (size > 0)
        memcpy (block->bytes, bytes, (size_t) size);
      block->size = size;
      block->bytes_in = dn_stream_bytes_in (ahead->stream);
      (void) pthread_mutex_lock (&ahead->lock);
      ahead->waiting++;
      (void) pthread_cond_signal (&ahead->changed);
      (void) pthread_mutex_unlock (&ahead->lock);
    }
  return NULL;
}

DnAhead *
dn_ahead_new (DnStream *stream, DnFailure *failure)
{
  DnAhead *ahead = calloc (1, sizeof *ahead);

  if (ahead == NULL)
    abort ();
  ahead->stream = stream;
  (void) pthread_mutex_init (&ahead->lock, NULL);
  (void) pthread_cond_init (&ahead->changed, NULL);
  errno = pthread_create (&ahead->thread, NULL, run, ahead);
  if (errno == 0)
    return ahead;
  (void) dn_fail_errno (failure, "cannot start a thread");
  free (ahead);
  return NULL;
}

ssize_t
dn_ahead_read (DnAhead *ahead, const void **ret_bytes, uint64_t *ret_bytes_in, DnFailure *failure)
{
  Block *block;

  (void) pthread_mutex_lock (&ahead->lock);
  if (ahead->has_one)
    {
      ahead->taken = (ahead->taken + 1) % DN_AHEAD_BLOCKS;
      ahead->waiting--;
      (void) pthread_cond_signal (&ahead->changed);
    }
  while (ahead->waiting == 0)
    (void) pthread_cond_wait (&ahead->changed, &ahead->lock);
  block = &ahead->blocks[ahead->taken];
  /* The end and a failure stay: whoever asks again gets them again. */
  ahead->has_one = block->size > 0;
  (void) pthread_mutex_unlock (&ahead->lock);
  if (block->size < 0)
    *failure = ahead->failure;
  *ret_bytes = block->bytes;
  *ret_bytes_in = block->bytes_in;
  return block->size;
}

void
dn_ahead_end (DnAhead *ahead)
{
  (void) pthread_mutex_lock (&ahead->lock);
  ahead->is_ended = true;
  (void) pthread_cond_signal (&ahead->changed);
  (void) pthread_mutex_unlock (&ahead->lock);
  (void) pthread_join (ahead->thread, NULL);
  (void) pthread_mutex_destroy (&ahead->lock);
  (void) pthread_cond_destroy (&ahead->changed);
  free (ahead);
}
