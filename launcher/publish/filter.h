/* SPDX-License-Identifier: Apache-2.0 */
/* danchi-publish's system calls: an allowlist; any other kills the process.  No socket can be made.
 */
#pragma once

/* Needs no_new_privs.  Returns: 0 or -errno. */
int dn_publish_filter_load (void);
