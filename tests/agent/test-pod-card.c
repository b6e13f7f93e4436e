/* SPDX-License-Identifier: Apache-2.0 */
/* Links: guest-agent/agent/pod-card.c guest-agent/agent/pod-loopback.c guest-agent/agent/link.c
   guest-agent/agent/link-record.c guest-agent/agent/netlink.c guest-agent/agent/nft.c
   guest-agent/agent/network.c guest-agent/agent/firewall.c guest-agent/agent/nft-look.c
   guest-agent/agent/fault.c protocol/pod-record.c protocol/pack.c */
/* The pod's card, between three network namespaces: the guest's, which is this process's; the one
 * that the pod's containers share; and the wire, where the host's end is. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../guest-agent/agent/pod-card.h"

#define CARD_MAC "02:64:6e:00:00:03"
#define POD_MAC "0a:58:0a:58:00:05"
#define PEER_MAC "02:64:6e:01:00:03"
#define OWN4 "10.88.0.5"
#define OWN6 "fd88::5"

typedef struct
{
  int guest, pod, wire; /* network namespaces */
  DnPodCard card;
  DnPodRecord records[16];
  size_t count;
  guint8 bytes[16 * DN_POD_RECORD_BYTES];
  DnMsgPodNetwork message;
} World;

static int
keep_namespace (void)
{
  int fd = open ("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

  g_assert_cmpint (fd, >=, 0);
  return fd;
}

static int
make_namespace (void)
{
  g_assert_cmpint (unshare (CLONE_NEWNET), ==, 0);
  return keep_namespace ();
}

static void
go (int namespace)
{
  g_assert_cmpint (setns (namespace, CLONE_NEWNET), ==, 0);
}

static char *
run (int namespace, const char *command)
{
  g_autoptr (GError) error = NULL;
  char *output = NULL;
  int own = keep_namespace (), status = 0;

  go (namespace);
  g_assert_true (g_spawn_command_line_sync (command, &output, NULL, &status, &error));
  if (!g_spawn_check_wait_status (status, NULL))
    g_error ("'%s' failed: %s", command, output);
  go (own);
  (void) close (own);
  return g_strstrip (output);
}

static void
expect (int namespace, const char *command, const char *wanted)
{
  g_autofree char *output = run (namespace, command);

  if (strstr (output, wanted) == NULL)
    g_error ("%s: no '%s' in: %s", command, wanted, output);
}

static void
set_address (uint8_t *bytes, const char *text)
{
  if (text != NULL)
    g_assert_cmpint (inet_pton (strchr (text, ':') != NULL ? AF_INET6 : AF_INET, text, bytes), ==,
                     1);
}

static DnPodRecord *
add (World *world, DnPodRecordKind kind, const char *address, guint bits)
{
  DnPodRecord *record = &world->records[world->count++];

  *record = (DnPodRecord){ .kind = (guint8) kind,
                           .family = strchr (address, ':') != NULL ? 6 : 4,
                           .bits = (guint8) bits };
  set_address (record->address, address);
  return record;
}

static DnPodRecord *
add_route (World *world, const char *to, guint bits, const char *via, const char *source)
{
  DnPodRecord *record = add (world, DN_POD_ROUTE, to, bits);

  set_address (record->via, via);
  set_address (record->source, source);
  return record;
}

static void
set_mac (guint8 bytes[DN_MAC_BYTES], const char *text)
{
  for (guint i = 0; i < DN_MAC_BYTES; i++)
    bytes[i] = (guint8) g_ascii_strtoull (text + i * 3, NULL, 16);
}

/* As CNI's bridge gives a card, with what other plug-ins have. */
static void
fill (World *world)
{
  add_route (world, "0.0.0.0", 0, "10.88.0.1", NULL);
  add_route (world, "::", 0, "fd88::1", NULL)->metric = 1024;
  add_route (world, "192.0.2.0", 24, "203.0.113.1", OWN4)->flags = DN_POD_ROUTE_ONLINK;
  add_route (world, "10.88.0.0", 24, NULL, OWN4)->flags = DN_POD_ROUTE_LINK;
  add_route (world, "fd88::", 64, NULL, NULL)->metric = 256;
  add (world, DN_POD_ADDRESS, "fe80::858:aff:fe58:5", 64);
  add (world, DN_POD_ADDRESS, OWN4, 24);
  add (world, DN_POD_ADDRESS, OWN6, 64);
  set_mac (add (world, DN_POD_NEIGHBOUR, "10.88.0.77", 0)->via, "02:00:00:00:00:77");
  set_mac (world->message.card_mac, CARD_MAC);
  set_mac (world->message.mac, POD_MAC);
  set_mac (world->message.peer_mac, PEER_MAC);
  world->message.mtu = 1450;
}

static void
pack (World *world)
{
  world->message.records = world->bytes;
  world->message.records_bytes
      = (guint32) dn_pod_records_encode (world->records, world->count, world->bytes);
}

static World *
world_new (void)
{
  World *world = g_new0 (World, 1);

  world->wire = make_namespace ();
  world->pod = make_namespace ();
  world->guest = make_namespace ();
  g_free (run (world->guest, "ip link add virtio type veth peer name wire"));
  g_free (run (world->guest, "ip link set virtio address " CARD_MAC));
  g_free (run (world->guest, "ip link set wire address " PEER_MAC));
  {
    g_autofree char *move
        = g_strdup_printf ("ip link set wire netns /proc/%d/fd/%d", getpid (), world->wire);
    g_free (run (world->guest, move));
  }
  g_free (run (world->wire, "ip link set wire up"));
  fill (world);
  pack (world);
  return world;
}

static void
world_free (World *world)
{
  (void) close (world->guest);
  (void) close (world->pod);
  (void) close (world->wire);
  g_free (world);
}

static void
enter (World *world)
{
  DnFault fault = { 0 };

  g_assert_cmpint (dn_pod_card_set (&world->card, &world->message, &fault), ==, 0);
  if (dn_pod_card_enter (&world->card, world->pod, &fault) < 0)
    g_error ("%s", fault.message);
}

static void
test_the_card_is_as_the_one_whose_place_it_takes (void)
{
  World *world = world_new ();

  enter (world);
  expect (world->pod, "ip -o link show dev eth0", "mtu 1450");
  expect (world->pod, "ip -o link show dev eth0", "link/ether " POD_MAC);
  expect (world->pod, "ip -o link show dev eth0", ",UP");
  expect (world->pod, "ip -o link show dev lo", ",UP");
  expect (world->pod, "ip -4 -o address show dev eth0", "inet " OWN4 "/24");
  expect (world->pod, "ip -6 -o address show dev eth0", "inet6 " OWN6 "/64 scope global");
  expect (world->pod, "ip -6 -o address show dev eth0", "inet6 fe80::858:aff:fe58:5/64 scope link");
  expect (world->pod, "ip -4 route", "default via 10.88.0.1 dev eth0");
  expect (world->pod, "ip -4 route", "10.88.0.0/24 dev eth0 proto static scope link src " OWN4);
  expect (world->pod, "ip -4 route", "192.0.2.0/24 via 203.0.113.1 dev eth0");
  expect (world->pod, "ip -6 route", "default via fd88::1 dev eth0 proto static metric 1024");
  expect (world->pod, "ip -6 route", "fd88::/64 dev eth0 proto static metric 256");
  expect (world->pod, "ip neigh", "10.88.0.77 dev eth0 lladdr 02:00:00:00:00:77 PERMANENT");
  /* No address of a duplicate's, no route but those that were named. */
  {
    g_autofree char *tentative = run (world->pod, "ip address show tentative");
    g_autofree char *by_kernel = run (world->pod, "ip -4 route show proto kernel");
    g_autofree char *left = run (world->guest, "ip -o link");

    g_assert_cmpstr (tentative, ==, "");
    g_assert_cmpstr (by_kernel, ==, "");
    g_assert_null (strstr (left, "virtio"));
    g_assert_null (strstr (left, "eth0"));
  }
  /* This process is where it was. */
  expect (world->guest, "readlink /proc/self/ns/net", "net:[");
  {
    g_autofree char *inside = run (world->guest, "readlink /proc/self/ns/net");
    g_autofree char *own = g_file_read_link ("/proc/self/ns/net", NULL);

    g_assert_cmpstr (inside, ==, own);
  }
  world_free (world);
}

static void
test_the_same_again_is_no_failure_and_anything_else_is_one (void)
{
  World *world = world_new ();
  DnFault fault = { 0 };

  g_assert_cmpint (dn_pod_card_enter (&world->card, world->pod, &fault), ==, 0);
  enter (world);
  enter (world);
  world->message.mtu = 1400;
  g_assert_cmpint (dn_pod_card_set (&world->card, &world->message, &fault), ==, -EBUSY);
  g_assert_nonnull (strstr (fault.message, "have another already"));
  expect (world->pod, "ip -o link show dev eth0", "mtu 1450");
  world_free (world);
}

static void
test_what_cannot_be_is_refused (void)
{
  World *world = world_new ();
  DnFault fault = { 0 };

  world->bytes[0] = 9;
  g_assert_cmpint (dn_pod_card_set (&world->card, &world->message, &fault), ==, -EINVAL);
  g_assert_false (world->card.is_set);
  pack (world);
  world->message.mtu = 65536;
  g_assert_cmpint (dn_pod_card_set (&world->card, &world->message, &fault), ==, -EINVAL);
  world->message.mtu = 1450;
  /* No such card here. */
  world->message.card_mac[5] = 99;
  g_assert_cmpint (dn_pod_card_set (&world->card, &world->message, &fault), ==, 0);
  g_assert_cmpint (dn_pod_card_enter (&world->card, world->pod, &fault), ==, -ENODEV);
  g_assert_nonnull (strstr (fault.message, "the guest has none with that address"));
  set_mac (world->message.card_mac, CARD_MAC);
  /* A next hop that no route leads to: the kernel's own word. */
  add_route (world, "198.51.100.0", 24, "8.8.8.8", NULL);
  world->records[0] = world->records[--world->count];
  pack (world);
  g_assert_cmpint (dn_pod_card_set (&world->card, &world->message, &fault), ==, 0);
  g_assert_cmpint (dn_pod_card_enter (&world->card, world->pod, &fault), <, 0);
  g_assert_nonnull (strstr (fault.message, "addresses and routes"));
  world_free (world);
}

static socklen_t
make_name (struct sockaddr_storage *name, const char *address, guint16 port)
{
  struct sockaddr_in *four = (struct sockaddr_in *) name;
  struct sockaddr_in6 *six = (struct sockaddr_in6 *) name;

  memset (name, 0, sizeof *name);
  if (strchr (address, ':') == NULL)
    {
      *four = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons (port) };
      set_address ((uint8_t *) &four->sin_addr, address);
      return sizeof *four;
    }
  *six = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = htons (port) };
  set_address ((uint8_t *) &six->sin6_addr, address);
  return sizeof *six;
}

