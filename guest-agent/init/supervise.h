/* SPDX-License-Identifier: Apache-2.0 */
/* The rest of pid 1's life: start the agent, reap what was orphaned, switch off at the end. */
#pragma once

#include <stdnoreturn.h>

#define DN_SUPERVISE_AGENT "/sbin/danchi-agent"

/**
 * dn_supervise:
 *
 * Starts the agent in a session of its own with a clean environment and default signals, standard
 * input from /dev/null, output on the console.  When the agent ends, however it does, or on SIGTERM
 * or SIGPWR, the guest is switched off: there is no second agent, because the first one's
 * containers would be unknown to it.
 */
noreturn void dn_supervise (void);
