/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of guest-*.c share; nobody else includes it.  See guest.h for the noun.
 *
 * Life: STARTING → RUNNING → ENDING → ENDED, never back.  Whoever moves a guest to ENDING (a stop,
 * or an end that was noticed) takes it down; all others wait for ENDED.  So it is taken down once,
 * and gone() is called once, by the one that moved it, if nobody asked for the end.
 *
 * Locks: `lock` for the state below it, never held across anything that blocks; `send_lock` for
 * writing to the relay; `journal_lock` for the journal entry.  None is taken inside another.
 * `limit_lock`, outside of all: held while libvirt attaches a disk or changes limits, so that the
 * disks of a guest never have different ones.
 *
 * Threads of a guest: one reader for each connection to the relay; a mender while the relay or the
 * link is being replaced; one for an end that was noticed.  Each holds a reference.
 */
#pragma once

#include "guest.h"
#include "journal.h"

#define DN_GUEST_LIBVIRT_TIMEOUT_MS 60000
#define DN_GUEST_CONNECT_TIMEOUT_MS 2000
/* A relay that does not take our bytes for so long is broken. */
#define DN_GUEST_SEND_TIMEOUT_S 10
/* A new relay and link must stand within this time, or the guest is given up. */
#define DN_GUEST_MEND_TIMEOUT_MS 30000
#define DN_GUEST_CALLS_MAX 1024
#define DN_GUEST_PROCESSES_MAX 4096
/* Requests above are the relay's own (signals of sessions). */
#define DN_GUEST_REQUEST_MAX 0x3fffffffu

typedef enum
{
  DN_GUEST_STARTING,
  DN_GUEST_RUNNING,
  DN_GUEST_ENDING,
  DN_GUEST_ENDED,
} DnGuestState;

/* A request under way: on its caller's stack, found by number. */
typedef struct
{
  guint16 type;
  DnGuestAnswerFunc answer;
  gpointer answer_data;
  /* Called with answers instead of `answer`, with the guest's lock held. */
  void (*collect) (guint16 type, const guint8 *payload, guint32 size, gpointer data);
  gboolean is_answering; /* the reader is in `answer`: the caller must not go yet */
  gboolean is_done;
  gboolean is_lost; /* the link went down under it */
  DnMsgReply reply;
} DnGuestPending;

/* What a new relay must be told again. */
typedef struct
{
  DnMsgProcess message;
  int log_fds[2]; /* owned duplicates, or -1 */
} DnGuestKnownProcess;

struct DnGuest
{
  gint references;
  char *id;                 /* owned; these never change */
  char *context;            /* owned */
  char *hostname;           /* owned */
  char *domain;             /* owned; the domain's name */
  char *directory;          /* owned; under RUN */
  guint64 qemu_start_ticks; /* set once, before RUNNING */
  guint8 secret[DN_LINK_SECRET_BYTES];
  DnGuestHandlers handlers;

  GMutex journal_lock;
  DnJournalEntry *entry; /* owned; under journal_lock where it changes: relay, disks, state */
  gboolean is_entry_written;

  guint64 promised_bytes; /* of the host's memory; set before it is registered */

  GMutex limit_lock; /* also for the entry's limits, besides journal_lock */

  GMutex send_lock;
  int control_fd; /* under send_lock; -1: no relay */

  GMutex lock;
  GCond changed; /* anything below */
  DnGuestState state;
  DnGuestInfo info;
  gboolean has_relay;
  gboolean is_linked;
  guint32 generation; /* of the protocol on the link, or on the last one */
  gboolean is_mending;
  gint is_frozen; /* atomic, so that it can be asked under any lock; changed under journal_lock */
  gint freezes;   /* likewise: how often it was frozen */
  guint32 milestone;
  char *link_problem; /* owned: why the link went down last */
  gboolean is_suspect;
  char *domain_end;  /* owned: why the domain ended, once it did */
  GHashTable *calls; /* request → DnGuestPending, not owned */
  guint32 next_request;
  guint32 next_streams;
  GPtrArray *processes; /* owned DnGuestKnownProcess */
};

/* guest.c */
DnGuest *dn_guest_new (const char *id, const char *context, const char *hostname);
/* What the journal knows of a guest; the caller holds the guest's lock or nobody else has it. */
void dn_guest_describe (DnGuestInfo *info, const DnJournalEntry *entry);
void dn_guest_describe_limits (DnGuestInfo *info, const DnJournalEntry *entry);

/* The host's limits of a domain that was started without them in its XML; what the host cannot is
 * no error. */