/* A server of the pod's at @address, that says whom it sees. */
static void
serve (World *world, const char *address, guint16 port)
{
  struct sockaddr_storage name;
  const socklen_t size = make_name (&name, address, port);
  int fd;

  go (world->pod);
  fd = socket (name.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  g_assert_cmpint (bind (fd, (struct sockaddr *) &name, size), ==, 0);
  g_assert_cmpint (listen (fd, 8), ==, 0);
  go (world->guest);
  if (fork () != 0)
    {
      (void) close (fd);
      return;
    }
  (void) prctl (PR_SET_PDEATHSIG, SIGKILL);
  while (TRUE)
    {
      struct sockaddr_storage peer;
      socklen_t peer_size = sizeof peer;
      int taken = accept (fd, (struct sockaddr *) &peer, &peer_size);
      const void *address_of_peer = peer.ss_family == AF_INET
                                        ? (void *) &((struct sockaddr_in *) &peer)->sin_addr
                                        : (void *) &((struct sockaddr_in6 *) &peer)->sin6_addr;
      char text[INET6_ADDRSTRLEN] = "";

      (void) inet_ntop (peer.ss_family, address_of_peer, text, sizeof text);
      (void) !write (taken, text, sizeof text);
      (void) close (taken);
    }
}

/* From @place, with that source. Returns: 0 and what the server said, or an errno. */
static int
ask_from (World *world, int place, const char *source, const char *to, guint16 port,
          char ret_said[INET6_ADDRSTRLEN])
{
  const struct timeval patience = { .tv_usec = 600000 };
  struct sockaddr_storage from, name;
  const socklen_t size = make_name (&from, source, 0);
  int fd, result = 0;

  (void) make_name (&name, to, port);
  go (place);
  fd = socket (from.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  go (world->guest);
  (void) setsockopt (fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  (void) setsockopt (fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  g_assert_cmpint (bind (fd, (struct sockaddr *) &from, size), ==, 0);
  if (connect (fd, (struct sockaddr *) &name, size) < 0
      || recv (fd, ret_said, INET6_ADDRSTRLEN, MSG_WAITALL) != INET6_ADDRSTRLEN)
    result = errno;
  (void) close (fd);
  return result == EAGAIN ? EINPROGRESS : result;
}

static int
ask (World *world, const char *source, const char *to, guint16 port,
     char ret_said[INET6_ADDRSTRLEN])
{
  return ask_from (world, world->wire, source, to, port, ret_said);
}

static void
test_the_host_s_side_reaches_the_pod_s_loopback_and_nobody_else_does (void)
{
  World *world = world_new ();
  char said[INET6_ADDRSTRLEN];

  enter (world);
  g_free (run (world->wire, "ip address add " DN_POD_PEER_IPV4 "/32 dev wire"));
  g_free (run (world->wire, "ip address add 10.88.0.9/24 dev wire"));
  g_free (run (world->wire, "ip route add 127.0.0.1 table main dev wire scope link"));
  g_free (run (world->wire, "sysctl -qw net.ipv4.conf.wire.route_localnet=1"));
  g_free (run (world->wire, "ip neigh add 127.0.0.1 lladdr " POD_MAC " dev wire nud permanent"));
  serve (world, "127.0.0.1", 8080);
  serve (world, "0.0.0.0", 8081);
  g_assert_cmpint (ask (world, DN_POD_PEER_IPV4, OWN4, 8080, said), ==, 0);
  g_assert_cmpstr (said, ==, DN_POD_PEER_IPV4);
  g_assert_cmpint (ask (world, DN_POD_PEER_IPV4, OWN4, 9, said), ==, ECONNREFUSED);
  /* Others reach what listens at the pod's address, and no loopback of any name. */
  g_assert_cmpint (ask (world, "10.88.0.9", OWN4, 8081, said), ==, 0);
  g_assert_cmpstr (said, ==, "10.88.0.9");
  g_assert_cmpint (ask (world, "10.88.0.9", OWN4, 8080, said), ==, ECONNREFUSED);
  g_assert_cmpint (ask (world, "10.88.0.9", "127.0.0.1", 8080, said), ==, EINPROGRESS);
  world_free (world);
}

/* ::1 has no setting of its own, but a route: its name for the pod's own programs stays as it is.
 */
static void
test_a_server_of_the_other_loopback_alone_is_reached_too (void)
{
  World *world = world_new ();
  char said[INET6_ADDRSTRLEN];

  enter (world);
  g_free (run (world->wire, "ip address add " DN_POD_PEER_IPV6 "/128 dev wire nodad"));
  g_free (run (world->wire, "ip address add fd88::9/64 dev wire nodad"));
  serve (world, "::1", 8080);
  serve (world, "::", 8081);
  for (guint16 port = 8080; port <= 8081; port++)
    {
      g_assert_cmpint (ask (world, DN_POD_PEER_IPV6, OWN6, port, said), ==, 0);
      g_assert_cmpstr (said, ==, DN_POD_PEER_IPV6);
      g_assert_cmpint (ask_from (world, world->pod, "::1", "::1", port, said), ==, 0);
      g_assert_cmpstr (said, ==, "::1");
    }
  g_assert_cmpint (ask (world, DN_POD_PEER_IPV6, OWN6, 9, said), ==, ECONNREFUSED);
  g_assert_cmpint (ask (world, "fd88::9", OWN6, 8081, said), ==, 0);
  g_assert_cmpstr (said, ==, "fd88::9");
  g_assert_cmpint (ask (world, "fd88::9", OWN6, 8080, said), ==, ECONNREFUSED);
  world_free (world);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  if (geteuid () != 0)
    {
      g_printerr ("needs root\n");
      return 1;
    }
#define TEST(path, name) g_test_add_func ("/pod-card/" path, test_##name)
  TEST ("the-card-is-as-the-one-whose-place-it-takes", the_card_is_as_the_one_whose_place_it_takes);
  TEST ("the-same-again-is-no-failure-and-anything-else-is-one",
        the_same_again_is_no_failure_and_anything_else_is_one);
  TEST ("what-cannot-be-is-refused", what_cannot_be_is_refused);
  TEST ("the-host-s-side-reaches-the-pod-s-loopback-and-nobody-else-does",
        the_host_s_side_reaches_the_pod_s_loopback_and_nobody_else_does);
  TEST ("a-server-of-the-other-loopback-alone-is-reached-too",
        a_server_of_the_other_loopback_alone_is_reached_too);
#undef TEST
  return g_test_run ();
}
