/* SPDX-License-Identifier: Apache-2.0 */
/* One request of a client's while it is worked on: its arguments, and the way back.
 *
 * Belongs to the client's thread: progress, events and answers go out from there alone.  Work that
 * blocks where the client cannot be watched runs by dn_request_supervise() on a thread beside.
 */
#pragma once

#include <json-glib/json-glib.h>

#include "../base/fdpass.h"
#include "../common/json.h"
#include "caller.h"
#include "trace.h"

typedef struct DnRequest
{
  struct DnDaemon *daemon;   /* borrowed, as are all of these */
  const DnCaller *caller;    /* who asks, by the kernel's word */
  char *rule;                /* owned; by which it was last allowed or denied, or NULL */
  const struct DnVerb *verb; /* what for; NULL until the message was read */
  int socket;
  struct DnRequestRecord *record; /* in the audit record: request-record.h */
  JsonObject *args;
  DnFdList fds;   /* that came along; closed with the request */
  DnTrace *trace; /* from the request's arrival on */
  guint steps;    /* progress steps so far */
  int console_fd; /* goes out with an error; -1: none */
} DnRequest;

/* Reads the arguments by a table; an unknown one or a wrong type is DN_ERROR_USAGE. */
gboolean dn_request_read (DnRequest *request, const DnJsonField *fields, GError **error);

/* How often work under way looks for a client that has gone. */
#define DN_REQUEST_WATCH_MS 200

/* Tells the client of a step; @done and @total are left out when @total is 0.  A client that cannot
 * be told is found out by the answer. */
void dn_request_progress (DnRequest *request, const char *step, guint64 done, guint64 total);

/* Sends an event; @fds may be NULL.  (transfer none) */
gboolean dn_request_event (DnRequest *request, JsonNode *event, const DnFdList *fds,
                           GError **error);

/* Whether the client has closed the connection. */
gboolean dn_request_is_gone (DnRequest *request);

/* Waits until @fd can be read.  DN_ERROR_FAILED when the client goes meanwhile. */
gboolean dn_request_wait_readable (DnRequest *request, int fd, GError **error);

typedef struct
{
  gboolean (*work) (gpointer data, GError **error); /* on a thread of its own */
  void (*tick) (DnRequest *request, gpointer data); /* now and then, on the client's; or NULL */
  void (*cancel) (
      gpointer data); /* once, when the client has gone; makes @work end soon; or NULL */
  gpointer data;
} DnRequestJob;

/* Runs the job and returns what its work returned. */
gboolean dn_request_supervise (DnRequest *request, const DnRequestJob *job, GError **error);
