/* SPDX-License-Identifier: Apache-2.0 */
/* What init says: boot milestones, and one line when the boot cannot go on.
 *
 * All of it goes to descriptor 2, which the kernel opened on /dev/console before it started init.
 * A line is one write(2): under emulation every byte costs an exit to QEMU, so lines are short and
 * there are few.
 */
#pragma once

#include "../../protocol/milestone.h"

/* Writes "danchi-boot: N\n".  A console that cannot be written is no reason to stop. */
void dn_console_milestone (DnMilestone milestone);

/**
 * dn_console_error:
 * @what: the step and its object, for instance "mount '/proc'"; at most 200 bytes are shown
 * @error: an errno, or 0 for none
 *
 * Writes "danchi-boot-error: WHAT: WHY\n".
 */
void dn_console_error (const char *what, int error);
