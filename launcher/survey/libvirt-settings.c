/* SPDX-License-Identifier: Apache-2.0 */
#include "libvirt-settings.h"

#include <string.h>

#include "fact.h"
#include "root-file.h"

static const struct
{
  const char *file;
  const char *key;
} wanted[] = {
  { "/etc/libvirt/qemu.conf", "security_driver" },
  { "/etc/libvirt/qemu.conf", "security_default_confined" },
  { "/etc/libvirt/qemu.conf", "user" },
  { "/etc/libvirt/qemu.conf", "group" },
  { "/etc/libvirt/qemu.conf", "clear_emulator_capabilities" },
  { "/etc/libvirt/qemu.conf", "seccomp_sandbox" },
  { "/etc/libvirt/qemu.conf", "vnc_listen" },
  { "/etc/libvirt/qemu.conf", "spice_listen" },
  { "/etc/libvirt/libvirtd.conf", "listen_tcp" },
  { "/etc/libvirt/libvirtd.conf", "auth_tcp" },
  /* The same of the split daemons. */
  { "/etc/libvirt/virtproxyd.conf", "listen_tcp" },
  { "/etc/libvirt/virtproxyd.conf", "auth_tcp" },
};

/* The value that begins at @text: a string in quotes, a list of them, or a number.  (transfer full)
 */
static char *
take_value (const char *text)
{
  GString *value = g_string_new (NULL);
  gboolean is_list = *text == '[';

  for (const char *at = is_list ? text + 1 : text; *at != '\0' && *at != ']'; at++)
    {
      if (*at == '#')
        at += strcspn (at, "\n") - 1;
      else if (*at == '"' || *at == '\'')
        {
          gsize size = strcspn (at + 1, (char[]){ *at, '\n', '\0' });

          if (value->len > 0)
            g_string_append_c (value, ' ');
          g_string_append_len (value, at + 1, (gssize) size);
          at += size + (at[1 + size] != '\0' && at[1 + size] != '\n' ? 1 : 0);
          if (!is_list)
            break;
        }
      else if (*at == '\n' && !is_list)
        break;
      else if (!is_list && !g_ascii_isspace (*at))
        g_string_append_c (value, *at);
    }
  return g_string_free (value, FALSE);
}

/* The first line that sets @key counts, as with libvirt.  (transfer full); NULL where none does */
static char *
find_value (const char *text, const char *key)
{
  gsize size = strlen (key);

  for (const char *line = text; line != NULL;
       line = strchr (line, '\n') != NULL ? strchr (line, '\n') + 1 : NULL)
    {
      const char *at = line + strspn (line, " \t");

      if (strncmp (at, key, size) != 0)
        continue;
      at += size;
      at += strspn (at, " \t");
      if (*at != '=')
        continue;
      at++;
      return take_value (at + strspn (at, " \t"));
    }
  return NULL;
}

JsonArray *
dn_libvirt_settings_read (const char *root)
{
  JsonArray *settings = json_array_new ();

  for (gsize i = 0; i < G_N_ELEMENTS (wanted); i++)
    {
      g_autofree char *text = dn_root_file_read (root, wanted[i].file, DN_ROOT_FILE_MAX_BYTES);
      g_autofree char *value = text != NULL ? find_value (text, wanted[i].key) : NULL;
      JsonObject *setting;

      if (value == NULL)
        continue;
      setting = json_object_new ();
      dn_fact_set_text (setting, "key", wanted[i].key);
      dn_fact_set_text (setting, "value", value);
      dn_fact_set_text (setting, "file", wanted[i].file);
      json_array_add_object_element (settings, setting);
    }
  return settings;
}
