/* SPDX-License-Identifier: Apache-2.0 */
/* A guest: one virtual machine with its relay, from nothing to an agent that answers, and back.
 *
 * Everything a start makes is named by the guest's id, and written to the journal (journal.h)
 * before the first of it exists:
 *
 *   identity     a slot (identity.h): uid and gid of QEMU and relay, vsock CID
 *   directory    /run/danchi/guests/ID: secret, console ring, sockets
 *   relay        a process that holds ID/relay.lock; it goes on when danchid ends
 *   domain       transient libvirt domain "danchi-ID"
 *   scratch      /var/lib/danchi/guests/ID: disks of this guest's own
 *
 * A guest outlives danchid: dn_guest_adopt_all() finds guests again by journal, libvirt and relay
 * socket.  dn_guest_destroy() needs neither agent nor relay.
 *
 * Threads: every call may block, up to its deadline, and may be made from any thread; calls on one
 * guest from several threads are safe.  Handlers run on threads of the guest's own (its reader; for
 * what was missed while a relay was replaced, and for gone(), another) and must not call back into
 * blocking calls on the same guest.
 * Privilege: root (or, in session mode, the user's own libvirt).
 */
#pragma once

#include <glib.h>

#include "../base/control.h"
#include "../base/fdpass.h"
#include "../base/share-order.h"
#include "../limits/guest-limits.h"

typedef struct DnGuest DnGuest;

/* Serial numbers of volumes begin with one of these: attached writable, or not.  No image's does,
 * nor a scratch disk's. */
#define DN_GUEST_VOLUME_WRITABLE 'v'
#define DN_GUEST_VOLUME_READONLY 'w'
/* Those of block devices of the host's, likewise: roots of a pod's containers. */
#define DN_GUEST_DEVICE_WRITABLE 'x'
#define DN_GUEST_DEVICE_READONLY 'y'

/* PCIe ports for later disks, at most: two slots of eight functions. */
#define DN_GUEST_SPARE_DISKS_MAX 16

typedef enum
{
  DN_GUEST_KIND_CONTEXT, /* runs containers */
  DN_GUEST_KIND_UNPACK,  /* unpacks one image, then goes */
} DnGuestKind;

typedef enum
{
  DN_TRANSPORT_AUTO, /* vsock where the host has it, else serial */
  DN_TRANSPORT_VSOCK,
  DN_TRANSPORT_SERIAL,
} DnTransport;

typedef enum
{
  DN_ACCELERATOR_KVM,
  DN_ACCELERATOR_TCG, /* emulation: no security boundary; only when asked for */
} DnAccelerator;

typedef enum
{
  DN_KERNEL_DEBIAN, /* Debian's cloud kernel with an initramfs of modules */
  DN_KERNEL_TUNED,  /* images/kernel.config: everything built in, nothing else */
} DnKernel;

typedef struct
{
  /* Owned; a raw file, or, where its name ends with DN_GUEST_STACK_SUFFIX and it is read-only, a
   * description of several that lie one behind the other (../images/disk.h). */
  char *path;
  char serial[DN_DISK_SERIAL_BYTES + 1]; /* by which the agent finds it */
  gboolean is_readonly;                  /* shared with other guests, or an archive */
  gboolean is_kept;   /* outlives the guest: what the guest flushes is on the host's disk */
  gboolean is_device; /* `path` is of a block device */
} DnGuestDisk;

/* Names of disks are danchid's own, so no guest and no archive has a say in how a disk is read. */
#define DN_GUEST_STACK_SUFFIX ".vmdk"

DnGuestDisk *dn_guest_disk_new (const char *path, const char *serial, gboolean is_readonly);
void dn_guest_disk_free (DnGuestDisk *disk);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DnGuestDisk, dn_guest_disk_free)

