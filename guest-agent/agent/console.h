/* SPDX-License-Identifier: Apache-2.0 */
/* What the agent says outside the channel: boot milestones and a few lines for whoever looks at the
 * guest's console.  Never blocks, never waits for a reader. */
#pragma once

#include "../../protocol/milestone.h"

/* @to_stderr: in tests, instead of /dev/console. */
void dn_console_open (int to_stderr);

void dn_console_milestone (DnMilestone milestone);

/* One line, cut at 200 bytes, control characters replaced. */
void dn_console_log (const char *format, ...) __attribute__ ((format (printf, 1, 2)));
