/* SPDX-License-Identifier: Apache-2.0 */
#include "image-text.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"
/* Docker's bound for ids.  Which of them a container has is said when it is made. */
#define ID_MAX 2147483647
#define PORT_MAX 65535
#define SIGNAL_MAX 64
/* The kernel's number, not SIGRTMIN, which the C library moves up for its own use. */
#define SIGNAL_RTMIN 34

/* Takes the decimal number that @size bytes of @text are. */
static bool
read_number (const char *text, size_t size, long long max, long long *ret_number)
{
  long long number = 0;

  /* Ten digits fit, whatever they are. */
  if (size == 0 || size > 10 || strspn (text, DIGITS) < size)
    return false;
  for (size_t i = 0; i < size; i++)
    number = number * 10 + (text[i] - '0');
  *ret_number = number;
  return number <= max;
}

static bool
is_number (const char *text, size_t size, long long min, long long max)
{
  long long number;

  return read_number (text, size, max, &number) && number >= min;
}

static bool
has_parent (const char *path)
{
  for (const char *at = path; (at = strstr (at, "..")) != NULL; at++)
    if ((at == path || at[-1] == '/') && (at[2] == '/' || at[2] == '\0'))
      return true;
  return false;
}

static const char *
path_fault (const char *path)
{
  if (path[0] != '/')
    return "not an absolute path";
  if (strlen (path) > DN_PATH_BYTES)
    return "longer than a path may be";
  return has_parent (path) ? "its path has '..'" : NULL;
}

static const char *
directory_fault (const char *path)
{
  return path[0] == '\0' ? NULL : path_fault (path);
}

/* All of the root would be covered. */
static const char *
volume_fault (const char *path)
{
  const char *fault = path_fault (path);

  return fault != NULL ? fault : strspn (path, "/.") == strlen (path) ? "is the root" : NULL;
}

/* As useradd(8) permits it, and what adduser(8) does besides; a number where it is one. */
static const char *
user_part_fault (const char *text, size_t size)
{
  size_t known = strspn (text, LETTERS DIGITS "_.-");

  if (size > 0 && strspn (text, DIGITS) >= size)
    return is_number (text, size, 0, ID_MAX) ? NULL : "a number over 2147483647";
  if (size > 0 && known == size - 1 && text[known] == '$')
    known++;
  return size == 0 || text[0] == '-' || known < size ? "not USER[:GROUP], names or numbers" : NULL;
}

static const char *
user_fault (const char *text)
{
  size_t size = strlen (text);
  size_t first = strcspn (text, ":");
  const char *fault;

  if (size == 0)
    return NULL;
  if (size > DN_IMAGE_USER_BYTES)
    return "longer than a user's name may be";
  fault = user_part_fault (text, first);
  return fault != NULL || first == size ? fault
                                        : user_part_fault (text + first + 1, size - first - 1);
}

/* What follows RTMIN or RTMAX: nothing, or a distance. */
static bool
is_realtime (const char *name)
{
  const char *rest = name + strlen ("RTMIN");
  bool is_min = strncasecmp (name, "RTMIN", strlen ("RTMIN")) == 0;

  if (!is_min && strncasecmp (name, "RTMAX", strlen ("RTMAX")) != 0)
    return false;
  return *rest == '\0'
         || (*rest == (is_min ? '+' : '-')
             && is_number (rest + 1, strlen (rest + 1), 0, SIGNAL_MAX - SIGNAL_RTMIN));
}

static const char *
signal_fault (const char *text)
{
  const char *name = strncasecmp (text, "SIG", 3) == 0 ? text + 3 : text;

  if (text[0] == '\0' || is_number (text, strlen (text), 1, SIGNAL_MAX) || is_realtime (name))
    return NULL;
  for (int i = 1; i < SIGNAL_RTMIN; i++)
    if (sigabbrev_np (i) != NULL && strcasecmp (sigabbrev_np (i), name) == 0)
      return NULL;
  return "no such signal";
}

/* What shells can set, and the dots and dashes that programs use besides: as for --env. */
static const char *
variable_fault (const char *text)
{
  size_t name = strspn (text, LETTERS DIGITS "_.-");

  return name == 0 || text[name] != '=' || strchr (DIGITS, text[0]) != NULL
             ? "not NAME=VALUE with a name of letters, digits and _ . -"
             : NULL;
}

/* PORT or PORT-PORT, and perhaps a protocol. */
static const char *
port_fault (const char *text)
{
  size_t size = strcspn (text, "/");
  size_t first = strcspn (text, "-/");
  const char *protocol = text[size] == '/' ? text + size + 1 : "tcp";
  long long low;
  long long high;

  if (strcmp (protocol, "tcp") != 0 && strcmp (protocol, "udp") != 0
      && strcmp (protocol, "sctp") != 0)
    return "not PORT/tcp, PORT/udp or PORT/sctp";
  if (!read_number (text, first, PORT_MAX, &low) || low == 0)
    return "no port from 1 to 65535";
  if (first == size)
    return NULL;
  return read_number (text + first + 1, size - first - 1, PORT_MAX, &high) && high >= low
             ? NULL
             : "no range of ports";
}

const char *
dn_image_text_fault (DnImageField field, const char *value)
{
  switch (field)
    {
    case DN_IMAGE_USER:
      return user_fault (value);
    case DN_IMAGE_WORKING_DIR:
      return directory_fault (value);
    case DN_IMAGE_STOP_SIGNAL:
      return signal_fault (value);
    case DN_IMAGE_ENV:
      return variable_fault (value);
    case DN_IMAGE_EXPOSED_PORT:
      return port_fault (value);
    case DN_IMAGE_VOLUME:
      return volume_fault (value);
    case DN_IMAGE_LABEL:
      return value[0] == '=' ? "has no name" : NULL;
    case DN_IMAGE_NAME:
    case DN_IMAGE_ARCHITECTURE:
    case DN_IMAGE_OS:
    case DN_IMAGE_CREATED:
    case DN_IMAGE_ENTRYPOINT:
    case DN_IMAGE_CMD:
    case DN_IMAGE_LAYER:
    case DN_IMAGE_AUTHOR:
    case DN_IMAGE_HISTORY:
    case DN_IMAGE_HEALTHCHECK:
    case DN_IMAGE_HISTORY_STEP:
    case DN_IMAGE_HEALTH_TIME:
      return NULL;
    }
  return NULL;
}
