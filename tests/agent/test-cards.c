/* SPDX-License-Identifier: Apache-2.0 */
/* Links: tests/agent/agent-host.c protocol/*.c */
/* The real agent between a host and its containers: cards, and what passes between them.  This
 * process's network namespace, a new one, is the guest's; what is outside is another, with the
 * other end of the guest's card. */
#include <arpa/inet.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../protocol/network.h"
#include "agent-host.h"

#define ARGS(...) ((const char *const[]){ "probe", __VA_ARGS__, NULL })
#define GATEWAY4 "10.217.0.1"
#define GATEWAY6 "fd64:6e::1"
#define FIRST 10 /* the last number of the first container's addresses */

/* Root in the container, with the rights that let it do what it likes with its own network. */
#define POWERFUL                                                                                   \
  ",\"user\":{\"uid\":0,\"gid\":0},\"capabilities\":{\"bounding\":[\"CAP_NET_ADMIN\","             \
  "\"CAP_NET_RAW\"],\"permitted\":[\"CAP_NET_ADMIN\",\"CAP_NET_RAW\"],\"effective\":"              \
  "[\"CAP_NET_ADMIN\",\"CAP_NET_RAW\"]}"

/* As danchid's. */
#define SYSCTLS                                                                                    \
  ",\"sysctl\":{\"net.ipv4.ip_unprivileged_port_start\":\"0\",\"net.ipv4.ping_group_range\":"      \
  "\"0 65535\"}"

static pid_t outside; /* a process in the namespace outside */

static char *
run (const char *command)
{
  g_autoptr (GError) error = NULL;
  char *output = NULL;
  gint status = 0;

  g_assert_true (g_spawn_command_line_sync (command, &output, NULL, &status, &error));
  g_assert_no_error (error);
  if (!g_spawn_check_wait_status (status, NULL))
    g_error ("'%s' failed: %s", command, output);
  return output;
}

static void
run_here (const char *command)
{
  g_free (run (command));
}

static char *
run_outside (const char *command)
{
  g_autofree char *line = g_strdup_printf ("nsenter -t %d -n %s", (int) outside, command);

  return run (line);
}

static char *
probe_outside (const char *words)
{
  g_autofree char *line
      = g_strdup_printf ("%s/tests/agent/probe %s", g_getenv ("DN_TEST_BUILD"), words);

  return run_outside (line);
}

static pid_t
spawn_outside (const char *words)
{
  g_autofree char *command = g_strdup_printf ("exec nsenter -t %d -n %s/tests/agent/probe %s",
                                              (int) outside, g_getenv ("DN_TEST_BUILD"), words);
  pid_t pid = fork ();

  if (pid == 0)
    {
      (void) prctl (PR_SET_PDEATHSIG, SIGKILL);
      (void) execl ("/bin/sh", "sh", "-c", command, NULL);
      _exit (127);
    }
  g_usleep (300000);
  return pid;
}

static void
end (pid_t pid)
{
  (void) kill (pid, SIGKILL);
  g_assert_cmpint (waitpid (pid, NULL, 0), ==, pid);
}

/* A network namespace of this process's own, another outside, and a cable between the two. */
static void
lay_cable (void)
{
  g_autofree char *cable = NULL;

  g_assert_cmpint (unshare (CLONE_NEWNET), ==, 0);
  outside = fork ();
  if (outside == 0)
    {
      (void) prctl (PR_SET_PDEATHSIG, SIGKILL);
      if (unshare (CLONE_NEWNET) < 0)
        _exit (1);
      for (;;)
        pause ();
    }
  g_usleep (100000);
  cable
      = g_strdup_printf ("ip link add name card address 02:64:6e:00:00:00 type veth peer name tap "
                         "address 02:64:6e:01:00:00 netns %d",
                         (int) outside);
  run_here (cable);
  g_free (run_outside ("ip link set lo up"));
  g_free (run_outside ("ip link set tap up addrgenmode none"));
  g_free (run_outside ("ip address add " GATEWAY4 "/32 dev tap"));
  g_free (run_outside ("ip address add " GATEWAY6 "/128 dev tap nodad"));
  g_free (run_outside ("ip neighbour add 10.217.0.2 lladdr 02:64:6e:00:00:00 dev tap"));
  g_free (run_outside ("ip neighbour add fd64:6e::2 lladdr 02:64:6e:00:00:00 dev tap"));
  g_free (run_outside ("ip route add 10.217.0.2/32 dev tap"));
  g_free (run_outside ("ip route add 10.217.0.0/25 via 10.217.0.2"));
  g_free (run_outside ("ip route add fd64:6e::2/128 dev tap"));
  g_free (run_outside ("ip route add fd64:6e::/64 via fd64:6e::2"));
  g_free (run_outside ("sh -c 'echo 0 65535 > /proc/sys/net/ipv4/ping_group_range'"));
  /* Somewhere else, behind the gateway. */
  g_free (run_outside ("ip address add 192.0.2.7/32 dev lo"));
}

