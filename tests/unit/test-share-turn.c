/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/guest/share-turn.c launcher/base/share-order.c launcher/common/error.c */
#include "../../launcher/common/error.h"
#include "../../launcher/guest/share-turn.h"

#define ONE 200001
#define OTHER 200002

static DnShareOrder
order_of (guint uid, DnShareVerb verb)
{
  return (DnShareOrder){ .verb = verb, .process = { .uid = uid } };
}

static void
take_all (const DnShareOrder *order)
{
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < DN_SHARE_TURNS_OF_ONE; i++)
    {
      g_assert_true (dn_share_turn_take (order, 0, &error));
      g_assert_no_error (error);
    }
}

static void
give_all_back (const DnShareOrder *order)
{
  for (guint i = 0; i < DN_SHARE_TURNS_OF_ONE; i++)
    dn_share_turn_give_back (order);
}

static void
test_one_waits_for_its_own_alone (void)
{
  const DnShareOrder one = order_of (ONE, DN_SHARE_POD), other = order_of (OTHER, DN_SHARE_POD);
  const DnShareOrder away = order_of (ONE, DN_SHARE_UNBIND), join = order_of (ONE, DN_SHARE_JOIN);
  g_autoptr (GError) error = NULL;

  take_all (&one);
  g_assert_false (dn_share_turn_take (&one, 10, &error));
  g_assert_error (error, DN_ERROR, DN_ERROR_FAILED);
  /* Others, and what waits for no file system, go on. */
  take_all (&other);
  g_assert_true (dn_share_turn_take (&away, 0, NULL));
  dn_share_turn_give_back (&away);
  g_assert_true (dn_share_turn_take (&join, 0, NULL));
  dn_share_turn_give_back (&join);
  give_all_back (&other);
  give_all_back (&one);
  take_all (&one);
  give_all_back (&one);
}

static void
test_a_question_counts_for_whom_it_is_asked (void)
{
  DnShareOrder guests = order_of (ONE, DN_SHARE_LOOK), callers = order_of (0, DN_SHARE_CHECK);

  callers.source.uid = 1000;
  take_all (&guests);
  g_assert_true (dn_share_turn_take (&callers, 0, NULL));
  g_assert_false (dn_share_turn_take (&guests, 0, NULL));
  dn_share_turn_give_back (&callers);
  give_all_back (&guests);
}

static gpointer
give_one_back_later (gpointer data)
{
  g_usleep (50000);
  dn_share_turn_give_back (data);
  return NULL;
}

static void
test_a_turn_that_is_given_back_is_taken (void)
{
  DnShareOrder one = order_of (ONE, DN_SHARE_COPY);
  GThread *thread;

  take_all (&one);
  thread = g_thread_new ("back", give_one_back_later, &one);
  g_assert_true (dn_share_turn_take (&one, 10000, NULL));
  (void) g_thread_join (thread);
  give_all_back (&one);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/share-turn/one waits for its own alone", test_one_waits_for_its_own_alone);
  g_test_add_func ("/share-turn/a question counts for whom it is asked",
                   test_a_question_counts_for_whom_it_is_asked);
  g_test_add_func ("/share-turn/a turn that is given back is taken",
                   test_a_turn_that_is_given_back_is_taken);
  return g_test_run ();
}
