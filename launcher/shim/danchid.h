/* SPDX-License-Identifier: Apache-2.0 */
/* Requests to danchid (docs/api.md), each on a connection and a thread of its own.
 *
 * danchid may be restarted at any time: while nobody listens, a request waits up to
 * %DN_DANCHID_WAIT_MS for the next one.  What was sent is not sent again, but for removals: of what
 * is gone they say so, and one that was lost would leave a container that nobody can delete.  Other
 * answers say that they were lost, and whoever asked knows what may be asked twice.
 *
 * The socket is DANCHI_SOCKET of the environment, else danchid's usual one.
 */
#pragma once

#include <json-glib/json-glib.h>

#include "../base/fdpass.h"

#define DN_DANCHID_WAIT_MS 5000

typedef struct
{
  JsonObject *ok;   /* owned; NULL: see error */
  DnFdList fds;     /* owned; take them out by setting count to 0 */
  GError *error;    /* owned */
  gboolean is_lost; /* the error is the connection's: nobody knows what was done */
} DnDanchidAnswer;

void dn_danchid_answer_clear (DnDanchidAnswer *answer);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (DnDanchidAnswer, dn_danchid_answer_clear)

/**
 * dn_danchid_ask:
 * @args: (transfer full)
 * @timeout_ms: for each answer to come; 0: none
 * @ret_answer: (out): the caller clears it
 *
 * Blocks.
 */
void dn_danchid_ask (const char *verb, JsonObject *args, guint timeout_ms,
                     DnDanchidAnswer *ret_answer);

/* Called in the main loop; @answer is cleared afterwards. */
typedef void (*DnDanchidDone) (DnDanchidAnswer *answer, gpointer user_data);

/* Likewise beside the main loop.  @args: (transfer full) */
void dn_danchid_call (const char *verb, JsonObject *args, guint timeout_ms, DnDanchidDone done,
                      gpointer user_data);

/* A member of an answer, "" or 0 where it is missing or of another type. */
const char *dn_danchid_text (JsonObject *object, const char *name);
gint64 dn_danchid_int (JsonObject *object, const char *name);
JsonObject *dn_danchid_object (JsonObject *object, const char *name);