static gint32
send_message (Host *host, guint16 type, const guint8 *payload, int size, guint32 request)
{
  g_assert_cmpint (size, >, 0);
  host_send (host, type, 0, payload, (gsize) size);
  return host_await_reply (host, request);
}

static gint32
send_network (Host *host, guint32 flags)
{
  DnMsgNetwork message = { .request = host_next_request (host),
                           .flags = flags,
                           .mac = { 0x02, 0x64, 0x6e, 0, 0, 0 },
                           .gateway_mac = { 0x02, 0x64, 0x6e, 1, 0, 0 },
                           .mtu = 1500 };
  guint8 payload[128];

  (void) inet_pton (AF_INET, "10.217.0.2", message.ipv4);
  (void) inet_pton (AF_INET, GATEWAY4, message.gateway_ipv4);
  (void) inet_pton (AF_INET6, "fd64:6e::2", message.ipv6);
  (void) inet_pton (AF_INET6, GATEWAY6, message.gateway_ipv6);
  return send_message (host, DN_MSG_NETWORK, payload,
                       dn_msg_network_pack (&message, payload, sizeof payload), message.request);
}

/* @slot: of its addresses; @port: one that others may reach, 0: none. */
static gint32
send_card_that_reaches (Host *host, const char *id, guint slot, guint16 port, gboolean is_all)
{
  const DnCardPort ranges[]
      = { { DN_CARD_PORT_TCP, port, port }, { DN_CARD_PORT_UDP, port, (guint16) (port + 1) } };
  DnMsgCard message = { .request = host_next_request (host),
                        .reach_ipv4 = is_all ? 0 : 25,
                        .reach_ipv6 = is_all ? 0 : 64,
                        .mtu = 1500 };
  g_autofree char *address4 = g_strdup_printf ("10.217.0.%u", FIRST + slot);
  g_autofree char *address6 = g_strdup_printf ("fd64:6e::%x", 16 + slot);
  guint8 ports[sizeof ranges];
  guint8 payload[2048];

  g_strlcpy (message.container, id, sizeof message.container);
  (void) inet_pton (AF_INET, address4, message.ipv4);
  (void) inet_pton (AF_INET, GATEWAY4, message.gateway_ipv4);
  (void) inet_pton (AF_INET6, address6, message.ipv6);
  (void) inet_pton (AF_INET6, GATEWAY6, message.gateway_ipv6);
  message.ports = ports;
  message.ports_bytes = port == 0 ? 0 : (guint32) dn_card_ports_encode (ranges, 2, ports);
  return send_message (host, DN_MSG_CARD, payload,
                       dn_msg_card_pack (&message, payload, sizeof payload), message.request);
}

static gint32
send_card (Host *host, const char *id, guint slot, guint16 port)
{
  return send_card_that_reaches (host, id, slot, port, outside > 0);
}

static gint32
send_file (Host *host, const char *id, DnCardFile kind, const char *text)
{
  DnMsgCardFile message = { .request = host_next_request (host),
                            .kind = (guint8) kind,
                            .text = (const guint8 *) text,
                            .text_bytes = (guint32) strlen (text) };
  static guint8 payload[DN_CARD_FILE_BYTES + 256];

  g_strlcpy (message.container, id, sizeof message.container);
  return send_message (host, DN_MSG_CARD_FILE, payload,
                       dn_msg_card_file_pack (&message, payload, sizeof payload), message.request);
}

static Host *
connected_host (guint32 flags)
{
  Host *host;

  lay_cable ();
  host = host_new ();
  g_assert_cmpint (send_network (host, flags), ==, 0);
  return host;
}

