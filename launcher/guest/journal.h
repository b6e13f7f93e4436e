/* SPDX-License-Identifier: Apache-2.0 */
/* The journal: for each guest one file, RUN/journal/ID.json, that names everything its start makes.
 *
 * It is written (temporary file, fsync, rename, fsync of the directory) before the first of the
 * named things exists, again when a pid becomes known, and removed after the last of them is gone.
 * So whatever a crash leaves is named somewhere: danchid's next start and `danchi gc` read the
 * journal and undo.
 *
 * RUN does not survive a reboot and neither does what is named; an entry of another boot, where
 * RUN does survive, is recognised by the boot's id, and then no pid in it means anything.
 */
#pragma once

#include "guest.h"

#define DN_JOURNAL_ENTRIES_MAX 10000
#define DN_JOURNAL_BYTES_MAX (256 * 1024)

/* Whether the guest's processors stand still, by danchid's doing. */
typedef enum
{
  DN_FREEZE_NONE,
  DN_FREEZE_PASSING, /* while something is saved: a danchid that finds it so thaws it */
  DN_FREEZE_KEPT,    /* until somebody thaws it */
} DnFreeze;

typedef struct
{
  char *path;   /* owned */
  char *serial; /* owned */
  guint port;   /* the spare port it is plugged into */
} DnJournalDisk;

typedef struct
{
  char *id; /* owned, as are all strings */
  char *context;
  char *hostname;
  char *state; /* "starting", "running" or "ending" */
  char *boot;  /* the host's boot id */
  DnGuestKind kind;
  DnTransport transport;
  DnAccelerator accelerator;
  guint slot;
  guint uid;
  guint gid;
  guint vsock_cid;
  gint relay_pid;            /* 0: none yet */
  guint64 relay_start_ticks; /* tells the pid's process from a later one of the same number */
  guint64 memory_bytes;
  guint vcpus;
  guint spare_disks;
  gboolean has_share;        /* a virtiofsd, whose pid is known once it has been started */
  gint share_pid;            /* 0: none yet */
  guint64 share_start_ticks; /* likewise */
  gboolean has_card;  /* a tap of its identity's is made, and whatever the gateway makes with it */
  guint32 card_group; /* of which tenant network, or 0 */
  gint64 started_us;
  DnGuestLimits limits;
  gboolean has_balloon;
  guint64 balloon_bytes;
  guint64 host_limit_bytes;
  DnFreeze freeze; /* written before the guest is stopped, and after it goes on */
  char *root_hash; /* "sha256 HEX"; NULL in an entry of a danchid that knew of none */
  /* What the machine was started with; NULL likewise. */
  char *kernel_path;
  char *initrd_path; /* NULL also where there is none */
  char *root_path;
  char **grants;    /* owned: paths whose ACL names the uid */
  GPtrArray *disks; /* owned DnJournalDisk *: attached after the start */
} DnJournalEntry;

DnJournalEntry *dn_journal_entry_new (const char *id);
void dn_journal_entry_free (DnJournalEntry *entry);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DnJournalEntry, dn_journal_entry_free)

DnJournalDisk *dn_journal_disk_new (const char *path, const char *serial, guint port);
void dn_journal_disk_free (DnJournalDisk *disk);

/* (transfer full) */
char *dn_journal_path (const char *id);

/* Whether the entry was written in the host's present boot. */
gboolean dn_journal_entry_is_of_this_boot (const DnJournalEntry *entry);

/* Makes RUN and RUN/journal where they are missing: before anything else of a start. */
gboolean dn_journal_make_directories (GError **error);

/* On disk when it returns. */
gboolean dn_journal_write (const DnJournalEntry *entry, GError **error);

/* Returns: (transfer full): NULL with DN_ERROR_NOT_FOUND, _CONFIG or _FAILED */
DnJournalEntry *dn_journal_read (const char *id, GError **error);

/* A missing entry is no error. */
gboolean dn_journal_remove (const char *id, GError **error);

/* Ids of all entries, readable or not.  (transfer full) (element-type utf8) */
GPtrArray *dn_journal_list (void);
