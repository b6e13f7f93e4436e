/* SPDX-License-Identifier: Apache-2.0 */
/* Links: guest-agent/agent/readback.c guest-agent/agent/config*.c guest-agent/agent/json.c
 * guest-agent/agent/fault.c */
/* Packages: jansson */
#include <errno.h>
#include <glib.h>
#include <linux/seccomp.h>
#include <string.h>
#include <unistd.h>

#include "../../guest-agent/agent/readback.h"

#define FIRST_UID 100000
#define FIRST_GID 200000
#define COUNT 65536

/* A container's process as it should be, which each case spoils in one place. */
typedef struct
{
  DnConfig config;
  DnProcessConfig process;
  DnSyncIds ids;
  DnReadback readback;
} Sample;

static Sample
sound (void)
{
  Sample sample = {
    .config = { .first_uid = FIRST_UID, .first_gid = FIRST_GID, .id_count = COUNT },
    .process = { .uid = 5, .gid = 6, .groups = { 9, 7 }, .group_count = 2 },
    .ids = { .uid = 5, .gid = 6, .groups = { 9, 7 }, .group_count = 2 },
    .readback = { .started = { .uid = 5,
                               .gid = 6,
                               .no_new_privs = 1,
                               .seccomp_mode = SECCOMP_MODE_FILTER,
                               .seccomp_filters = 1,
                               .namespaces = 0x7f,
                               .outer_uid_of_root = FIRST_UID },
                  .groups = { FIRST_GID + 7, FIRST_GID + 9 },
                  .group_count = 2,
                  .uid_map = { 0, FIRST_UID, COUNT },
                  .gid_map = { 0, FIRST_GID, COUNT },
                  .pid_namespace = 4026532000,
                  .inner_pid = 1 },
  };

  for (int i = 0; i < DN_READBACK_IDS; i++)
    {
      sample.readback.uids[i] = FIRST_UID + 5;
      sample.readback.gids[i] = FIRST_GID + 6;
    }
  return sample;
}

/* NULL: as it should be; else what is said to be wrong. */
static char *
check (const Sample *sample)
{
  const DnReadbackWanted wanted
      = { .config = &sample->config, .process = &sample->process, .ids = &sample->ids };
  DnFault fault = { 0 };
  int r = dn_readback_check (&sample->readback, &wanted, &fault);
  const char *colon = strrchr (fault.message, ':');

  if (r == 0)
    return NULL;
  g_assert_cmpint (r, ==, -EPERM);
  g_assert_nonnull (colon);
  return g_strdup (colon + 2);
}

#define ASSERT_FAULT(sample, what)                                                                 \
  do                                                                                               \
    {                                                                                              \
      g_autofree char *found = check (&(sample));                                                  \
      g_assert_cmpstr (found, ==, (what));                                                         \
    }                                                                                              \
  while (0)

static void
test_each_of_the_four_ids_counts (void)
{
  Sample whole = sound ();

  ASSERT_FAULT (whole, NULL);
  for (int i = 0; i < DN_READBACK_IDS; i++)
    {
      Sample uid = sound ();
      Sample gid = sound ();

      uid.readback.uids[i] = FIRST_UID;
      ASSERT_FAULT (uid, "its user ids are others");
      gid.readback.gids[i] = 0;
      ASSERT_FAULT (gid, "its group ids are others");
    }
}

static void
test_groups_are_those_that_were_asked_for (void)
{
  Sample more = sound ();
  Sample fewer = sound ();
  Sample other = sound ();
  Sample twice = sound ();
  Sample none = sound ();

  more.readback.groups[more.readback.group_count++] = 0;
  ASSERT_FAULT (more, "its supplementary groups are others");
  fewer.readback.group_count--;
  ASSERT_FAULT (fewer, "its supplementary groups are others");
  other.readback.groups[1] = FIRST_GID + 8;
  ASSERT_FAULT (other, "its supplementary groups are others");
  twice.readback.groups[1] = FIRST_GID + 7;
  ASSERT_FAULT (twice, "its supplementary groups are others");
  none.readback.group_count = SIZE_MAX;
  ASSERT_FAULT (none, "its supplementary groups are others");
}

static void
test_both_maps_are_the_containers (void)
{
  const DnReadbackMap wrong[] = {
    { 0, 0, 0 },
    { 0, FIRST_UID, COUNT + 1 },
    { 1, FIRST_UID, COUNT },
    { 0, FIRST_GID + 1, COUNT },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      Sample uid = sound ();
      Sample gid = sound ();

      uid.readback.uid_map = wrong[i];
      ASSERT_FAULT (uid, "its map of user ids is another");
      gid.readback.gid_map = wrong[i];
      ASSERT_FAULT (gid, "its map of group ids is another");
    }
}

/* The child looks up who the process is to be; where the config has numbers it is not asked. */
static void
test_the_childs_word_does_not_replace_the_configs (void)
{
  Sample uid = sound ();
  Sample groups = sound ();
  Sample named = sound ();

  uid.ids.uid = 0;
  ASSERT_FAULT (uid, "it is for another user");
  groups.ids.groups[0] = 8;
  ASSERT_FAULT (groups, "it is for another user");
  named.process = (DnProcessConfig){ .user = "somebody" };
  ASSERT_FAULT (named, NULL);
  named.readback.uids[2] = FIRST_UID;
  ASSERT_FAULT (named, "its user ids are others");
}

static void
test_the_kernels_words_are_read (void)
{
  DnConfig config = { .first_uid = 0, .first_gid = 0, .id_count = COUNT };
  gid_t groups[1024];
  DnReadback readback;
  DnFault fault;
  int count = getgroups (G_N_ELEMENTS (groups), groups);

  g_assert_cmpint (dn_readback_read (getpid (), &config, &readback, &fault), ==, 0);
  g_assert_cmpuint (readback.started.pid, ==, (guint) getpid ());
  for (int i = 0; i < DN_READBACK_IDS; i++)
    {
      g_assert_cmpuint (readback.uids[i], ==, geteuid ());
      g_assert_cmpuint (readback.gids[i], ==, getegid ());
    }
  if (count <= DN_READBACK_GROUPS_MAX)
    g_assert_cmpuint (readback.group_count, ==, (gsize) count);
  g_assert_cmpuint (readback.uid_map.count, >, 0);
  g_assert_cmpuint (readback.gid_map.count, >, 0);
  g_assert_cmpuint (readback.started.namespaces, ==, 0);
  g_assert_cmpint (dn_readback_read (-1, &config, &readback, &fault), ==, -EIO);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/agent-readback/ids", test_each_of_the_four_ids_counts);
  g_test_add_func ("/agent-readback/groups", test_groups_are_those_that_were_asked_for);
  g_test_add_func ("/agent-readback/maps", test_both_maps_are_the_containers);
  g_test_add_func ("/agent-readback/config", test_the_childs_word_does_not_replace_the_configs);
  g_test_add_func ("/agent-readback/kernel", test_the_kernels_words_are_read);
  return g_test_run ();
}
