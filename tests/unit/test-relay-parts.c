/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/confined/bucket.c launcher/relay/backlog.c launcher/relay/inflow.c
 * launcher/relay/requests.c launcher/confined/loop.c */
/* The relay's pure parts, each small. */
#include <errno.h>
#include <glib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../launcher/confined/bucket.h"
#include "../../launcher/confined/loop.h"
#include "../../launcher/relay/inflow.h"
#include "../../launcher/relay/requests.h"
#include "../../protocol/protocol.h"

#define S 1000000000ull

static void
test_a_bucket_gives_its_burst_and_then_its_rate (void)
{
  DnBucket bucket;
  guint taken = 0;

  dn_bucket_init (&bucket, 1000, 50, S);
  while (dn_bucket_take (&bucket, 1, S))
    taken++;
  g_assert_cmpuint (taken, ==, 50);
  /* Steps that are too short for a whole token each still add up. */
  for (guint64 now = S; now <= S + S / 100; now += 1000)
    taken += dn_bucket_take (&bucket, 1, now);
  g_assert_cmpuint (taken, >=, 59);
  g_assert_cmpuint (taken, <=, 60);
}

static void
test_a_bucket_lets_pass_what_is_over_its_burst_only_when_full (void)
{
  DnBucket bucket;

  dn_bucket_init (&bucket, 10, 10, S);
  g_assert_true (dn_bucket_take (&bucket, 1000, S));
  g_assert_false (dn_bucket_take (&bucket, 1000, S + S / 2));
  g_assert_true (dn_bucket_take (&bucket, 1000, S + 2 * S));
  /* A clock that stands still for a century overflows nothing. */
  g_assert_cmpuint (dn_bucket_level (&bucket, G_MAXUINT64), ==, 10);
}

static void
test_a_backlog_keeps_order_and_limit_and_gives_memory_back (void)
{
  DnBacklog backlog = DN_BACKLOG_INIT (10000);
  guint8 next_in = 0, next_out = 0;
  gsize in = 0;

  for (int round = 0; round < 3000; round++)
    {
      guint8 *at = dn_backlog_reserve (&backlog, 37);

      if (at != NULL)
        {
          for (int i = 0; i < 31; i++)
            at[i] = next_in++;
          dn_backlog_added (&backlog, 31); /* less than was reserved */
          in += 31;
        }
      for (gsize left = MIN (dn_backlog_length (&backlog), 29); left > 0; left--)
        {
          g_assert_cmpuint (dn_backlog_bytes (&backlog)[0], ==, next_out++);
          dn_backlog_drop (&backlog, 1);
        }
      g_assert_cmpuint (dn_backlog_length (&backlog), <=, 10000);
      g_assert_cmpuint (backlog.size, <=, 32768);
    }
  g_assert_cmpuint (in, >, 80000);
  g_assert_cmpint (dn_backlog_append (&backlog, "x", 10001), ==, -ENOBUFS);
  dn_backlog_drop (&backlog, dn_backlog_length (&backlog));
  g_assert_null (backlog.bytes);
}

static void
test_an_inflow_holds_the_window (void)
{
  DnInflow inflow;
  gsize known;

  dn_inflow_init (&inflow, 5);
  g_assert_cmpint (dn_inflow_take (&inflow, DN_STREAM_WINDOW_BYTES, &known), ==, 0);
  g_assert_cmpuint (known, ==, 0);
  g_assert_cmpint (dn_inflow_take (&inflow, 1, &known), ==, -EPROTO);
  dn_inflow_consumed (&inflow, 10);
  g_assert_cmpuint (dn_inflow_take_credit (&inflow), ==, 10);
  g_assert_cmpuint (dn_inflow_take_credit (&inflow), ==, 0);
  g_assert_cmpint (dn_inflow_take (&inflow, 10, &known), ==, 0);
  g_assert_cmpint (dn_inflow_end (&inflow), ==, 0);
  g_assert_cmpint (dn_inflow_take (&inflow, 0, &known), ==, -EPROTO);
  g_assert_cmpint (dn_inflow_end (&inflow), ==, -EPROTO);
  dn_inflow_clear (&inflow);
}

