/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes that no process of the host may keep, from whoever has them to a guest's agent.
 *
 * danchid reads none of them.  It makes a socket pair, gives one end to who has the bytes and the
 * other to the guest's relay (SECRET_TRANSFER), and waits for the agent's word.  What is written to
 * the first end is of protocol/secret-stream.h: pieces and an end.  Where the writer is killed the
 * end is missing, and the agent throws away what came.
 *
 * Between the two only the kernel's socket buffers and the relay's one locked page hold bytes:
 * ../relay/strongbox.h.  Nothing of it is named by a path, so nothing can be left behind.
 *
 * All block; none with the daemon's lock.
 */
#pragma once

#include "../daemon/request.h"
#include "../guest/guest.h"

/* How long the client may take to write all that it was asked for at a time, and the agent to take
 * it: somebody may have to stop the container meanwhile. */
#define DN_SECRETS_TIMEOUT_US (60 * G_TIME_SPAN_SECOND)

/**
 * dn_secret_send:
 * @name: what the client calls it
 * @message: a SECRET; its `stream` is filled in here
 * @end_us: when to give up; g_get_monotonic_time()
 *
 * Asks the client for the content by an event {"secret": @name} with one descriptor, a socket to
 * write to, and has it brought to the agent.
 *
 * Returns: TRUE when the content is in its place; else DN_ERROR_GUEST with the agent's words
 */
gboolean dn_secret_send (DnGuest *guest, DnRequest *request, const char *name, DnMsgSecret *message,
                         gint64 end_us, GError **error);

/**
 * dn_secret_ask_key:
 *
 * Likewise for a key, of 1 to %DN_KEY_BYTES bytes: event {"secret": @name}.  The agent keeps it
 * under @name, unique among those of this guest that were not taken, in locked memory until a
 * request that is about it takes it (../../guest-agent/agent/keys.h), or its link ends.
 */
gboolean dn_secret_ask_key (DnGuest *guest, DnRequest *request, const char *name, GError **error);

/**
 * dn_secret_send_key:
 * @fd: an open regular file, read from its start; it stays the caller's
 *
 * Likewise, with what is in a file: the kernel moves the bytes (sendfile(2)), danchid sees none.
 * DN_ERROR_LIMIT: it is empty, no regular file, or has more than %DN_KEY_BYTES bytes.
 */
gboolean dn_secret_send_key (DnGuest *guest, const char *name, int fd, GError **error);