typedef struct
{
  char id[DN_ID_BYTES + 1];
  char *context;  /* owned; the context's name, for the domain's title and logs */
  char *hostname; /* owned */
  DnGuestKind kind;
  guint64 memory_bytes;
  guint vcpus;
  DnKernel kernel;
  DnTransport transport;
  gboolean allow_emulation;
  char *mcs;            /* owned; for QEMU's SELinux label, "cA,cB", or NULL: libvirt chooses */
  DnGuestLimits limits; /* of what it takes of the host */
  gboolean has_balloon;
  guint64 host_percent; /* of the host's memory, that guests may be promised; 0: not asked */
  guint boot_timeout_s; /* from QEMU's start to an agent that answers; half as long again for tcg */
  guint spare_disks;    /* how many more disks can be attached later: one PCIe port each */
  gboolean has_share;   /* it may be shown directories of the host's: guest-share.c */
  guint pod_first_id;   /* of a pod's: the guest's id that is its 0; or 0 */
  gboolean has_scratch; /* it may be given scratch disks: its kernel gets what encrypts them */
  /* A card of its own, behind a tap that open_card() makes once the identity is known; whoever
   * undoes the guest removes it (dn_gateway_close()).  NULL: none. */
  gboolean (*open_card) (guint slot, gpointer data, GError **error);
  gpointer card_data; /* owned, with its free function */
  GDestroyNotify card_data_free;
  guint card_slots;     /* only identities below this have one */
  guint32 card_group;   /* for the journal: a tenant network's number, or 0 */
  gboolean has_network; /* its containers may have cards: its kernel gets what these need */
  GPtrArray *disks;     /* owned DnGuestDisk *, attached from the start, at most 8 */
} DnGuestPlan;

DnGuestPlan *dn_guest_plan_new (void); /* a fresh random id, empty disks, defaults */
void dn_guest_plan_free (DnGuestPlan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DnGuestPlan, dn_guest_plan_free)

/* What a running guest is: for inspect, the audit and error texts. */
typedef struct
{
  DnTransport transport; /* never AUTO */
  DnAccelerator accelerator;
  guint uid; /* of QEMU and relay */
  guint gid;
  guint vsock_cid; /* 0 on serial */
  gint qemu_pid;
  gint relay_pid;
  char *domain_uuid;   /* owned */
  char *boot_id;       /* owned */
  char *kernel;        /* owned */
  char *agent_version; /* owned */
  char *root_hash;     /* owned; what it was started with, "sha256 HEX", or NULL: not known */
  char *kernel_path;   /* owned; files it was started with, or NULL: not known */
  char *initrd_path;   /* owned; NULL also where it has none */
  char *root_path;     /* owned */
  guint64 memory_bytes;
  guint vcpus;
  guint spare_disks; /* PCIe ports for disks */
  gboolean has_share;
  gint share_pid;     /* of virtiofsd; 0: it has none */
  gboolean has_card;  /* behind the tap of its identity */
  guint32 card_group; /* of which tenant network, or 0 */
  guint32 generation; /* of the protocol that its agent speaks; 0: not linked yet */
  gint64 started_us;  /* g_get_real_time() */
  DnGuestLimits limits;
  gboolean has_balloon;
  guint64 balloon_bytes;    /* what it was asked to keep to; 0: never asked */
  guint64 host_limit_bytes; /* of QEMU's memory; 0 of a guest from before there was one */
} DnGuestInfo;

void dn_guest_info_clear (DnGuestInfo *info);

/* Phases of a start, for progress lines and --trace: called at the beginning of each. */
typedef void (*DnGuestStepFunc) (const char *step, gpointer data);

/* What happens in a guest; every function may be NULL. */
typedef struct
{
  /* A process ended (code, signal), its output may still be on the way. */
  void (*exited) (DnGuest *guest, const DnMsgExited *exited, gpointer data);
  /* ... and now its output is complete: in the log and with every session. */
  void (*drained) (DnGuest *guest, const char *container, guint32 process, gpointer data);
  /* Whom the kernel ended for want of memory, before oom() of the same. */
  void (*oom_victim) (DnGuest *guest, const DnMsgOomVictim *victim, gpointer data);
  void (*oom) (DnGuest *guest, const char *container, gpointer data);
  /* A system call was refused; the same one may be told again. */
  void (*refused) (DnGuest *guest, const DnMsgRefused *refused, gpointer data);
  /* A check of a container's health has ended; the same one may be told again. */
  void (*health) (DnGuest *guest, const DnMsgHealth *health, gpointer data);
  /* A block of a disk is not what its hash tree promises; the same one may be told again. */
  void (*disk_damage) (DnGuest *guest, const DnMsgDiskDamage *damage, gpointer data);
  void (*log_dropped) (DnGuest *guest, const char *container, guint64 lines, guint64 bytes,
                       gpointer data);
  /* virtiofsd has ended: the guest sees nothing of the host's any more. */
  void (*share_lost) (DnGuest *guest, gpointer data);
  /* The guest is gone for good: QEMU ended, or the channel was broken by the guest (@is_suspect).
   * Called once; the guest is then destroyed already. */
  void (*gone) (DnGuest *guest, gboolean is_suspect, const char *reason, gpointer data);
  gpointer data;
} DnGuestHandlers;