/* A container that serves @port and is to be reached at it, or with @is_exposed FALSE not. */
static void
start_server (Host *host, const char *id, guint slot, const char *port, gboolean is_exposed)
{
  const HostContainer container
      = { .id = id, .args = ARGS ("serve", port), .linux_members = SYSCTLS };
  HostStream *output = host_stream (host, host_streams (id, 0) + DN_STREAM_STDOUT);

  g_assert_cmpint (send_card (host, id, slot, is_exposed ? (guint16) atoi (port) : 0), ==, 0);
  g_assert_cmpint (host_create (host, &container), ==, 0);
  g_assert_cmpint (host_start (host, id), ==, 0);
  while (output->bytes->len < 8)
    g_assert_true (host_pump (host, HOST_WAIT_MS));
}

static char *
exec_with (Host *host, const char *id, const char *const *args, const char *more)
{
  static guint32 process;
  guint32 output = host_streams (id, ++process) + DN_STREAM_STDOUT;

  g_assert_cmpint (host_exec (host, id, process, 0, args, more), ==, 0);
  (void) host_await_exited (host, id, process);
  g_assert_true (host_await_eof (host, output));
  return g_strndup ((char *) host_stream (host, output)->bytes->data,
                    host_stream (host, output)->bytes->len);
}

static void
assert_inside (Host *host, const char *id, const char *const *args, const char *expected)
{
  g_autofree char *output = exec_with (host, id, args, NULL);

  g_assert_cmpstr (output, ==, expected);
}

static void
assert_outside (const char *words, const char *expected)
{
  g_autofree char *output = probe_outside (words);

  g_assert_cmpstr (output, ==, expected);
}

static void
list_all (Host *host)
{
  DnMsgList message = { .request = host_next_request (host) };
  guint8 payload[4];

  g_array_set_size (host->entries, 0);
  g_assert_cmpint (send_message (host, DN_MSG_LIST, payload,
                                 dn_msg_list_pack (&message, payload, sizeof payload),
                                 message.request),
                   ==, 0);
}

static void
finish (Host *host)
{
  list_all (host);
  for (guint i = 0; i < host->entries->len; i++)
    {
      const DnMsgListEntry *entry = &g_array_index (host->entries, DnMsgListEntry, i);

      if (entry->process == 0)
        g_assert_cmpint (host_simple (host, DN_MSG_DELETE, entry->container), ==, 0);
    }
  host_free (host);
  if (outside > 0)
    end (outside);
  outside = 0;
}

static void
test_without_one_there_is_a_loopback_alone (void)
{
  Host *host = connected_host (DN_NETWORK_CARD | DN_NETWORK_OUTGOING);
  const HostContainer container = { .id = "abc1", .args = ARGS ("cat", "/proc/net/dev") };
  g_autofree char *output = NULL;

  g_assert_cmpuint (host_run (host, &container, &output), ==, 0);
  g_assert_nonnull (strstr (output, "lo:"));
  g_assert_null (strstr (output, "eth0:"));
  finish (host);
}

static void
test_what_is_outside_is_reached_and_reaches_only_what_is_exposed (void)
{
  Host *host = connected_host (DN_NETWORK_CARD | DN_NETWORK_OUTGOING);
  pid_t server = spawn_outside ("serve 700 > /dev/null");

  start_server (host, "abc1", 0, "80", TRUE);
  start_server (host, "abc2", 1, "81", FALSE);
  assert_inside (host, "abc1", ARGS ("reach", "tcp", GATEWAY4, "700"), "reached\n");
  assert_inside (host, "abc1", ARGS ("reach", "tcp", "192.0.2.7", "700"), "reached\n");
  assert_inside (host, "abc1", ARGS ("reach", "udp", GATEWAY6, "700"), "reached\n");
  assert_outside ("reach tcp 10.217.0.10 80", "reached\n");
  assert_outside ("reach tcp fd64:6e::10 80", "reached\n");
  assert_outside ("reach udp 10.217.0.10 80", "reached\n");
  assert_outside ("reach udp fd64:6e::10 80", "reached\n");
  assert_outside ("reach tcp 10.217.0.11 81", "Connection refused\n");
  assert_outside ("reach tcp fd64:6e::11 81", "Connection refused\n");
  assert_outside ("reach udp fd64:6e::11 81", "Connection refused\n");
  /* An echo is answered by container and guest; nothing else of the guest's. */
  assert_outside ("ask-echo 10.217.0.11", "reached\n");
  assert_outside ("ask-echo fd64:6e::11", "reached\n");
  assert_outside ("ask-echo 10.217.0.2", "reached\n");
  assert_outside ("reach udp 10.217.0.2 9", "no answer\n");
  end (server);
  finish (host);
}

