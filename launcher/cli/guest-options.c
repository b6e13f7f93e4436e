/* SPDX-License-Identifier: Apache-2.0 */
#include "guest-options.h"

#include "options.h"
#include "units.h"

#define KIB 1024
#define MIB (1024 * 1024)

typedef enum
{
  FLAG_TEXT,
  FLAG_NUMBER,
  FLAG_SIZE, /* "20m": in units of `scale` bytes, upwards; 0 is no limit */
} FlagKind;

static const struct
{
  const char *flag;
  FlagKind kind;
  gint64 scale;
  const char *key; /* of [guest] */
  const char *help;
  const char *value;
} flags[DN_GUEST_OPTIONS_COUNT] = {
  { "memory", FLAG_SIZE, MIB, "memory_mib", "Memory of its guest", "SIZE" },
  { "cpus", FLAG_NUMBER, 1, "vcpus", "Processors of its guest", "NUMBER" },
  { "cpu-shares", FLAG_NUMBER, 1, "cpu_shares",
    "Weight against other guests; 0: 1024 for each of its processors", "NUMBER" },
  { "cpu-quota", FLAG_NUMBER, 1, "cpu_quota_percent",
    "Percent of one processor that it may use; 0: no limit", "NUMBER" },
  { "read-bps", FLAG_SIZE, KIB, "io_read_kib_per_s",
    "What its disks together may read in a second; 0: no limit", "SIZE" },
  { "write-bps", FLAG_SIZE, KIB, "io_write_kib_per_s", "Likewise write", "SIZE" },
  { "read-iops", FLAG_NUMBER, 1, "io_read_per_s",
    "How often its disks together may be read in a second; 0: no limit", "NUMBER" },
  { "write-iops", FLAG_NUMBER, 1, "io_write_per_s", "Likewise written", "NUMBER" },
  { "balloon", FLAG_TEXT, 1, "balloon",
    "Whether memory that it frees goes back to the host: auto, yes or no", "WHEN" },
};

void
dn_guest_options_clear (DnGuestOptions *options)
{
  for (gsize i = 0; i < DN_GUEST_OPTIONS_COUNT; i++)
    g_clear_pointer (&options->texts[i], g_free);
}

void
dn_guest_options_fill (DnGuestOptions *options, const char *memory, const char *cpus,
                       GOptionEntry *ret_rows)
{
  for (gsize i = 0; i < DN_GUEST_OPTIONS_COUNT; i++)
    {
      options->flags[i] = i == 0 ? memory : i == 1 ? cpus : flags[i].flag;
      ret_rows[i] = (GOptionEntry){ .long_name = options->flags[i],
                                    .arg = G_OPTION_ARG_FILENAME,
                                    .arg_data = &options->texts[i],
                                    .description = flags[i].help,
                                    .arg_description = flags[i].value };
    }
  ret_rows[DN_GUEST_OPTIONS_COUNT] = (GOptionEntry) DN_OPTION_END;
}

/* (transfer full): NULL with @error */
static char *
make_value (gsize i, const char *text, GError **error)
{
  gint64 number = 0;

  if (flags[i].kind == FLAG_TEXT)
    return g_strdup (text);
  if (flags[i].kind == FLAG_NUMBER || g_str_equal (text, "0"))
    return dn_units_parse_int (text, 0, G_MAXINT, &number, error)
               ? g_strdup_printf ("%" G_GINT64_FORMAT, number)
               : NULL;
  return dn_units_parse_size (text, &number, error) ? g_strdup_printf (
             "%" G_GINT64_FORMAT, number / flags[i].scale + (number % flags[i].scale != 0))
                                                    : NULL;
}

gboolean
dn_guest_options_to_keys (const DnGuestOptions *options, JsonObject *keys, GError **error)
{
  for (gsize i = 0; i < DN_GUEST_OPTIONS_COUNT; i++)
    {
      g_autofree char *key = g_strconcat ("guest.", flags[i].key, NULL);
      g_autofree char *value = NULL;

      if (options->texts[i] == NULL)
        continue;
      value = make_value (i, options->texts[i], error);
      if (value == NULL)
        {
          g_prefix_error (error, "--%s: ", options->flags[i]);
          return FALSE;
        }
      json_object_set_string_member (keys, key, value);
    }
  return TRUE;
}