/**
 * dn_guest_start:
 * @step: may be NULL
 * @ret_console: (out) (optional): on failure, a read-only descriptor of the console ring for the
 *   user (dn_console_ring_*), or -1; on success -1.  Its bytes are the guest's: not for danchid
 *
 * Makes the guest and waits until its agent answers.  A guest of which nothing at all is heard is
 * taken down and made once more.  On failure nothing of it is left, and the error says the step,
 * the last boot milestone, why, and what to do.
 *
 * Returns: (transfer full): a reference, or NULL with DN_ERROR_HYPERVISOR, _GUEST, _LIMIT, _FAILED
 */
DnGuest *dn_guest_start (const DnGuestPlan *plan, const DnGuestHandlers *handlers,
                         DnGuestStepFunc step, gpointer step_data, int *ret_console,
                         GError **error);

/* Of the host's memory, to all guests in this process's hands. */
guint64 dn_guest_promised_memory (void);

DnGuest *dn_guest_ref (DnGuest *guest);
void dn_guest_unref (DnGuest *guest);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DnGuest, dn_guest_unref)

const char *dn_guest_id (DnGuest *guest);
gboolean dn_guest_is_running (DnGuest *guest);
void dn_guest_get_info (DnGuest *guest, DnGuestInfo *ret_info); /* copies; clear it */

/* Asks the agent to end everything and power off, waits @timeout_ms, then destroys.  Afterwards
 * nothing is left: domain, processes, directory, slot, journal entry.  Never fails to destroy;
 * calls no handler. */
void dn_guest_stop (DnGuest *guest, guint timeout_ms);

/* At once. */
void dn_guest_destroy (DnGuest *guest);

/* The files of the disks that were attached after the start. (transfer full) (element-type utf8),
 * ends with NULL */
GPtrArray *dn_guest_list_attached (DnGuest *guest);

/**
 * dn_guest_attach_disk:
 *
 * Attaches a disk to the running guest.  DN_ERROR_LIMIT when no port is left.
 */
gboolean dn_guest_attach_disk (DnGuest *guest, const DnGuestDisk *disk, GError **error);
/* Of the disks that were attached after the start, the serial numbers. (transfer full)
 * (element-type utf8) */
GPtrArray *dn_guest_list_serials (DnGuest *guest);

/**
 * dn_guest_attach_volume:
 * @path: of the volume's disk, which is root's
 * @serial: its first letter says whether it is attached writable: DN_GUEST_VOLUME_*
 *
 * Attaches a disk that outlives the guest.  The guest's uid, and no other, gets at the file by an
 * ACL entry, which is in the journal before it is made; it goes when the disk is detached, or with
 * the guest.  DN_ERROR_LIMIT when no port is left.
 *
 * The directories on the way are root's, so the path leads to what danchid made.
 */
gboolean dn_guest_attach_volume (DnGuest *guest, const char *path, const char *serial,
                                 GError **error);

/**
 * dn_guest_attach_device:
 * @path: of a block device in /dev, without symbolic links
 * @serial: its first letter says whether it is attached writable: DN_GUEST_DEVICE_*
 *
 * Likewise, a device that somebody else made and keeps for this guest.  danchid never opens it, and
 * reads nothing of it: the entry is in the ACL of its node, from where libvirt has the node that is
 * made in QEMU's own /dev; it is taken back before the detaching is told of.  Whoever made the
 * device must not let another have its number before.
 */
gboolean dn_guest_attach_device (DnGuest *guest, const char *path, const char *serial,
                                 GError **error);

/* Takes back what entries for uids of guests that there are no more an ACL of a volume's disk has:
 * after a crash of the host the journal that named them is gone.  Returns: how many */
guint dn_guest_sweep_access (const char *path);

/* Takes it away again; the port becomes free when the guest lets go.  DN_ERROR_CONFLICT while it
 * does not. */
gboolean dn_guest_detach_disk (DnGuest *guest, const char *serial, GError **error);
/* Likewise, and waits for the guest. */
gboolean dn_guest_detach_disk_waiting (DnGuest *guest, const char *serial, guint timeout_ms,
                                       GError **error);

/**
 * dn_guest_freeze:
 * @is_passing: only while something is saved: a danchid that finds the guest frozen so, because
 *   this one ended, lets it go on
 * @ret_how: (out): (transfer full): how it was done, for people
 *
 * All virtual processors stand still: by libvirt, or, where libvirt or QEMU do not answer in time,
 * QEMU's process is stopped by a signal.  It is in the journal before, so it outlives danchid.  A
 * frozen guest takes no calls, is neither mended nor given up because its relay or link are gone,
 * and ends by dn_guest_stop(), dn_guest_destroy() and QEMU's end alone.  Freezing a frozen guest
 * changes nothing but that KEPT wins over passing.
 *
 * Returns: TRUE, or FALSE with DN_ERROR_GUEST, _FAILED: it goes on as before
 */
