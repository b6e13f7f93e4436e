/* SPDX-License-Identifier: Apache-2.0 */
#include "refusal.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <string.h>

#include "filter-outcome.h"

static DnRefusal *
find (DnRefusals *refusals, const DnRefusal *wanted)
{
  DnRefusal *others = &refusals->entries[DN_REFUSALS_MAX];

  for (unsigned i = 0; i < refusals->count && i < DN_REFUSALS_MAX; i++)
    {
      DnRefusal *entry = &refusals->entries[i];

      if (entry->call == wanted->call && entry->arch == wanted->arch
          && entry->action == wanted->action)
        return entry;
    }
  if (refusals->count < DN_REFUSALS_MAX)
    {
      refusals->entries[refusals->count] = *wanted;
      return &refusals->entries[refusals->count++];
    }
  refusals->count = DN_REFUSALS_MAX + 1;
  others->call = DN_REFUSED_OTHERS;
  return others;
}

bool
dn_refusals_add (DnRefusals *refusals, const DnAuditRecord *record,
                 const struct sock_filter *filter, size_t filter_count)
{
  DnRefusal wanted = { .call = record->call, .arch = record->arch, .action = record->action };
  DnRefusal *entry;

  if (record->action == SECCOMP_RET_ERRNO)
    wanted.error = dn_filter_errno (filter, filter_count, record->arch, record->call);
  if (wanted.error == ENOSYS)
    return false;
  entry = find (refusals, &wanted);
  entry->count++;
  entry->is_untold = true;
  memcpy (entry->program, record->program, sizeof entry->program);
  return true;
}
