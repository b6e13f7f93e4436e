/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/network/pod-lines.c launcher/common/error.c protocol/pod-record.c
   protocol/pack.c */
/* What the gateway says of a pod's card, and what becomes of it on the way to the agent. */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "../../launcher/common/error.h"
#include "../../launcher/network/pod-network.h"

#define CARD "card eth0\nmac 0a:58:0a:58:00:05\npeer 02:64:6e:01:00:03\nmtu 1450\n"

static guint8 bytes[DN_POD_RECORDS_MAX * DN_POD_RECORD_BYTES + 1];
static DnPodRecord records[DN_POD_RECORDS_MAX];
static DnMsgPodNetwork message;

/* Returns: how many records, or -1. */
static int
parse (const char *lines)
{
  g_autoptr (GError) error = NULL;

  if (!dn_pod_network_parse (lines, bytes, &message, &error))
    {
      g_assert_error (error, DN_ERROR, DN_ERROR_FAILED);
      return -1;
    }
  return dn_pod_records_decode (message.records, message.records_bytes, records);
}

static void
test_every_line_becomes_what_it_says (void)
{
  static const guint8 mac[] = { 0x0a, 0x58, 0x0a, 0x58, 0, 5 };
  char text[INET6_ADDRSTRLEN];

  g_assert_cmpint (parse (CARD "address 10.88.0.5/24\naddress fd88::5/64\n"
                               "route 0.0.0.0/0 10.88.0.1 - 0 0\n"
                               "route fd88::/64 - fd88::5 256 0\n"
                               "route 192.0.2.0/24 203.0.113.1 - 7 1\n"
                               "neighbour fd88::1 0a:58:0a:58:00:01\n"),
                   ==, 6);
  g_assert_cmpmem (message.mac, sizeof message.mac, mac, sizeof mac);
  g_assert_cmpuint (message.peer_mac[5], ==, 3);
  g_assert_cmpuint (message.mtu, ==, 1450);
  g_assert_cmpuint (records[0].kind, ==, DN_POD_ADDRESS);
  g_assert_cmpuint (records[0].family, ==, 4);
  g_assert_cmpuint (records[0].bits, ==, 24);
  g_assert_cmpstr (inet_ntop (AF_INET6, records[1].address, text, sizeof text), ==, "fd88::5");
  g_assert_cmpuint (records[2].kind, ==, DN_POD_ROUTE);
  g_assert_cmpuint (records[2].bits, ==, 0);
  g_assert_cmpstr (inet_ntop (AF_INET, records[2].via, text, sizeof text), ==, "10.88.0.1");
  g_assert_true (dn_pod_record_is_empty (records[3].via));
  g_assert_cmpstr (inet_ntop (AF_INET6, records[3].source, text, sizeof text), ==, "fd88::5");
  g_assert_cmpuint (records[3].metric, ==, 256);
  g_assert_cmpuint (records[4].flags, ==, DN_POD_ROUTE_ONLINK);
  g_assert_cmpuint (records[5].kind, ==, DN_POD_NEIGHBOUR);
  g_assert_cmpuint (records[5].via[5], ==, 1);
}

static void
test_what_is_no_such_line_is_refused (void)
{
  static const char *const lines[] = {
    "mac 0a:58:0a:58:00:05\n", /* and no mtu */
    "mtu 1450\n",
    "",
    CARD "mtu 65536\n",
    CARD "mtu -1\n",
    CARD "mac 0a:58:0a:58:00\n",
    CARD "mac 0a:58:0a:58:00:05:06\n",
    CARD "peer 0a:58:0a:58:00:zz\n",
    CARD "address 10.88.0.5\n",
    CARD "address 10.88.0.5/33\n",
    CARD "address fd88::5/129\n",
    CARD "address 10.88.0/24\n",
    CARD "address -/24\n",
    CARD "route 0.0.0.0/0 fd88::1 - 0 0\n",
    CARD "route 0.0.0.0/0 10.88.0.1 fd88::5 0 0\n",
    CARD "route 0.0.0.0/0 10.88.0.1 - 4294967296 0\n",
    CARD "route 0.0.0.0/0 10.88.0.1 - 0 4\n",
    CARD "route 0.0.0.0/0 10.88.0.1 - 0\n",
    CARD "route 0.0.0.0/0 10.88.0.1 - 0 0 0\n",
    CARD "neighbour 10.88.0.1\n",
    CARD "neighbour 10.88.0.1 -\n",
    CARD "gateway 10.88.0.1\n",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (lines); i++)
    if (parse (lines[i]) >= 0)
      g_error ("taken: %s", lines[i]);
  {
    g_autoptr (GString) many = g_string_new (CARD);

    for (guint i = 0; i < DN_POD_RECORDS_MAX; i++)
      g_string_append (many, "address 10.88.0.5/24\n");
    g_assert_cmpint (parse (many->str), ==, DN_POD_RECORDS_MAX);
    g_string_append (many, "address 10.88.0.5/24\n");
    g_assert_cmpint (parse (many->str), ==, -1);
  }
}

