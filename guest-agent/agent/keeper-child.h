/* SPDX-License-Identifier: Apache-2.0 */
/* From the agent's clone to danchi-keeper: what it gives up, in order.  As of child.h, but with
 * nothing of a container's in it. */
#pragma once

/* Never returns.  @sync_fd: over which it is told to go on when its ids are mapped, and says what
 * failed (a DnSyncReport of kind FAULT); the program's descriptor 1.  @program: opened. */
_Noreturn void dn_keeper_child_run (const char *run_dir, int sync_fd, int program);
