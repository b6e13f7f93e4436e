/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/images/guest-memory.c launcher/common/error.c */
/* Guests that work on images take turns where memory is not enough for all. */
#include "../../launcher/common/error.h"
#include "../../launcher/images/guest-memory.h"

static DnSettings settings = { .unpack_total_memory_bytes = 100 };

typedef struct
{
  guint64 bytes;
  gint waits; /* atomic: how often it was asked whether it still waits */
  gint gives_up;
  gint has; /* atomic: it has its memory */
  GThread *thread;
} Taker;

static gboolean
wait_on (gpointer data, GError **error)
{
  Taker *taker = data;

  g_atomic_int_inc (&taker->waits);
  return !g_atomic_int_get (&taker->gives_up)
         || dn_throw (error, DN_ERROR_FAILED, "the client has gone");
}

static gpointer
take (gpointer data)
{
  Taker *taker = data;
  g_autoptr (GError) error = NULL;
  gboolean has = dn_guest_memory_take (&settings, taker->bytes, wait_on, taker, &error);

  g_assert_true (has == (error == NULL));
  g_atomic_int_set (&taker->has, has);
  return NULL;
}

/* Returns when it has its memory, or waits. */
static void
begin (Taker *taker)
{
  taker->thread = g_thread_new ("taker", take, taker);
  while (g_atomic_int_get (&taker->has) == 0 && g_atomic_int_get (&taker->waits) == 0)
    g_usleep (1000);
}

static void
end (Taker *taker)
{
  g_thread_join (taker->thread);
}

static void
test_who_came_first_goes_first (void)
{
  Taker first = { .bytes = 60 }, second = { .bytes = 60 }, third = { .bytes = 10 };

  begin (&first);
  end (&first);
  g_assert_true (first.has);
  begin (&second);
  /* It would fit, but not before the one that waits. */
  begin (&third);
  g_assert_false (g_atomic_int_get (&second.has) || g_atomic_int_get (&third.has));
  dn_guest_memory_give (first.bytes);
  end (&second);
  end (&third);
  g_assert_true (second.has && third.has);
  dn_guest_memory_give (second.bytes + third.bytes);
}

static void
test_what_is_larger_than_all_goes_alone (void)
{
  Taker small = { .bytes = 1 }, large = { .bytes = 1000 };

  begin (&small);
  end (&small);
  begin (&large);
  g_assert_false (g_atomic_int_get (&large.has));
  dn_guest_memory_give (small.bytes);
  end (&large);
  g_assert_true (large.has);
  dn_guest_memory_give (large.bytes);
}

static void
test_who_gives_up_holds_up_nobody (void)
{
  Taker first = { .bytes = 60 }, gone = { .bytes = 60 }, third = { .bytes = 40 };

  begin (&first);
  end (&first);
  begin (&gone);
  begin (&third);
  g_atomic_int_set (&gone.gives_up, 1);
  end (&gone);
  end (&third);
  g_assert_true (!gone.has && third.has);
  dn_guest_memory_give (first.bytes + third.bytes);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/guest-memory/who-came-first-goes-first", test_who_came_first_goes_first);
  g_test_add_func ("/guest-memory/what-is-larger-than-all-goes-alone",
                   test_what_is_larger_than_all_goes_alone);
  g_test_add_func ("/guest-memory/who-gives-up-holds-up-nobody", test_who_gives_up_holds_up_nobody);
  return g_test_run ();
}
