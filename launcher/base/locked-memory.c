/* SPDX-License-Identifier: Apache-2.0 */
#include "locked-memory.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

static size_t
whole_pages (size_t size)
{
  return (size + DN_LOCKED_PAGE_BYTES - 1) / DN_LOCKED_PAGE_BYTES * DN_LOCKED_PAGE_BYTES;
}

void *
dn_locked_new (size_t size)
{
  size_t bytes = whole_pages (size);
  void *memory = mmap (NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  if (memory == MAP_FAILED)
    return NULL;
  if (mlock (memory, bytes) == 0 && madvise (memory, bytes, MADV_DONTDUMP) == 0
      && madvise (memory, bytes, MADV_WIPEONFORK) == 0)
    return memory;
  dn_locked_free (memory, size);
  return NULL;
}

void
dn_locked_free (void *memory, size_t size)
{
  int saved_errno = errno;

  if (memory == NULL)
    return;
  explicit_bzero (memory, whole_pages (size));
  (void) munmap (memory, whole_pages (size));
  errno = saved_errno;
}

int
dn_locked_pin (void *at, size_t size)
{
  uintptr_t first = (uintptr_t) at / DN_LOCKED_PAGE_BYTES * DN_LOCKED_PAGE_BYTES;
  size_t bytes = whole_pages ((uintptr_t) at + size - first);

  if (mlock ((void *) first, bytes) < 0 || madvise ((void *) first, bytes, MADV_DONTDUMP) < 0)
    return -errno;
  return 0;
}

void
dn_locked_hide_process (void)
{
  const struct rlimit none = { 0, 0 };

  (void) setrlimit (RLIMIT_CORE, &none);
  (void) prctl (PR_SET_DUMPABLE, 0, 0, 0, 0);
}
