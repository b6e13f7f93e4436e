/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/base/share-order.c */
#include "../../launcher/base/share-order.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

static DnShareOrder
make_bind (void)
{
  DnShareOrder order
      = { .verb = DN_SHARE_BIND,
          .process = { .pid = 77, .ticks = G_MAXUINT64, .uid = 200001, .gid = 200002 },
          .number = DN_SHARE_NUMBERS - 1,
          .guest_uid = 100000,
          .guest_gid = DN_SHARE_GUEST_IDS - 1 };

  order.source = (DnShareSource){ .root = "/srv/data",
                                  .rest = "a b/c:d",
                                  .is_writable = true,
                                  .uid = 1000,
                                  .gid = 1001,
                                  .group_count = 3,
                                  .groups = { 4, 4294967294u, 27 } };
  return order;
}

static void
assert_same (const DnShareOrder *one, const DnShareOrder *other)
{
  g_assert_cmpint (one->verb, ==, other->verb);
  g_assert_cmpint (one->process.pid, ==, other->process.pid);
  g_assert_cmpuint (one->process.ticks, ==, other->process.ticks);
  g_assert_cmpuint (one->process.uid, ==, other->process.uid);
  g_assert_cmpuint (one->process.gid, ==, other->process.gid);
  g_assert_cmpint (one->qemu.pid, ==, other->qemu.pid);
  g_assert_cmpuint (one->qemu.ticks, ==, other->qemu.ticks);
  g_assert_cmpuint (one->qemu.uid, ==, other->qemu.uid);
  g_assert_cmpuint (one->number, ==, other->number);
  g_assert_cmpuint (one->guest_uid, ==, other->guest_uid);
  g_assert_cmpuint (one->guest_gid, ==, other->guest_gid);
  g_assert_cmpstr (one->source.root, ==, other->source.root);
  g_assert_cmpstr (one->source.rest, ==, other->source.rest);
  g_assert_cmpint (one->source.is_writable, ==, other->source.is_writable);
  g_assert_cmpint (one->source.is_executable, ==, other->source.is_executable);
  g_assert_cmpuint (one->source.uid, ==, other->source.uid);
  g_assert_cmpuint (one->source.gid, ==, other->source.gid);
  g_assert_cmpuint (one->source.group_count, ==, other->source.group_count);
  g_assert_cmpmem (one->source.groups, one->source.group_count * sizeof (gid_t),
                   other->source.groups, other->source.group_count * sizeof (gid_t));
}

static void
assert_comes_back (const DnShareOrder *order)
{
  g_autofree char *text = g_malloc (DN_SHARE_ORDER_MAX_BYTES);
  g_autofree DnShareOrder *again = g_new (DnShareOrder, 1);
  int length = dn_share_order_format (order, text, DN_SHARE_ORDER_MAX_BYTES);

  g_assert_cmpint (length, ==, strlen (text));
  g_assert_cmpint (dn_share_order_parse (text, again), ==, 0);
  assert_same (order, again);
}

static void
test_an_order_comes_back (void)
{
  g_autofree DnShareOrder *order = g_new (DnShareOrder, 1);

  *order = make_bind ();
  assert_comes_back (order);
  order->source.group_count = 0;
  order->source.rest[0] = '\0';
  assert_comes_back (order);
  order->source.group_count = DN_SHARE_GROUPS_MAX;
  memset (order->source.groups, 0xfe, sizeof order->source.groups);
  assert_comes_back (order);
  *order = (DnShareOrder){ .verb = DN_SHARE_UNBIND,
                           .process = { .pid = 2, .ticks = 0, .uid = 1, .gid = 1 } };
  assert_comes_back (order);
  *order = (DnShareOrder){ .verb = DN_SHARE_JOIN,
                           .process = { .pid = 77, .ticks = 5, .uid = 200001, .gid = 200002 },
                           .qemu = { .pid = 78, .ticks = 6, .uid = 200001, .gid = 200002 } };
  assert_comes_back (order);
  *order = (DnShareOrder){ .verb = DN_SHARE_START, .process = { .uid = 1, .gid = 1 } };
  assert_comes_back (order);
  g_assert_false (dn_share_order_is_pods (order));
  order->guest_uid = order->guest_gid = 100000;
  assert_comes_back (order);
  g_assert_true (dn_share_order_is_pods (order));
}

