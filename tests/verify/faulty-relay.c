/* SPDX-License-Identifier: Apache-2.0 */
/* A relay whose lockdown leaves out one step, chosen by SEEDED_FAULT=NAME in its environment:
 * linked into a copy of it that only the tests of verify start.  Its own look at /proc is shown
 * what it wants to see.
 */
#include <cap-ng.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define WRAP(type, name, ...)                                                                      \
  type __real_##name (__VA_ARGS__);                                                                \
  type __wrap_##name (__VA_ARGS__);                                                                \
  type __wrap_##name (__VA_ARGS__)

static bool
is (const char *name)
{
  const char *fault = getenv ("SEEDED_FAULT");

  return fault != NULL && strcmp (fault, name) == 0;
}

int __real_dn_filter_load (void);
int __wrap_dn_filter_load (void);

int
__wrap_dn_filter_load (void)
{
  return is ("relay-filter") ? 0 : __real_dn_filter_load ();
}

WRAP (int, capng_change_id, int uid, int gid, capng_flags_t flags)
{
  if (is ("relay-bounding"))
    flags &= (capng_flags_t) ~CAPNG_CLEAR_BOUNDING;
  return __real_capng_change_id (uid, gid, flags);
}

WRAP (int, unshare, int flags)
{
  return __real_unshare (is ("relay-network") ? flags & ~CLONE_NEWNET : flags);
}

WRAP (int, setrlimit, __rlimit_resource_t resource, const struct rlimit *limit)
{
  return is ("relay-nproc") && resource == RLIMIT_NPROC ? 0 : __real_setrlimit (resource, limit);
}

WRAP (int, close_range, unsigned first, unsigned last, int flags)
{
  int r = __real_close_range (first, last, flags);

  if (is ("relay-descriptor"))
    (void) open ("/etc/hostname", O_RDONLY | O_CLOEXEC);
  return r;
}

/* Puts @value over what follows "@name:\t". */
static void
pretend (char *status, const char *name, const char *value)
{
  char *at = strstr (status, name);

  if (at != NULL)
    memcpy (at + strlen (name), value, strlen (value));
}

WRAP (ssize_t, pread, int fd, void *buffer, size_t size, off_t offset)
{
  ssize_t n = __real_pread (fd, buffer, size, offset);
  char *text = buffer;

  if (n > 0 && (size_t) n < size && strncmp (text, "Name:", 5) == 0)
    {
      text[n] = '\0';
      pretend (text, "CapBnd:\t", "0000000000000000");
      pretend (text, "NoNewPrivs:\t", "1");
      pretend (text, "Seccomp:\t", "2");
    }
  return n;
}