static void
test_internal_ones_begin_nothing (void)
{
  Host *host = connected_host (DN_NETWORK_CARD);
  pid_t server = spawn_outside ("serve 700 > /dev/null");

  start_server (host, "abc1", 0, "80", TRUE);
  assert_outside ("reach tcp 10.217.0.10 80", "reached\n");
  assert_inside (host, "abc1", ARGS ("reach", "tcp", GATEWAY4, "700"), "Connection refused\n");
  assert_inside (host, "abc1", ARGS ("reach", "udp", GATEWAY6, "700"), "Connection refused\n");
  end (server);
  finish (host);
}

static void
test_containers_reach_each_other_only_where_the_context_says_so (void)
{
  Host *host = connected_host (DN_NETWORK_CARD | DN_NETWORK_OUTGOING);

  start_server (host, "abc1", 0, "80", TRUE);
  start_server (host, "abc2", 1, "81", FALSE);
  assert_inside (host, "abc2", ARGS ("reach", "tcp", "10.217.0.10", "80"), "Connection refused\n");
  assert_inside (host, "abc2", ARGS ("reach", "tcp", "fd64:6e::10", "80"), "Connection refused\n");
  g_assert_cmpint (
      send_network (host, DN_NETWORK_CARD | DN_NETWORK_OUTGOING | DN_NETWORK_CONTAINERS), ==, 0);
  assert_inside (host, "abc2", ARGS ("reach", "tcp", "10.217.0.10", "80"), "reached\n");
  assert_inside (host, "abc2", ARGS ("reach", "tcp", "fd64:6e::10", "80"), "reached\n");
  /* What is not exposed is closed to them, too, until it is. */
  assert_inside (host, "abc1", ARGS ("reach", "tcp", "10.217.0.11", "81"), "Connection refused\n");
  g_assert_cmpint (send_card (host, "abc2", 1, 81), ==, 0);
  assert_inside (host, "abc1", ARGS ("reach", "tcp", "10.217.0.11", "81"), "reached\n");
  assert_inside (host, "abc1", ARGS ("reach", "udp", "fd64:6e::11", "81"), "reached\n");
  g_assert_cmpint (send_card (host, "abc2", 1, 0), ==, 0);
  assert_inside (host, "abc1", ARGS ("reach", "tcp", "10.217.0.11", "81"), "Connection refused\n");
  finish (host);
}

static void
test_they_do_so_without_a_card_of_the_guests_own (void)
{
  Host *host;

  g_assert_cmpint (unshare (CLONE_NEWNET), ==, 0);
  host = host_new ();
  g_assert_cmpint (send_network (host, DN_NETWORK_CONTAINERS), ==, 0);
  start_server (host, "abc1", 0, "80", TRUE);
  start_server (host, "abc2", 1, "81", FALSE);
  assert_inside (host, "abc2", ARGS ("reach", "tcp", "10.217.0.10", "80"), "reached\n");
  assert_inside (host, "abc2", ARGS ("reach", "udp", "fd64:6e::10", "80"), "reached\n");
  assert_inside (host, "abc1", ARGS ("reach", "tcp", "10.217.0.11", "81"), "Connection refused\n");
  assert_inside (host, "abc1", ARGS ("reach", "tcp", "192.0.2.7", "80"),
                 "Network is unreachable\n");
  finish (host);
}

static void
test_a_powerful_container_can_pretend_to_be_nobody_else (void)
{
  static const char *const lies[][2] = {
    { "02:64:0a:d9:00:0a", "10.217.0.11" }, /* another container's address, its own card's */
    { "02:64:0a:d9:00:0b", "10.217.0.10" }, /* the other way round */
    { "02:64:0a:d9:00:0a", "192.0.2.7" },   /* somebody's outside */
    { "02:64:0a:d9:00:0a", "127.0.0.1" },
  };
  Host *host = connected_host (DN_NETWORK_CARD | DN_NETWORK_OUTGOING | DN_NETWORK_CONTAINERS);
  g_autofree char *truth = NULL, *gathered = NULL;
  g_autofree char *path = g_strdup_printf ("%s/gathered", host->dir);
  g_autofree char *words = g_strdup_printf ("gather 3000 > %s", path);
  pid_t gatherer;

  start_server (host, "abc1", 0, "80", TRUE);
  start_server (host, "abc2", 1, "81", FALSE);
  gatherer = spawn_outside (words);
  for (guint i = 0; i < G_N_ELEMENTS (lies); i++)
    {
      g_autofree char *said
          = exec_with (host, "abc1", ARGS ("forge", lies[i][0], lies[i][1], GATEWAY4), POWERFUL);

      g_assert_cmpstr (said, ==, "sent\n");
    }
  /* So that nothing but the lies is what was dropped. */
  truth = exec_with (host, "abc1", ARGS ("forge", "02:64:0a:d9:00:0a", "10.217.0.10", GATEWAY4),
                     POWERFUL);
  g_assert_cmpstr (truth, ==, "sent\n");
  g_assert_cmpint (waitpid (gatherer, NULL, 0), ==, gatherer);
  g_assert_true (g_file_get_contents (path, &gathered, NULL, NULL));
  g_assert_cmpstr (gathered, ==, "gathering\nfrom 10.217.0.10\n");
  finish (host);
}

