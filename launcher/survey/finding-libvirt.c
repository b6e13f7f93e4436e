/* SPDX-License-Identifier: Apache-2.0 */
#include "../cli/answer.h"
#include "finding-private.h"

static JsonArray *
settings_of (const DnFindingLook *look)
{
  JsonObject *libvirt = dn_finding_host (look, "libvirt");

  return libvirt != NULL ? dn_answer_array (libvirt, "settings") : NULL;
}

static gboolean
is_key (JsonObject *setting, const char *key)
{
  return setting != NULL && g_str_equal (dn_answer_text (setting, "key"), key);
}

/* "vnc_listen = 0.0.0.0" of which file. */
static void
add (DnFindingLook *look, JsonObject *setting, const char *why)
{
  dn_finding_add (look, dn_answer_text (setting, "key"), NULL, "%s = %s in %s: %s",
                  dn_answer_text (setting, "key"), dn_answer_text (setting, "value"),
                  dn_answer_text (setting, "file"), why);
}

void
dn_find_libvirt_unknown (DnFindingLook *look)
{
  JsonObject *libvirt = dn_finding_host (look, "libvirt");
  const char *error = libvirt != NULL ? dn_answer_text (libvirt, "error") : "";

  if (*error != '\0' || !dn_finding_is_known (libvirt, "version"))
    dn_finding_add (look, "libvirt", NULL, "its machines are not known: %s",
                    *error != '\0' ? error : "it did not answer");
}

static gboolean
is_driver_off (const char *value)
{
  g_auto (GStrv) drivers = g_strsplit (value, " ", -1);

  return g_strv_contains ((const char *const *) drivers, "none");
}

void
dn_find_driver_off (DnFindingLook *look)
{
  JsonArray *settings = settings_of (look);

  for (guint i = 0; i < dn_answer_length (settings); i++)
    {
      JsonObject *setting = dn_answer_nth (settings, i);

      if (is_key (setting, "security_driver") && is_driver_off (dn_answer_text (setting, "value")))
        add (look, setting, "guests get no label of AppArmor or SELinux");
    }
}

void
dn_find_setting_zero (DnFindingLook *look)
{
  static const char *const whys[][2] = {
    { "security_default_confined", "guests whose definition asks for no label get none" },
    { "clear_emulator_capabilities", "guests' QEMUs keep capabilities" },
    { "seccomp_sandbox", "guests' QEMUs run without their system call filter" },
  };
  JsonArray *settings = settings_of (look);

  for (guint i = 0; i < dn_answer_length (settings); i++)
    {
      JsonObject *setting = dn_answer_nth (settings, i);

      if (!is_key (setting, look->rule->argument)
          || !g_str_equal (dn_answer_text (setting, "value"), "0"))
        continue;
      for (gsize k = 0; k < G_N_ELEMENTS (whys); k++)
        if (g_str_equal (whys[k][0], look->rule->argument))
          add (look, setting, whys[k][1]);
    }
}

/* qemu.conf: a name, or a number after '+'. */
static gboolean
is_root (const char *value)
{
  return g_str_equal (value, "root") || g_str_equal (value, "0") || g_str_equal (value, "+0");
}

void
dn_find_user_root (DnFindingLook *look)
{
  JsonArray *settings = settings_of (look);

  for (guint i = 0; i < dn_answer_length (settings); i++)
    {
      JsonObject *setting = dn_answer_nth (settings, i);

      if ((is_key (setting, "user") || is_key (setting, "group"))
          && is_root (dn_answer_text (setting, "value")))
        add (look, setting, "guests' QEMUs run as root where their definition does not say better");
    }
}

static gboolean
is_loopback (const char *address)
{
  return g_str_has_prefix (address, "127.") || g_str_equal (address, "::1")
         || g_str_equal (address, "localhost");
}

void
dn_find_display (DnFindingLook *look)
{
  JsonArray *settings = settings_of (look);

  for (guint i = 0; i < dn_answer_length (settings); i++)
    {
      JsonObject *setting = dn_answer_nth (settings, i);

      if ((is_key (setting, "vnc_listen") || is_key (setting, "spice_listen"))
          && !is_loopback (dn_answer_text (setting, "value")))
        add (look, setting, "guests' screens and keyboards are on the network");
    }
}

/* auth_tcp that the file of @listen sets; "" for libvirt's default, which is sasl. */
static const char *
find_authentication (JsonArray *settings, JsonObject *listen)
{
  for (guint i = 0; i < dn_answer_length (settings); i++)
    {
      JsonObject *setting = dn_answer_nth (settings, i);

      if (is_key (setting, "auth_tcp")
          && g_str_equal (dn_answer_text (setting, "file"), dn_answer_text (listen, "file")))
        return dn_answer_text (setting, "value");
    }
  return "";
}

static void
find_tcp (DnFindingLook *look, gboolean wants_open, const char *why)
{
  JsonArray *settings = settings_of (look);

  for (guint i = 0; i < dn_answer_length (settings); i++)
    {
      JsonObject *setting = dn_answer_nth (settings, i);

      if (is_key (setting, "listen_tcp") && g_str_equal (dn_answer_text (setting, "value"), "1")
          && g_str_equal (find_authentication (settings, setting), "none") == wants_open)
        add (look, setting, why);
    }
}

void
dn_find_tcp_open (DnFindingLook *look)
{
  find_tcp (look, TRUE, "whoever reaches libvirt's port is root on this host (auth_tcp = none)");
}

void
dn_find_tcp (DnFindingLook *look)
{
  find_tcp (look, FALSE, "libvirt may be reached over the network, and not encrypted");
}
