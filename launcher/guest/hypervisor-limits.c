/* SPDX-License-Identifier: Apache-2.0 */
#include "hypervisor-limits.h"

#include <libvirt/libvirt.h>
#include <stdlib.h>
#include <string.h>

#include "domain-xml.h"
#include "hypervisor-connection.h"
#include "hypervisor.h"
#include "worker.h"

/* vda is the root; the XML has no more names than letters. */
#define DISKS_MAX 25

typedef struct Call Call;
struct Call
{
  int (*act) (virDomainPtr domain, Call *call);
  const char *what;
  char *name; /* owned */
  virTypedParameterPtr parameters;
  int count;
  guint64 bytes;
};

static void
call_free (gpointer data)
{
  Call *call = data;

  virTypedParamsFree (call->parameters, call->count);
  g_free (call->name);
  g_free (call);
}

static gboolean
run_call (gpointer data, GError **error)
{
  Call *call = data;
  virConnectPtr to = dn_hypervisor_get_connection (error);
  virDomainPtr domain;
  gboolean is_done;

  if (to == NULL)
    return FALSE;
  domain = virDomainLookupByName (to, call->name);
  is_done = (domain != NULL && call->act (domain, call) == 0)
            || dn_hypervisor_throw_words (call->what, error);
  if (domain != NULL)
    virDomainFree (domain);
  (void) virConnectClose (to);
  return is_done;
}

static Call *
call_new (int (*act) (virDomainPtr, Call *), const char *name, const char *what)
{
  Call *call = g_new0 (Call, 1);

  dn_hypervisor_initialize ();
  call->act = act;
  call->name = g_strdup (name);
  call->what = what;
  return call;
}

static gboolean
finish (Call *call, GError **error)
{
  return dn_worker_run (run_call, call, call_free, NULL, DN_HYPERVISOR_TIMEOUT_MS, "libvirt", NULL,
                        error);
}

static void
add_number (Call *call, const char *name, guint64 value)
{
  int room = call->count;

  (void) virTypedParamsAddULLong (&call->parameters, &call->count, &room, name, value);
}

static int
act_cpu (virDomainPtr domain, Call *call)
{
  return virDomainSetSchedulerParametersFlags (domain, call->parameters, call->count,
                                               VIR_DOMAIN_AFFECT_LIVE);
}

gboolean
dn_hypervisor_set_cpu (const char *name, guint64 shares, guint64 quota_us, GError **error)
{
  Call *call = call_new (act_cpu, name, "limit the processors");
  int room = 0;

  add_number (call, VIR_DOMAIN_SCHEDULER_CPU_SHARES, shares);
  add_number (call, VIR_DOMAIN_SCHEDULER_GLOBAL_PERIOD, DN_GUEST_CPU_PERIOD_US);
  room = call->count;
  (void) virTypedParamsAddLLong (&call->parameters, &call->count, &room,
                                 VIR_DOMAIN_SCHEDULER_GLOBAL_QUOTA,
                                 quota_us != 0 ? (long long) quota_us : -1);
  return finish (call, error);
}

static int
act_memory_limit (virDomainPtr domain, Call *call)
{
  return virDomainSetMemoryParameters (domain, call->parameters, call->count,
                                       VIR_DOMAIN_AFFECT_LIVE);
}

gboolean
dn_hypervisor_set_memory_limit (const char *name, guint64 bytes, GError **error)
{
  Call *call = call_new (act_memory_limit, name, "limit the host's memory");

  add_number (call, VIR_DOMAIN_MEMORY_HARD_LIMIT, bytes / 1024);
  return finish (call, error);
}

/* The names of a domain's disks but the root's, from what domain-xml.c wrote. */
static char **
list_disks (virDomainPtr domain)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  char *xml = virDomainGetXMLDesc (domain, 0);

  for (const char *at = xml; at != NULL && names->len < DISKS_MAX; at++)
    {
      at = strstr (at, "<target dev='vd");
      if (at == NULL)
        break;
      at += strlen ("<target dev='");
      if (at[2] != 'a' && at[3] == '\'')
        g_ptr_array_add (names, g_strndup (at, 3));
    }
  free (xml);
  g_ptr_array_add (names, NULL);
  return (char **) g_ptr_array_steal (names, NULL);
}

static int
act_io (virDomainPtr domain, Call *call)
{
  g_auto (GStrv) names = list_disks (domain);

  for (char **name = names; *name != NULL; name++)
    if (virDomainSetBlockIoTune (domain, *name, call->parameters, call->count,
                                 VIR_DOMAIN_AFFECT_LIVE)
        < 0)
      return -1;
  return 0;
}

gboolean
dn_hypervisor_set_io (const char *name, const DnGuestLimits *limits, GError **error)
{
  Call *call = call_new (act_io, name, "limit the disks");
  int room;

  add_number (call, VIR_DOMAIN_BLOCK_IOTUNE_READ_BYTES_SEC, limits->read_bytes_per_s);
  add_number (call, VIR_DOMAIN_BLOCK_IOTUNE_WRITE_BYTES_SEC, limits->write_bytes_per_s);
  add_number (call, VIR_DOMAIN_BLOCK_IOTUNE_READ_IOPS_SEC, limits->reads_per_s);
  add_number (call, VIR_DOMAIN_BLOCK_IOTUNE_WRITE_IOPS_SEC, limits->writes_per_s);
  room = call->count;
  (void) virTypedParamsAddString (&call->parameters, &call->count, &room,
                                  VIR_DOMAIN_BLOCK_IOTUNE_GROUP_NAME, DN_DOMAIN_THROTTLE_GROUP);
  return finish (call, error);
}

static int
act_balloon (virDomainPtr domain, Call *call)
{
  return virDomainSetMemoryFlags (domain, call->bytes / 1024, VIR_DOMAIN_AFFECT_LIVE);
}

gboolean
dn_hypervisor_set_balloon (const char *name, guint64 bytes, GError **error)
{
  Call *call = call_new (act_balloon, name, "ask the guest for memory");

  call->bytes = bytes;
  return finish (call, error);
}
