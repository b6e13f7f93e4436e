/* SPDX-License-Identifier: Apache-2.0 */
/* Notes for people on standard error, which is a log of danchid's: one line each, the
 * program's name, words of ours and numbers, never a stranger's text.
 */
#pragma once

/* Blocks where standard error does; keeps no state. */
void dn_say (const char *format, ...) __attribute__ ((format (printf, 1, 2)));
