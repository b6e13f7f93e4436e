/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers as people write them, in and out: sizes, processors, durations, times.
 *
 * Parsers take the whole text or nothing, no signs and no blanks, and say what would be right.
 * Errors are DN_ERROR_USAGE.  Pure, except that the time zone is the caller's.
 */
#pragma once

#include <glib.h>

/* "512m", "1g", "1.5GiB", "1024": a unit is a power of 1024 (b k m g t, with an optional b or ib),
 * none is bytes.  Over 0, at most 2^62. */
gboolean dn_units_parse_size (const char *text, gint64 *ret_bytes, GError **error);

/* "1.5": over 0, at most 4096, up to three decimals. */
gboolean dn_units_parse_cpus (const char *text, double *ret_cpus, GError **error);

/* A whole number within the bounds. */
gboolean dn_units_parse_int (const char *text, gint64 least, gint64 most, gint64 *ret_number,
                             GError **error);

/* "90" (seconds), "1.5s", "10m", "1h30m", "2d": in microseconds, at most ten years. */
gboolean dn_units_parse_duration (const char *text, gint64 *ret_us, GError **error);

/* A moment: RFC 3339 or its beginning ("2026-11-22", "2026-11-22T04:00:00Z"; without a zone the
 * local one), seconds since the epoch with up to 9 decimals, or a duration before @now_us. */
gboolean dn_units_parse_time (const char *text, gint64 now_us, gint64 *ret_us, GError **error);

/* "512B", "1.2MiB", "3GiB". (transfer full) */
char *dn_units_format_size (gint64 bytes);

/* A length of time in one unit, as docker words it: "12 seconds", "About a minute", "3 days".
 * (transfer full) */
char *dn_units_format_duration (gint64 us);

/* "3 days ago"; "-" for no time at all (0). (transfer full) */
char *dn_units_format_ago (gint64 then_us, gint64 now_us);

/* Processor time as ps(1) has it: "0:01", "12:34", "1:02:03". (transfer full) */
char *dn_units_format_cpu_time (gint64 us);
