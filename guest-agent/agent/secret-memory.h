/* SPDX-License-Identifier: Apache-2.0 */
/* Memory of the agent's for what must not leave it: in whole pages that are locked, in no core
 * file, and zero in every child that the agent forks.
 *
 * Source: mlock(2), madvise(2).
 */
#pragma once

#include <stddef.h>

/* Zeroed; NULL with errno. */
void *dn_secret_memory_new (size_t size);

/* Zeroes it first.  NULL is fine. */
void dn_secret_memory_free (void *memory, size_t size);
