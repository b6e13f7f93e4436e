/* SPDX-License-Identifier: Apache-2.0 */
/* A program that takes part in running containers, as the host's kernel tells of it: which file it
 * is, as whom it runs, what confines it.
 *
 * Read at every call from /proc, nothing is remembered but the file's digest (file-digest.h).  The
 * file is the one the process runs, also where its path leads to another by now.
 *
 * Privilege: CAP_SYS_PTRACE for processes of others (their /proc/PID/exe).
 * Source: proc(5).
 */
#pragma once

#include <json-glib/json-glib.h>

/* The lines of /proc/PID/status that tell of confinement, and the label. */
typedef struct
{
  gint64 uid;          /* real; -1: not found */
  gint64 seccomp;      /* SECCOMP_MODE_*; -1 */
  gint64 no_new_privs; /* -1 */
  char *capabilities;  /* owned; effective, hexadecimal; or NULL */
  char *label;         /* owned; attr/current on one line; NULL: no LSM labels processes */
} DnProgramRights;

void dn_program_rights_clear (DnProgramRights *rights);

/* @status and @label as the kernel prints them, either may be NULL.  Pure. */
void dn_program_rights_parse (const char *status, const char *label, DnProgramRights *ret_rights);

/* One entry of "chain", its context null: {program role path sha256 version uid pid context
 * confinement}; see docs/api.md.  Absent facts are null.  @version may be NULL. (transfer full) */
JsonObject *dn_program_new (const char *program, const char *role, const char *version);

/* Adds what /proc tells of a process.  FALSE: there is none, and nothing was added. */
gboolean dn_program_add_process (JsonObject *program, gint pid);

/* Adds path and digest of a file that is no process. */
void dn_program_add_file (JsonObject *program, const char *path);
