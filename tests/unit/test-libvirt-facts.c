/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/daemon/libvirt-facts.c launcher/daemon/json-build.c launcher/guest/hypervisor.c
 * launcher/guest/hypervisor-connection.c launcher/guest/worker.c launcher/guest/process.c
 * launcher/guest/identity*.c launcher/common/*.c launcher/base/*.c protocol/*.c */
/* Packages: libvirt json-glib-1.0 */
#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../../launcher/daemon/libvirt-facts.h"

/* A client's end of a connection to a socket of this name; @ret_server: the one that listens. */
static int
connect_to (const char *top, const char *name, int *ret_server)
{
  g_autofree char *path = g_build_filename (top, name, NULL);
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  int client = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

  *ret_server = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  g_strlcpy (address.sun_path, path, sizeof address.sun_path);
  g_assert_cmpint (bind (*ret_server, (struct sockaddr *) &address, sizeof address), ==, 0);
  g_assert_cmpint (listen (*ret_server, 1), ==, 0);
  g_assert_cmpint (connect (client, (struct sockaddr *) &address, sizeof address), ==, 0);
  g_assert_cmpint (g_unlink (path), ==, 0);
  return client;
}

static void
test_the_peer_of_libvirts_socket_is_found (void)
{
  static const struct
  {
    const char *name;
    gboolean is_libvirts;
  } cases[] = { { "libvirt-sock", TRUE },
                { "virtqemud-sock", TRUE },
                { "libvirt-sock-ro", FALSE },
                { "other", FALSE } };
  g_autofree char *top = g_dir_make_tmp ("danchi-test-XXXXXX", NULL);
  int pair[2];

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      int server;
      int client = connect_to (top, cases[i].name, &server);

      g_assert_cmpint (dn_libvirt_peer_of (client), ==, cases[i].is_libvirts ? getpid () : 0);
      (void) close (client);
      (void) close (server);
    }
  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), ==, 0);
  g_assert_cmpint (dn_libvirt_peer_of (pair[0]), ==, 0);
  g_assert_cmpint (dn_libvirt_peer_of (-1), ==, 0);
  (void) close (pair[0]);
  (void) close (pair[1]);
  (void) g_rmdir (top);
}

/* libvirt's test driver is no process of its own, and calls its versions what it likes. */
static void
test_versions_are_told (void)
{
  g_auto (DnLibvirtFacts) facts = { 0 };
  g_autoptr (JsonObject) object = NULL;

  dn_libvirt_facts_get (&facts);
  g_assert_null (facts.error);
  g_assert_cmpint (facts.pid, ==, 0);
  g_assert_true (g_regex_match_simple ("^[0-9]+\\.[0-9]+\\.[0-9]+$", facts.version, 0, 0));
  g_assert_nonnull (facts.qemu_version);
  object = dn_libvirt_facts_to_json (&facts);
  g_assert_cmpstr (json_object_get_string_member (object, "uri"), ==, "test:///default");
  g_assert_cmpstr (json_object_get_string_member (object, "version"), ==, facts.version);
  g_assert_true (json_object_get_null_member (object, "error"));
}

/* In a process of its own: the connection is one for all. */
static void
test_a_libvirt_that_is_away_is_an_error_soon (void)
{
  if (g_test_subprocess ())
    {
      g_auto (DnLibvirtFacts) facts = { 0 };
      g_auto (DnLibvirtFacts) again = { 0 };
      gint64 start_us;

      g_setenv ("LIBVIRT_DEFAULT_URI", "qemu+unix:///system?socket=/nowhere", TRUE);
      dn_libvirt_facts_get (&facts);
      g_assert_null (facts.version);
      g_assert_nonnull (facts.error);
      g_assert_null (strchr (facts.error, '\n'));
      start_us = g_get_monotonic_time ();
      dn_libvirt_facts_get (&again);
      g_assert_cmpstr (again.error, ==, facts.error);
      g_assert_cmpint (g_get_monotonic_time () - start_us, <, G_USEC_PER_SEC);
      return;
    }
  g_test_trap_subprocess (NULL, 0, 0);
  g_test_trap_assert_passed ();
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_setenv ("LIBVIRT_DEFAULT_URI", "test:///default", TRUE);
#define TEST(name) g_test_add_func ("/libvirt-facts/" #name, test_##name)
  TEST (the_peer_of_libvirts_socket_is_found);
  TEST (versions_are_told);
  TEST (a_libvirt_that_is_away_is_an_error_soon);
  return g_test_run ();
}
