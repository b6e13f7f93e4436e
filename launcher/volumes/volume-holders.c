/* SPDX-License-Identifier: Apache-2.0 */
/* Who has a volume: the rule, and nothing else. */
#include "../common/error.h"
#include "volume.h"

DnVolumeHolder *
dn_volume_find_holder (const DnVolume *volume, const char *context)
{
  for (guint i = 0; i < volume->holders->len; i++)
    if (g_str_equal (((DnVolumeHolder *) volume->holders->pdata[i])->context, context))
      return volume->holders->pdata[i];
  return NULL;
}

static DnVolumeHolder *
add (DnVolume *volume, const char *context, gboolean is_writable)
{
  DnVolumeHolder *holder = g_new0 (DnVolumeHolder, 1);

  holder->context = g_strdup (context);
  holder->is_writable = is_writable;
  holder->users = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_ptr_array_add (volume->holders, holder);
  return holder;
}

DnVolumeHolder *
dn_volume_add_holder (DnVolume *volume, const char *context, gboolean is_writable)
{
  DnVolumeHolder *holder = dn_volume_find_holder (volume, context);

  if (holder == NULL)
    holder = add (volume, context, is_writable);
  holder->is_writable = is_writable;
  holder->is_attached = TRUE;
  return holder;
}

static gint
compare (gconstpointer one, gconstpointer other)
{
  return g_strcmp0 (*(char *const *) one, *(char *const *) other);
}

/* "container 'db'", or what else of it is in the way. (transfer full) */
static char *
words_of_users (const DnVolumeHolder *holder)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer name;
  g_autofree char *list = NULL;

  g_hash_table_iter_init (&iter, holder->users);
  while (g_hash_table_iter_next (&iter, NULL, &name))
    g_ptr_array_add (names, name);
  if (names->len == 0)
    return g_strdup ("its guest, which has not let go of it");
  g_ptr_array_sort (names, compare);
  g_ptr_array_add (names, NULL);
  list = g_strjoinv ("', '", (char **) names->pdata);
  return g_strdup_printf ("container%s '%s'", names->len > 2 ? "s" : "", list);
}

static gboolean
refuse (const DnVolume *volume, const DnVolumeHolder *holder, const DnVolumeClaim *claim,
        GError **error)
{
  g_autofree char *users = words_of_users (holder);

  return dn_throw (
      error, DN_ERROR_CONFLICT, "volume '%s': context '%s' has it %s (%s)\n%s", volume->name,
      holder->context, holder->is_writable ? "writable" : "read-only", users,
      g_str_equal (holder->context, claim->context)
          ? "stop what has it read-only first, or mount it read-only here too"
      : holder->is_writable
          ? "one context at a time can have it so: stop that first, or run in the same "
            "context"
          : "contexts can share it read-only: add :ro, or stop that first");
}

/* A volume that was never written to is formatted by its first guest, which needs it writable. */
static gboolean
is_writing (const DnVolume *volume, const DnVolumeClaim *claim)
{
  return claim->is_writing || !volume->is_formatted;
}

gboolean
dn_volume_claim (DnVolume *volume, const DnVolumeClaim *claim, GError **error)
{
  DnVolumeHolder *own = dn_volume_find_holder (volume, claim->context);

  if (volume->is_removed)
    return dn_throw (error, DN_ERROR_NOT_FOUND, "volume '%s': was removed meanwhile", volume->name);
  for (guint i = 0; i < volume->holders->len; i++)
    {
      const DnVolumeHolder *holder = volume->holders->pdata[i];

      if (holder != own && (holder->is_writable || is_writing (volume, claim)))
        return refuse (volume, holder, claim, error);
    }
  if (own != NULL && claim->is_writing && !own->is_writable && own->is_attached)
    return refuse (volume, own, claim, error);
  if (own == NULL)
    own = add (volume, claim->context, is_writing (volume, claim));
  /* No guest has it yet. */
  own->is_writable = own->is_writable || claim->is_writing;
  g_hash_table_replace (own->users, g_strdup (claim->container), g_strdup (claim->name));
  return TRUE;
}

static void
forget_unused (DnVolume *volume, DnVolumeHolder *holder)
{
  if (!holder->is_attached && g_hash_table_size (holder->users) == 0)
    (void) g_ptr_array_remove (volume->holders, holder);
}

void
dn_volume_unclaim (DnVolume *volume, const char *context, const char *container)
{
  DnVolumeHolder *holder = dn_volume_find_holder (volume, context);

  if (holder == NULL)
    return;
  g_hash_table_remove (holder->users, container);
  forget_unused (volume, holder);
}

void
dn_volume_let_go (DnVolume *volume, const char *context)
{
  DnVolumeHolder *holder = dn_volume_find_holder (volume, context);

  if (holder == NULL)
    return;
  holder->is_attached = holder->is_open = FALSE;
  forget_unused (volume, holder);
}
