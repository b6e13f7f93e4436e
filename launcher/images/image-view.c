/* SPDX-License-Identifier: Apache-2.0 */
#include "image-view.h"

#include "../spec/reference-glob.h"

struct DnImageView
{
  gboolean is_open;
  GHashTable *ids;
  GPtrArray *patterns;
};

DnImageView *
dn_image_view_new (void)
{
  DnImageView *view = g_new0 (DnImageView, 1);

  view->ids = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  view->patterns = g_ptr_array_new_with_free_func (g_free);
  return view;
}

void
dn_image_view_free (DnImageView *view)
{
  if (view == NULL)
    return;
  g_hash_table_unref (view->ids);
  g_ptr_array_unref (view->patterns);
  g_free (view);
}

void
dn_image_view_open (DnImageView *view)
{
  view->is_open = TRUE;
}

void
dn_image_view_allow (DnImageView *view, char **patterns)
{
  /* Contexts have much the same ones. */
  for (; *patterns != NULL; patterns++)
    if (!g_ptr_array_find_with_equal_func (view->patterns, *patterns, g_str_equal, NULL))
      g_ptr_array_add (view->patterns, g_strdup (*patterns));
}

void
dn_image_view_add (DnImageView *view, const char *id)
{
  g_hash_table_add (view->ids, g_strdup (id));
}

gboolean
dn_image_view_sees_name (const DnImageView *view, const char *name)
{
  if (view->is_open)
    return TRUE;
  for (guint i = 0; i < view->patterns->len; i++)
    if (dn_reference_glob_matches (view->patterns->pdata[i], name))
      return TRUE;
  return FALSE;
}

gboolean
dn_image_view_sees (const DnImageView *view, const DnImage *image)
{
  if (view->is_open || g_hash_table_contains (view->ids, image->id))
    return TRUE;
  for (char **name = image->names; *name != NULL; name++)
    if (dn_image_view_sees_name (view, *name))
      return TRUE;
  return FALSE;
}

DnImage *
dn_image_view_show (const DnImageView *view, DnImage *image)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  DnImage *copy;

  if (view->is_open)
    return dn_image_ref (image);
  for (char **name = image->names; *name != NULL; name++)
    if (dn_image_view_sees_name (view, *name))
      g_ptr_array_add (names, *name);
  g_ptr_array_add (names, NULL);
  copy = dn_image_copy (image, (char **) names->pdata);
  g_ptr_array_set_size (copy->sources, 0);
  return copy;
}
