/* SPDX-License-Identifier: Apache-2.0 */
#include "machine.h"

#include <string.h>

#include "../cli/answer.h"
#include "fact.h"

#define OTHER_HYPERVISOR "unknown"

static const struct
{
  const char *program;
  gboolean is_prefix;
  const char *hypervisor;
  const char *name_option;
} hypervisors[] = {
  { "qemu-system-", TRUE, "qemu", "-name" },
  { "qemu-kvm", FALSE, "qemu", "-name" },
  { "cloud-hypervisor", FALSE, "cloud-hypervisor", "--api-socket" },
  { "firecracker", FALSE, "firecracker", "--id" },
  { "crosvm", FALSE, "crosvm", "--name" },
  { "lkvm", FALSE, "kvmtool", "--name" },
  { "VBoxHeadless", FALSE, "virtualbox", "--comment" },
  { "VirtualBoxVM", FALSE, "virtualbox", "--comment" },
  { "vmware-vmx", FALSE, "vmware", NULL },
};

/* The index into @hypervisors; their number where it is none of them. */
static gsize
find_hypervisor (const DnProcess *process)
{
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (hypervisors); i++)
    if (hypervisors[i].is_prefix ? g_str_has_prefix (process->program, hypervisors[i].program)
                                 : g_str_equal (process->program, hypervisors[i].program))
      break;
  return i;
}

/* QEMU: "-name guest=web,debug-threads=on" or "-name web". (transfer full) */
static char *
read_name (const DnProcess *process, const char *option)
{
  const char *value = option != NULL ? dn_process_find_option (process, option) : NULL;

  if (value == NULL)
    return g_strdup (process->program);
  if (g_str_has_prefix (value, "guest="))
    value += strlen ("guest=");
  return g_strndup (value, strcspn (value, ","));
}

static gboolean
is_known (JsonArray *machines, gint pid)
{
  for (guint i = 0; i < dn_answer_length (machines); i++)
    {
      JsonObject *machine = dn_answer_nth (machines, i);

      if (machine != NULL && dn_answer_int (machine, "pid", 0) == pid)
        return TRUE;
    }
  return FALSE;
}

void
dn_machine_add_unknown (JsonArray *machines, const DnProcessList *list)
{
  for (guint i = 0; i < list->processes->len; i++)
    {
      const DnProcess *process = list->processes->pdata[i];
      gsize k = find_hypervisor (process);
      gboolean is_named = k < G_N_ELEMENTS (hypervisors);
      g_autofree char *name = NULL;
      JsonObject *machine;

      if ((!is_named && !process->has_kvm) || is_known (machines, process->pid))
        continue;
      name = read_name (process, is_named ? hypervisors[k].name_option : NULL);
      machine = json_object_new ();
      dn_fact_set_text (machine, "name", name);
      json_object_set_int_member (machine, "pid", process->pid);
      json_object_set_int_member (machine, "uid", process->uid);
      json_object_set_boolean_member (machine, "is_danchi", FALSE);
      json_object_set_string_member (machine, "source", "process");
      json_object_set_null_member (machine, "context");
      json_object_set_string_member (machine, "hypervisor",
                                     is_named ? hypervisors[k].hypervisor : OTHER_HYPERVISOR);
      json_array_add_object_element (machines, machine);
    }
}