/* Runs @command with the network of a container's first process. */
static char *
run_inside (Host *host, const char *id, const char *command)
{
  g_autofree char *line = NULL;

  list_all (host);
  for (guint i = 0; i < host->entries->len; i++)
    {
      const DnMsgListEntry *entry = &g_array_index (host->entries, DnMsgListEntry, i);

      if (entry->process == 0 && g_str_equal (entry->container, id))
        line = g_strdup_printf ("nsenter -t %u -n %s", entry->pid, command);
    }
  g_assert_nonnull (line);
  return run (line);
}

static void
test_a_container_that_changes_its_network_opens_nothing (void)
{
  Host *host = connected_host (DN_NETWORK_CARD | DN_NETWORK_OUTGOING);

  start_server (host, "abc1", 0, "80", FALSE);
  start_server (host, "abc2", 1, "81", FALSE);
  /* All that CAP_NET_ADMIN could do in there: a neighbour's address, routes, no rules at all. */
  g_free (run_inside (host, "abc1", "ip address add 10.217.0.11/25 dev eth0"));
  g_free (run_inside (host, "abc1",
                      "ip neighbour replace 10.217.0.11 lladdr 02:64:6e:02:00:01 "
                      "dev eth0"));
  assert_inside (host, "abc2", ARGS ("reach", "tcp", "10.217.0.10", "80"), "Connection refused\n");
  g_free (run_inside (host, "abc1", "ip address del 10.217.0.11/25 dev eth0"));
  assert_inside (host, "abc1", ARGS ("reach", "tcp", "10.217.0.11", "81"), "Connection refused\n");
  assert_outside ("reach tcp 10.217.0.10 80", "Connection refused\n");
  /* With its card down and up again it is where it was. */
  g_free (run_inside (host, "abc1", "ip link set eth0 down"));
  assert_outside ("reach tcp 10.217.0.11 81", "Connection refused\n");
  finish (host);
}

static void
test_files_come_with_it_and_change_in_place (void)
{
  const HostContainer container = { .id = "abc1", .args = ARGS ("sleep") };
  Host *host = connected_host (DN_NETWORK_CARD | DN_NETWORK_OUTGOING);
  g_autofree char *large = g_strnfill (DN_CARD_FILE_BYTES, 'x');
  g_autofree char *read = NULL, *written = NULL;

  g_assert_cmpint (send_card (host, "abc1", 0, 0), ==, 0);
  g_assert_cmpint (send_file (host, "abc1", DN_CARD_FILE_HOSTS, "10.217.0.10\tmyself\n"), ==, 0);
  g_assert_cmpint (send_file (host, "abc1", DN_CARD_FILE_RESOLV_CONF, "nameserver " GATEWAY4 "\n"),
                   ==, 0);
  g_assert_cmpint (host_create (host, &container), ==, 0);
  /* The image has no resolv.conf, and a root that is read-only. */
  g_assert_cmpint (host_start (host, "abc1"), ==, 0);
  assert_inside (host, "abc1", ARGS ("cat", "/etc/resolv.conf"), "nameserver " GATEWAY4 "\n");
  assert_inside (host, "abc1", ARGS ("cat", "/etc/hosts"), "10.217.0.10\tmyself\n");
  g_assert_cmpint (send_file (host, "abc1", DN_CARD_FILE_HOSTS, large), ==, 0);
  read = exec_with (host, "abc1", ARGS ("cat", "/etc/hosts"), NULL);
  g_assert_cmpstr (read, ==, large);
  g_assert_cmpint (send_file (host, "abc1", DN_CARD_FILE_HOSTS, "short\n"), ==, 0);
  assert_inside (host, "abc1", ARGS ("cat", "/etc/hosts"), "short\n");
  written = exec_with (host, "abc1", ARGS ("write", "/etc/hosts"), POWERFUL);
  g_assert_cmpstr (written, ==, "/etc/hosts: Read-only file system\n");
  g_assert_cmpint (send_file (host, "abc1", 3, "x"), ==, -EINVAL);
  finish (host);
}

