/* SPDX-License-Identifier: Apache-2.0 */
/* Links: guest-agent/agent/config*.c guest-agent/agent/json.c guest-agent/agent/fault.c */
/* Packages: jansson */
#include <errno.h>
#include <glib.h>
#include <linux/mount.h>
#include <string.h>

#include "../../guest-agent/agent/config.h"

#define PROCESS "\"process\":{\"args\":[\"a\"],\"cwd\":\"/\"}"
#define RANGE(first) "[{\"containerID\":0,\"hostID\":" first ",\"size\":65536}]"
#define LINUX(more)                                                                                \
  "\"linux\":{\"uidMappings\":" RANGE ("100000") ",\"gidMappings\":" RANGE ("100000") more "}"

static int
read_config (const char *text, DnConfig *config, DnFault *fault)
{
  memset (fault, 0, sizeof *fault);
  return dn_config_read (text, strlen (text), config, fault);
}

static void
test_the_least_config_is_the_strictest (void)
{
  DnConfig config;
  DnFault fault;

  g_assert_cmpint (read_config ("{" PROCESS "," LINUX ("") "}", &config, &fault), ==, 0);
  g_assert_true (config.is_root_readonly);
  g_assert_cmpuint (config.process.capabilities.bounding, ==, 0);
  g_assert_cmpuint (config.first_uid, ==, 100000);
  g_assert_cmpuint (config.writable_bytes, ==, DN_CONFIG_WRITABLE_DEFAULT_BYTES);
  dn_config_clear (&config);
}

static void
test_a_mount_is_always_nosuid_and_bounded (void)
{
  DnConfig config;
  DnFault fault;

  g_assert_cmpint (
      read_config ("{" PROCESS ",\"mounts\":[{\"destination\":\"/t\",\"type\":"
                   "\"tmpfs\",\"options\":[\"suid\",\"dev\",\"exec\"]}]," LINUX ("") "}",
                   &config, &fault),
      ==, 0);
  g_assert_cmpuint (config.mounts[0].attributes & MOUNT_ATTR_NOSUID, !=, 0);
  g_assert_cmpuint (config.mounts[0].attributes & MOUNT_ATTR_NODEV, !=, 0);
  g_assert_cmpstr (config.mounts[0].options[0], ==, "size=67108864");
  dn_config_clear (&config);
}

static void
test_refuses_what_would_weaken (void)
{
  static const char *const texts[] = {
    "{}",
    "[]",
    "{" PROCESS "}",
    "{" PROCESS "," PROCESS "," LINUX ("") "}",
    "{" PROCESS ",\"linux\":{\"uidMappings\":" RANGE ("0") ",\"gidMappings\":" RANGE ("1") "}}",
    "{" PROCESS ",\"linux\":{\"uidMappings\":" RANGE ("1") ",\"gidMappings\":" RANGE ("0") "}}",
    "{" PROCESS
    ",\"linux\":{\"uidMappings\":" RANGE ("4294967290") ",\"gidMappings\":" RANGE ("1") "}}",
    "{" PROCESS "," LINUX (",\"namespaces\":[{\"type\":\"pid\",\"path\":\"/proc/1/ns/pid\"}]") "}",
    "{" PROCESS "," LINUX (",\"sysctl\":{\"kernel.core_pattern\":\"x\"}") "}",
    "{" PROCESS "," LINUX (",\"sysctl\":{\"net.../kernel.x\":\"x\"}") "}",
    "{" PROCESS "," LINUX (",\"sysctl\":{\"net.ipv4.ip_forward\":1}") "}",
    "{" PROCESS ",\"hooks\":{\"prestart\":[{}]}," LINUX ("") "}",
    "{" PROCESS
    ",\"mounts\":[{\"destination\":\"/m\",\"type\":\"bind\",\"source\":\"/\"}]," LINUX ("") "}",
    "{" PROCESS ",\"mounts\":[{\"destination\":\"m\",\"type\":\"tmpfs\"}]," LINUX ("") "}",
    "{" PROCESS ",\"mounts\":[{\"destination\":\"/\",\"type\":\"tmpfs\"}]," LINUX ("") "}",
    "{" PROCESS
    ",\"mounts\":[{\"destination\":\"/m\",\"type\":\"tmpfs\",\"options\":[\"bind\"]}]," LINUX (
        "") "}",
    "{\"process\":{\"args\":[],\"cwd\":\"/\"}," LINUX ("") "}",
    "{\"process\":{\"args\":[\"a\"],\"cwd\":\"x\"}," LINUX ("") "}",
    "{\"process\":{\"args\":[\"a\"],\"cwd\":\"/\",\"apparmorProfile\":\"p\"}," LINUX ("") "}",
    "{\"process\":{\"args\":[\"a\"],\"cwd\":\"/"
    "\",\"capabilities\":{\"bounding\":[\"KILL\"]}}," LINUX ("") "}",
    "{\"process\":{\"args\":[\"a\"],\"cwd\":\"/"
    "\",\"capabilities\":{\"effective\":[\"CAP_KILL\"]}}," LINUX ("") "}",
    "{\"process\":{\"args\":[\"a\"],\"cwd\":\"/\",\"env\":[\"=x\"]}," LINUX ("") "}",
    "{\"process\":{\"args\":[\"a\\u0000b\"],\"cwd\":\"/\"}," LINUX ("") "}",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      DnConfig config;
      DnFault fault;

      if (read_config (texts[i], &config, &fault) == 0)
        g_error ("accepted: %s", texts[i]);
      g_assert_cmpstr (fault.message, !=, "");
      dn_config_clear (&config);
    }
}

static void
test_shares_become_weights (void)
{
  g_assert_cmpuint (dn_config_weight_of_shares (2), ==, 1);
  g_assert_cmpuint (dn_config_weight_of_shares (1024), ==, 39);
  g_assert_cmpuint (dn_config_weight_of_shares (262144), ==, 10000);
}

/* A user other than root has what was given by name, and never what is root's by the profile. */
static void
test_other_users_have_the_ambient_set_alone (void)
{
  const DnCapabilities sets
      = { .inheritable = 2, .permitted = 7, .effective = 7, .bounding = 7, .ambient = 2 };
  const DnCapabilities roots = dn_config_capabilities_of (&sets, 0);
  const DnCapabilities users = dn_config_capabilities_of (&sets, 1000);

  g_assert_cmpmem (&roots, sizeof roots, &sets, sizeof sets);
  g_assert_cmphex (users.permitted, ==, 2);
  g_assert_cmphex (users.effective, ==, 2);
  g_assert_cmphex (users.inheritable, ==, 2);
  g_assert_cmphex (users.ambient, ==, 2);
  g_assert_cmphex (users.bounding, ==, 7);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define TEST(name) g_test_add_func ("/agent-config/" #name, test_##name)
  TEST (the_least_config_is_the_strictest);
  TEST (a_mount_is_always_nosuid_and_bounded);
  TEST (refuses_what_would_weaken);
  TEST (shares_become_weights);
  TEST (other_users_have_the_ambient_set_alone);
  return g_test_run ();
}
