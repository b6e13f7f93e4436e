/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/daemon/program-facts.c launcher/daemon/file-digest.c launcher/daemon/json-build.c
 * launcher/daemon/listener-json.c launcher/common/names.c launcher/common/error.c
 * protocol/protocol.c protocol/pack.c */
/* Packages: json-glib-1.0 */
/* What the chain and the audit are made of: /proc, files, and guests' words. */
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../launcher/daemon/file-digest.h"
#include "../../launcher/daemon/json-build.h"
#include "../../launcher/daemon/listener-json.h"
#include "../../launcher/daemon/program-facts.h"

#define STATUS                                                                                     \
  "Name:\tdanchi-relay\nUmask:\t0077\nUid:\t200001\t200001\t200001\t200001\n"                      \
  "CapEff:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\nSeccomp_filters:\t1\n"

static void
test_rights_are_read_from_the_kernels_words (void)
{
  DnProgramRights rights;

  dn_program_rights_parse (STATUS, "danchid (enforce)\n", &rights);
  g_assert_cmpint (rights.uid, ==, 200001);
  g_assert_cmpint (rights.seccomp, ==, 2);
  g_assert_cmpint (rights.no_new_privs, ==, 1);
  g_assert_cmpstr (rights.capabilities, ==, "0000000000000000");
  g_assert_cmpstr (rights.label, ==, "danchid (enforce)");
  dn_program_rights_clear (&rights);
}

static void
test_what_is_missing_is_not_known (void)
{
  static const char *const texts[] = { NULL, "", "Name:\tx\n", "Name:\tx\nUid:\t\nCapEff:\tno\n" };

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      DnProgramRights rights;

      dn_program_rights_parse (texts[i], i % 2 == 0 ? NULL : "\n", &rights);
      g_assert_cmpint (rights.uid, ==, -1);
      g_assert_cmpint (rights.seccomp, ==, -1);
      g_assert_cmpint (rights.no_new_privs, ==, -1);
      g_assert_null (rights.capabilities);
      g_assert_null (rights.label);
      dn_program_rights_clear (&rights);
    }
}

/* A process chooses its name, but not what the kernel makes of a line end in it. */
static void
test_a_name_is_no_line_of_its_own (void)
{
  DnProgramRights rights;

  dn_program_rights_parse ("Name:\tx\\nUid:\\t0\nUid:\t7\t7\t7\t7\n", "a\x1b[31m\x01", &rights);
  g_assert_cmpint (rights.uid, ==, 7);
  g_assert_cmpstr (rights.label, ==, "a?[31m?");
  dn_program_rights_clear (&rights);
}

static void
test_a_program_is_described (void)
{
  g_autoptr (JsonObject) program = dn_program_new ("test", "test", NULL);
  g_autofree char *path = g_file_read_link ("/proc/self/exe", NULL);
  g_autofree char *digest = dn_file_digest (path, NULL);
  JsonObject *confinement;

  g_assert_true (json_object_get_null_member (program, "sha256"));
  g_assert_true (json_object_get_null_member (program, "confinement"));
  g_assert_true (json_object_get_null_member (program, "version"));
  g_assert_false (dn_program_add_process (program, 0));
  g_assert_true (json_object_get_null_member (program, "pid"));
  g_assert_true (dn_program_add_process (program, getpid ()));
  g_assert_cmpint (json_object_get_int_member (program, "pid"), ==, getpid ());
  g_assert_cmpint (json_object_get_int_member (program, "uid"), ==, getuid ());
  g_assert_cmpstr (json_object_get_string_member (program, "path"), ==, path);
  g_assert_cmpstr (json_object_get_string_member (program, "sha256"), ==, digest);
  confinement = json_object_get_object_member (program, "confinement");
  g_assert_cmpuint (strlen (json_object_get_string_member (confinement, "capabilities")), ==, 16);
  g_assert_true (json_object_has_member (confinement, "seccomp"));
  g_assert_true (json_object_has_member (confinement, "no_new_privs"));
  g_assert_true (json_object_has_member (confinement, "apparmor"));
}

