/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of the record on their way to the host's log as well: to systemd's journal where it runs,
 * else to syslog.
 *
 * A second place that an attacker of this host has to reach, and one that operators may already
 * send elsewhere.  It is a copy and no guarantee: a datagram that does not go at once is counted
 * and dropped, so that a log that hangs never holds up danchid.
 *
 * Source: systemd.journal-fields(7), https://systemd.io/JOURNAL_NATIVE_PROTOCOL, RFC 3164.
 */
#pragma once

#include <glib.h>

#define DN_RECORD_JOURNAL_SOCKET "/run/systemd/journal/socket"
#define DN_RECORD_SYSLOG_SOCKET "/dev/log"

typedef struct DnRecordForward DnRecordForward;

/* The sockets' paths, which tests set otherwise.  Nothing is opened yet. */
DnRecordForward *dn_record_forward_new (const char *journal, const char *syslog);
void dn_record_forward_free (DnRecordForward *forward);

/* @line: of @size bytes, without a newline.  Never blocks.  Returns: whether it went */
gboolean dn_record_forward_send (DnRecordForward *forward, const char *line, gsize size);
