/* SPDX-License-Identifier: Apache-2.0 */
/* The flags of run and create about a container's health. */
#pragma once

#include <json-glib/json-glib.h>

typedef struct
{
  char *command; /* owned, as all; as given, NULL: not given */
  char *interval;
  char *timeout;
  char *start_period;
  char *start_interval;
  char *retries;
  gboolean is_off;
} DnHealthOptions;

void dn_health_options_clear (DnHealthOptions *options);

/* Seven rows and an empty one. */
#define DN_HEALTH_OPTIONS_ROWS 8
void dn_health_options_fill (DnHealthOptions *options, GOptionEntry *ret_rows);

/* DN_ERROR_USAGE naming the flag. */
gboolean dn_health_options_to_args (const DnHealthOptions *options, JsonObject *args,
                                    GError **error);
