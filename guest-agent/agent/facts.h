/* SPDX-License-Identifier: Apache-2.0 */
/* Facts in the making: collected by a forked verifier, equal ones counted, and sent as FACT.
 *
 * The verifier owns them; it ends when they are sent, so nothing is ever freed.
 */
#pragma once

#include <sys/types.h>

#include "../../protocol/protocol.h"
#include "../../protocol/verify.h"

typedef struct
{
  DnMsgFact *items; /* DN_FACTS_MAX of them */
  size_t count;
  bool is_full; /* something was left out */
} DnFacts;

/* 0 or -ENOMEM. */
int dn_facts_init (DnFacts *facts);

/* Adds a value that process @pid has (0: of no process); too long texts are cut.  One that is there
 * already is counted once more. */
void dn_facts_add (DnFacts *facts, pid_t pid, const char *name, const char *value);
void dn_facts_addf (DnFacts *facts, pid_t pid, const char *name, const char *format, ...)
    __attribute__ ((format (printf, 4, 5)));

/* Sends all as answers to @request, each a record on @fd, with "complete" as the last unless some
 * were left out.  0 or -errno. */
int dn_facts_send (const DnFacts *facts, uint32_t request, int fd);

/* A file's beginning, its blanks and line ends made single blanks; -errno. */
int dn_facts_read_file (int directory, const char *path, char *ret_text, size_t size);
