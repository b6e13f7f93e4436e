/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/daemon/events.c launcher/daemon/trace.c launcher/daemon/tree.c
 * launcher/common/error.c launcher/common/json.c */
/* Packages: json-glib-1.0 */
#include <sys/stat.h>

#include "../../launcher/daemon/events.h"
#include "../../launcher/daemon/trace.h"
#include "../../launcher/daemon/tree.h"

static void
add (DnEvents *events, const char *action)
{
  dn_events_add (events, "container", action, "id1", "web", "acme",
                 (const char *const[]){ "exit_code", "3", "reason", NULL, NULL });
}

static const char *
action_of (JsonNode *event)
{
  return json_object_get_string_member (json_node_get_object (event), "action");
}

static void
test_events_come_in_order_with_their_members (void)
{
  g_autofree char *directory = g_dir_make_tmp ("dn-XXXXXX", NULL);
  g_autoptr (DnEvents) events = dn_events_open (directory);
  guint64 cursor = dn_events_find (events, 0), missed;
  g_autoptr (GPtrArray) taken = NULL;
  JsonObject *event, *attributes;

  add (events, "create");
  add (events, "start");
  taken = dn_events_take (events, &cursor, 0, &missed);
  g_assert_cmpuint (taken->len, ==, 2);
  g_assert_cmpuint (missed, ==, 0);
  g_assert_cmpstr (action_of (taken->pdata[0]), ==, "create");
  event = json_node_get_object (taken->pdata[1]);
  attributes = json_object_get_object_member (event, "attributes");
  g_assert_cmpstr (json_object_get_string_member (event, "context"), ==, "acme");
  g_assert_cmpstr (json_object_get_string_member (attributes, "exit_code"), ==, "3");
  g_assert_false (json_object_has_member (attributes, "reason"));
  g_assert_true (dn_tree_remove (directory, NULL));
}

static void
test_an_event_of_somebodys_own_context_says_whose (void)
{
  g_autofree char *directory = g_dir_make_tmp ("dn-XXXXXX", NULL);
  DnEvents *events = dn_events_open (directory);
  guint64 cursor, missed;
  g_autoptr (GPtrArray) taken = NULL;
  JsonObject *own, *named;

  dn_events_add_of (events, 4294967294, "container", "die", "id1", "web", "c-1", NULL);
  add (events, "die");
  /* Also after a restart, when the context is long gone. */
  dn_events_free (events);
  events = dn_events_open (directory);
  cursor = dn_events_find (events, 0);
  taken = dn_events_take (events, &cursor, 0, &missed);
  g_assert_cmpuint (taken->len, ==, 2);
  own = json_node_get_object (taken->pdata[0]);
  named = json_node_get_object (taken->pdata[1]);
  g_assert_cmpint (json_object_get_int_member (own, "owner_uid"), ==, 4294967294);
  g_assert_false (json_object_has_member (named, "owner_uid"));
  dn_events_free (events);
  g_assert_true (dn_tree_remove (directory, NULL));
}

