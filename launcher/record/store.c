/* SPDX-License-Identifier: Apache-2.0 */
#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../common/autofd.h"
#include "../common/error.h"
#include "../common/state-file.h"
#include "anchor.h"
#include "check.h"
#include "tail.h"

/* Less than this is not worth a reservation. */
#define RESERVE_STEP_LEAST_BYTES (16 * 1024)

struct DnRecordStore
{
  char *directory;   /* owned */
  char *anchor_path; /* owned */
  gboolean makes_anchor_directory;
  gint64 file_bytes;
  DnRecordForward *forward; /* owned, or NULL */
  int fd;                   /* of the last file; -1: to be found */
  int anchor_fd;
  guint number; /* of the last file */
  gint64 size_bytes;
  gint64 reserved_bytes; /* up to where in the file there is room for sure */
  gboolean has_reserve;  /* FALSE where the file system has none */
  DnRecordHead last;     /* answered for */
  DnRecordHead next;     /* of the batch */
  GString *batch;
  GQueue notes;           /* owned bodies, to come before all else */
  guint place;            /* where the anchor goes next, 0 or 1 */
  gboolean resets_anchor; /* both places are to be written: what they say is no longer true */
  gboolean is_anchor_unsynced;
};

DnRecordStore *
dn_record_store_new (const DnRecordPlan *plan, DnRecordForward *forward)
{
  DnRecordStore *store = g_new0 (DnRecordStore, 1);

  store->directory = g_strdup (plan->directory);
  store->anchor_path = g_strdup (plan->anchor);
  store->makes_anchor_directory = plan->makes_anchor_directory;
  store->file_bytes = plan->file_bytes;
  store->forward = forward;
  store->fd = store->anchor_fd = -1;
  store->batch = g_string_new (NULL);
  g_queue_init (&store->notes);
  return store;
}

void
dn_record_store_free (DnRecordStore *store)
{
  if (store == NULL)
    return;
  dn_fd_clear (&store->fd);
  dn_fd_clear (&store->anchor_fd);
  g_queue_clear_full (&store->notes, g_free);
  (void) g_string_free (store->batch, TRUE);
  dn_record_forward_free (store->forward);
  g_free (store->directory);
  g_free (store->anchor_path);
  g_free (store);
}

static gboolean
fail (GError **error, const char *path)
{
  int code = errno;

  return dn_throw (error, DN_ERROR_FAILED,
                   "audit record: '%s' cannot be written: %s\nnothing is done that could not be "
                   "recorded; running containers go on; when it can be written again, so does "
                   "danchid, without a restart",
                   path, g_strerror (code));
}

static void
add_note (DnRecordStore *store, const char *verb, const char *message)
{
  g_autoptr (DnRecordEntry) entry = dn_record_entry_new (DN_RECORD_ACT, verb);
  g_autofree char *text = NULL;

  entry->who.uid = geteuid ();
  entry->who.gid = getegid ();
  entry->who.pid = getpid ();
  dn_record_set_text (&entry->who.command, "danchid");
  dn_record_set_text (&entry->message, message);
  text = dn_record_entry_print (entry);
  /* Once, however often the writing of it is tried. */
  if (g_queue_find_custom (&store->notes, text, (GCompareFunc) strcmp) == NULL)
    g_queue_push_tail (&store->notes, g_steal_pointer (&text));
}

static char *
file_path (const DnRecordStore *store, guint number)
{
  g_autofree char *name = dn_record_file_name (number);

  return g_build_filename (store->directory, name, NULL);
}

/* Free what was reserved behind the end. */
static void
leave_file (DnRecordStore *store)
{
  if (store->fd >= 0)
    (void) !ftruncate (store->fd, store->size_bytes);
  dn_fd_clear (&store->fd);
}