gboolean dn_guest_freeze (DnGuest *guest, gboolean is_passing, char **ret_how, GError **error);

/* It goes on; relay and link are replaced if they were lost meanwhile. FALSE with
 * DN_ERROR_HYPERVISOR: it is still frozen. TRUE at once for one that is not. */
gboolean dn_guest_thaw (DnGuest *guest, GError **error);

gboolean dn_guest_is_frozen (DnGuest *guest);
/* Whether only while something is saved. */
gboolean dn_guest_is_frozen_in_passing (DnGuest *guest);

/* FALSE with DN_ERROR_CONFLICT and the remedy where it is frozen. */
gboolean dn_guest_check_thawed (DnGuest *guest, GError **error);

/**
 * dn_guest_set_limits:
 *
 * Changes what it may take of the host's processors and disks while it runs; the balloon stays as
 * it is.  On failure all is as before.  DN_ERROR_HYPERVISOR with libvirt's words where the host has
 * no cgroups for it.
 */
gboolean dn_guest_set_limits (DnGuest *guest, const DnGuestLimits *limits, GError **error);

/* Asks it to keep to @bytes of the memory that it was started with, by its balloon; it may take its
 * time, or never do.  DN_ERROR_CONFLICT: it has none; _LIMIT: more than it was started with. */
gboolean dn_guest_set_memory (DnGuest *guest, guint64 bytes, GError **error);

/* Whether it was started with a share, into which binds can be put. */
gboolean dn_guest_has_share (DnGuest *guest);

/* Of QEMU, relay and virtiofsd; fixed, so without a lock. */
guint dn_guest_uid (DnGuest *guest);

typedef struct
{
  const char *what; /* for errors: "bind '/srv/data'" */
  guint number;     /* its name in the share; below %DN_SHARE_NUMBERS */
  guint guest_uid;  /* as the guest's kernel counts: who the owner appears as */
  guint guest_gid;
  /* DN_SHARE_BIND; or of a pod: DN_SHARE_POD, DN_SHARE_COPY, DN_SHARE_REFRESH */
  DnShareVerb verb;
  const DnShareSource *source;
} DnGuestBind;

/* Puts a directory or file of the host's into the guest's share.  As dn_share_server_order(). */
gboolean dn_guest_bind (DnGuest *guest, const DnGuestBind *bind, DnShareAnswer *ret_answer,
                        GError **error);

/* Takes it away; nothing there is no error. */
void dn_guest_unbind (DnGuest *guest, guint number);

/* The domain's XML as libvirt has it now. (transfer full), or NULL with DN_ERROR_HYPERVISOR */
char *dn_guest_get_xml (DnGuest *guest, GError **error);

/* Writes the guest's memory to the new file @path, an ELF core; frozen or not (QEMU holds the
 * processors meanwhile).  DN_ERROR_HYPERVISOR; then the file may be there in part. */
gboolean dn_guest_dump_memory (DnGuest *guest, const char *path, GError **error);

/**
 * dn_guest_attach_scratch:
 * @serial: unique in the guest
 *
 * Makes an empty disk of the guest's own, a sparse file that its uid alone may read and write, and
 * attaches it.  The guest must have been started with has_scratch.  On failure nothing is left.
 *
 * The directory is root's and new files are made with O_EXCL there, so the one that is given away
 * is the one that was made; no other guest's uid can open it.
 */
gboolean dn_guest_attach_scratch (DnGuest *guest, const char *serial, guint64 bytes,
                                  GError **error);

/* Detaches it, where it is attached, and removes the file in any case: QEMU's open one is nameless
 * then, and gone with QEMU. */
gboolean dn_guest_detach_scratch (DnGuest *guest, const char *serial, GError **error);

/* Of what only one guest has: its scratch disks' directory. (transfer full) */
char *dn_guest_scratch_path (const char *guest_id);

/* One answer of the guest's before its REPLY: the type and the payload of a frame that the relay
 * has checked; unpack it with dn_msg_*_unpack(). */
typedef void (*DnGuestAnswerFunc) (guint16 type, const guint8 *payload, guint32 size,
                                   gpointer data);

