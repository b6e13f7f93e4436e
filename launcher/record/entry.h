/* SPDX-License-Identifier: Apache-2.0 */
/* What a line of the record says: who asked for what, on what, what was decided and what came of
 * it.  docs/audit-record.md lists the members.
 *
 * Texts come from callers and images: they are cleaned and cut here (args.h), and a line that is
 * still too long loses its `args`.
 *
 * Pure.
 */
#pragma once

#include <json-glib/json-glib.h>

#include "line.h"

#define DN_RECORD_NOBODY G_MAXUINT32 /* a login uid that is not set */

typedef enum
{
  DN_RECORD_REQUEST, /* before it takes effect */
  DN_RECORD_OUTCOME, /* what came of it */
  DN_RECORD_WHOLE,   /* both in one: it only looked, or did nothing */
  DN_RECORD_ACT,     /* danchid's own, without a client */
} DnRecordPhase;

typedef struct
{
  guint uid;
  guint gid;
  int pid;         /* 0: not known */
  guint login_uid; /* who logged in, by the kernel's audit; DN_RECORD_NOBODY */
  char *command;   /* owned; the program's path, or the name it gives itself */
} DnRecordWho;

typedef struct
{
  DnRecordPhase phase;
  DnRecordWho who;
  char *verb; /* owned, as are all of these; NULL where there is nothing to say */
  char *context;
  char *tenant;
  char *stage;
  char *tier;
  char *pod; /* NAMESPACE/NAME, Kubernetes' words for a context that is a pod */
  char *container_id;
  char *container;
  char *image;
  char *image_digest;
  char *image_signature; /* what was found when it came in */
  char *profile;
  char *profile_sha256;
  gboolean is_denied;
  char *rule;         /* that decided */
  char *outcome;      /* "ok", or the name of an error's code; NULL: not known yet */
  char *message;      /* of that error */
  JsonObject *args;   /* owned */
  guint64 request;    /* seq of the request that this is the outcome of; 0: none */
  guint64 unrecorded; /* requests of this uid that were refused without a line of their own */
} DnRecordEntry;

DnRecordEntry *dn_record_entry_new (DnRecordPhase phase, const char *verb);
void dn_record_entry_free (DnRecordEntry *entry);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DnRecordEntry, dn_record_entry_free)

/* Gives *@field a cleaned copy of @text, which may be NULL. */
void dn_record_set_text (char **field, const char *text);

/* The body of a line, at most %DN_RECORD_BODY_MAX_BYTES. (transfer full) */
char *dn_record_entry_print (const DnRecordEntry *entry);
