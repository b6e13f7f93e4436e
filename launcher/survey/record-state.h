/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the audit record of this host is what it was (R4.6): danchi audit verify-log in short. */
#pragma once

#include <json-glib/json-glib.h>

/**
 * dn_record_state_read:
 * @directory: of the record
 * @anchor: the file of its head that danchid keeps apart
 *
 * Lines that are missing at the beginning are taken for archived: verify-log --first tells.
 *
 * Returns: (transfer full): {is_whole, files, lines, problems, problem, error}; is_whole is null
 * and error says why where the record or its anchor cannot be read
 */
JsonObject *dn_record_state_read (const char *directory, const char *anchor);
