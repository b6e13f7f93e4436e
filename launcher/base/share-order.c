/* SPDX-License-Identifier: Apache-2.0 */
#include "share-order.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const verbs[]
    = { "start", "check", "bind", "unbind", "pod", "join", "look", "copy", "refresh" };
#define VERBS (sizeof verbs / sizeof verbs[0])

typedef struct
{
  char *text;
  size_t size;
  size_t used;
} Writer;

__attribute__ ((format (printf, 2, 3))) static void
add (Writer *writer, const char *format, ...)
{
  va_list arguments;
  int n;

  va_start (arguments, format);
  n = vsnprintf (writer->text + writer->used, writer->size - writer->used, format, arguments);
  va_end (arguments);
  /* One that did not fit stays full: the next does not fit either. */
  writer->used = n < 0 || (size_t) n >= writer->size - writer->used ? writer->size - 1
                                                                    : writer->used + (size_t) n;
}

static int
finish (const Writer *writer)
{
  return writer->used >= writer->size - 1 ? -EMSGSIZE : (int) writer->used;
}

bool
dn_share_order_has_source (DnShareVerb verb)
{
  return verb != DN_SHARE_START && verb != DN_SHARE_UNBIND && verb != DN_SHARE_JOIN;
}

uint32_t
dn_share_order_party (const DnShareOrder *order)
{
  return order->process.uid != 0 ? order->process.uid : order->source.uid;
}

/* Whether it is about no guest's share. */
static bool
is_question (DnShareVerb verb)
{
  return verb == DN_SHARE_CHECK || verb == DN_SHARE_LOOK;
}

bool
dn_share_order_is_pods (const DnShareOrder *order)
{
  return order->verb == DN_SHARE_START && order->guest_uid != 0;
}

/* Whether a pod's ids go with it. */
static bool
is_of_pod (const DnShareOrder *order)
{
  return order->verb == DN_SHARE_POD || order->verb == DN_SHARE_COPY
         || order->verb == DN_SHARE_REFRESH || dn_share_order_is_pods (order);
}

static void
add_source (Writer *writer, const DnShareSource *source)
{
  add (writer, "%d %d %u %u %u", source->is_writable, source->is_executable, source->uid,
       source->gid, source->group_count);
  for (uint32_t i = 0; i < source->group_count && i < DN_SHARE_GROUPS_MAX; i++)
    add (writer, " %u", source->groups[i]);
  add (writer, "\n%s\n%s\n", source->root, source->rest);
}

int
dn_share_order_format (const DnShareOrder *order, char *text, size_t size)
{
  Writer writer = { .text = text, .size = size };

  add (&writer, "%s %d %" PRIu64 " %u %u %u %u %u\n", verbs[order->verb], (int) order->process.pid,
       order->process.ticks, order->process.uid, order->process.gid, order->number,
       order->guest_uid, order->guest_gid);
  if (dn_share_order_has_source (order->verb))
    add_source (&writer, &order->source);
  if (order->verb == DN_SHARE_JOIN)
    add (&writer, "%d %" PRIu64 "\n", (int) order->qemu.pid, order->qemu.ticks);
  return finish (&writer);
}

/* A decimal number as the formatter writes it, and the one character that must follow. */
static bool
take_number (const char **at, uint64_t most, char end, uint64_t *ret_number)
{
  char *after;

  if (**at < '0' || **at > '9')
    return false;
  errno = 0;
  *ret_number = strtoull (*at, &after, 10);
  if (errno != 0 || *ret_number > most || *after != end)
    return false;
  *at = after + 1;
  return true;
}

static bool
take_u32 (const char **at, char end, uint32_t *ret_number)
{
  uint64_t number = 0;
  bool is_fine = take_number (at, UINT32_MAX, end, &number);

  *ret_number = (uint32_t) number;
  return is_fine;
}

static bool
take_flag (const char **at, bool *ret_flag)
{
  uint64_t number = 0;
  bool is_fine = take_number (at, 1, ' ', &number);

  *ret_flag = number == 1;
  return is_fine;
}

static bool
take_line (const char **at, char *ret_line, size_t size)
{
  size_t length = strcspn (*at, "\n");

  if (length >= size || (*at)[length] != '\n')
    return false;
  memcpy (ret_line, *at, length);
  ret_line[length] = '\0';
  *at += length + 1;
  return true;
}

static bool
take_source (const char **at, DnShareSource *source)
{
  if (!take_flag (at, &source->is_writable) || !take_flag (at, &source->is_executable)
      || !take_u32 (at, ' ', &source->uid) || !take_u32 (at, ' ', &source->gid))
    return false;
  if (!take_u32 (at, **at != '\0' && (*at)[strspn (*at, "0123456789")] == '\n' ? '\n' : ' ',
                 &source->group_count)
      || source->group_count > DN_SHARE_GROUPS_MAX)
    return false;
  for (uint32_t i = 0; i < source->group_count; i++)
    if (!take_u32 (at, i + 1 == source->group_count ? '\n' : ' ', &source->groups[i]))
      return false;
  return take_line (at, source->root, sizeof source->root)
         && take_line (at, source->rest, sizeof source->rest) && source->root[0] == '/'
         && source->rest[0] != '/';
}

