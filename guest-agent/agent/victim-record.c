/* SPDX-License-Identifier: Apache-2.0 */
#include "victim-record.h"

#include <stdlib.h>
#include <string.h>

#define RECORD_BYTES 1024
#define PAGES_KIB 1024

static const char *const beginnings[] = {
  "Memory cgroup out of memory: Killed process ",
  "Out of memory: Killed process ",
};

/* The last occurrence of @what, or NULL. */
static char *
find_last (char *text, const char *what)
{
  char *found = NULL;

  for (char *at = strstr (text, what); at != NULL; at = strstr (at + 1, what))
    found = at;
  return found;
}

static bool
take_number (const char *text, uint64_t most, uint64_t *ret_number)
{
  char *end;

  if (text == NULL || *text < '0' || *text > '9')
    return false;
  *ret_number = strtoull (text, &end, 10);
  return *ret_number <= most;
}

static uint64_t
kib_after (char *text, const char *what)
{
  char *at = find_last (text, what);
  uint64_t kib = 0;

  return at != NULL && take_number (at + strlen (what), UINT64_MAX / PAGES_KIB, &kib)
             ? kib * PAGES_KIB
             : 0;
}

static bool
read_message (char *message, DnVictimRecord *record)
{
  char *at = NULL, *name, *rest, *uid;
  uint64_t number;

  for (size_t i = 0; i < sizeof beginnings / sizeof beginnings[0]; i++)
    if (strncmp (message, beginnings[i], strlen (beginnings[i])) == 0)
      at = message + strlen (beginnings[i]);
  if (!take_number (at, UINT32_MAX, &number) || (name = strstr (at, " (")) == NULL
      || (rest = find_last (name, ") total-vm:")) == NULL
      || (uid = find_last (rest, ", UID:")) == NULL)
    return false;
  record->pid = (uint32_t) number;
  if (!take_number (uid + strlen (", UID:"), UINT32_MAX, &number))
    return false;
  record->uid = (uint32_t) number;
  record->memory_bytes = kib_after (rest, "anon-rss:") + kib_after (rest, "file-rss:")
                         + kib_after (rest, "shmem-rss:");
  name += strlen (" (");
  *rest = '\0';
  if (strlen (name) > DN_PROGRAM_BYTES)
    name[DN_PROGRAM_BYTES] = '\0';
  strcpy (record->program, name);
  return true;
}

bool
dn_victim_record_read (const char *text, size_t size, DnVictimRecord *ret_record)
{
  DnVictimRecord record = { 0 };
  char copy[RECORD_BYTES];
  char *message;

  if (size >= sizeof copy)
    size = sizeof copy - 1;
  memcpy (copy, text, size);
  copy[size] = '\0';
  /* "level,number,time,flags;message\n KEY=value\n" */
  message = strchr (copy, ';');
  if (message == NULL)
    return false;
  message++;
  message[strcspn (message, "\n")] = '\0';
  if (!read_message (message, &record))
    return false;
  *ret_record = record;
  return true;
}
