/* SPDX-License-Identifier: Apache-2.0 */
/* What danchid orders of danchi-intake: one message, with the descriptors of one run.
 *
 * The message is the text "TASK UID GID"; its descriptors are, in this order:
 *
 *     staging    the run's directory, which is the UID's: the only one that the jail can write
 *     input      the task reads its order here: lines KEY=VALUE, an empty one at the end
 *     report     the task writes lines here: launcher/intake/report.h
 *     lifeline   the run ends when the other end of this one is closed
 *     files      up to %DN_INTAKE_FILES_MAX more, by the task: credentials, a signature
 *
 * From root to root: it goes over a socket that nobody else can reach.  Nothing of what the task
 * works on is in it.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "fdpass.h"

#define DN_INTAKE_ORDER_MAX_BYTES 128
#define DN_INTAKE_TASK_MAX_BYTES 16
#define DN_INTAKE_FILES_MAX 4

enum
{
  DN_INTAKE_FD_STAGING,
  DN_INTAKE_FD_INPUT,
  DN_INTAKE_FD_REPORT,
  DN_INTAKE_FD_LIFELINE,
  DN_INTAKE_FDS,
};

typedef struct
{
  char task[DN_INTAKE_TASK_MAX_BYTES];
  uid_t uid;
  gid_t gid;
} DnIntakeOrder;

/* Writes the text of an order, with its NUL.  Returns: its length without it, or -EMSGSIZE */
int dn_intake_order_format (const DnIntakeOrder *order, char *text, size_t size);

/* Reads @text, which ends with a NUL.  Neither id may be 0.  Returns: 0 or -EINVAL */
int dn_intake_order_parse (const char *text, DnIntakeOrder *ret_order);
