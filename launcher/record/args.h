/* SPDX-License-Identifier: Apache-2.0 */
/* Which facts of a request are recorded: a closed list of names.
 *
 * Recorded are names, sizes, switches and the first word of a command.  Never recorded, because
 * secrets are where they are: values of the environment, the rest of a command, input, files'
 * contents, labels.  Of texts that decide confinement (a filter, a profile) the SHA-256.  What a
 * verb of a later version has and this list does not know is left out.
 *
 * Pure.
 */
#pragma once

#include <json-glib/json-glib.h>

/* As it stands in a line of JSON, quotes and backslashes counted twice. */
#define DN_RECORD_TEXT_MAX_BYTES 200
#define DN_RECORD_LIST_MAX 16

/* A copy of a caller's text for the record: valid, without control characters, cut to
 * %DN_RECORD_TEXT_MAX_BYTES. (transfer full) */
char *dn_record_text (const char *text);

/* Of a request's arguments those that are recorded. (transfer full): NULL for none */
JsonObject *dn_record_args_pick (JsonObject *args);
