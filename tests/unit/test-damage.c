/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/daemon/damage.c guest-agent/agent/damage-record.c guest-agent/agent/disk-layer.c
 * guest-agent/mapper/verity-slice.c guest-agent/mapper/device-mapper.c */
#include <errno.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "../../guest-agent/agent/damage-record.h"
#include "../../guest-agent/agent/disk-layer.h"
#include "../../launcher/daemon/damage.h"

#define TEXT(text) text, sizeof (text)
#define UNENDED(text) text, sizeof (text) - 1

static void
test_reads_the_kernels_event (void)
{
  DnDamageRecord record;

  g_assert_true (dn_damage_record_read (
      TEXT ("change@/devices/virtual/block/dm-2\0ACTION=change\0DEVPATH=/devices/virtual/block/dm-2"
            "\0SUBSYSTEM=block\0DM_VERITY_ERR_BLOCK_NR=0,512\0MAJOR=254\0MINOR=2\0DEVNAME=dm-2\0"
            "SEQNUM=99"),
      &record));
  g_assert_cmpuint (record.block, ==, 512);
  g_assert_cmpuint (record.device, ==, makedev (254, 2));
  /* Of the tree. */
  g_assert_true (dn_damage_record_read (
      TEXT ("x\0MAJOR=254\0MINOR=300\0DM_VERITY_ERR_BLOCK_NR=1,7"), &record));
  g_assert_cmpuint (record.device, ==, makedev (254, 300));
}

static void
test_takes_nothing_else (void)
{
  static const struct
  {
    const char *bytes;
    gsize size;
  } cases[] = {
    { TEXT ("") },
    { TEXT ("change@/x\0ACTION=change\0MAJOR=254\0MINOR=2") },
    { TEXT ("change@/x\0DM_VERITY_ERR_BLOCK_NR=0,5\0MINOR=2") },
    { TEXT ("change@/x\0DM_VERITY_ERR_BLOCK_NR=2,5\0MAJOR=254\0MINOR=2") },
    { TEXT ("change@/x\0DM_VERITY_ERR_BLOCK_NR=0,\0MAJOR=254\0MINOR=2") },
    { TEXT ("change@/x\0DM_VERITY_ERR_BLOCK_NR=0,-1\0MAJOR=254\0MINOR=2") },
    { TEXT ("change@/x\0DM_VERITY_ERR_BLOCK_NR=0,99999999999999999999\0MAJOR=254\0MINOR=2") },
    { TEXT ("change@/x\0DM_VERITY_ERR_BLOCK_NR=0,5\0MAJOR=999999\0MINOR=2") },
    { UNENDED ("change@/x\0DM_VERITY_ERR_BLOCK_NR=0,5\0MAJOR=254\0MINOR=2") },
    { "", 0 },
  };
  DnDamageRecord record;

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    g_assert_false (dn_damage_record_read (cases[i].bytes, cases[i].size, &record));
}

static void
test_events_become_rarer (void)
{
  DnDamage damage = { 0 };
  DnMsgDiskDamage message = { .disk = "x", .layer = 3, .block = 9 };
  guint events = 0;

  for (message.count = 1; message.count <= 1000; message.count++)
    events += dn_damage_take (&damage, &message, 5);
  g_assert_cmpuint (events, ==, 4); /* 1, 10, 100, 1000 */
  message.count = 1000;             /* told again */
  g_assert_false (dn_damage_take (&damage, &message, 6));
  g_assert_cmpuint (damage.layer, ==, 3);
  g_assert_cmpint (damage.first_us, ==, 5);
  message.count = G_MAXUINT64;
  g_assert_true (dn_damage_take (&damage, &message, 7));
  g_assert_false (dn_damage_take (&damage, &message, 8));
  g_assert_cmpint (damage.last_us, ==, 7);
}

static void
test_layers_lie_one_behind_the_other (void)
{
  DnDiskLayers layers = { 0 }, copy;
  DnMsgDiskLayer message = { .data_blocks = 200, .hash_blocks = 3 };

  g_assert_cmpint (dn_disk_layers_add (&layers, &message), ==, 0);
  message.start_block = 202;
  g_assert_cmpint (dn_disk_layers_add (&layers, &message), ==, -EPROTO);
  message.start_block = 203;
  g_assert_cmpint (dn_disk_layers_add (&layers, &message), ==, 0);
  message.start_block = 100;
  g_assert_cmpint (dn_disk_layers_add (&layers, &message), ==, -EPROTO);
  message.start_block = G_MAXUINT64 - 100;
  g_assert_cmpint (dn_disk_layers_add (&layers, &message), ==, -EPROTO);
  g_assert_true (dn_disk_layers_fit (&layers, 406));
  g_assert_false (dn_disk_layers_fit (&layers, 405));
  g_assert_cmpint (dn_disk_layers_copy (&layers, &copy), ==, 0);
  g_assert_true (dn_disk_layers_are_equal (&layers, &copy));
  copy.slices[1].root_hash[31] ^= 1;
  g_assert_false (dn_disk_layers_are_equal (&layers, &copy));
  dn_disk_layers_clear (&copy);
  dn_disk_layers_clear (&layers);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/damage/event", test_reads_the_kernels_event);
  g_test_add_func ("/damage/others", test_takes_nothing_else);
  g_test_add_func ("/damage/rate", test_events_become_rarer);
  g_test_add_func ("/damage/layers", test_layers_lie_one_behind_the_other);
  return g_test_run ();
}
