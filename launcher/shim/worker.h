/* SPDX-License-Identifier: Apache-2.0 */
/* Work that may block, on a thread of its own, whose end is told in the main loop. */
#pragma once

#include <glib.h>

/**
 * dn_worker_run:
 * @work: called on a new thread with @data
 * @done: called in the main loop with @data afterwards; where there is no thread to be had, both
 *   are called there
 */
void dn_worker_run (void (*work) (gpointer data), void (*done) (gpointer data), gpointer data);
