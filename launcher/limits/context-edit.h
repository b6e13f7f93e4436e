/* SPDX-License-Identifier: Apache-2.0 */
/* One key of a context's file set anew, and all else in it left as the operator wrote it: comments,
 * order, blank lines.
 *
 * Pure.
 */
#pragma once

#include "../common/key-file.h"

/**
 * dn_context_edit:
 * @text: of a file that dn_key_file_parse() has read with these @places
 * @value: as the file has it
 *
 * The key's own line is replaced; where there is none, one is added behind the last line of its
 * group that says something, or with its group at the end.  A file that says it differently (the
 * group twice) was refused when it was read.
 *
 * Returns: (transfer full): the new text
 */
char *dn_context_edit (const char *text, const DnKeyPlaces *places, const char *group,
                       const char *key, const char *value);
