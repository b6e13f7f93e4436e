/* SPDX-License-Identifier: Apache-2.0 */
/* What danchi-share itself gives up at its start: all capabilities but thirteen, each with its
 * reason in rights.c, the network, and gaining any. */
#pragma once

/* Returns: 0 or -errno.  With one thread. */
int dn_share_rights_drop (void);
