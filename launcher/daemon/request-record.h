/* SPDX-License-Identifier: Apache-2.0 */
/* A request in the audit record.
 *
 *   begin    who asks, and for what
 *   before   what it is about; a verb that acts has its line in the record from here on, synced.
 *            Where that fails the verb is not called: nothing acts without a line
 *   decided  for the verbs that make something: called by them when it is known what, and right
 *            before they do
 *   after    what came of it
 *
 * How many lines, by the kind of verb:
 *
 *   acts     two: `request` before, `outcome` after; a verb that is not known here is one of these
 *   makes    likewise, and the first one comes from within the verb
 *   looks    one, `whole`, synced before the answer goes out
 *   follows  one, `request`: the answer begins at once and may take days
 *
 * A request that is refused before it did anything has one line, `whole`, with the rule.
 * version, info and doctor are answered also where the record cannot be written: they say why.
 */
#pragma once

#include "../record/entry.h"
#include "request.h"

struct DnContainer;
struct DnContext;
struct DnServer;

typedef struct DnRequestRecord
{
  DnRecordEntry *entry; /* owned */
  guint64 seq;          /* of the `request` line, 0: there is none */
  gboolean is_refused;  /* by the record itself: nothing more is written of it */
  gboolean is_charged;  /* against its user's bucket */
} DnRequestRecord;

void dn_request_record_init (DnRequestRecord *record);
void dn_request_record_clear (DnRequestRecord *record);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (DnRequestRecord, dn_request_record_clear)

/* @verb: as the message has it, any text; NULL: it has none.  Sets request->record. */
void dn_request_record_begin (DnRequest *request, DnRequestRecord *record, const char *verb);

/* DN_ERROR_FAILED where the record cannot be written, DN_ERROR_LIMIT where the caller asks more
 * than it takes of one user. */
gboolean dn_request_record_before (DnRequest *request, GError **error);

/* The rule by which it was decided, in the words of who decides.  Optional: without it a refusal's
 * rule is the error's message. */
void dn_request_record_rule (DnRequest *request, gboolean is_denied, const char *rule);

/* What was found of the signature of an image that comes in. */
void dn_request_record_signature (DnRequest *request, const char *words);

/* @container is decided and not in the tables yet.  Without the daemon's lock. */
gboolean dn_request_record_decided (DnRequest *request, struct DnContainer *container,
                                    GError **error);

/* Likewise a context. */
gboolean dn_request_record_decided_context (DnRequest *request, struct DnContext *context,
                                            GError **error);

/* @ok: (transfer full): the verb's answer, or NULL with *@error set.
 * Returns: (transfer full): the answer, or NULL with *@error where there is none or it could not be
 *   recorded */
JsonObject *dn_request_record_after (DnRequest *request, JsonObject *ok, GError **error);

/* Somebody who was refused before he could ask, or whose message is broken.  Does not wait. */
void dn_request_record_refused (struct DnDaemon *daemon, const DnCaller *caller,
                                const GError *error);
