/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/cli/port-words.c launcher/cli/answer.c launcher/cli/escape.c
 * launcher/network/port-owner.c */
/* How published ports are shown, and how who has one is found. */
#include <string.h>

#include "../../launcher/cli/port-words.h"
#include "../../launcher/network/port-owner.h"

static void
test_ps_shows_what_is_published_and_what_is_only_exposed (void)
{
  static const char *const cases[][2] = {
    { "{}", "" },
    { "{\"ports\": [], \"exposed_ports\": [\"80/tcp\", \"53/udp\"]}", "80/tcp, 53/udp" },
    { "{\"ports\": [{\"address\": \"127.0.0.1\", \"host_port\": 8080, \"port\": 80, \"protocol\": "
      "\"tcp\"}, {\"address\": \"::1\", \"host_port\": 8080, \"port\": 80, \"protocol\": "
      "\"tcp\"}], "
      "\"exposed_ports\": [\"80\", \"443/tcp\"]}",
      "127.0.0.1:8080->80/tcp, [::1]:8080->80/tcp, 443/tcp" },
    /* Of a danchid that says something else. */
    { "{\"ports\": [7, null, {}], \"exposed_ports\": [7, \"\\u001b[31m\"]}", ":0->0/, \\x1b[31m" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (JsonNode) node = json_from_string (cases[i][0], NULL);
      g_autofree char *words = dn_port_words (json_node_get_object (node));

      g_assert_cmpstr (words, ==, cases[i][1]);
    }
}

static guint64
find (const char *table, guint16 port, gboolean is_udp, gboolean is_everywhere)
{
  const DnPortSought sought = { port, is_udp, is_everywhere };

  return dn_port_owner_find_inode (table, &sought);
}

static void
test_finds_the_socket_that_has_a_port (void)
{
  static const char tcp[] = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when "
                            "retrnsmt   uid  timeout "
                            "inode\n"
                            "   0: 0100007F:1F90 0100007F:1F91 01 00000000:00000000 00:00000000 "
                            "00000000     0        0 "
                            "111 1 0000000000000000 20 4 30 10 -1\n"
                            "   1: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 "
                            "00000000     0        0 "
                            "222 1 0000000000000000 100 0 0 10 0\n";
  static const char udp6[]
      = "  sl  local_address                         remote_address                        st\n"
        "   9: 00000000000000000000000001000000:0035 00000000000000000000000000000000:0000 07 "
        "00000000:00000000 00:00000000 00000000     0        0 333 2 0000000000000000 0\n";

  g_assert_cmpuint (find (tcp, 8080, FALSE, FALSE), ==, 222);
  g_assert_cmpuint (find (tcp, 8081, FALSE, FALSE), ==, 0);
  g_assert_cmpuint (find (udp6, 53, TRUE, FALSE), ==, 333);
  g_assert_cmpuint (find (udp6, 53, FALSE, FALSE), ==, 0);
  g_assert_cmpuint (find ("", 53, TRUE, FALSE), ==, 0);
  g_assert_cmpuint (find ("x\ny\n\n1: z", 53, TRUE, FALSE), ==, 0);
}

static void
test_finds_the_socket_that_has_a_port_of_every_address (void)
{
  static const char udp[]
      = "  sl  local_address rem_address   st\n"
        "  1: 0100007F:0035 00000000:0000 07 0:0 00:0 0     0        0 444 2 0 0\n"
        "  2: 00000000:0036 00000000:0000 07 0:0 00:0 0     0        0 555 2 0 0\n"
        "  3: 00000000:0035 00000000:0000 07 0:0 00:0 0     0        0 666 2 0 0\n";
  static const char tcp6[]
      = "  sl  local_address                         remote_address                        st\n"
        "   9: 00000000000000000000000000000000:0035 00000000000000000000000000000000:0000 0A "
        "00000000:00000000 00:00000000 00000000     0        0 777 2 0000000000000000 0\n";

  g_assert_cmpuint (find (udp, 53, TRUE, FALSE), ==, 444);
  g_assert_cmpuint (find (udp, 53, TRUE, TRUE), ==, 666);
  g_assert_cmpuint (find (udp, 55, TRUE, TRUE), ==, 0);
  g_assert_cmpuint (find (tcp6, 53, FALSE, TRUE), ==, 777);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define TEST(name) g_test_add_func ("/ports/" #name, test_##name)
  TEST (ps_shows_what_is_published_and_what_is_only_exposed);
  TEST (finds_the_socket_that_has_a_port);
  TEST (finds_the_socket_that_has_a_port_of_every_address);
  return g_test_run ();
}
