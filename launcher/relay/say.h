/* SPDX-License-Identifier: Apache-2.0 */
/* Notes for people on standard error, which is the guest's relay.log: one line each, words of ours
 * and numbers, never a guest's text.
 */
#pragma once

/* Blocks where standard error does; keeps no state. */
void dn_say (const char *format, ...) __attribute__ ((format (printf, 1, 2)));
