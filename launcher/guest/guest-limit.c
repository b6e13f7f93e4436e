/* SPDX-License-Identifier: Apache-2.0 */
/* What a guest may take of its host, set and changed while it runs. */
#include "../common/error.h"
#include "../limits/host-group.h"
#include "guest-private.h"
#include "hypervisor-limits.h"

static gboolean
set_cpu (DnGuest *guest, const DnGuestLimits *limits, GError **error)
{
  return dn_hypervisor_set_cpu (
      guest->domain,
      dn_host_group_weight (dn_guest_limits_shares (limits, guest->entry->vcpus),
                            dn_host_group_is_unified ("")),
      dn_guest_limits_quota_us (limits), error);
}

void
dn_guest_limit_after_start (DnGuest *guest)
{
  g_autoptr (GError) cpu = NULL, memory = NULL;

  /* A host without cgroups for libvirt is told of by doctor and inspect, which read back what is;
   * memory and processors of the guest itself are bounded by QEMU all the same. */
  if (!set_cpu (guest, &guest->entry->limits, &cpu))
    g_info ("guest '%s' of context '%s': no limit of processors on this host: %s", guest->id,
            guest->context, cpu->message);
  if (!dn_hypervisor_set_memory_limit (guest->domain, guest->entry->host_limit_bytes, &memory))
    g_info ("guest '%s' of context '%s': no limit of memory on this host: %s", guest->id,
            guest->context, memory->message);
}

static gboolean
is_same_io (const DnGuestLimits *a, const DnGuestLimits *b)
{
  return a->read_bytes_per_s == b->read_bytes_per_s && a->write_bytes_per_s == b->write_bytes_per_s
         && a->reads_per_s == b->reads_per_s && a->writes_per_s == b->writes_per_s;
}

/* In the journal first: a danchid that comes after a crash shows, and gives the next disk, what the
 * guest was to have. */
static gboolean
note (DnGuest *guest, const DnGuestLimits *limits, guint64 balloon_bytes, DnGuestLimits *ret_before,
      GError **error)
{
  gboolean is_noted;

  g_mutex_lock (&guest->journal_lock);
  *ret_before = guest->entry->limits;
  if (limits != NULL)
    {
      int balloon = guest->entry->limits.balloon;

      guest->entry->limits = *limits;
      guest->entry->limits.balloon = balloon;
    }
  if (balloon_bytes != 0)
    guest->entry->balloon_bytes = balloon_bytes;
  is_noted = dn_journal_write (guest->entry, error);
  g_mutex_unlock (&guest->journal_lock);
  g_mutex_lock (&guest->lock);
  dn_guest_describe_limits (&guest->info, guest->entry);
  g_mutex_unlock (&guest->lock);
  return is_noted;
}

static gboolean
set_limits (DnGuest *guest, const DnGuestLimits *limits, GError **error)
{
  DnGuestLimits before, ignored;
  gboolean is_cpu_changed, is_done;

  if (!note (guest, limits, 0, &before, error))
    return FALSE;
  is_cpu_changed = before.cpu_shares != limits->cpu_shares
                   || before.cpu_quota_percent != limits->cpu_quota_percent;
  is_done
      = (!is_cpu_changed || set_cpu (guest, limits, error))
        && (is_same_io (&before, limits) || dn_hypervisor_set_io (guest->domain, limits, error));
  if (!is_done)
    {
      g_prefix_error (error, "context '%s': ", guest->context);
      (void) note (guest, &before, 0, &ignored, NULL);
      /* Half of it may have been done. */
      if (is_cpu_changed)
        (void) set_cpu (guest, &before, NULL);
    }
  return is_done;
}

gboolean
dn_guest_set_limits (DnGuest *guest, const DnGuestLimits *limits, GError **error)
{
  gboolean is_done;

  if (!dn_guest_is_running (guest))
    return dn_throw (error, DN_ERROR_GUEST, "guest of context '%s': it is not running any more",
                     guest->context);
  g_mutex_lock (&guest->limit_lock);
  is_done = set_limits (guest, limits, error);
  g_mutex_unlock (&guest->limit_lock);
  return is_done;
}

gboolean
dn_guest_set_memory (DnGuest *guest, guint64 bytes, GError **error)
{
  DnGuestLimits ignored;

  if (!guest->entry->has_balloon)
    return dn_throw (error, DN_ERROR_CONFLICT,
                     "context '%s': its guest was started without a balloon\n"
                     "[guest] balloon = yes in its file holds from its next guest on",
                     guest->context);
  if (bytes > guest->entry->memory_bytes)
    return dn_throw (error, DN_ERROR_LIMIT,
                     "context '%s': its guest was started with %" G_GUINT64_FORMAT
                     " MiB, and cannot grow beyond that while it runs",
                     guest->context, guest->entry->memory_bytes >> 20);
  if (!dn_hypervisor_set_balloon (guest->domain, bytes, error))
    {
      g_prefix_error (error, "context '%s': ", guest->context);
      return FALSE;
    }
  return note (guest, NULL, bytes, &ignored, error);
}
