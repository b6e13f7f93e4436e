/* SPDX-License-Identifier: Apache-2.0 */
#include "pod-size.h"

#include "../common/error.h"
#include "../limits/guest-size.h"
#include "pod-words.h"

#define MIB (1024 * 1024)
#define SHARES_OF_ONE 1024
#define DEFAULT_PERIOD_US 100000

static guint64
round_up (gint64 value, gint64 unit)
{
  return (guint64) (value / unit + (value % unit > 0));
}

/* 0: the pod does not ask */
static gboolean
read_wish (const DnOciConfig *sandbox, const DnPodSettings *settings, const char *name,
           const char *file, gint64 *ret_wish, GError **error)
{
  const char *const *granted = (const char *const *) settings->annotations;
  const char *text = dn_oci_config_annotation (sandbox, name);

  *ret_wish = 0;
  if (text == NULL)
    return TRUE;
  if (!g_strv_contains (granted, name) && !g_strv_contains (granted, "*"))
    return dn_throw (error, DN_ERROR_DENIED,
                     "pod: annotation '%s': is not granted on this node\nadd it to [pods] "
                     "annotations in '%s', or take it out of the pod",
                     name, file);
  return g_ascii_string_to_signed (text, 10, -1, G_MAXINT64, ret_wish, NULL)
         || dn_throw (error, DN_ERROR_USAGE, "pod: annotation '%s': is no number", name);
}

gboolean
dn_pod_size (const DnOciConfig *sandbox, const DnPodSettings *settings, const char *file,
             DnPodSize *ret_size, GError **error)
{
  gint64 memory, vcpus;
  DnPodSums sums;

  if (!dn_pod_sums_read (sandbox, &sums, error)
      || !read_wish (sandbox, settings, DN_POD_ANNOTATION_MEMORY, file, &memory, error)
      || !read_wish (sandbox, settings, DN_POD_ANNOTATION_VCPUS, file, &vcpus, error))
    return FALSE;
  *ret_size = (DnPodSize){ settings->memory_bytes, settings->vcpus };
  if (sums.memory > 0 && sums.memory < G_MAXINT64 / 2)
    ret_size->memory_bytes = dn_guest_size_least ((guint64) sums.memory);
  if (sums.quota > 0)
    ret_size->vcpus = round_up (sums.quota, sums.period > 0 ? sums.period : DEFAULT_PERIOD_US);
  else if (sums.quota < 0 && sums.shares > 0)
    ret_size->vcpus = round_up (sums.shares, SHARES_OF_ONE);
  if (memory > 0 && memory <= DN_GUEST_MEMORY_MAX_MIB)
    ret_size->memory_bytes = (guint64) memory * MIB;
  if (vcpus > 0)
    ret_size->vcpus = (guint64) vcpus;
  if (ret_size->memory_bytes < (guint64) DN_GUEST_MEMORY_MIN_MIB * MIB
      || ret_size->memory_bytes > (guint64) DN_GUEST_MEMORY_MAX_MIB * MIB
      || memory > DN_GUEST_MEMORY_MAX_MIB || ret_size->vcpus > DN_GUEST_VCPUS_MAX)
    return dn_throw (error, DN_ERROR_LIMIT,
                     "pod: a guest of %" G_GUINT64_FORMAT " MiB and %" G_GUINT64_FORMAT
                     " processors: from %d to %d MiB and up to %d processors are possible",
                     ret_size->memory_bytes / MIB, ret_size->vcpus, DN_GUEST_MEMORY_MIN_MIB,
                     DN_GUEST_MEMORY_MAX_MIB, DN_GUEST_VCPUS_MAX);
  return TRUE;
}
