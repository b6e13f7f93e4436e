/* SPDX-License-Identifier: Apache-2.0 */
#include "image-view.h"

struct DnImageView
{
  gboolean is_open;
  GHashTable *ids;
};

DnImageView *
dn_image_view_new (void)
{
  DnImageView *view = g_new0 (DnImageView, 1);

  view->ids = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  return view;
}

void
dn_image_view_free (DnImageView *view)
{
  if (view == NULL)
    return;
  g_hash_table_unref (view->ids);
  g_free (view);
}

void
dn_image_view_open (DnImageView *view)
{
  view->is_open = TRUE;
}

void
dn_image_view_add (DnImageView *view, const char *id)
{
  g_hash_table_add (view->ids, g_strdup (id));
}

gboolean
dn_image_view_sees (const DnImageView *view, const DnImage *image)
{
  return view->is_open || g_hash_table_contains (view->ids, image->id);
}
