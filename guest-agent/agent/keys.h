/* SPDX-License-Identifier: Apache-2.0 */
/* Keys that the host has sent for what comes next (KEY): each by its name, in a locked page of its
 * own that children do not get, until whoever needs it takes it.
 *
 * A key that nobody takes goes with its link; there are %DN_KEYS_MAX at most.
 */
#pragma once

#include "agent.h"

typedef struct DnKey
{
  struct DnKey *next;
  char name[DN_SECRET_NAME_BYTES + 1];
  size_t size;    /* 1 to DN_KEY_BYTES */
  uint8_t *bytes; /* a page of secret-memory.h */
} DnKey;

/* Takes ownership of @bytes, also on failure.  0; -EEXIST, -ENOSPC or -ENOMEM. */
int dn_keys_add (DnAgent *agent, const char *name, uint8_t *bytes, size_t size);

/* The key of that name, the caller's now, or NULL. */
DnKey *dn_keys_take (DnAgent *agent, const char *name);

/* Zeroes and frees it.  NULL is fine. */
void dn_key_free (DnKey *key);

/* Zeroes and frees all that were not taken. */
void dn_keys_forget (DnAgent *agent);
