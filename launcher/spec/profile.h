/* SPDX-License-Identifier: Apache-2.0 */
/* A profile: the confinement that a container gets before any flag of its own.
 *
 * Profiles are files (config/profiles/NAME.conf, profile-file.h reads them), named, versioned and
 * known by the SHA-256 of their canonical text.  Some things no profile can say, because nothing in
 * a guest would honour them: to run without no_new_privs, in the guest's namespaces or with its
 * keyring, or as an id of the guest's.  docs/hardening.md says what each part is for.
 *
 * Pure.
 */
#pragma once

#include <glib.h>

#include "tmpfs.h"
#include "ulimit.h"

#define DN_PROFILE_IDS_MAX 65536

/* Which calls a container may make at most; each holds what is before it. */
typedef enum
{
  DN_SECCOMP_DEFAULT,    /* seccomp/default.json */
  DN_SECCOMP_RELAXED,    /* with seccomp/relaxed.json besides */
  DN_SECCOMP_UNCONFINED, /* every call but those that no filter of ours passes */
} DnSeccompBase;

extern const char *const dn_seccomp_base_words[]; /* by DnSeccompBase, ends with NULL */

typedef struct
{
  char *target; /* owned, as are the others */
  char *type;
  char **options; /* NULL-terminated */
} DnProfileMount;

typedef struct
{
  char *name; /* owned, as are all pointers; what --profile calls it */
  guint64 version;
  char *sha256; /* of the canonical text, hexadecimal */
  guint64 capabilities;
  int seccomp; /* DnSeccompBase */
  guint64 ids; /* how many guest ids a container has */
  int root;    /* 0: read-only; 1: a writable layer in memory */
  guint64 writable_bytes;
  GPtrArray *mounts;    /* DnProfileMount, by path: what lies in another comes after it */
  GPtrArray *tmpfs;     /* DnTmpfs, likewise */
  GArray *ulimits;      /* DnUlimit */
  char **masked;        /* paths that read as empty; sorted, NULL-terminated */
  char **readonly;      /* paths that cannot be written; likewise */
  GPtrArray *sysctls;   /* name, value, name, value: of the container's own namespaces */
  guint64 pids;         /* processes and threads */
  guint64 memory_bytes; /* 0: the guest's memory is the limit */
  guint64 cpu_shares;   /* 0: the kernel's default */
} DnProfile;

DnProfile *dn_profile_new (void);
void dn_profile_free (DnProfile *profile);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DnProfile, dn_profile_free)

/* In what @profile leaves more open than @reference, one text each: "capability NET_ADMIN",
 * "path /proc/kcore is not masked".  Only what no flag could move: a container's --tmpfs, --ulimit,
 * --pids-limit and --writable are its own affair within its guest.
 * (transfer full) (element-type utf8) */
GPtrArray *dn_profile_relaxations (const DnProfile *profile, const DnProfile *reference);