static void
write_file (const char *path, const char *text)
{
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

static void
test_a_file_is_read_once_for_each_state (void)
{
  g_autofree char *top = g_dir_make_tmp ("danchi-test-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (top, "file", NULL);
  g_autofree char *other = g_build_filename (top, "other", NULL);
  g_autofree char *wanted = g_compute_checksum_for_string (G_CHECKSUM_SHA256, "one", -1);
  g_autofree char *changed = g_compute_checksum_for_string (G_CHECKSUM_SHA256, "two", -1);
  guint reads = dn_file_digest_count_reads ();
  g_autofree char *first = NULL, *last = NULL, *moved = NULL;

  write_file (path, "one");
  for (guint i = 0; i < 200; i++)
    {
      g_free (first);
      first = dn_file_digest (path, NULL);
      g_assert_cmpstr (first, ==, wanted);
    }
  g_assert_cmpuint (dn_file_digest_count_reads (), ==, reads + 1);
  /* Another file in its place, of the same size. */
  write_file (other, "two");
  g_assert_cmpint (g_rename (other, path), ==, 0);
  last = dn_file_digest (path, NULL);
  g_assert_cmpstr (last, ==, changed);
  g_assert_cmpuint (dn_file_digest_count_reads (), ==, reads + 2);
  /* Another link to a file is the same file, whose inode has changed. */
  g_assert_cmpint (link (path, other), ==, 0);
  moved = dn_file_digest (other, NULL);
  g_assert_cmpstr (moved, ==, changed);
  (void) unlink (other);
  (void) unlink (path);
  (void) rmdir (top);
}

static void
test_what_is_no_plain_file_has_no_digest (void)
{
  g_autofree char *top = g_dir_make_tmp ("danchi-test-XXXXXX", NULL);
  g_autofree char *fifo = g_build_filename (top, "fifo", NULL);
  const char *const paths[] = { fifo, top, "/dev/zero", "/nowhere" };

  g_assert_cmpint (mkfifo (fifo, 0600), ==, 0);
  for (gsize i = 0; i < G_N_ELEMENTS (paths); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *digest = dn_file_digest (paths[i], &error);

      g_assert_null (digest);
      g_assert_nonnull (error);
      g_assert_nonnull (strstr (error->message, paths[i]));
    }
  (void) unlink (fifo);
  (void) rmdir (top);
}

static const char *
text_of (JsonObject *object, const char *name)
{
  return json_object_get_string_member_with_default (object, name, "(null)");
}

static void
test_listeners_say_how_far_they_reach (void)
{
  static const struct
  {
    guint8 protocol;
    guint8 address[DN_ADDRESS_BYTES];
    const char *protocol_word, *address_text, *exposure;
  } cases[] = {
    { DN_LISTENER_TCP, { 127, 0, 0, 1 }, "tcp", "127.0.0.1", "loopback" },
    { DN_LISTENER_TCP, { 127, 9, 9, 9 }, "tcp", "127.9.9.9", "loopback" },
    { DN_LISTENER_UDP, { 0 }, "udp", "0.0.0.0", "all" },
    { DN_LISTENER_TCP, { 10, 0, 0, 1 }, "tcp", "10.0.0.1", "address" },
    { DN_LISTENER_TCP6, { [15] = 1 }, "tcp6", "::1", "loopback" },
    { DN_LISTENER_UDP6, { 0 }, "udp6", "::", "all" },
    { DN_LISTENER_TCP6, { 0xfe, 0x80, [15] = 1 }, "tcp6", "fe80::1", "address" },
    { DN_LISTENER_TCP6,
      { [10] = 0xff, [11] = 0xff, 127, 0, 0, 1 },
      "tcp6",
      "::ffff:127.0.0.1",
      "loopback" },
    { DN_LISTENER_TCP6, { [10] = 0xff, [11] = 0xff }, "tcp6", "::ffff:0.0.0.0", "all" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      DnMsgListenerEntry entry = { .protocol = cases[i].protocol, .port = 8080, .pid = 7 };
      g_autoptr (JsonObject) object = NULL;

      memcpy (entry.address, cases[i].address, sizeof entry.address);
      object = dn_listener_to_json (&entry);
      g_assert_cmpstr (text_of (object, "protocol"), ==, cases[i].protocol_word);
      g_assert_cmpstr (text_of (object, "address"), ==, cases[i].address_text);
      g_assert_cmpstr (text_of (object, "exposure"), ==, cases[i].exposure);
      g_assert_cmpint (json_object_get_int_member (object, "port"), ==, 8080);
      g_assert_true (json_object_get_null_member (object, "path"));
    }
}

static void
test_a_guests_words_are_cleaned (void)
{
  DnMsgListenerEntry entry = { .protocol = DN_LISTENER_UNIX, .port = 1 };
  g_autoptr (JsonObject) object = NULL;

  strcpy (entry.path, "@a\nb\x1b[2J\xff");
  strcpy (entry.program, "x\ty");
  object = dn_listener_to_json (&entry);
  g_assert_cmpstr (text_of (object, "path"), ==, "@a?b?[2J\xef\xbf\xbd");
  g_assert_cmpstr (text_of (object, "process"), ==, "x?y");
  g_assert_true (json_object_get_null_member (object, "pid"));
  g_assert_true (json_object_get_null_member (object, "port"));
  g_assert_true (json_object_get_null_member (object, "address"));
  entry.protocol = 0;
  g_assert_null (dn_listener_to_json (&entry));
  entry.protocol = DN_LISTENER_UNIX + 1;
  g_assert_null (dn_listener_to_json (&entry));
  entry.protocol = 255;
  g_assert_null (dn_listener_to_json (&entry));
}

static void
test_times_are_of_utc_or_null (void)
{
  g_autoptr (JsonObject) object = json_object_new ();

  dn_json_set_time_or_null (object, "a", G_GINT64_CONSTANT (1795992000123456));
  dn_json_set_time_or_null (object, "b", 0);
  dn_json_set_time_or_null (object, "c", G_MININT64);
  dn_json_set_time_or_null (object, "d", G_MAXINT64); /* an archive may say so */
  g_assert_cmpstr (text_of (object, "a"), ==, "2026-11-29T22:40:00Z");
  g_assert_true (json_object_get_null_member (object, "b"));
  g_assert_true (json_object_get_null_member (object, "c"));
  g_assert_true (json_object_has_member (object, "d"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define TEST(name) g_test_add_func ("/chain/" #name, test_##name)
  TEST (rights_are_read_from_the_kernels_words);
  TEST (what_is_missing_is_not_known);
  TEST (a_name_is_no_line_of_its_own);
  TEST (a_program_is_described);
  TEST (a_file_is_read_once_for_each_state);
  TEST (what_is_no_plain_file_has_no_digest);
  TEST (listeners_say_how_far_they_reach);
  TEST (a_guests_words_are_cleaned);
  TEST (times_are_of_utc_or_null);
  return g_test_run ();
}
