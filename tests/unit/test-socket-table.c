/* SPDX-License-Identifier: Apache-2.0 */
/* Links: guest-agent/agent/socket-table.c */
/* Packages: glib-2.0 */
/* The agent's reading of /proc/net, of which a tenant writes parts. */
#include <arpa/inet.h>
#include <glib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../guest-agent/agent/socket-table.h"

#define REST " 00000000:00000000 00:00000000 00000000  1000        0 4711 1 0 100 0 0 10 0\n"
#define REST_UDP " 00000000:00000000 00:00000000 00000000     0        0 815 2 0 0\n"
#define SIX "00000000000000000000000001000000"
#define SIX_ALL "00000000000000000000000000000000"

static void
test_sockets_that_wait_are_found (void)
{
  static const struct
  {
    DnListenerProtocol protocol;
    const char *line;
    const char *address;
    guint16 port;
    guint32 uid;
    guint64 inode;
  } cases[] = {
    { DN_LISTENER_TCP, "   0: 0100007F:1F90 00000000:0000 0A" REST, "127.0.0.1", 8080, 1000, 4711 },
    { DN_LISTENER_TCP, "  99: 00000000:FFFF 00000000:0000 0A" REST, "0.0.0.0", 65535, 1000, 4711 },
    { DN_LISTENER_TCP6, "   0: " SIX ":0050 " SIX_ALL ":0000 0A" REST, "::1", 80, 1000, 4711 },
    { DN_LISTENER_UDP, "  12: 0A00A8C0:0035 00000000:0000 07" REST_UDP, "192.168.0.10", 53, 0,
      815 },
    { DN_LISTENER_UDP6, "   1: " SIX_ALL ":0035 " SIX_ALL ":0000 07" REST_UDP, "::", 53, 0, 815 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      char text[INET6_ADDRSTRLEN];
      DnSocket found = { 0 };
      gboolean is_six
          = cases[i].protocol == DN_LISTENER_TCP6 || cases[i].protocol == DN_LISTENER_UDP6;

      g_assert_true (dn_socket_parse (cases[i].protocol, cases[i].line, &found));
      g_assert_cmpuint (found.entry.protocol, ==, cases[i].protocol);
      g_assert_cmpstr (
          inet_ntop (is_six ? AF_INET6 : AF_INET, found.entry.address, text, sizeof text), ==,
          cases[i].address);
      g_assert_cmpuint (found.entry.port, ==, cases[i].port);
      g_assert_cmpuint (found.entry.uid, ==, cases[i].uid);
      g_assert_cmpuint (found.inode, ==, cases[i].inode);
    }
}

static void
test_others_are_not (void)
{
  static const struct
  {
    DnListenerProtocol protocol;
    const char *line;
  } cases[] = {
    { DN_LISTENER_TCP, "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when\n" },
    { DN_LISTENER_TCP, "   0: 0100007F:1F90 0100007F:A000 01" REST }, /* connected */
    { DN_LISTENER_TCP, "   0: 0100007F:0000 00000000:0000 0A" REST },
    { DN_LISTENER_TCP, "   0: " SIX ":0050 " SIX_ALL ":0000 0A" REST }, /* of the other family */
    { DN_LISTENER_TCP6, "   0: 0100007F:1F90 00000000:0000 0A" REST },
    { DN_LISTENER_TCP, "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000\n" },
    { DN_LISTENER_UDP, "  12: 0100007F:0035 0100007F:0036 01" REST_UDP }, /* has a peer */
    { DN_LISTENER_UNIX, "Num       RefCount Protocol Flags    Type St Inode Path\n" },
    { DN_LISTENER_UNIX, "0000000000000000: 00000003 00000000 00000000 0001 03 23 /run/x\n" },
    { DN_LISTENER_UNIX, "0000000000000000: 00000003 00000000 00010000 0001 01\n" },
    { DN_LISTENER_UNIX, "" },
    { DN_LISTENER_UNIX, "forged" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      DnSocket found = { 0 };

      g_assert_false (dn_socket_parse (cases[i].protocol, cases[i].line, &found));
      g_assert_cmpuint (found.inode, ==, 0);
    }
}

static void
test_a_path_is_kept_as_it_is_and_cut (void)
{
  g_autofree char *longest = g_strnfill (300, 'p');
  g_autofree char *line
      = g_strdup_printf ("0000000012345678: 00000002 00000000 00010000 0001 01 42 %s\n", longest);
  DnSocket found = { 0 };

  g_assert_true (dn_socket_parse (
      DN_LISTENER_UNIX, "0000000012345678: 00000002 00000000 00010000 0001 01 42 @a b\x1b c\n",
      &found));
  g_assert_cmpstr (found.entry.path, ==, "@a b\x1b c");
  g_assert_cmpuint (found.inode, ==, 42);
  g_assert_true (dn_socket_parse (DN_LISTENER_UNIX, line, &found));
  g_assert_cmpuint (strlen (found.entry.path), ==, DN_SOCKET_PATH_BYTES);
  g_assert_true (dn_socket_parse (
      DN_LISTENER_UNIX, "0000000012345678: 00000002 00000000 00010000 0005 01 7\n", &found));
  g_assert_cmpstr (found.entry.path, ==, "");
}

static void
test_a_table_has_an_end (void)
{
  g_autofree char *text = NULL;
  GString *lines = g_string_new ("heading\n");
  DnSocketTable table;
  FILE *file;

  for (guint i = 0; i < DN_SOCKET_TABLE_MAX + 10; i++)
    g_string_append_printf (lines, "%4u: 0100007F:%04X 00000000:0000 0A" REST, i, i + 1);
  for (guint i = 0; i < DN_SOCKET_TABLE_LINES_MAX; i++)
    g_string_append (lines, "x\n");
  text = g_string_free (lines, FALSE);
  file = fmemopen (text, strlen (text), "r");
  g_assert_nonnull (file);
  g_assert_cmpint (dn_socket_table_init (&table), ==, 0);
  dn_socket_table_add (&table, DN_LISTENER_TCP, file);
  g_assert_cmpuint (table.count, ==, DN_SOCKET_TABLE_MAX);
  g_assert_cmpuint (table.left_out, ==, 10 + 1);
  dn_socket_table_clear (&table);
  (void) fclose (file);
}

/* Of this process's own network: a port that it takes on the loopback is there, and gone after. */
static void
test_reads_the_kernels_own (void)
{
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = { htonl (INADDR_LOOPBACK) } };
  socklen_t size = sizeof address;
  int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct stat status;
  guint seen = 0;

  g_assert_cmpint (bind (fd, (struct sockaddr *) &address, sizeof address), ==, 0);
  g_assert_cmpint (listen (fd, 1), ==, 0);
  g_assert_cmpint (getsockname (fd, (struct sockaddr *) &address, &size), ==, 0);
  g_assert_cmpint (fstat (fd, &status), ==, 0);
  for (guint round = 0; round < 2; round++)
    {
      DnSocketTable table;

      g_assert_cmpint (dn_socket_table_init (&table), ==, 0);
      dn_socket_table_read (&table, getpid ());
      for (gsize i = 0; i < table.count; i++)
        if (table.items[i].inode == status.st_ino)
          {
            seen++;
            g_assert_cmpuint (table.items[i].entry.protocol, ==, DN_LISTENER_TCP);
            g_assert_cmpuint (table.items[i].entry.port, ==, ntohs (address.sin_port));
            g_assert_cmpuint (table.items[i].entry.uid, ==, getuid ());
            g_assert_cmpmem (table.items[i].entry.address, 4, &address.sin_addr, 4);
          }
      dn_socket_table_clear (&table);
      g_assert_cmpuint (seen, ==, 1);
      if (round == 0)
        g_assert_cmpint (close (fd), ==, 0);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define TEST(name) g_test_add_func ("/socket-table/" #name, test_##name)
  TEST (sockets_that_wait_are_found);
  TEST (others_are_not);
  TEST (a_path_is_kept_as_it_is_and_cut);
  TEST (a_table_has_an_end);
  TEST (reads_the_kernels_own);
  return g_test_run ();
}
