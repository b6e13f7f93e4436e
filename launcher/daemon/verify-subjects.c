/* SPDX-License-Identifier: Apache-2.0 */
#include "verify-subjects.h"

#include "../common/error.h"
#include "container-call.h"
#include "lookup.h"

void
dn_verify_subjects_free (DnVerifySubjects *subjects)
{
  if (subjects == NULL)
    return;
  g_ptr_array_unref (subjects->contexts);
  g_ptr_array_unref (subjects->containers);
  g_free (subjects);
}

static void
add_once (GPtrArray *array, gpointer object, gpointer (*ref) (gpointer))
{
  if (!g_ptr_array_find (array, object, NULL))
    g_ptr_array_add (array, ref (object));
}

/* A context with all that runs in it; @context NULL: all contexts. */
static void
choose_context (DnVerifySubjects *subjects, DnRequest *request, DnContext *context)
{
  g_autoptr (GPtrArray) all = dn_lookup_containers (request);

  if (context != NULL)
    add_once (subjects->contexts, context, (gpointer (*) (gpointer)) dn_context_ref);
  for (guint i = 0; i < all->len; i++)
    {
      DnContainer *container = all->pdata[i];

      if ((context != NULL && container->context != context)
          || dn_container_wait_ended (container, 0))
        continue;
      add_once (subjects->containers, container, (gpointer (*) (gpointer)) dn_container_ref);
    }
}

static gboolean
choose (DnVerifySubjects *subjects, DnRequest *request, char **names, GError **error)
{
  g_autoptr (GPtrArray) contexts = dn_lookup_contexts (request);

  for (guint i = 0; names == NULL && i < contexts->len; i++)
    choose_context (subjects, request, contexts->pdata[i]);
  for (; names != NULL && *names != NULL; names++)
    {
      g_autoptr (GError) local = NULL, context_error = NULL;
      g_autoptr (DnContainer) container = dn_lookup_container (request, *names, &local);
      g_autoptr (DnContext) context = NULL;
      g_autoptr (DnGuest) guest = NULL;

      if (container == NULL)
        {
          context = dn_lookup_context (request, *names, &context_error);
          if (context == NULL)
            {
              /* A context that it may not see so is an answer; else the container's is. */
              if (g_error_matches (context_error, DN_ERROR, DN_ERROR_DENIED))
                g_propagate_error (error, g_steal_pointer (&context_error));
              else
                g_propagate_error (error, g_steal_pointer (&local));
              return FALSE;
            }
          choose_context (subjects, request, context);
          continue;
        }
      /* One that was asked for by name has to run. */
      guest = dn_container_get_guest (container, error);
      if (guest == NULL)
        return FALSE;
      add_once (subjects->containers, container, (gpointer (*) (gpointer)) dn_container_ref);
      add_once (subjects->contexts, container->context, (gpointer (*) (gpointer)) dn_context_ref);
    }
  return TRUE;
}

DnVerifySubjects *
dn_verify_subjects_choose (DnRequest *request, char **names, GError **error)
{
  g_autoptr (DnVerifySubjects) subjects = g_new0 (DnVerifySubjects, 1);

  subjects->contexts = g_ptr_array_new_with_free_func ((GDestroyNotify) dn_context_unref);
  subjects->containers = g_ptr_array_new_with_free_func ((GDestroyNotify) dn_container_unref);
  if (!choose (subjects, request, names != NULL && names[0] != NULL ? names : NULL, error))
    return NULL;
  return g_steal_pointer (&subjects);
}
