/* SPDX-License-Identifier: Apache-2.0 */
#include "keys.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "secret-memory.h"

int
dn_keys_add (DnAgent *agent, const char *name, uint8_t *bytes, size_t size)
{
  DnKey *key = NULL;
  unsigned count = 0;
  int r = 0;

  for (const DnKey *other = agent->keys; other != NULL; other = other->next, count++)
    if (strcmp (other->name, name) == 0)
      r = -EEXIST;
  if (r == 0 && count >= DN_KEYS_MAX)
    r = -ENOSPC;
  if (r == 0 && (key = calloc (1, sizeof *key)) == NULL)
    r = -ENOMEM;
  if (r < 0)
    {
      dn_secret_memory_free (bytes, DN_KEY_BYTES);
      return r;
    }
  strcpy (key->name, name);
  key->bytes = bytes;
  key->size = size;
  key->next = agent->keys;
  agent->keys = key;
  return 0;
}

DnKey *
dn_keys_take (DnAgent *agent, const char *name)
{
  for (DnKey **at = &agent->keys; *at != NULL; at = &(*at)->next)
    if (strcmp ((*at)->name, name) == 0)
      {
        DnKey *key = *at;

        *at = key->next;
        key->next = NULL;
        return key;
      }
  return NULL;
}

void
dn_key_free (DnKey *key)
{
  if (key == NULL)
    return;
  dn_secret_memory_free (key->bytes, DN_KEY_BYTES);
  free (key);
}

void
dn_keys_forget (DnAgent *agent)
{
  while (agent->keys != NULL)
    dn_key_free (dn_keys_take (agent, agent->keys->name));
}
