/* SPDX-License-Identifier: Apache-2.0 */
#include "facts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "autofd.h"

int
dn_facts_init (DnFacts *facts)
{
  *facts = (DnFacts){ .items = calloc (DN_FACTS_MAX, sizeof (DnMsgFact)) };
  return facts->items != NULL ? 0 : -ENOMEM;
}

void
dn_facts_add (DnFacts *facts, pid_t pid, const char *name, const char *value)
{
  DnMsgFact fact = { .count = 1, .pid = (uint32_t) pid };

  (void) snprintf (fact.name, sizeof fact.name, "%s", name);
  (void) snprintf (fact.value, sizeof fact.value, "%s", value);
  for (size_t i = 0; i < facts->count; i++)
    if (strcmp (facts->items[i].name, fact.name) == 0
        && strcmp (facts->items[i].value, fact.value) == 0)
      {
        facts->items[i].count++;
        return;
      }
  /* One is kept free for "complete". */
  if (facts->count + 1 >= DN_FACTS_MAX)
    facts->is_full = true;
  else
    facts->items[facts->count++] = fact;
}

void
dn_facts_addf (DnFacts *facts, pid_t pid, const char *name, const char *format, ...)
{
  char value[DN_FACT_VALUE_BYTES + 1];
  va_list args;

  va_start (args, format);
  (void) vsnprintf (value, sizeof value, format, args);
  va_end (args);
  dn_facts_add (facts, pid, name, value);
}

static int
send_one (const DnMsgFact *fact, uint32_t request, int fd)
{
  DnMsgFact numbered = *fact;
  uint8_t payload[1024];
  int size;

  numbered.request = request;
  size = dn_msg_fact_pack (&numbered, payload, sizeof payload);
  if (size < 0)
    return size;
  return send (fd, payload, (size_t) size, MSG_NOSIGNAL) == size ? 0 : -errno;
}

int
dn_facts_send (const DnFacts *facts, uint32_t request, int fd)
{
  const DnMsgFact end = { .count = 1, .name = DN_FACT_COMPLETE, .value = "yes" };

  for (size_t i = 0; i < facts->count; i++)
    {
      int r = send_one (&facts->items[i], request, fd);

      if (r < 0)
        return r;
    }
  return facts->is_full ? 0 : send_one (&end, request, fd);
}

int
dn_facts_read_file (int directory, const char *path, char *ret_text, size_t size)
{
  dn_autofd int fd = openat (directory, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  ssize_t n = fd < 0 ? -1 : read (fd, ret_text, size - 1);
  size_t end = 0;

  if (n < 0)
    return -errno;
  for (ssize_t i = 0; i < n; i++)
    {
      char c = ret_text[i];

      if (c == '\n' || c == '\t' || c == '\0')
        c = ' ';
      if (c != ' ' || (end > 0 && ret_text[end - 1] != ' '))
        ret_text[end++] = c;
    }
  while (end > 0 && ret_text[end - 1] == ' ')
    end--;
  ret_text[end] = '\0';
  return 0;
}