static void
test_events_survive_a_restart_and_can_be_found_by_time (void)
{
  g_autofree char *directory = g_dir_make_tmp ("dn-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (directory, "events.jsonl", NULL);
  g_autofree char *text = NULL, *damaged = NULL;
  DnEvents *events = dn_events_open (directory);
  g_autoptr (GPtrArray) taken = NULL;
  guint64 cursor, missed;
  gint64 second_us;

  add (events, "create");
  second_us = g_get_real_time () + 1;
  while (g_get_real_time () <= second_us)
    ;
  add (events, "start");
  dn_events_free (events);
  /* As after a crash in the middle of a line. */
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  damaged = g_strconcat (text, "{\"time_us\":12", NULL);
  g_assert_true (g_file_set_contents (path, damaged, -1, NULL));
  events = dn_events_open (directory);
  cursor = dn_events_find (events, second_us);
  taken = dn_events_take (events, &cursor, 0, &missed);
  g_assert_cmpuint (taken->len, ==, 1);
  g_assert_cmpstr (action_of (taken->pdata[0]), ==, "start");
  g_assert_cmpuint (dn_events_find (events, -1), ==, 2);
  dn_events_free (events);
  g_assert_true (dn_tree_remove (directory, NULL));
}

static void
test_a_slow_reader_is_told_what_it_missed (void)
{
  g_autofree char *directory = g_dir_make_tmp ("dn-XXXXXX", NULL);
  g_autoptr (DnEvents) events = dn_events_open (directory);
  g_autoptr (GPtrArray) taken = NULL;
  guint64 cursor = 0, missed;

  for (int i = 0; i < DN_EVENTS_RING + 5; i++)
    add (events, "start");
  taken = dn_events_take (events, &cursor, 0, &missed);
  g_assert_cmpuint (taken->len, ==, DN_EVENTS_RING);
  g_assert_cmpuint (missed, ==, 5);
  g_assert_true (dn_tree_remove (directory, NULL));
}

static void
test_the_file_never_grows_over_its_limit (void)
{
  g_autofree char *directory = g_dir_make_tmp ("dn-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (directory, "events.jsonl", NULL);
  g_autofree char *old = g_build_filename (directory, "events.1.jsonl", NULL);
  g_autofree char *reason = g_strnfill (30000, 'x');
  g_autoptr (DnEvents) events = dn_events_open (directory);
  struct stat status;

  for (int i = 0; i < 300; i++)
    dn_events_add (events, "container", "die", "id", "web", NULL,
                   (const char *const[]){ "reason", reason, NULL });
  g_assert_cmpint (stat (path, &status), ==, 0);
  g_assert_cmpint (status.st_size, <=, DN_EVENTS_FILE_MAX_BYTES);
  g_assert_cmpint (stat (old, &status), ==, 0);
  g_assert_cmpint (status.st_size, <=, DN_EVENTS_FILE_MAX_BYTES);
  g_assert_true (dn_tree_remove (directory, NULL));
}

static gpointer
add_later (gpointer events)
{
  g_usleep (20000);
  add (events, "die");
  return NULL;
}

static void
test_a_follower_wakes_up_for_a_new_event (void)
{
  g_autofree char *directory = g_dir_make_tmp ("dn-XXXXXX", NULL);
  g_autoptr (DnEvents) events = dn_events_open (directory);
  guint64 cursor = dn_events_find (events, -1), missed;
  GThread *thread = g_thread_new ("add", add_later, events);
  g_autoptr (GPtrArray) taken = dn_events_take (events, &cursor, 10000, &missed);

  g_assert_cmpuint (taken->len, ==, 1);
  (void) g_thread_join (thread);
  g_assert_true (dn_tree_remove (directory, NULL));
}

static void
test_a_trace_is_a_chain_of_phases (void)
{
  g_autoptr (DnTrace) trace = dn_trace_new ();
  g_autoptr (JsonObject) object = NULL;
  JsonArray *phases;
  JsonObject *first, *second;

  dn_trace_begin (trace, "request");
  dn_trace_begin (trace, "kernel");
  dn_trace_begin (trace, "kernel");
  object = dn_trace_to_json (trace);
  phases = json_object_get_array_member (object, "phases");
  g_assert_cmpuint (json_array_get_length (phases), ==, 2);
  first = json_array_get_object_element (phases, 0);
  second = json_array_get_object_element (phases, 1);
  g_assert_cmpstr (json_object_get_string_member (second, "name"), ==, "kernel");
  g_assert_cmpint (json_object_get_int_member (first, "end_us"), ==,
                   json_object_get_int_member (second, "start_us"));
  g_assert_cmpint (json_object_get_int_member (second, "end_us"), >=,
                   json_object_get_int_member (second, "start_us"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/events/events-come-in-order-with-their-members",
                   test_events_come_in_order_with_their_members);
  g_test_add_func ("/events/an-event-of-somebodys-own-context-says-whose",
                   test_an_event_of_somebodys_own_context_says_whose);
  g_test_add_func ("/events/events-survive-a-restart-and-can-be-found-by-time",
                   test_events_survive_a_restart_and_can_be_found_by_time);
  g_test_add_func ("/events/a-slow-reader-is-told-what-it-missed",
                   test_a_slow_reader_is_told_what_it_missed);
  g_test_add_func ("/events/the-file-never-grows-over-its-limit",
                   test_the_file_never_grows_over_its_limit);
  g_test_add_func ("/events/a-follower-wakes-up-for-a-new-event",
                   test_a_follower_wakes_up_for_a_new_event);
  g_test_add_func ("/trace/a-trace-is-a-chain-of-phases", test_a_trace_is_a_chain_of_phases);
  return g_test_run ();
}