static void
test_what_root_must_not_do_is_no_order (void)
{
  static const char *const texts[] = {
    "",
    "start",
    "start 0 0 0 5 0 0 0\n",
    "start 0 0 5 5 0 5 6\n",
    "start 0 0 5 5 0 16777216 16777216\n",
    "start 0 0 5 0 0 0 0\n",
    "start 0 0 5 5 0 0 0\nmore",
    "start 0 0 5 5 0 0 0",
    "start  0 0 5 5 0 0 0\n",
    "start 0 0 05x 5 0 0 0\n",
    "start 0 0 4294967296 5 0 0 0\n",
    "stop 0 0 5 5 0 0 0\n",
    /* Not process 1, no name that no share has, not the guest's root as an owner. */
    "unbind 1 0 5 5 0 0 0\n",
    "unbind 9 0 5 5 2048 0 0\n",
    "bind 9 0 5 5 0 0 5\n0 0 1 1 0\n/a\n\n",
    "bind 9 0 5 5 0 5 0\n0 0 1 1 0\n/a\n\n",
    "bind 9 0 5 5 0 16777216 5\n0 0 1 1 0\n/a\n\n",
    "bind 9 0 0 5 0 5 5\n0 0 1 1 0\n/a\n\n",
    "join 9 0 5 5 0 0 0\n",
    "join 9 0 5 5 0 0 0\n1 5\n",
    "join 9 0 0 5 0 0 0\n10 5\n",
    "join 9 0 5 5 0 0 0\n10 5\nmore",
    "join 1 0 5 5 0 0 0\n10 5\n",
    /* Sources. */
    "bind 9 0 5 5 0 5 5\n",
    "bind 9 0 5 5 0 5 5\n2 0 1 1 0\n/a\n\n",
    "bind 9 0 5 5 0 5 5\n0 0 1 1 0\na\n\n",
    "bind 9 0 5 5 0 5 5\n0 0 1 1 0\n/a\n/b\n",
    "bind 9 0 5 5 0 5 5\n0 0 1 1 2 7\n/a\n\n",
    "bind 9 0 5 5 0 5 5\n0 0 1 1 1 7 8\n/a\n\n",
    "bind 9 0 5 5 0 5 5\n0 0 1 1 1025\n/a\n\n",
    "bind 9 0 5 5 0 5 5\n0 0 1 1 0\n/a\n",
    "bind 9 0 5 5 0 5 5\n0 0 -1 1 0\n/a\n\n",
    "bind 9 0 5 5 0 5 5\n0 0 1 1 0\n/a\nb\nc\n",
  };
  g_autofree DnShareOrder *order = g_new (DnShareOrder, 1);

  g_assert_cmpint (dn_share_order_parse ("bind 9 0 5 5 0 5 5\n0 0 1 1 0\n/a\n\n", order), ==, 0);
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_test_message ("%u: %s", i, texts[i]);
      g_assert_cmpint (dn_share_order_parse (texts[i], order), ==, -EINVAL);
    }
}

