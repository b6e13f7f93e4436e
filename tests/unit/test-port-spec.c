/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/spec/port-spec.c launcher/common/error.c */
/* Published ports as users write them, and as nobody should. */
#include <string.h>

#include "../../launcher/common/error.h"
#include "../../launcher/spec/port-spec.h"

/* "ADDRESS HOST-LAST CONTAINER/PROTOCOL" of each, joined by blanks. */
static char *
show (const char *text)
{
  g_autoptr (GArray) ports = dn_ports_new ();
  g_autoptr (GString) shown = g_string_new (NULL);

  if (!dn_port_parse (text, ports, NULL))
    return g_strdup ("-");
  for (guint i = 0; i < ports->len; i++)
    {
      const DnPort *port = &g_array_index (ports, DnPort, i);

      g_string_append_printf (shown, "%s%s %u-%u %u/%s", i > 0 ? ", " : "",
                              *port->address != '\0' ? port->address : "loopback", port->host_first,
                              port->host_last, port->container, dn_port_protocol (port->is_udp));
    }
  return g_string_free (g_steal_pointer (&shown), FALSE);
}

static void
test_reads_what_dockers_users_write (void)
{
  static const struct
  {
    const char *text;
    const char *shown;
  } cases[] = {
    { "8080:80", "loopback 8080-8080 80/tcp" },
    { "80", "loopback 0-0 80/tcp" },
    { "53:53/udp", "loopback 53-53 53/udp" },
    { "53:53/UDP", "loopback 53-53 53/udp" },
    { "8000-8002:9000-9002",
      "loopback 8000-8000 9000/tcp, loopback 8001-8001 9001/tcp, loopback 8002-8002 9002/tcp" },
    { "8000-8010:80", "loopback 8000-8010 80/tcp" },
    { "7000-7001", "loopback 0-0 7000/tcp, loopback 0-0 7001/tcp" },
    { "127.0.0.1:8080:80", "127.0.0.1 8080-8080 80/tcp" },
    { "127.0.0.1::80", "127.0.0.1 0-0 80/tcp" },
    { "0.0.0.0:8080:80/tcp", "0.0.0.0 8080-8080 80/tcp" },
    { "*:8080:80", "* 8080-8080 80/tcp" },
    { "[::1]:8080:80", "::1 8080-8080 80/tcp" },
    { "[::1]::80/udp", "::1 0-0 80/udp" },
    { "[::]:8080:80", ":: 8080-8080 80/tcp" },
    { "[2001:DB8:0::1]:8080:80", "2001:db8::1 8080-8080 80/tcp" },
    { "65535:65535", "loopback 65535-65535 65535/tcp" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *shown = show (cases[i].text);

      g_assert_cmpstr (shown, ==, cases[i].shown);
    }
}

static void
test_refuses_all_else_with_one_line_that_names_it (void)
{
  static const char *const texts[] = {
    "",
    ":",
    "::",
    ":80",
    "80:",
    "0",
    "0:80",
    "80:0",
    "65536",
    "80:65536",
    "99999999999999999999",
    "-1:80",
    "+80:80",
    " 80",
    "80 ",
    "80:80 ",
    "8 0:80",
    "0x50:80",
    "1e3:80",
    "80/",
    "80/sctp",
    "80/tcp/udp",
    "/tcp",
    "80:/tcp",
    "80-",
    "-80",
    "90-80",
    "80-81-82",
    "8000-8001:80-82",
    "80:8000-8001",
    "localhost:80:80",
    "example.org:80:80",
    "::1:8080:80",
    "[::1]:80",
    "[::1]",
    "[::1:80:80",
    "::1]:80:80",
    "[]:80:80",
    "[127.0.0.1]:80:80",
    "127.1:80:80",
    "0177.0.0.1:80:80",
    "256.0.0.1:80:80",
    "127.0.0.1:80:80:80",
    "[fe80::1%eth0]:80:80",
    "[::ffff:127.0.0.1]:80:80",
    "[::127.0.0.1]:80:80",
    "[::1]]:80:80",
    "[[::1]:80:80",
    "**:80:80",
    "127.0.0.1 :80:80",
    "80:80\n",
    "\x1b[31m:80",
    "\xff\xfe:80",
    "80:80:80:80:80:80:80:80:80:80:80:80:80:80:80:80:80:80:80:80:80:80:80:80:80:80:80:80:80:80:"
    "80:80:80:80:80:80:80:80:80:80:80:80:80:80:80:80",
  };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autoptr (GArray) ports = dn_ports_new ();
      g_autoptr (GError) error = NULL;

      if (dn_port_parse (texts[i], ports, &error))
        g_error ("'%s' was taken", texts[i]);
      g_assert_cmpuint (ports->len, ==, 0);
      g_assert_error (error, DN_ERROR, DN_ERROR_USAGE);
      g_assert_true (g_str_has_prefix (error->message, "--publish: '"));
      g_assert_true (g_utf8_validate (error->message, -1, NULL));
      g_assert_null (strchr (error->message, '\x1b'));
      g_assert_cmpuint (strlen (error->message), <, 800);
    }
}

