/* SPDX-License-Identifier: Apache-2.0 */
#include "secret-memory.h"

#include <string.h>
#include <sys/mman.h>

void *
dn_secret_memory_new (size_t size)
{
  void *memory = mmap (NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  if (memory == MAP_FAILED)
    return NULL;
  if (mlock (memory, size) == 0 && madvise (memory, size, MADV_DONTDUMP) == 0
      && madvise (memory, size, MADV_WIPEONFORK) == 0)
    return memory;
  (void) munmap (memory, size);
  return NULL;
}

void
dn_secret_memory_free (void *memory, size_t size)
{
  if (memory == NULL)
    return;
  explicit_bzero (memory, size);
  (void) munmap (memory, size);
}