static void
test_an_inflow_skips_what_a_new_link_brings_again (void)
{
  DnInflow inflow;
  gsize known;

  dn_inflow_init (&inflow, 5);
  g_assert_cmpint (dn_inflow_take (&inflow, 100, &known), ==, 0);
  dn_inflow_consumed (&inflow, 40);
  g_assert_cmpuint (dn_inflow_take_credit (&inflow), ==, 40);
  dn_inflow_consumed (&inflow, 90); /* while there is no link */
  dn_inflow_relink (&inflow);
  g_assert_false (dn_inflow_owed (&inflow) > 0); /* nothing came on this link yet */
  g_assert_cmpint (dn_inflow_take (&inflow, 70, &known), ==, 0);
  g_assert_cmpuint (known, ==, 60);
  g_assert_cmpuint (inflow.received, ==, 110);
  g_assert_cmpuint (dn_inflow_take_credit (&inflow), ==, 50);
  /* After the end more of the same changes nothing. */
  g_assert_cmpint (dn_inflow_end (&inflow), ==, 0);
  dn_inflow_relink (&inflow);
  g_assert_cmpint (dn_inflow_take (&inflow, 200, &known), ==, 0);
  g_assert_cmpuint (known, ==, 200);
  g_assert_cmpuint (inflow.received, ==, 110);
  dn_inflow_clear (&inflow);
}

static void
test_requests_are_renumbered_and_bounded (void)
{
  g_autofree DnRequests *requests = g_new0 (DnRequests, 1);
  guint32 first, second;

  dn_requests_init (requests, G_MAXUINT32 - 1);
  first = dn_requests_number (requests, 1, 7);
  g_assert_cmpuint (first, ==, G_MAXUINT32);
  g_assert_cmpuint (dn_requests_number (requests, 1, 7), ==, first); /* a PART came before */
  second = dn_requests_number (requests, 2, 7);                      /* another danchid's 7 */
  g_assert_cmpuint (second, ==, 1);                                  /* never 0 */
  g_assert_cmpuint (dn_requests_find (requests, second)->asked, ==, 7);
  g_assert_cmpuint (dn_requests_find (requests, second)->asker, ==, 2);
  dn_requests_forget (requests, first);
  g_assert_null (dn_requests_find (requests, first));
  for (guint32 i = 1; i < DN_REQUESTS_MAX; i++)
    g_assert_cmpuint (dn_requests_number (requests, 0, 0), !=, 0);
  g_assert_cmpuint (dn_requests_number (requests, 0, 0), ==, 0);
  dn_requests_clear (requests);
  g_assert_cmpuint (dn_requests_number (requests, 1, 7), !=, 0);
}

typedef struct
{
  DnLoop loop;
  DnSource sources[2];
  int calls;
} LoopFixture;

static void
close_both (void *data, guint32 events)
{
  LoopFixture *fixture = data;

  (void) events;
  fixture->calls++;
  for (int i = 0; i < 2; i++)
    dn_loop_close (&fixture->loop, &fixture->sources[i]);
}

static void
test_a_handler_may_take_out_a_source_that_is_still_to_come (void)
{
  LoopFixture fixture = { 0 };
  int ends[2][2];

  g_assert_cmpint (dn_loop_init (&fixture.loop), ==, 0);
  for (int i = 0; i < 2; i++)
    {
      g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM, 0, ends[i]), ==, 0);
      fixture.sources[i] = (DnSource){ .fd = ends[i][0], .ready = close_both, .data = &fixture };
      g_assert_cmpint (dn_loop_want (&fixture.loop, &fixture.sources[i], EPOLLIN), ==, 0);
      g_assert_cmpint (write (ends[i][1], "x", 1), ==, 1);
    }
  g_assert_cmpint (dn_loop_turn (&fixture.loop, 100), ==, 0);
  g_assert_cmpint (fixture.calls, ==, 1);
  for (int i = 0; i < 2; i++)
    (void) close (ends[i][1]);
  dn_loop_clear (&fixture.loop);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define TEST(name) g_test_add_func ("/relay/parts/" #name, test_##name)
  TEST (a_bucket_gives_its_burst_and_then_its_rate);
  TEST (a_bucket_lets_pass_what_is_over_its_burst_only_when_full);
  TEST (a_backlog_keeps_order_and_limit_and_gives_memory_back);
  TEST (an_inflow_holds_the_window);
  TEST (an_inflow_skips_what_a_new_link_brings_again);
  TEST (requests_are_renumbered_and_bounded);
  TEST (a_handler_may_take_out_a_source_that_is_still_to_come);
  return g_test_run ();
}
