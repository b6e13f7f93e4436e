/* SPDX-License-Identifier: Apache-2.0 */
#include "scan-settings.h"

#include <string.h>

#include "../common/guest-size.h"
#include "../images/reference.h"
#include "../images/scan-disk.h"

#define GROUP "scan"
#define MIB (1024 * 1024)

const char *const dn_scan_when_words[] = { "never", "load", "start", NULL };

void
dn_scan_settings_init (DnScanSettings *settings)
{
  *settings = (DnScanSettings){ .images = g_new0 (char *, 1),
                                .command = g_new0 (char *, 1),
                                .data = g_new0 (char *, 1),
                                .when = DN_SCAN_WHEN_LOAD,
                                .timeout_s = 600,
                                .memory_bytes = 512 * MIB };
}

void
dn_scan_settings_clear (DnScanSettings *settings)
{
  g_clear_pointer (&settings->images, g_strfreev);
  g_clear_pointer (&settings->program, g_free);
  g_clear_pointer (&settings->command, g_strfreev);
  g_clear_pointer (&settings->data, g_strfreev);
}

gboolean
dn_scan_settings_are_set (const DnScanSettings *settings)
{
  return settings->images[0] != NULL || settings->program != NULL;
}

void
dn_scan_settings_fill_keys (DnScanSettings *settings, DnKey *ret_keys)
{
  const DnKey keys[DN_SCAN_KEYS] = {
    { GROUP, "image", DN_KEY_LIST, &settings->images, 0, 0, 0, NULL },
    { GROUP, "program", DN_KEY_PATH, &settings->program, 0, 0, 0, NULL },
    { GROUP, "command", DN_KEY_LIST, &settings->command, 0, 0, 0, NULL },
    { GROUP, "data", DN_KEY_LIST, &settings->data, 0, 0, 0, NULL },
    { GROUP, "when", DN_KEY_CHOICE, &settings->when, 0, 0, 0, dn_scan_when_words },
    { GROUP, "timeout_s", DN_KEY_INTEGER, &settings->timeout_s, 5, 86400, 1, NULL },
    { GROUP, "memory_mib", DN_KEY_INTEGER, &settings->memory_bytes, DN_GUEST_MEMORY_MIN_MIB, 65536,
      MIB, NULL },
    { GROUP, "max_age_s", DN_KEY_INTEGER, &settings->max_age_s, 0, 10 * 365 * 86400, 1, NULL },
  };

  memcpy (ret_keys, keys, sizeof keys);
}

gboolean
dn_scan_settings_check (const DnScanSettings *settings, const char *what, const DnKeyPlaces *places,
                        GError **error)
{
  if (g_strv_length (settings->images) > 1)
    return dn_key_file_throw (error, what, places, GROUP, "image", "names more than one");
  if (settings->images[0] != NULL)
    {
      g_autofree char *name = dn_reference_normalise (settings->images[0], NULL);

      if (name == NULL)
        return dn_key_file_throw (error, what, places, GROUP, "image",
                                  "'%s' is no name of an image", settings->images[0]);
    }
  if (g_strv_length (settings->data) > DN_SCAN_FILES_MAX)
    return dn_key_file_throw (error, what, places, GROUP, "data", "names more than %d files",
                              DN_SCAN_FILES_MAX);
  for (char **path = settings->data; *path != NULL; path++)
    {
      g_autofree char *name = g_path_get_basename (*path);

      if ((*path)[0] != '/' || !dn_scan_file_name_is_valid (name))
        return dn_key_file_throw (error, what, places, GROUP, "data",
                                  "'%s' must be an absolute path whose last part is of letters, "
                                  "digits, '.', '_' and '-'",
                                  *path);
      for (char **other = settings->data; other != path; other++)
        {
          g_autofree char *others = g_path_get_basename (*other);

          if (g_str_equal (name, others))
            return dn_key_file_throw (error, what, places, GROUP, "data",
                                      "has two files with the name '%s'", name);
        }
    }
  return TRUE;
}
