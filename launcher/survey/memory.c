/* SPDX-License-Identifier: Apache-2.0 */
#include "memory.h"

#include <stdio.h>
#include <string.h>

#include "fact.h"
#include "root-file.h"

#define DEVICES_DEEP_MAX 8
#define SLAVES_MAX 64

typedef enum
{
  ENCRYPTED_UNKNOWN = -1,
  ENCRYPTED_NO,
  ENCRYPTED_YES,
} Encrypted;

/* A block device by its name in /sys/block: encrypted itself, or all below it is. */
static Encrypted
find_encryption (const char *root, const char *device, guint deep)
{
  g_autofree char *uuid_path = g_strdup_printf ("/sys/block/%s/dm/uuid", device);
  g_autofree char *slaves_path = g_strdup_printf ("/sys/block/%s/slaves", device);
  g_autofree char *uuid = dn_root_file_read_line (root, uuid_path);
  g_autoptr (GPtrArray) slaves = NULL;

  if (uuid != NULL && g_str_has_prefix (uuid, "CRYPT-"))
    return ENCRYPTED_YES;
  if (deep == 0)
    return ENCRYPTED_UNKNOWN;
  slaves = dn_root_file_list (root, slaves_path, SLAVES_MAX);
  for (guint i = 0; i < slaves->len; i++)
    {
      Encrypted below = find_encryption (root, slaves->pdata[i], deep - 1);

      if (below != ENCRYPTED_YES)
        return below;
    }
  return slaves->len > 0 ? ENCRYPTED_YES : ENCRYPTED_NO;
}

static Encrypted
is_encrypted (const char *root, const char *name, const char *type)
{
  if (!g_str_equal (type, "partition") || !g_str_has_prefix (name, "/dev/")
      || g_str_has_prefix (name, "/dev/zram"))
    return ENCRYPTED_UNKNOWN;
  return find_encryption (root, name + strlen ("/dev/"), DEVICES_DEEP_MAX);
}

static void
add_swap (JsonArray *swaps, const char *root, const char *line, gint64 *bytes_sum)
{
  char name[257], type[17];
  gint64 kib;
  Encrypted encrypted;
  JsonObject *swap;

  if (sscanf (line, "%256s %16s %" G_GINT64_FORMAT, name, type, &kib) != 3)
    return;
  encrypted = is_encrypted (root, name, type);
  swap = json_object_new ();
  dn_fact_set_text (swap, "name", name);
  json_object_set_int_member (swap, "bytes", kib * 1024);
  if (encrypted == ENCRYPTED_UNKNOWN)
    json_object_set_null_member (swap, "is_encrypted");
  else
    json_object_set_boolean_member (swap, "is_encrypted", encrypted == ENCRYPTED_YES);
  json_array_add_object_element (swaps, swap);
  *bytes_sum += kib * 1024;
}

JsonObject *
dn_memory_read (const char *root)
{
  JsonObject *facts = json_object_new ();
  JsonArray *swaps = json_array_new ();
  g_autofree char *ksm = dn_root_file_read_line (root, "/sys/kernel/mm/ksm/run");
  g_autofree char *text = dn_root_file_read (root, "/proc/swaps", DN_ROOT_FILE_MAX_BYTES);
  g_auto (GStrv) lines = g_strsplit (text != NULL ? text : "", "\n", -1);
  gint64 bytes_sum = 0;

  for (guint i = 1; lines[0] != NULL && lines[i] != NULL; i++)
    add_swap (swaps, root, lines[i], &bytes_sum);
  json_object_set_boolean_member (facts, "ksm", g_strcmp0 (ksm, "1") == 0);
  json_object_set_int_member (facts, "swap_bytes", bytes_sum);
  json_object_set_array_member (facts, "swaps", swaps);
  return facts;
}