static int
decode (DnPodRecord record, gsize size)
{
  (void) dn_pod_records_encode (&record, 1, bytes);
  return dn_pod_records_decode (bytes, size, records);
}

static void
test_records_are_written_in_one_way_alone (void)
{
  const DnPodRecord good = { .kind = DN_POD_ROUTE,
                             .family = 4,
                             .bits = 24,
                             .flags = DN_POD_ROUTE_ONLINK,
                             .metric = 5,
                             .address = { 10, 1, 2 },
                             .via = { 10, 0, 0, 1 },
                             .source = { 10, 0, 0, 2 } };

  g_assert_cmpint (decode (good, DN_POD_RECORD_BYTES), ==, 1);
  g_assert_cmpmem (&records[0], sizeof good, &good, sizeof good);
  for (gsize size = 1; size < DN_POD_RECORD_BYTES; size++)
    g_assert_cmpint (decode (good, size), ==, -EPROTO);
  g_assert_cmpint (decode (good, DN_POD_RECORD_BYTES + 1), ==, -EPROTO);
#define REFUSED(change)                                                                            \
  do                                                                                               \
    {                                                                                              \
      DnPodRecord bad = good;                                                                      \
      bad.change;                                                                                  \
      g_assert_cmpint (decode (bad, DN_POD_RECORD_BYTES), ==, -EPROTO);                            \
    }                                                                                              \
  while (0)
  REFUSED (kind = 0);
  REFUSED (kind = 4);
  REFUSED (family = 5);
  REFUSED (bits = 33);
  REFUSED (flags = 4);
  REFUSED (address[4] = 1);
  REFUSED (via[4] = 1);
  REFUSED (source[15] = 1);
  /* Of a route alone. */
  REFUSED (kind = DN_POD_ADDRESS);
  REFUSED (kind = DN_POD_NEIGHBOUR);
#undef REFUSED
}

static void
test_what_cni_has_given_is_what_verify_promises (void)
{
  g_auto (DnPodPromise) promise = { NULL }, bare = { NULL };
  g_autoptr (GError) error = NULL;

  g_assert_true (dn_pod_network_promise_parse (
      CARD "address 10.88.0.5/24\naddress fd88::5/64\naddress fe80::1/64\n"
           "route 0.0.0.0/0 10.88.0.1 - 0 0\nroute ::/0 fd88::1 - 1024 0\n"
           "route 10.88.0.0/24 - 10.88.0.5 0 2\nneighbour 10.88.0.77 02:00:00:00:00:77\n",
      &promise, &error));
  g_assert_no_error (error);
  g_assert_cmpstr (promise.card, ==, "0a:58:0a:58:00:05");
  g_assert_cmpstr (promise.addresses, ==, "10.88.0.5/24 fd88::5/64 fe80::1/64");
  g_assert_cmpstr (promise.ways, ==, "10.88.0.1/0 fd88::1/0");
  g_assert_true (dn_pod_network_promise_parse (CARD, &bare, &error));
  g_assert_cmpstr (bare.addresses, ==, "none");
  g_assert_cmpstr (bare.ways, ==, "none");
  dn_pod_promise_clear (&bare);
  g_assert_false (dn_pod_network_promise_parse ("card eth0\n", &bare, &error));
  g_assert_error (error, DN_ERROR, DN_ERROR_FAILED);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define TEST(path, name) g_test_add_func ("/pod-network/" path, test_##name)
  TEST ("every-line-becomes-what-it-says", every_line_becomes_what_it_says);
  TEST ("what-is-no-such-line-is-refused", what_is_no_such_line_is_refused);
  TEST ("what-cni-has-given-is-what-verify-promises", what_cni_has_given_is_what_verify_promises);
  TEST ("records-are-written-in-one-way-alone", records_are_written_in_one_way_alone);
#undef TEST
  return g_test_run ();
}