static gboolean
begin_file (DnRecordStore *store, guint number, GError **error)
{
  g_autofree char *path = file_path (store, number);
  int fd = open (path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

  if (fd < 0)
    return fail (error, path);
  if (!dn_state_file_sync_directory (store->directory, NULL))
    {
      (void) close (fd);
      return fail (error, store->directory);
    }
  leave_file (store);
  store->fd = fd;
  store->number = number;
  store->size_bytes = store->reserved_bytes = 0;
  return TRUE;
}

static gboolean
continue_file (DnRecordStore *store, const DnRecordTail *tail, GError **error)
{
  g_autofree char *path = file_path (store, tail->number);
  dn_autofd int fd = open (path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY);
  struct stat status;

  if (fd < 0 || fstat (fd, &status) < 0)
    return fail (error, path);
  if (!S_ISREG (status.st_mode))
    {
      errno = EINVAL;
      return fail (error, path);
    }
  if (tail->cut_bytes > 0 && (ftruncate (fd, tail->size_bytes) < 0 || fdatasync (fd) < 0))
    return fail (error, path);
  store->fd = g_steal_fd (&fd);
  store->number = tail->number;
  store->size_bytes = store->reserved_bytes = tail->size_bytes;
  return TRUE;
}

static gboolean
write_at (int fd, const char *text, gsize size, gint64 offset)
{
  while (size > 0)
    {
      ssize_t n = pwrite (fd, text, size, offset);

      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        return FALSE;
      text += n;
      size -= (gsize) n;
      offset += n;
    }
  return TRUE;
}

static gboolean
write_anchor (DnRecordStore *store)
{
  g_autofree char *line = dn_record_anchor_print (&store->next);
  char place[DN_RECORD_ANCHOR_PLACE_BYTES];

  memset (place, ' ', sizeof place);
  /* Newlines on both sides: whatever becomes of the other place, this one stands by itself. */
  place[0] = place[sizeof place - 1] = '\n';
  memcpy (place + 1, line, strlen (line));
  for (guint i = 0; i < (store->resets_anchor ? 2 : 1); i++, store->place ^= 1)
    if (!write_at (store->anchor_fd, place, sizeof place, (gint64) sizeof place * store->place))
      return FALSE;
  store->resets_anchor = FALSE;
  store->is_anchor_unsynced = TRUE;
  return TRUE;
}

/* Not the one that holds the anchor now. */
static void
choose_place (DnRecordStore *store, const DnRecordHead *anchor)
{
  char place[DN_RECORD_ANCHOR_PLACE_BYTES];
  ssize_t n = pread (store->anchor_fd, place, sizeof place, 0);
  DnRecordHead first;

  store->place = n > 0 && anchor != NULL && dn_record_anchor_parse (place, (gsize) n, &first)
                 && first.seq == anchor->seq;
}

static gboolean
open_anchor (DnRecordStore *store, DnRecordHead *ret_anchor, gboolean *ret_has_any, GError **error)
{
  g_autofree char *directory = g_path_get_dirname (store->anchor_path);
  g_autoptr (GError) local = NULL;

  if (store->makes_anchor_directory && g_mkdir_with_parents (directory, 0700) < 0)
    return fail (error, directory);
  *ret_has_any = dn_record_anchor_load (store->anchor_path, ret_anchor, &local);
  if (!*ret_has_any && g_error_matches (local, DN_ERROR, DN_ERROR_FAILED))
    {
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    }
  dn_fd_clear (&store->anchor_fd);
  store->anchor_fd
      = open (store->anchor_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600);
  if (store->anchor_fd < 0)
    return fail (error, store->anchor_path);
  choose_place (store, *ret_has_any ? ret_anchor : NULL);
  return TRUE;
}

/* Before the first line of all: from then on a record without an anchor is one that lost it. */
static gboolean
begin_anchor (DnRecordStore *store, GError **error)
{
  g_autofree char *directory = g_path_get_dirname (store->anchor_path);

  store->next = (DnRecordHead){ .time_us = g_get_real_time () };
  g_strlcpy (store->next.hash, DN_RECORD_NO_HASH, sizeof store->next.hash);
  if (!write_anchor (store) || fdatasync (store->anchor_fd) < 0)
    return fail (error, store->anchor_path);
  return dn_state_file_sync_directory (directory, NULL) || fail (error, directory);
}

/* What this very store has written of a batch that failed was answered for to nobody, and must not
 * be taken for a part of the record. */
static void
drop_unanswered (DnRecordStore *store)
{
  g_autofree char *path = store->number > 0 ? file_path (store, store->number) : NULL;
  dn_autofd int fd = path != NULL ? open (path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
  struct stat status;

  if (fd >= 0 && fstat (fd, &status) == 0 && status.st_size > store->size_bytes)
    (void) !ftruncate (fd, store->size_bytes);
}

static gboolean
find_end (DnRecordStore *store, GError **error)
{
  g_auto (DnRecordTail) tail = { 0 };
  DnRecordHead anchor;
  gboolean has_anchor = FALSE;

  if (g_mkdir_with_parents (store->directory, 0700) < 0)
    return fail (error, store->directory);
  drop_unanswered (store);
  if (!open_anchor (store, &anchor, &has_anchor, error)
      || !dn_record_tail_find (store->directory, has_anchor ? &anchor : NULL, &tail, error))
    return FALSE;
  if (!has_anchor && tail.last.seq == 0 && tail.broken == NULL && !begin_anchor (store, error))
    return FALSE;
  if (tail.number > 0 && (tail.broken == NULL || tail.is_empty)
          ? !continue_file (store, &tail, error)
          : !begin_file (store, tail.number + 1, error))
    return FALSE;
  store->last = tail.last;
  if (tail.last.seq == 0)
    g_strlcpy (store->last.hash, DN_RECORD_NO_HASH, sizeof store->last.hash);
  store->resets_anchor = tail.broken != NULL;
  if (tail.broken != NULL)
    add_note (store, DN_RECORD_VERB_BROKEN, tail.broken);
  if (tail.cut_bytes > 0)
    {
      g_autofree char *words
          = g_strdup_printf ("%" G_GINT64_FORMAT " bytes of a torn line were cut off '%04u.jsonl'",
                             tail.cut_bytes, tail.number);

      add_note (store, DN_RECORD_VERB_RECOVERED, words);
    }
  return TRUE;
}

/* As much of the reserve, and of a batch beside it, as there is room for. */
static void
reserve (DnRecordStore *store)
{
  const gint64 wanted = DN_RECORD_RESERVE_BYTES + DN_RECORD_BATCH_BYTES;
  gint64 missing = wanted - (store->reserved_bytes - store->size_bytes);
  gint64 step = MAX (missing, DN_RECORD_RESERVE_BYTES);

  store->has_reserve = TRUE;
  while (store->reserved_bytes - store->size_bytes < wanted && step >= RESERVE_STEP_LEAST_BYTES)
    {
      gint64 from = MAX (store->reserved_bytes, store->size_bytes);

      if (fallocate (store->fd, FALLOC_FL_KEEP_SIZE, from, step) == 0)
        store->reserved_bytes = from + step;
      else if (errno == ENOSPC || errno == EDQUOT)
        step /= 2;
      else if (errno != EINTR)
        {
          store->has_reserve = FALSE;
          return;
        }
    }
}

gint64
dn_record_store_room (const DnRecordStore *store)
{
  return store->has_reserve ? store->reserved_bytes - store->size_bytes - (gint64) store->batch->len
                            : G_MAXINT64;
}

gboolean
dn_record_store_prepare (DnRecordStore *store, GError **error)
{
  g_string_truncate (store->batch, 0);
  if (store->fd < 0 && !find_end (store, error))
    return FALSE;
  reserve (store);
  /* A full disk has no room for another file's reserve: on with the old one. */
  if (store->size_bytes >= store->file_bytes
      && dn_record_store_room (store) >= DN_RECORD_RESERVE_BYTES)
    {
      if (!begin_file (store, store->number + 1, error))
        return FALSE;
      reserve (store);
    }
  store->next = store->last;
  for (GList *note = store->notes.head; note != NULL; note = note->next)
    (void) dn_record_store_add (store, note->data, g_get_real_time ());
  return TRUE;
}

guint64
dn_record_store_add (DnRecordStore *store, const char *body, gint64 time_us)
{
  DnRecordHead *head = &store->next;
  g_autofree char *line = NULL;

  g_strlcpy (head->prev, head->hash, sizeof head->prev);
  head->seq++;
  /* Never backwards, also when the clock was set: who looks for a time may stop at a later one. */
  head->time_us = MAX (head->time_us, time_us);
  line = dn_record_line_seal (body, head);
  g_string_append (store->batch, line);
  return head->seq;
}

static void
forward (DnRecordStore *store)
{
  const char *at = store->batch->str, *newline;

  if (store->forward == NULL)
    return;
  for (; (newline = strchr (at, '\n')) != NULL; at = newline + 1)
    (void) dn_record_forward_send (store->forward, at, (gsize) (newline - at));
}

gboolean
dn_record_store_commit (DnRecordStore *store, GError **error)
{
  if (store->batch->len == 0)
    return TRUE;
  if (!write_at (store->fd, store->batch->str, store->batch->len, store->size_bytes)
      || fdatasync (store->fd) < 0)
    {
      g_autofree char *path = file_path (store, store->number);

      fail (error, path);
      dn_fd_clear (&store->fd);
      return FALSE;
    }
  if (!write_anchor (store))
    {
      fail (error, store->anchor_path);
      dn_fd_clear (&store->fd);
      return FALSE;
    }
  store->size_bytes += (gint64) store->batch->len;
  store->last = store->next;
  g_queue_clear_full (&store->notes, g_free);
  forward (store);
  return TRUE;
}

gboolean
dn_record_store_is_anchor_unsynced (const DnRecordStore *store)
{
  return store->is_anchor_unsynced;
}

void
dn_record_store_sync_anchor (DnRecordStore *store)
{
  store->is_anchor_unsynced = FALSE;
  /* What fails here fails again with the next write, and is told then. */
  if (store->anchor_fd >= 0)
    (void) fdatasync (store->anchor_fd);
}