void dn_guest_limit_after_start (DnGuest *guest);
/* Guests in this process's hands. */
void dn_guest_register (DnGuest *guest);
/* One more, where the host can hold it: ../limits/host-memory.h.  DN_ERROR_LIMIT */
gboolean dn_guest_register_within (DnGuest *guest, guint64 percent, GError **error);
void dn_guest_unregister (DnGuest *guest);
DnGuest *dn_guest_find_by_domain (const char *domain); /* a reference, or NULL */
GPtrArray *dn_guest_list_registered (void);            /* references */
gboolean dn_guest_is_registered (const char *id);
gboolean dn_guest_uid_is_registered (guint uid);
/* Starts a detached thread that holds a reference. */
void dn_guest_spawn (DnGuest *guest, const char *name, void (*run) (DnGuest *guest));
/* The guest's bytes as text for people: control characters and invalid UTF-8 escaped. */
char *dn_guest_escape (const char *text);
gboolean dn_guest_write_journal (DnGuest *guest, GError **error);

/* guest-prepare.c */
/* Takes an identity and makes, after naming it in the journal, all that is no process. */
gboolean dn_guest_prepare (DnGuest *guest, const DnGuestPlan *plan, GError **error);

/* guest-channel.c */
/* Connects to the relay's control socket and starts the reader. */
gboolean dn_guest_open_channel (DnGuest *guest, GError **error);
void dn_guest_close_channel (DnGuest *guest);
/* One frame to relay or agent; @fds may be NULL. */
gboolean dn_guest_send (DnGuest *guest, guint16 type, const guint8 *payload, guint32 size,
                        const DnFdList *fds, GError **error);
/* Connects the transport and hands it to the relay. */
gboolean dn_guest_send_channel (DnGuest *guest, GError **error);

/* guest-calls.c */
void dn_guest_take_reply (DnGuest *guest, const DnMsgReply *reply);
/* An answer before the REPLY; @request is in its first field. */
void dn_guest_take_answer (DnGuest *guest, guint16 type, const guint8 *payload, guint32 size);
/* TRUE when a LIST wanted this EXITED: then it is no news. */
gboolean dn_guest_take_listed_exit (DnGuest *guest, const DnMsgExited *exited);
void dn_guest_lose_calls (DnGuest *guest);
/* Without looking at the guest's state. */
gboolean dn_guest_call_in_any_state (DnGuest *guest, DnGuestCall *call, GError **error);
guint32 dn_guest_take_request (DnGuest *guest);
GArray *dn_guest_list_in_any_state (DnGuest *guest, GError **error);

/* guest-processes.c */
gboolean dn_guest_resend_processes (DnGuest *guest, GError **error);
void dn_guest_known_process_free (DnGuestKnownProcess *process);

/* guest-mend.c */
/* Relay or link are gone: replaces them, or gives the guest up.  Does nothing while another does.
 */
void dn_guest_mend (DnGuest *guest);
/* While a running guest's relay or link is being replaced, for %DN_GUEST_MENDED_WAIT_MS at most:
 * what is sent in between would be an error to somebody who did nothing wrong.  Not for the mender.
 */
#define DN_GUEST_MENDED_WAIT_MS 15000
void dn_guest_wait_mended (DnGuest *guest);

/* Waits for LINK_UP. */
gboolean dn_guest_wait_link (DnGuest *guest, gint64 end_us, GError **error);
gboolean dn_guest_qemu_is_alive (DnGuest *guest);

/* guest-share.c */
/* Where virtiofsd waits for QEMU. (transfer full) */
char *dn_guest_share_socket (const DnGuest *guest);
/* Starts it, where the guest is to have a share, and writes it to the journal. */
gboolean dn_guest_start_share (DnGuest *guest, const DnGuestPlan *plan, GError **error);
/* Puts it into the host's groups of QEMU, which there are now. What the host cannot is no error. */
void dn_guest_limit_share (DnGuest *guest);
gboolean dn_guest_end_share (const DnJournalEntry *entry);
/* From now on its end is noticed.  On danchid's main loop. */
void dn_guest_watch_share (DnGuest *guest);

/* guest-end.c */
/* Under the guest's lock: why the domain ended, NULL while it has not. */
const char *dn_guest_end_words (const DnGuest *guest);
/* Installs the watch on domains; idempotent. */
void dn_guest_watch_domains (void);
/* An end that nobody asked for: takes the guest down and calls gone(). Blocks. */
void dn_guest_end_from_inside (DnGuest *guest, gboolean is_suspect, const char *reason);
/* Likewise on a thread of its own. */
void dn_guest_end_soon (DnGuest *guest, gboolean is_suspect, const char *reason);
/* Undoes all that @entry names; @removed (may be NULL) gets a line for each thing found.
 * FALSE when a process could not be ended: then the entry stays, for a later gc. */
gboolean dn_guest_undo (DnJournalEntry *entry, GPtrArray *removed);
/* Takes the guest down: state ENDING before, ENDED after. */
void dn_guest_take_down (DnGuest *guest);
/* Removes a directory of plain files, not following anything. */
gboolean dn_guest_remove_directory (const char *path);
