/* SPDX-License-Identifier: Apache-2.0 */
/* Running a helper of the unpack guest's root: mke2fs. */
#pragma once

#include "failure.h"

/**
 * dn_program_run:
 * @argv: NULL-terminated; argv[0] is looked for in /sbin, /usr/sbin, /bin and /usr/bin
 *
 * It gets a constant environment.  Waits for its end.  Its input is empty, its output is dropped;
 * what it says on standard error is in the failure's words, cut.
 */
bool dn_program_run (const char *const *argv, DnFailure *failure);
