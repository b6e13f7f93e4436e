/* SPDX-License-Identifier: Apache-2.0 */
/* The connection to danchid.
 *
 * One request at a time.  While its answer is awaited, progress is drawn on a terminal
 * (progress.h).  The danchid of the default socket is started where it does not run and the caller
 * is root (daemon-start.h).
 *
 * Source: docs/api.md, launcher/common/api.h.
 */
#pragma once

#include <json-glib/json-glib.h>

#include "../base/fdpass.h"

typedef struct DnClient DnClient;

/* An "event" of a request under way.  @fds: what came with it; the handler may take descriptors out
 * (set count to 0), the rest is closed.  FALSE ends the request with @error. */
typedef gboolean (*DnClientEventFunc) (JsonObject *event, DnFdList *fds, gpointer data,
                                       GError **error);

/* What a request has besides its arguments. */
typedef struct
{
  const DnFdList *fds; /* to send along; stay the caller's */
  DnClientEventFunc event;
  gpointer data;       /* for @event */
  DnFdList ret_fds;    /* (out): what came with "ok"; the caller clears it */
  gint64 deadline_us;  /* g_get_real_time() at which to give up quietly; 0: never */
  gboolean has_passed; /* (out): the deadline came: NULL was returned without an error */
} DnClientCall;

/**
 * dn_client_connect:
 * @is_verbose: progress as lines on stderr instead of drawing
 *
 * Starts danchid when nobody listens at @path, that is the default socket, and the caller is root.
 *
 * Returns: (transfer full): NULL with DN_ERROR_FAILED or DN_ERROR_DENIED, which say who may and how
 */
DnClient *dn_client_connect (const char *path, gboolean is_verbose, GError **error);
void dn_client_free (DnClient *client);

/**
 * dn_client_call:
 * @args: (transfer full) (nullable)
 * @ret_console: where an error's descriptor goes (an earlier one is closed)
 *
 * Returns: (transfer full): the "ok" object, or NULL with the error sent, a hint after a newline;
 *   after DN_ERROR_PROTOCOL or DN_ERROR_FAILED of the connection itself it is of no more use
 */
JsonObject *dn_client_call (DnClient *client, const char *verb, JsonObject *args,
                            DnClientCall *call, int *ret_console, GError **error);

/* The halves of it, for a request whose answer is awaited beside other work. */
gboolean dn_client_send (DnClient *client, const char *verb, JsonObject *args, const DnFdList *fds,
                         GError **error);
/* The socket, to poll for readability. */
int dn_client_fd (const DnClient *client);