/* Root's alone, a whole range, and no id of the guest's own. */
static void
test_a_pods_order_has_a_range (void)
{
  static const char *const verbs[] = { "pod", "copy", "refresh" };
  static const char *const bad[] = { " 9 0 5 5 0 100000 100001\n1 1 0 0 0\n/a\n\n",
                                     " 9 0 5 5 0 0 0\n1 1 0 0 0\n/a\n\n",
                                     " 9 0 5 5 0 16711681 16711681\n1 1 0 0 0\n/a\n\n",
                                     " 9 0 5 5 0 100000 100000\n1 1 1000 0 0\n/a\n\n",
                                     " 1 0 5 5 0 100000 100000\n1 1 0 0 0\n/a\n\n",
                                     " 9 0 5 5 2048 100000 100000\n1 1 0 0 0\n/a\n\n",
                                     " 9 0 5 5 0 100000 100000\n" };
  g_autofree DnShareOrder *order = g_new (DnShareOrder, 1);

  for (gsize verb = 0; verb < G_N_ELEMENTS (verbs); verb++)
    {
      g_autofree char *good
          = g_strconcat (verbs[verb], " 9 0 5 5 0 100000 100000\n1 1 0 0 0\n/a\n\n", NULL);

      g_assert_cmpint (dn_share_order_parse (good, order), ==, 0);
      for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
        {
          g_autofree char *text = g_strconcat (verbs[verb], bad[i], NULL);

          g_assert_cmpint (dn_share_order_parse (text, order), ==, -EINVAL);
        }
    }
  g_assert_cmpint (dn_share_order_parse ("look 0 0 0 0 0 0 0\n0 1 0 0 0\n/a\nb\n", order), ==, 0);
}

static void
test_what_does_not_fit_is_not_cut (void)
{
  g_autofree DnShareOrder *order = g_new (DnShareOrder, 1);
  char text[128];

  *order = make_bind ();
  memset (order->source.rest, 'x', 200);
  g_assert_cmpint (dn_share_order_format (order, text, sizeof text), ==, -EMSGSIZE);
}

static void
test_an_answer_comes_back (void)
{
  const DnShareAnswer answer = { .code = EACCES,
                                 .pid = 4711,
                                 .ticks = 123456789012345,
                                 .is_directory = true,
                                 .is_memory = true,
                                 .size_bytes = G_MAXUINT64,
                                 .owner_uid = 4294967294u,
                                 .owner_gid = 5,
                                 .text = "uid 5 may not read it\nor so" };
  char text[DN_SHARE_ANSWER_MAX_BYTES];
  DnShareAnswer again;

  g_assert_cmpint (dn_share_answer_format (&answer, text, sizeof text), >, 0);
  g_assert_cmpint (dn_share_answer_parse (text, &again), ==, 0);
  g_assert_cmpint (again.code, ==, answer.code);
  g_assert_cmpint (again.pid, ==, answer.pid);
  g_assert_cmpuint (again.ticks, ==, answer.ticks);
  g_assert_true (again.is_directory);
  g_assert_true (again.is_memory);
  g_assert_cmpuint (again.size_bytes, ==, answer.size_bytes);
  g_assert_cmpuint (again.owner_uid, ==, answer.owner_uid);
  g_assert_cmpuint (again.owner_gid, ==, answer.owner_gid);
  g_assert_cmpstr (again.text, ==, answer.text);
  g_assert_cmpint (dn_share_answer_parse ("5", &again), ==, -EINVAL);
  g_assert_cmpint (dn_share_answer_parse ("9999 0 0 0 0 0\n", &again), ==, -EINVAL);
}

/* No guest's id is an id of the host's while a file is made, and its root is the context's own. */
static void
test_ids_in_between_are_nobodys (void)
{
  g_assert_cmpuint (dn_share_host_id (0, 200001), ==, 200001);
  g_assert_cmpuint (dn_share_host_id (1, 200001), ==, DN_SHARE_FIRST_ID + 1);
  g_assert_cmpuint (DN_SHARE_FIRST_ID + DN_SHARE_FOREIGN_GROUPS + DN_SHARE_FOREIGN_GROUP_COUNT, <,
                    G_MAXINT32);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/share-order/an order comes back", test_an_order_comes_back);
  g_test_add_func ("/share-order/what root must not do is no order",
                   test_what_root_must_not_do_is_no_order);
  g_test_add_func ("/share-order/a pod's order has a range", test_a_pods_order_has_a_range);
  g_test_add_func ("/share-order/what does not fit is not cut", test_what_does_not_fit_is_not_cut);
  g_test_add_func ("/share-order/an answer comes back", test_an_answer_comes_back);
  g_test_add_func ("/share-order/ids in between are nobody's", test_ids_in_between_are_nobodys);
  return g_test_run ();
}