/* No id of root's becomes a share's, and none of a guest's that it does not have. */
static bool
is_sound (const DnShareOrder *order)
{
  const DnShareProcess *process = &order->process;

  if (!is_question (order->verb) && (process->uid == 0 || process->gid == 0))
    return false;
  if (order->verb == DN_SHARE_JOIN && (process->pid <= 1 || order->qemu.pid <= 1))
    return false;
  if (!is_question (order->verb) && order->verb != DN_SHARE_START && order->verb != DN_SHARE_JOIN
      && (process->pid <= 1 || order->number >= DN_SHARE_NUMBERS))
    return false;
  /* Root's alone, and one range. */
  if (is_of_pod (order))
    return order->source.uid == 0 && order->guest_uid == order->guest_gid && order->guest_uid > 0
           && order->guest_uid <= DN_SHARE_GUEST_IDS - DN_SHARE_POD_IDS;
  /* The guest's own root is nobody's owner. */
  return order->verb != DN_SHARE_BIND
         || (order->guest_uid > 0 && order->guest_uid < DN_SHARE_GUEST_IDS && order->guest_gid > 0
             && order->guest_gid < DN_SHARE_GUEST_IDS);
}

static bool
take_qemu (const char **at, DnShareOrder *order)
{
  uint64_t pid = 0;

  if (!take_number (at, INT32_MAX, ' ', &pid)
      || !take_number (at, UINT64_MAX, '\n', &order->qemu.ticks))
    return false;
  order->qemu.pid = (pid_t) pid;
  order->qemu.uid = order->process.uid;
  order->qemu.gid = order->process.gid;
  return true;
}

int
dn_share_order_parse (const char *text, DnShareOrder *ret_order)
{
  size_t length = strcspn (text, " ");
  const char *at = text + length;
  unsigned verb = 0;
  uint64_t pid = 0;

  memset (ret_order, 0, sizeof *ret_order);
  while (verb < VERBS
         && (strlen (verbs[verb]) != length || memcmp (text, verbs[verb], length) != 0))
    verb++;
  if (verb == VERBS || *at++ != ' ')
    return -EINVAL;
  ret_order->verb = (DnShareVerb) verb;
  if (!take_number (&at, INT32_MAX, ' ', &pid)
      || !take_number (&at, UINT64_MAX, ' ', &ret_order->process.ticks)
      || !take_u32 (&at, ' ', &ret_order->process.uid)
      || !take_u32 (&at, ' ', &ret_order->process.gid) || !take_u32 (&at, ' ', &ret_order->number)
      || !take_u32 (&at, ' ', &ret_order->guest_uid)
      || !take_u32 (&at, '\n', &ret_order->guest_gid))
    return -EINVAL;
  ret_order->process.pid = (pid_t) pid;
  if (dn_share_order_has_source (ret_order->verb) && !take_source (&at, &ret_order->source))
    return -EINVAL;
  if (verb == DN_SHARE_JOIN && !take_qemu (&at, ret_order))
    return -EINVAL;
  return *at == '\0' && is_sound (ret_order) ? 0 : -EINVAL;
}

int
dn_share_answer_format (const DnShareAnswer *answer, char *text, size_t size)
{
  Writer writer = { .text = text, .size = size };

  add (&writer, "%d %d %" PRIu64 " %d %d %" PRIu64 " %u %u\n%s", answer->code, (int) answer->pid,
       answer->ticks, answer->is_directory, answer->is_memory, answer->size_bytes,
       answer->owner_uid, answer->owner_gid, answer->text);
  return finish (&writer);
}

int
dn_share_answer_parse (const char *text, DnShareAnswer *ret_answer)
{
  const char *at = text;
  uint64_t code = 0, pid = 0;

  memset (ret_answer, 0, sizeof *ret_answer);
  if (!take_number (&at, 4095, ' ', &code) || !take_number (&at, INT32_MAX, ' ', &pid)
      || !take_number (&at, UINT64_MAX, ' ', &ret_answer->ticks)
      || !take_flag (&at, &ret_answer->is_directory) || !take_flag (&at, &ret_answer->is_memory)
      || !take_number (&at, UINT64_MAX, ' ', &ret_answer->size_bytes)
      || !take_u32 (&at, ' ', &ret_answer->owner_uid)
      || !take_u32 (&at, '\n', &ret_answer->owner_gid) || strlen (at) >= sizeof ret_answer->text)
    return -EINVAL;
  ret_answer->code = (int) code;
  ret_answer->pid = (pid_t) pid;
  memcpy (ret_answer->text, at, strlen (at) + 1);
  return 0;
}

uint32_t
dn_share_host_id (uint32_t guest_id, uint32_t own)
{
  return guest_id == 0 ? own : DN_SHARE_FIRST_ID + guest_id;
}
