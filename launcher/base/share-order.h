/* SPDX-License-Identifier: Apache-2.0 */
/* What danchid orders of danchi-share: one message of text, with one or two descriptors.
 *
 *     start UID GID IDS              the share of a new guest: an empty one, in a jail of its own;
 *                                    IDS are 0, but for a pod;
 *                                    descriptors: report, the listening socket to which QEMU will
 *                                    connect
 *     check SOURCE                   whether a directory or file could be bound; nothing is made
 *     bind SHARE NUMBER IDS SOURCE   it becomes /NUMBER in the share
 *     pod SHARE NUMBER IDS SOURCE    likewise, for a pod: all ids of the host's up to 65535 become
 *                                    those of the range that begins with IDS
 *     look SOURCE                    what it is; nothing is made, and any file system will do
 *     copy SHARE NUMBER IDS SOURCE   a copy of a small directory becomes /NUMBER, for a pod
 *     refresh SHARE NUMBER IDS SOURCE   that copy is brought up to date
 *     unbind SHARE NUMBER            it goes; nothing there is no error
 *     join SHARE QEMU                it goes into the control groups of its guest's QEMU
 *                                    descriptor of all but start: report
 *
 * The answer is one message on `report`, dn_share_answer_*.  From root to root, over a socket that
 * nobody else can reach.  What a caller brings is in it as text only: paths that danchid has found
 * plain, and the ids that the kernel says the caller has.
 *
 * libc only.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* All 65,536 groups that a process can have do not fit; the source of one with more than fit is
 * refused. */
#define DN_SHARE_GROUPS_MAX 1024
#define DN_SHARE_PATH_BYTES 4096
#define DN_SHARE_ORDER_MAX_BYTES 32768
#define DN_SHARE_ANSWER_MAX_BYTES 1024
#define DN_SHARE_TEXT_BYTES 512
/* Names in a share: 64 containers with 32 mounts each. */
#define DN_SHARE_NUMBERS 2048

/* Ids of a guest as its kernel has them, which a share knows: 0, and those of containers.  What is
 * above are the host's groups, by their number plus DN_SHARE_FOREIGN_GROUPS: seen, and given to
 * nothing (launcher/share/filter.c). */
#define DN_SHARE_GUEST_IDS 0x01000000u
#define DN_SHARE_FOREIGN_GROUPS DN_SHARE_GUEST_IDS
#define DN_SHARE_FOREIGN_GROUP_COUNT 65536u
/* Where guest ids lie on the host while a file is made: ids of nobody, which no file ever has,
 * since every mount of a share translates them.  The guest's 0 is the context's own uid. */
#define DN_SHARE_FIRST_ID 0x40000000u
/* Ids in a pod's range. */
#define DN_SHARE_POD_IDS 65536u

typedef enum
{
  DN_SHARE_START,
  DN_SHARE_CHECK,
  DN_SHARE_BIND,
  DN_SHARE_UNBIND,
  DN_SHARE_POD,
  DN_SHARE_JOIN,
  DN_SHARE_LOOK,
  DN_SHARE_COPY,
  DN_SHARE_REFRESH,
} DnShareVerb;

/* virtiofsd of one guest; ticks tell it from a later process of the same number. */
typedef struct
{
  pid_t pid;
  uint64_t ticks;
  uid_t uid; /* of the guest */
  gid_t gid;
} DnShareProcess;

/* What is to be bound, and in whose name it is looked for. */
typedef struct
{
  char root[DN_SHARE_PATH_BYTES]; /* what the policy allows; it holds no symbolic link */
  char rest[DN_SHARE_PATH_BYTES]; /* below it, "" for itself; links may not lead out of it */
  bool is_writable;
  bool is_executable;
  uid_t uid; /* 0: no caller's rights are asked for, and the owner is the source's own */
  gid_t gid;
  uint32_t group_count;
  gid_t groups[DN_SHARE_GROUPS_MAX];
} DnShareSource;

typedef struct
{
  DnShareVerb verb;
  DnShareProcess process; /* of start: uid and gid alone; of check and look: at most the uid */
  DnShareProcess qemu;    /* of join: its ids are those of `process` */
  uint32_t number;
  /* Whose the owner's files are in the guest, as its kernel counts; of a pod, also of its start:
   * its root's. */
  uid_t guest_uid;
  gid_t guest_gid;
  DnShareSource source;
} DnShareOrder;

/* Whether an order to start is for the guest of a pod. */
bool dn_share_order_is_pods (const DnShareOrder *order);

/* Whether it asks the host's file system, which may hang. */
bool dn_share_order_has_source (DnShareVerb verb);

/* For whom it is, where orders are counted: the guest, by its uid; of a question about none, who
 * asks. */
uint32_t dn_share_order_party (const DnShareOrder *order);

/* Writes an order with its NUL.  Returns: its length without it, or -EMSGSIZE */
int dn_share_order_format (const DnShareOrder *order, char *text, size_t size);

/* Reads @text, which ends with a NUL.  Returns: 0 or -EINVAL */
int dn_share_order_parse (const char *text, DnShareOrder *ret_order);

typedef struct
{
  int code;            /* 0, or an errno */
  pid_t pid;           /* of start */
  uint64_t ticks;      /* likewise */
  bool is_directory;   /* of check, look, bind, as are the next */
  bool is_memory;      /* it is the mount of a tmpfs */
  uint64_t size_bytes; /* of look: what that tmpfs can hold; 0: no limit, or no tmpfs */
  uid_t owner_uid;     /* on the host, who appears as the container's user */
  gid_t owner_gid;
  /* Where it failed: what and why; may have a second line.  Of look, where it is memory: which
   * directory of that tmpfs it is, "/" or "/a/b". */
  char text[DN_SHARE_TEXT_BYTES];
} DnShareAnswer;

/* Likewise. */
int dn_share_answer_format (const DnShareAnswer *answer, char *text, size_t size);
int dn_share_answer_parse (const char *text, DnShareAnswer *ret_answer);

/* Where a guest's id is on the host while a file is made; 0 is @own. */
uint32_t dn_share_host_id (uint32_t guest_id, uint32_t own);