static void
test_bytes_are_counted_as_the_container_sees_them (void)
{
  Host *host = connected_host (DN_NETWORK_CARD | DN_NETWORK_OUTGOING);
  DnMsgCardStats before;

  start_server (host, "abc1", 0, "80", TRUE);
  g_assert_cmpint (host_simple (host, DN_MSG_STATS, "abc1"), ==, 0);
  before = host->card_stats;
  for (guint i = 0; i < 3; i++)
    assert_outside ("ask-echo 10.217.0.10", "reached\n");
  g_free (exec_with (host, "abc1", ARGS ("forge", "02:64:0a:d9:00:0a", "192.0.2.7", GATEWAY4),
                     POWERFUL));
  g_assert_cmpint (host_simple (host, DN_MSG_STATS, "abc1"), ==, 0);
  g_assert_cmpuint (host->card_stats.received_packets, >=, before.received_packets + 3);
  g_assert_cmpuint (host->card_stats.sent_packets, >=, before.sent_packets + 4);
  /* More, where the kernel says something of its own about multicast groups.  16 bytes of ICMP, 20
   * of IP, 14 of Ethernet; 42 of the forged one. */
  g_assert_cmpuint (host->card_stats.received_bytes, >=, before.received_bytes + 3 * 50);
  g_assert_cmpuint (host->card_stats.sent_bytes, >=, before.sent_bytes + 3 * 50 + 42);
  finish (host);
}

static char *
links (void)
{
  return run ("sh -c \"ip -o link | cut -d' ' -f2\"");
}

static char *
rules (void)
{
  return run ("nft list ruleset");
}

static void
test_what_ends_leaves_neither_card_nor_rule (void)
{
  Host *host = connected_host (DN_NETWORK_CARD | DN_NETWORK_OUTGOING);
  g_autofree char *before = rules (), *links_before = links ();
  g_autofree char *after = NULL, *links_after = NULL;
  const HostContainer failing
      = { .id = "abc3", .args = ARGS ("say"), .process = ",\"user\":{\"username\":\"stranger\"}" };

  start_server (host, "abc1", 0, "80", TRUE);
  g_assert_cmpint (host_simple (host, DN_MSG_DELETE, "abc1"), ==, 0);
  /* One whose setup fails after its card was made, and one that is killed in the middle. */
  g_assert_cmpint (send_card (host, "abc3", 2, 80), ==, 0);
  g_assert_cmpint (host_create (host, &failing), !=, 0);
  start_server (host, "abc4", 3, "80", TRUE);
  g_assert_cmpint (host_signal (host, "abc4", 0, SIGKILL, 0), ==, 0);
  (void) host_await_exited (host, "abc4", 0);
  g_assert_cmpint (host_simple (host, DN_MSG_DELETE, "abc4"), ==, 0);
  g_usleep (200000);
  after = rules ();
  links_after = links ();
  g_assert_cmpstr (after, ==, before);
  g_assert_cmpstr (links_after, ==, links_before);
  /* And the same names and addresses can be had again. */
  start_server (host, "abc1", 0, "80", TRUE);
  assert_outside ("reach tcp 10.217.0.10 80", "reached\n");
  finish (host);
}

static void
test_the_next_one_in_a_place_inherits_no_connection (void)
{
  Host *host = connected_host (DN_NETWORK_CARD | DN_NETWORK_OUTGOING);
  g_autofree char *known = NULL, *left = NULL;

  start_server (host, "abc1", 0, "80", TRUE);
  start_server (host, "abc2", 1, "80", TRUE);
  assert_outside ("reach udp 10.217.0.10 80", "reached\n");
  assert_outside ("reach udp fd64:6e::10 80", "reached\n");
  assert_outside ("reach udp 10.217.0.11 80", "reached\n");
  known = run ("cat /proc/net/nf_conntrack");
  g_assert_nonnull (strstr (known, "dst=10.217.0.10 "));
  g_assert_cmpint (host_simple (host, DN_MSG_DELETE, "abc1"), ==, 0);
  left = run ("cat /proc/net/nf_conntrack");
  g_assert_null (strstr (left, "10.217.0.10 "));
  g_assert_null (strstr (left, "fd64:006e:0000:0000:0000:0000:0000:0010 "));
  g_assert_nonnull (strstr (left, "dst=10.217.0.11 "));
  finish (host);
}

