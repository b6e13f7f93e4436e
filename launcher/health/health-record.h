/* SPDX-License-Identifier: Apache-2.0 */
/* What a guest told of a container's health: class 2 data, shown and counted, and nothing on the
 * host is decided by it.
 *
 * Bounded: the last few checks, as Docker keeps them.  Output is the tenant's bytes; it is escaped
 * where it is shown, as all text of JSON is.
 *
 * Not locked: under the daemon's lock.
 */
#pragma once

#include <json-glib/json-glib.h>

#include "../../protocol/protocol.h"

#define DN_HEALTH_RECORD_CHECKS 5

typedef struct
{
  gint64 told_us; /* g_get_real_time() */
  guint64 took_us;
  int outcome; /* DnHealthOutcome */
  guint code;
  char *output; /* owned; UTF-8 */
} DnHealthCheckResult;

typedef struct
{
  gboolean has_check;
  int status; /* DnHealthStatus */
  guint failures;
  guint64 checks;
  gint64 event_us; /* monotonic; when the last change became an event, 0: none did */
  DnHealthCheckResult results[DN_HEALTH_RECORD_CHECKS]; /* oldest first */
  guint count;
} DnHealthRecord;

/* "starting", "healthy", "unhealthy"; by DnHealthStatus. */
const char *dn_health_status_word (int status);

void dn_health_record_clear (DnHealthRecord *record);

/* A run begins. */
void dn_health_record_begin (DnHealthRecord *record, gboolean has_check);

/* Takes what the guest says; what is told again, or is none of the three states, changes nothing.
 * Returns: whether the status is another than before */
gboolean dn_health_record_take (DnHealthRecord *record, const DnMsgHealth *message, gint64 now_us);

/* {"status", "failing_streak", "checks", "log": [...]}. (transfer full) */
JsonObject *dn_health_record_to_json (const DnHealthRecord *record);
