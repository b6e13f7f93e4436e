/* SPDX-License-Identifier: Apache-2.0 */
/* A probe: one harmless attempt at one technique by which programs have left containers, and the
 * refusals that count as an answer to it.
 *
 * An attempt that succeeds undoes at once what it did; none carries a payload, names another
 * process than the probe's own children, or needs a bug: each only asks for what an exploit would
 * need first.  Every attempt runs in a child of its own, which may be killed for asking.
 *
 * The probe is static and needs nothing but itself: no shell, library, or file of the image.
 * Source: docs/red-team.md.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* What an attempt returns: 0 when it succeeded, the errno of its refusal, or one of these. */
typedef enum
{
  DN_SEEN_EMPTY = -1,     /* it could be read, and there was nothing in it */
  DN_SEEN_ABSENT = -2,    /* there is no such thing */
  DN_SEEN_UNCHANGED = -3, /* the call went through and had no effect */
  DN_SEEN_BOUNDED = -4,   /* a limit ended it */
  DN_SEEN_HIDDEN = -5,    /* others' things are not in the list */
  DN_SEEN_UNKNOWN = -6,   /* the attempt could not be made here */
} DnSeen;

/* Attempts take what their table says; which of them are used is the attempt's affair. */
typedef struct
{
  const char *path;
  long a;
  long b;
  long c;
} DnAim;

typedef struct
{
  const char *id;        /* stable; the family's name is its first word */
  const char *technique; /* what it is, with the CVE that made it known */
  const char *demand;    /* the id of the demand that the refusal meets */
  /* The refusals that count, names of errnos, signals or DnSeen, blanks between.  `ok`: it may
   * succeed. */
  const char *accepted;
  const char *standard; /* those under the profile `standard`; NULL: the same */
  int (*attempt) (const DnAim *aim);
  DnAim aim;
} DnProbe;

typedef struct
{
  const char *name;
  const DnProbe *probes;
  size_t count;
} DnFamily;

#define DN_FAMILY(noun, table) const DnFamily noun = { #noun, table, sizeof table / sizeof *table }

/* The families of a process in a container. */
extern const DnFamily dn_abi, dn_bombs, dn_cgroups, dn_descriptors, dn_devices, dn_ipc, dn_kernel,
    dn_keyrings, dn_links, dn_mounts, dn_namespaces, dn_neighbours, dn_privileges, dn_procfs,
    dn_sockets, dn_surfaces, dn_terminal, dn_tracing;
/* Those of the guest's root; in a container they are not run. */
extern const DnFamily dn_guest, dn_share;
/* For a card, by name alone: the runner has made what they look for (network.py). */
extern const DnFamily dn_networks;

/* Attempts of use to several families.  All return as an attempt does. */

/* Opens aim.path with the flags aim.a. */
int dn_attempt_open (const DnAim *aim);
/* Opens aim.path for reading and reads: EMPTY where nothing comes. */
int dn_attempt_read (const DnAim *aim);
/* Makes the system call aim.a with five zero or -1 arguments (aim.b): a filter answers before the
 * kernel looks at them. */
int dn_attempt_call (const DnAim *aim);

/* Other processes (processes.c). */

#define DN_PROCESS_TEXT_BYTES 256

/* Whether the process @pid is the one that is looked for, by @text, the beginning of the file: at
 * least one byte is 0 behind it, bytes within may be too. */
typedef bool (*DnProcessFunc) (pid_t pid, const char text[DN_PROCESS_TEXT_BYTES], const void *data);

/* Looks into /proc/PID/@file of every process that can be seen.  Returns: 0 where one is wanted,
 * HIDDEN otherwise */
int dn_process_find (const char *file, DnProcessFunc is_wanted, const void *data);

/* A pidfd of the attempt's parent, or -1 with errno. */
int dn_process_open_parent (void);

/* Ends and reaps a child of the attempt; nothing where a call that failed made none (@child <= 0).
 * errno may change. */
void dn_process_end (long child);

/* errno of a call that failed (-1), 0 of one that did not. */
int dn_seen (long result);

/* The name of what an attempt returned, in a static buffer. */
const char *dn_seen_name (int seen);

/* `refused`, `permitted`, `reached`, `BREACH` or `untried` (main.c says what each is): what was
 * seen beside what is accepted, a list of names with blanks between. */
const char *dn_verdict (const char *accepted, int seen);

/* Runs one probe in a child of its own, for at most half a minute.  Returns as an attempt does;
 * a signal that ended the child as 1000 + its number. */
int dn_probe_run (const DnProbe *probe);

/* What a neighbour in the same context shows to `dn_neighbours`, until it is killed.  Returns an
 * exit status where that cannot be set up. */
int dn_neighbour_be (void);

/* The directory for files of the attempts: private to the container, writable. */
#define DN_SCRATCH "/tmp"
