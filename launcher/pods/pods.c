/* SPDX-License-Identifier: Apache-2.0 */
#include "pods.h"

#include <errno.h>
#include <sys/stat.h>

#include "../common/error.h"
#include "../daemon/context-end.h"
#include "../daemon/context-freeze.h"
#include "../daemon/context-guest.h"
#include "../network/pod-network.h"
#include "pod-device.h"
#include "pod-volumes.h"

DnContext *
dn_pods_find (DnDaemon *daemon, const char *namespace_, const char *id, GError **error)
{
  DnContext *context, *found = NULL;
  GHashTableIter iter;
  guint count = 0;

  g_mutex_lock (&daemon->lock);
  g_hash_table_iter_init (&iter, daemon->contexts);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &context))
    {
      const DnPod *pod = context->pod;

      if (pod == NULL || !g_str_equal (pod->id, id)
          || (namespace_ != NULL && !g_str_equal (pod->namespace_, namespace_)))
        continue;
      count++;
      found = context;
    }
  if (count == 1)
    (void) dn_context_ref (found);
  g_mutex_unlock (&daemon->lock);
  if (count == 1)
    return found;
  if (count == 0)
    dn_throw (error, DN_ERROR_NOT_FOUND, "pod '%.76s': there is none", id);
  else
    dn_throw (error, DN_ERROR_CONFLICT,
              "pod '%.76s': is in several namespaces of containerd's\nsay which", id);
  return NULL;
}

/* Which tap the pod's guest has.  Returns: whether it has one */
static gboolean
find_slot (DnContext *context, guint *ret_slot)
{
  g_autoptr (DnGuest) guest = NULL;
  DnGuestInfo info = { 0 };
  gboolean has_card;

  g_mutex_lock (&context->daemon->lock);
  guest = context->guest != NULL ? dn_guest_ref (context->guest) : NULL;
  g_mutex_unlock (&context->daemon->lock);
  if (guest == NULL)
    return FALSE;
  dn_guest_get_info (guest, &info);
  has_card = info.has_card;
  *ret_slot = info.uid - DN_NETWORK_UID_FIRST;
  dn_guest_info_clear (&info);
  return has_card;
}

/* What is left goes with the namespace, at the latest. */
static void
leave_network (const DnPod *pod, guint slot)
{
  g_autoptr (GError) error = NULL;

  if (pod->netns[0] != '\0' && !dn_pod_network_leave (pod->netns, slot, &error))
    g_info ("pod '%s': its network: %s", pod->id, error->message);
}

void
dn_pods_remove (DnContext *context, const char *reason)
{
  guint slot = 0;
  gboolean has_card = find_slot (context, &slot);

  /* What is written on roots that outlive it. */
  dn_pod_devices_leave (context);
  /* The guest first: what runs in it ends with it, and waits for nobody. */
  dn_context_stop_guest (context, 0, reason);
  if (has_card)
    leave_network (context->pod, slot);
  dn_context_end_containers (context, 0, TRUE, reason);
  dn_context_forget (context);
}

void
dn_pods_settle (DnDaemon *daemon)
{
  g_autoptr (GPtrArray) contexts = dn_context_list (daemon);

  for (guint i = 0; i < contexts->len; i++)
    {
      DnContext *context = contexts->pdata[i];

      if (context->pod != NULL && !context->pod->is_made)
        dn_pods_remove (context, "the pod was not made to its end");
    }
  dn_pod_volumes_watch (daemon);
}

static gboolean
is_gone (const char *directory)
{
  struct stat status;

  return stat (directory, &status) < 0 && (errno == ENOENT || errno == ENOTDIR);
}

void
dn_pods_sweep (DnDaemon *daemon, GPtrArray *removed)
{
  g_autoptr (GPtrArray) contexts = dn_context_list (daemon);

  for (guint i = 0; i < contexts->len; i++)
    {
      DnContext *context = contexts->pdata[i];
      gboolean is_over;

      g_mutex_lock (&daemon->lock);
      is_over = context->pod != NULL && context->pod->is_made && !context->is_removed
                && !dn_context_is_frozen_locked (context);
      g_mutex_unlock (&daemon->lock);
      if (!is_over || !is_gone (context->pod->bundle))
        continue;
      dn_pods_remove (context, "the pod's bundle is gone");
      g_ptr_array_add (removed, g_strdup_printf ("pod %s", context->pod->id));
    }
}
