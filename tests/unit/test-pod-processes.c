/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/pods/pod-processes.c launcher/common/error.c */
/* Whose processes a container of a pod is to be among, by what containerd says and by who is there.
 */
#include <stdlib.h>
#include <string.h>

#include "../../launcher/common/error.h"
#include "../../launcher/pods/pod-processes.h"

#define QEMU 77
#define ITS_PATH "/proc/77/ns/pid"
#define OWN NULL
#define SHARED DN_POD_PROCESSES_SHARED

static void
add (GArray *peers, const char *name, const char *processes, gboolean is_running)
{
  DnPodPeer peer = { .id = g_strconcat ("id-", name, NULL),
                     .name = g_strdup (name),
                     .processes = g_strdup (processes),
                     .is_running = is_running };

  g_array_append_val (peers, peer);
}

static GArray *
peers_new (void)
{
  GArray *peers = g_array_new (FALSE, FALSE, sizeof (DnPodPeer));

  g_array_set_clear_func (peers, (GDestroyNotify) dn_pod_peer_clear);
  return peers;
}

/* @target: what its environment says, or NULL.  Returns: what was chosen, "own", or "CODE: WORDS".
 */
static char *
choose (GArray *peers, DnOciSpace pid, const char *path, const char *target)
{
  g_autofree char *word = target != NULL ? g_strconcat ("DANCHI_TARGET=", target, NULL) : NULL;
  char *env[] = { (char *) "PATH=/bin", word, NULL };
  const DnOciConfig config = { .pid = pid, .pid_path = (char *) path, .env = env };
  g_autoptr (GError) error = NULL;
  char *chosen = NULL;

  if (!dn_pod_processes_choose (&config, peers, QEMU, "container 'c'", &chosen, &error))
    {
      g_assert_null (chosen);
      return g_strdup_printf ("%d: %s", error->code, error->message);
    }
  g_assert_no_error (error);
  return chosen != NULL ? chosen : g_strdup ("own");
}

#define ASSERT_CHOICE(peers, target, expected)                                                     \
  do                                                                                               \
    {                                                                                              \
      g_autofree char *chosen = choose ((peers), DN_OCI_SPACE_PATH, ITS_PATH, (target));           \
      g_assert_cmpstr (chosen, ==, (expected));                                                    \
    }                                                                                              \
  while (0)

#define ASSERT_REFUSED(peers, target, error_code, words)                                           \
  do                                                                                               \
    {                                                                                              \
      g_autofree char *said = choose ((peers), DN_OCI_SPACE_PATH, ITS_PATH, (target));             \
      g_assert_cmpint (atoi (said), ==, (error_code));                                             \
      if (strstr (said, (words)) == NULL)                                                          \
        g_error ("'%s'", said);                                                                    \
    }                                                                                              \
  while (0)

static void
test_without_a_path_they_are_its_own (void)
{
  g_autoptr (GArray) peers = peers_new ();
  g_autofree char *chosen = NULL;

  add (peers, "web", SHARED, TRUE);
  chosen = choose (peers, DN_OCI_SPACE_OWN, NULL, "web");
  g_assert_cmpstr (chosen, ==, "own");
}

static void
test_the_first_that_shares_shares_with_the_pod (void)
{
  g_autoptr (GArray) peers = peers_new ();

  ASSERT_CHOICE (peers, NULL, "pod");
  add (peers, "init", SHARED, FALSE);
  ASSERT_CHOICE (peers, NULL, "pod");
  /* A pod that shares does so with all; nobody is to be found in it. */
  add (peers, "web", SHARED, TRUE);
  ASSERT_CHOICE (peers, "nobody", "pod");
}

static void
test_the_only_one_with_processes_is_debugged (void)
{
  g_autoptr (GArray) peers = peers_new ();

  add (peers, "init", OWN, FALSE);
  add (peers, "web", OWN, TRUE);
  ASSERT_CHOICE (peers, NULL, "id-web");
  /* One that debugs is none to be debugged. */
  add (peers, "debugger", "id-web", TRUE);
  ASSERT_CHOICE (peers, NULL, "id-web");
  ASSERT_CHOICE (peers, "web", "id-web");
  ASSERT_REFUSED (peers, "init", DN_ERROR_DENIED, "they are: web");
}

static void
test_of_several_one_must_be_named (void)
{
  g_autoptr (GArray) peers = peers_new ();

  add (peers, "web", OWN, TRUE);
  add (peers, "cache", OWN, TRUE);
  ASSERT_REFUSED (peers, NULL, DN_ERROR_DENIED,
                  "--env=DANCHI_TARGET=NAME, with one of: web, cache");
  ASSERT_REFUSED (peers, "", DN_ERROR_DENIED, "they are: web, cache");
  ASSERT_REFUSED (peers, "web2", DN_ERROR_DENIED, "they are: web, cache");
  ASSERT_CHOICE (peers, "cache", "id-cache");
}

static void
test_one_that_has_ended_is_not_debugged (void)
{
  g_autoptr (GArray) peers = peers_new ();

  add (peers, "web", OWN, FALSE);
  ASSERT_REFUSED (peers, NULL, DN_ERROR_CONFLICT, "does not run any more");
  add (peers, "debugger", "id-web", FALSE);
  ASSERT_REFUSED (peers, "web", DN_ERROR_CONFLICT, "does not run any more");
}

static void
test_every_other_path_is_the_hosts (void)
{
  static const char *const paths[]
      = { "/proc/1/ns/pid",        "/proc/777/ns/pid",  "/proc/77/ns/pid_for_children",
          "/proc/77/ns/pid/",      "/proc/self/ns/pid", "/proc/077/ns/pid",
          "/proc/77/../77/ns/pid", "/run/ns/pid",       "" };
  g_autoptr (GArray) peers = peers_new ();
  const DnOciConfig config = { .pid = DN_OCI_SPACE_PATH, .pid_path = (char *) "/proc/0/ns/pid" };
  g_autoptr (GError) error = NULL;
  char *chosen = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (paths); i++)
    {
      g_autofree char *said = choose (peers, DN_OCI_SPACE_PATH, paths[i], NULL);

      g_assert_cmpint (atoi (said), ==, DN_ERROR_DENIED);
      g_assert_nonnull (strstr (said, "hostPID"));
    }
  /* Of a pod whose guest has gone nothing is shared. */
  g_assert_false (dn_pod_processes_choose (&config, peers, 0, "container 'c'", &chosen, &error));
  g_assert_error (error, DN_ERROR, DN_ERROR_DENIED);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/pod-processes/without a path they are its own",
                   test_without_a_path_they_are_its_own);
  g_test_add_func ("/pod-processes/the first that shares shares with the pod",
                   test_the_first_that_shares_shares_with_the_pod);
  g_test_add_func ("/pod-processes/the only one with processes is debugged",
                   test_the_only_one_with_processes_is_debugged);
  g_test_add_func ("/pod-processes/of several one must be named",
                   test_of_several_one_must_be_named);
  g_test_add_func ("/pod-processes/one that has ended is not debugged",
                   test_one_that_has_ended_is_not_debugged);
  g_test_add_func ("/pod-processes/every other path is the host's",
                   test_every_other_path_is_the_hosts);
  return g_test_run ();
}
