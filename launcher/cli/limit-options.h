/* SPDX-License-Identifier: Apache-2.0 */
/* The flags for a container's limits, which run, create and update share. */
#pragma once

#include <json-glib/json-glib.h>

typedef struct
{
  char *memory; /* owned, as all; as given, NULL: not given */
  char *cpus;
  char *cpu_shares;
  char *pids_limit;
  char *memory_reservation;
  char *memory_swap;
  char *cpuset_cpus;
  char *read_bps;
  char *write_bps;
  char *read_iops;
  char *write_iops;
} DnLimitOptions;

void dn_limit_options_clear (DnLimitOptions *options);

/* Those of people, those of Docker's that cannot be (each an error that says why), and an empty
 * one.
 */
#define DN_LIMIT_OPTIONS_ROWS (11 + 11 + 1)
void dn_limit_options_fill (DnLimitOptions *options, GOptionEntry *ret_rows);

/* Adds what was given to @args by the names of the API; -1 lifts a limit.  DN_ERROR_USAGE naming
 * the flag. */
gboolean dn_limit_options_to_args (const DnLimitOptions *options, JsonObject *args, GError **error);

/* One flag's number, where @text is not NULL; errors name @flag. */
gboolean dn_limit_set_size (JsonObject *args, const char *member, const char *flag,
                            const char *text, gboolean may_be_none, GError **error);
gboolean dn_limit_set_int (JsonObject *args, const char *member, const char *flag, const char *text,
                           gint64 least, gint64 most, GError **error);