static void
test_a_child_that_dies_on_its_way_takes_all_along (void)
{
  Host *host = connected_host (DN_NETWORK_CARD | DN_NETWORK_OUTGOING);
  const HostContainer container = { .id = "abc1", .args = ARGS ("sleep") };
  g_autofree char *before = rules (), *after = NULL;

  g_assert_cmpint (send_card (host, "abc1", 0, 80), ==, 0);
  g_assert_cmpint (host_create (host, &container), ==, 0);
  g_assert_cmpint (host_signal (host, "abc1", 0, SIGKILL, 0), ==, 0);
  g_usleep (100000);
  g_assert_cmpint (host_start (host, "abc1"), !=, 0);
  g_assert_cmpint (host_simple (host, DN_MSG_DELETE, "abc1"), ==, 0);
  after = rules ();
  g_assert_cmpstr (after, ==, before);
  finish (host);
}

static void
test_a_card_that_is_not_as_asked_starts_nothing (void)
{
  Host *host = connected_host (DN_NETWORK_CARD | DN_NETWORK_OUTGOING);
  const HostContainer container = { .id = "abc1", .args = ARGS ("sleep") };
  static const struct
  {
    const char *id;
    const char *spoil;
    gboolean is_inside;
    const char *words;
  } cases[] = {
    { "abc1", "ip address add 10.217.0.77/32 dev eth0", TRUE, "it has another address" },
    { "abc2", "ip route add 203.0.113.0/24 via " GATEWAY4, TRUE, "it has another route" },
    { "abc3", "ip route del default", TRUE, "it lacks a route" },
    { "abc4", "ip link add other type veth peer name other2", TRUE, "another network card" },
    { "abc5", "nft flush chain inet danchi to-cabc5", FALSE, "other rules" },
    { "abc6", "nft delete element inet danchi from { cabc6 }", FALSE, "does not know its card" },
    { "abc7", "nft delete chain inet danchi input", FALSE, "hooks are not there" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      HostContainer one = container;

      one.id = cases[i].id;
      g_assert_cmpint (send_card (host, cases[i].id, i, 80), ==, 0);
      g_assert_cmpint (host_create (host, &one), ==, 0);
      if (cases[i].is_inside)
        g_free (run_inside (host, cases[i].id, cases[i].spoil));
      else
        {
          if (i == G_N_ELEMENTS (cases) - 1)
            run_here ("nft flush chain inet danchi input");
          run_here (cases[i].spoil);
        }
      g_assert_cmpint (host_start (host, cases[i].id), ==, -EPERM);
      g_test_message ("%s", host->reply.message);
      g_assert_nonnull (strstr (host->reply.message, cases[i].words));
      g_assert_cmpint (host_simple (host, DN_MSG_DELETE, cases[i].id), ==, 0);
    }
  finish (host);
}

static const char *
fact (Host *host, const char *name)
{
  return g_hash_table_lookup (host->facts, name);
}

static void
test_verify_says_what_the_kernel_has (void)
{
  Host *host = connected_host (DN_NETWORK_CARD | DN_NETWORK_OUTGOING);
  const HostContainer plain = { .id = "abc2", .args = ARGS ("sleep") };

  start_server (host, "abc1", 0, "80", TRUE);
  g_assert_cmpint (host_simple (host, DN_MSG_VERIFY, "abc1"), ==, 0);
  g_assert_cmpstr (fact (host, "complete"), ==, "yes");
  g_assert_cmpstr (fact (host, "network.cards"), ==, "02:64:0a:d9:00:0a");
  g_assert_cmpstr (fact (host, "network.addresses"), ==, "10.217.0.10/32 fd64:6e::10/128");
  g_assert_cmpstr (fact (host, "network.ways"), ==, GATEWAY4 "/0 " GATEWAY6 "/0");
  g_assert_cmpstr (fact (host, "network.rules"), ==, "2 ports");
  g_free (run_inside (host, "abc1", "ip address add 10.217.0.77/24 dev eth0"));
  run_here ("nft flush chain inet danchi to-cabc1");
  g_assert_cmpint (host_simple (host, DN_MSG_VERIFY, "abc1"), ==, 0);
  g_assert_nonnull (strstr (fact (host, "network.addresses"), "10.217.0.77/24"));
  g_assert_cmpstr (fact (host, "network.rules"), ==,
                   "the packet filter has other rules for its card");
  g_assert_cmpint (host_create (host, &plain), ==, 0);
  g_assert_cmpint (host_start (host, "abc2"), ==, 0);
  g_hash_table_remove_all (host->facts);
  g_assert_cmpint (host_simple (host, DN_MSG_VERIFY, "abc2"), ==, 0);
  g_assert_cmpstr (fact (host, "network.cards"), ==, "none");
  g_assert_null (fact (host, "network.rules"));
  finish (host);
}

static void
test_nonsense_is_refused_by_name (void)
{
  Host *host;
  const HostContainer container = { .id = "abc1", .args = ARGS ("sleep") };
  DnMsgCard message = { .mtu = 1500, .ports = (const guint8 *) "nonsense", .ports_bytes = 8 };
  guint8 payload[2048];

  g_assert_cmpint (unshare (CLONE_NEWNET), ==, 0);
  host = host_new ();
  /* No network yet: the container is refused, not made with less. */
  g_assert_cmpint (send_card (host, "abc1", 0, 80), ==, 0);
  g_assert_cmpint (host_create (host, &container), ==, -ENOTCONN);
  g_assert_cmpint (send_network (host, DN_NETWORK_CARD), ==, -ENODEV);
  g_assert_nonnull (strstr (host->reply.message, "no card with that address"));
  message.request = host_next_request (host);
  g_strlcpy (message.container, "abc1", sizeof message.container);
  g_assert_cmpint (send_message (host, DN_MSG_CARD, payload,
                                 dn_msg_card_pack (&message, payload, sizeof payload),
                                 message.request),
                   ==, -EINVAL);
  /* Those that wait for a container that never comes are forgotten in the end. */
  for (guint i = 0; i < 200; i++)
    {
      g_autofree char *id = g_strdup_printf ("abd%x", i);

      g_assert_cmpint (send_card (host, id, 0, 80), ==, 0);
    }
  g_usleep (200000);
  finish (host);
}

static void
test_sixty_four_have_one_each (void)
{
  Host *host = connected_host (DN_NETWORK_CARD | DN_NETWORK_OUTGOING | DN_NETWORK_CONTAINERS);
  g_autofree char *before = rules (), *after = NULL;

  for (guint i = 0; i < 64; i++)
    {
      g_autofree char *id = g_strdup_printf ("abc%02x", i);

      start_server (host, id, i, "80", TRUE);
    }
  assert_outside ("reach tcp 10.217.0.73 80", "reached\n");
  assert_outside ("reach tcp fd64:6e::4f 80", "reached\n");
  assert_inside (host, "abc00", ARGS ("reach", "tcp", "10.217.0.73", "80"), "reached\n");
  for (guint i = 0; i < 64; i++)
    {
      g_autofree char *id = g_strdup_printf ("abc%02x", i);

      g_assert_cmpint (host_simple (host, DN_MSG_DELETE, id), ==, 0);
    }
  after = rules ();
  g_assert_cmpstr (after, ==, before);
  finish (host);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define TEST(name) g_test_add_func ("/cards/" #name, test_##name)
  TEST (without_one_there_is_a_loopback_alone);
  TEST (what_is_outside_is_reached_and_reaches_only_what_is_exposed);
  TEST (internal_ones_begin_nothing);
  TEST (containers_reach_each_other_only_where_the_context_says_so);
  TEST (they_do_so_without_a_card_of_the_guests_own);
  TEST (a_powerful_container_can_pretend_to_be_nobody_else);
  TEST (a_container_that_changes_its_network_opens_nothing);
  TEST (files_come_with_it_and_change_in_place);
  TEST (bytes_are_counted_as_the_container_sees_them);
  TEST (what_ends_leaves_neither_card_nor_rule);
  TEST (the_next_one_in_a_place_inherits_no_connection);
  TEST (a_child_that_dies_on_its_way_takes_all_along);
  TEST (a_card_that_is_not_as_asked_starts_nothing);
  TEST (verify_says_what_the_kernel_has);
  TEST (nonsense_is_refused_by_name);
  TEST (sixty_four_have_one_each);
  return g_test_run ();
}