static void
test_an_address_cannot_hide_in_length (void)
{
  g_autofree char *long_text = g_strnfill (100000, '1');
  g_autoptr (GArray) ports = dn_ports_new ();
  g_autoptr (GError) error = NULL;

  g_assert_false (dn_port_parse (long_text, ports, &error));
  g_assert_cmpuint (strlen (error->message), <, 400);
}

static void
test_the_sum_of_all_ranges_is_limited (void)
{
  char *one[] = { "1-65535:1-65535", NULL };
  char *two[] = { "2000-2126:2000-2126", "3000-3001:3000-3001", NULL };
  char *fits[] = { "2000-2126:2000-2126", "3000:3000", NULL };
  g_autoptr (GArray) ports = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_null (dn_ports_parse (one, &error));
  g_assert_error (error, DN_ERROR, DN_ERROR_LIMIT);
  g_clear_error (&error);
  g_assert_null (dn_ports_parse (two, &error));
  g_assert_error (error, DN_ERROR, DN_ERROR_LIMIT);
  g_clear_error (&error);
  ports = dn_ports_parse (fits, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (ports->len, ==, DN_PORTS_MAX);
}

static void
test_one_socket_is_named_once (void)
{
  char *twice[] = { "8080:80", "8079-8081:90-92", NULL };
  char *apart[] = { "8080:80", "8080:80/udp", "0.0.0.0:8080:80", "80",
                    "80",      "9000-9009:1", "9000-9009:2",     NULL };
  g_autoptr (GArray) ports = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_null (dn_ports_parse (twice, &error));
  g_assert_error (error, DN_ERROR, DN_ERROR_USAGE);
  g_assert_cmpstr (error->message, ==, "--publish: host port 8080/tcp is named twice");
  g_clear_error (&error);
  ports = dn_ports_parse (apart, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (ports->len, ==, 7);
}

static void
test_knows_what_only_this_host_reaches (void)
{
  static const struct
  {
    const char *text;
    gboolean is_loopback;
  } cases[]
      = { { "80:80", TRUE },           { "127.0.0.1:80:80", TRUE }, { "127.8.9.10:80:80", TRUE },
          { "[::1]:80:80", TRUE },     { "0.0.0.0:80:80", FALSE },  { "[::]:80:80", FALSE },
          { "*:80:80", FALSE },        { "10.0.0.1:80:80", FALSE }, { "[fe80::1]:80:80", FALSE },
          { "128.0.0.1:80:80", FALSE } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GArray) ports = dn_ports_new ();

      g_assert_true (dn_port_parse (cases[i].text, ports, NULL));
      g_assert_cmpint (dn_port_is_loopback (&g_array_index (ports, DnPort, 0)), ==,
                       cases[i].is_loopback);
    }
}

static void
test_reads_exposed_ports_once_each (void)
{
  static const char *const bad[]
      = { "", "80:80", "tcp", "0", "80/sctp", "90-80", "1-65535", "80\n", "[::1]" };
  g_autoptr (GArray) ports = dn_ports_new ();

  g_assert_true (dn_port_parse_exposed ("80", "--expose", ports, NULL));
  g_assert_true (dn_port_parse_exposed ("80/tcp", "--expose", ports, NULL));
  g_assert_true (dn_port_parse_exposed ("79-81", "--expose", ports, NULL));
  g_assert_true (dn_port_parse_exposed ("80/udp", "--expose", ports, NULL));
  g_assert_true (dn_port_parse_exposed ("65535", "--expose", ports, NULL));
  g_assert_cmpuint (ports->len, ==, 5);
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_false (dn_port_parse_exposed (bad[i], "--expose", ports, &error));
      g_assert_true (g_str_has_prefix (error->message, "--expose: "));
      g_assert_cmpuint (ports->len, ==, 5);
    }
}

static void
test_shows_a_place_as_people_write_it (void)
{
  static const char *const shown[][2] = { { DN_PORT_LOOPBACK, "localhost:80" },
                                          { "0.0.0.0", "0.0.0.0:80" },
                                          { "::1", "[::1]:80" },
                                          { DN_PORT_ANY, "*:80" } };

  for (guint i = 0; i < G_N_ELEMENTS (shown); i++)
    {
      g_autofree char *text = dn_port_format_host (shown[i][0], 80);

      g_assert_cmpstr (text, ==, shown[i][1]);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define TEST(name) g_test_add_func ("/spec/ports/" #name, test_##name)
  TEST (reads_what_dockers_users_write);
  TEST (refuses_all_else_with_one_line_that_names_it);
  TEST (an_address_cannot_hide_in_length);
  TEST (the_sum_of_all_ranges_is_limited);
  TEST (one_socket_is_named_once);
  TEST (knows_what_only_this_host_reaches);
  TEST (reads_exposed_ports_once_each);
  TEST (shows_a_place_as_people_write_it);
  return g_test_run ();
}
