/* SPDX-License-Identifier: Apache-2.0 */
/* A process on its way from NEW to RUNNING (process.h): its pipes, its clone, what it says over the
 * sync socket meanwhile, the read-back before its program runs, and its deadline.
 *
 * dn_process_spawn() and dn_process_run() are here too; these are for process.c alone.
 */
#pragma once

#include "process.h"

/* Once, before the process is cloned: sync_watch and setup_timer. */
void dn_process_setup_init (DnProcess *process);

/* Hears and waits no more. */
void dn_process_setup_clear (DnProcess *process);

/* Its end was noticed: takes what it had to say before that.  @process may be gone afterwards. */
void dn_process_setup_hear (DnProcess *process);
