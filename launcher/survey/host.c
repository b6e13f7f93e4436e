/* SPDX-License-Identifier: Apache-2.0 */
#include "host.h"

#include "../cli/answer.h"
#include "distribution.h"
#include "fact.h"
#include "libvirt-settings.h"
#include "lsm.h"
#include "memory.h"
#include "processor.h"
#include "root-file.h"

static JsonObject *
read_kernel (const char *root)
{
  JsonObject *facts = json_object_new ();
  g_autofree char *release = dn_root_file_read_line (root, "/proc/sys/kernel/osrelease");
  g_autofree char *version = dn_root_file_read_line (root, "/proc/sys/kernel/version");

  dn_fact_set_text (facts, "release", release);
  dn_fact_set_text (facts, "version", version);
  return facts;
}

static JsonObject *
join_libvirt (const char *root, JsonObject *libvirt)
{
  static const char *const members[] = { "version", "qemu_version", "uri", "error" };
  JsonObject *facts = json_object_new ();

  for (gsize i = 0; i < G_N_ELEMENTS (members); i++)
    {
      const char *value = libvirt != NULL ? dn_answer_text (libvirt, members[i]) : "";

      dn_fact_set_text (facts, members[i], *value != '\0' ? value : NULL);
    }
  json_object_set_array_member (facts, "settings", dn_libvirt_settings_read (root));
  return facts;
}

JsonObject *
dn_host_read (const char *root, const char *today, JsonObject *libvirt, gint danchid_pid)
{
  JsonObject *facts = json_object_new ();
  g_autofree char *name = dn_root_file_read_line (root, "/proc/sys/kernel/hostname");

  dn_fact_set_text (facts, "hostname", name);
  json_object_set_object_member (facts, "distribution", dn_distribution_read (root, today));
  json_object_set_object_member (facts, "kernel", read_kernel (root));
  json_object_set_object_member (facts, "cpu", dn_processor_read (root));
  json_object_set_object_member (facts, "memory", dn_memory_read (root));
  json_object_set_object_member (facts, "lsm", dn_lsm_read (root, danchid_pid));
  json_object_set_object_member (facts, "libvirt", join_libvirt (root, libvirt));
  return facts;
}