typedef struct
{
  guint16 type;     /* a request of protocol.def */
  gpointer message; /* its DnMsg struct; `request` is filled in by the call */
  int (*pack) (const void *message, guint8 *ret_bytes, gsize size); /* dn_msg_*_pack, cast */
  const char *config; /* PART of kind DN_PART_CONFIG, or NULL */
  GBytes *seccomp;    /* PART of kind DN_PART_SECCOMP, or NULL */
  /* Of DnMsgDiskLayer: DISK_LAYERs that go before it, or NULL.  A guest from before layers gets
   * none: it can have a disk of one. */
  const GArray *disk_layers;
  guint timeout_ms;
  /* May be NULL: called once the request has been sent, on the caller's thread; what it sends comes
   * after the request.  FALSE gives the call up. */
  gboolean (*sent) (gpointer data, GError **error);
  gpointer sent_data;
  DnGuestAnswerFunc answer; /* may be NULL; on the guest's reader thread */
  gpointer answer_data;
} DnGuestCall;

/**
 * dn_guest_call:
 *
 * Sends a request to the agent and waits for its REPLY.  A negative status becomes an error with
 * the agent's message, escaped: DN_ERROR_NO_COMMAND for -ENOENT and DN_ERROR_CANNOT_RUN for
 * -EACCES, -ENOEXEC and -EISDIR where @call is START or EXEC, else DN_ERROR_GUEST.
 * No answer in time is DN_ERROR_GUEST too; a late one is dropped.
 */
gboolean dn_guest_call (DnGuest *guest, DnGuestCall *call, GError **error);

/* A fresh set of stream numbers for a process. */
guint32 dn_guest_take_streams (DnGuest *guest);

/* PROCESS: tells the relay of a process before CREATE or EXEC.  @log_fds: two descriptors for a
 * container's first process, both -1 for others; they stay the caller's. */
gboolean dn_guest_add_process (DnGuest *guest, const DnMsgProcess *process, const int log_fds[2],
                               GError **error);
gboolean dn_guest_forget_process (DnGuest *guest, const char *container, guint32 process,
                                  GError **error);

/**
 * dn_guest_open_session:
 * @flags: DN_SESSION_*
 * @ret_client: (out): four descriptors for the client, in the order of base/session.h; the caller
 *   closes them
 */
gboolean dn_guest_open_session (DnGuest *guest, const char *container, guint32 process,
                                guint32 flags, DnFdList *ret_client, GError **error);

/* TRANSFER: has the relay move raw bytes between @fd (stays the caller's) and @stream. */
gboolean dn_guest_transfer (DnGuest *guest, guint32 stream, gboolean to_guest, int fd,
                            GError **error);

/* SECRET_TRANSFER: likewise to the guest, through locked memory alone; @fd is a socket.
 * DN_ERROR_GUEST where the guest, or its relay, is of before there were secrets. */
gboolean dn_guest_transfer_secret (DnGuest *guest, guint32 stream, int fd, GError **error);

/* A read-only descriptor of the console ring, for a user; -1 with @error. */
int dn_guest_open_console (DnGuest *guest, GError **error);

/* What an adopted guest's agent says it runs, after danchid was started anew. */
typedef struct
{
  DnMsgListEntry entry;
  gboolean has_exited;
  DnMsgExited exited; /* where has_exited */
} DnGuestProcess;

/* LIST.  (transfer full) (element-type DnGuestProcess): g_array_unref() it. */
GArray *dn_guest_list_processes (DnGuest *guest, GError **error);

/**
 * dn_guest_adopt_all:
 * @choose: called, from several threads, for each guest that still runs and whose relay answers;
 *   returns the handlers for it, or FALSE to have it destroyed because nobody owns it.  @context is
 *   from its journal entry
 *
 * What danchid's predecessor left: running guests are taken over, half-made and orphaned ones are
 * undone.  A guest whose relay has died gets a new one.
 *
 * Returns: (transfer full) (element-type DnGuest): the guests taken over
 */
typedef gboolean (*DnGuestChooseFunc) (const char *guest_id, const char *context,
                                       DnGuestHandlers *ret_handlers, gpointer data);
GPtrArray *dn_guest_adopt_all (DnGuestChooseFunc choose, gpointer data, GError **error);

/**
 * dn_guest_gc:
 *
 * Removes everything that belongs to no guest in this process's hands: domains named danchi-*,
 * relays, directories, scratch files, slots, journal entries, ACL entries.  Safe at any time.
 *
 * Returns: (transfer full) (element-type utf8): what was removed, one line each
 */
GPtrArray *dn_guest_gc (GError **error);
