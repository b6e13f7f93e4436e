/* SPDX-License-Identifier: Apache-2.0 */
#include "hypervisor.h"

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <string.h>

#include "../common/error.h"
#include "hypervisor-connection.h"
#include "worker.h"

/* Of libvirt's QEMU driver of the system: NAME.pid for each active domain. */
#define PID_FILES "/run/libvirt/qemu"

/* What a call needs and gives: owned by the worker's job, so that it outlives a caller that gave
 * up. */
typedef struct Call Call;
struct Call
{
  gboolean (*run) (Call *call, virConnectPtr to, GError **error);
  char *name; /* owned; of the domain */
  char *xml;  /* owned: domain, device, metadata URI, or a path */
  char *text; /* owned: owner, or serial number */
  gboolean is_active;
  char *result;     /* owned: what was asked for, as text */
  GPtrArray *names; /* owned; of texts, or of machines */
  gulong versions[2];
};

static void
call_free (gpointer data)
{
  Call *call = data;

  g_free (call->name);
  g_free (call->xml);
  g_free (call->text);
  g_free (call->result);
  g_clear_pointer (&call->names, g_ptr_array_unref);
  g_free (call);
}

static gboolean
run_call (gpointer data, GError **error)
{
  Call *call = data;
  virConnectPtr to = dn_hypervisor_get_connection (error);
  gboolean is_done;

  if (to == NULL)
    return FALSE;
  is_done = call->run (call, to, error);
  (void) virConnectClose (to);
  return is_done;
}

static Call *
call_new (gboolean (*run) (Call *, virConnectPtr, GError **), const char *name)
{
  Call *call = g_new0 (Call, 1);

  dn_hypervisor_initialize ();
  call->run = run;
  call->name = g_strdup (name);
  return call;
}

static gboolean
finish (Call *call, guint timeout_ms, DnWorkerLateFunc late, DnWorkerJob **ret_job, GError **error)
{
  return dn_worker_run (run_call, call, call_free, late, timeout_ms, "libvirt", ret_job, error);
}

static gboolean
run_nothing (Call *call, virConnectPtr to, GError **error)
{
  (void) call;
  (void) to;
  (void) error;
  return TRUE;
}

gboolean
dn_hypervisor_check (guint timeout_ms, GError **error)
{
  return finish (call_new (run_nothing, NULL), timeout_ms, NULL, NULL, error);
}

static char *
uuid_of (virDomainPtr domain)
{
  char uuid[VIR_UUID_STRING_BUFLEN];

  return virDomainGetUUIDString (domain, uuid) == 0 ? g_strdup (uuid) : NULL;
}

static gboolean
run_start (Call *call, virConnectPtr to, GError **error)
{
  virDomainPtr domain = virDomainCreateXML (to, call->xml, VIR_DOMAIN_START_VALIDATE);

  if (domain == NULL)
    return dn_hypervisor_throw_words ("start", error);
  call->result = uuid_of (domain);
  call->name = g_strdup (virDomainGetName (domain));
  virDomainFree (domain);
  return TRUE;
}

/* The caller has given up, and nobody will ask for this domain any more. */
static void
undo_late_start (gpointer data)
{
  Call *call = data;
  virConnectPtr to = call->name != NULL ? dn_hypervisor_get_connection (NULL) : NULL;
  virDomainPtr domain = to != NULL ? virDomainLookupByName (to, call->name) : NULL;

  if (domain != NULL)
    {
      (void) virDomainDestroy (domain);
      virDomainFree (domain);
    }
  if (to != NULL)
    (void) virConnectClose (to);
}

gboolean
dn_hypervisor_start (const char *xml, guint timeout_ms, char **ret_uuid, GError **error)
{
  Call *call = call_new (run_start, NULL);
  DnWorkerJob *job = NULL;

  call->xml = g_strdup (xml);
  if (!finish (call, timeout_ms, undo_late_start, &job, error))
    return FALSE;
  *ret_uuid = g_steal_pointer (&call->result);
  dn_worker_job_unref (job);
  return TRUE;
}

/* NULL without an error when there is no such domain. */
static virDomainPtr
look_up (virConnectPtr to, const char *name, GError **error)
{
  virDomainPtr domain = virDomainLookupByName (to, name);

  if (domain == NULL && virGetLastErrorCode () != VIR_ERR_NO_DOMAIN)
    dn_hypervisor_throw_words (name, error);
  return domain;
}

static gboolean
run_destroy (Call *call, virConnectPtr to, GError **error)
{
  GError *problem = NULL;
  virDomainPtr domain = look_up (to, call->name, &problem);
  gboolean is_done = TRUE;

  if (problem != NULL)
    {
      g_propagate_error (error, problem);
      return FALSE;
    }
  if (domain == NULL)
    return TRUE;
  if (virDomainDestroy (domain) < 0)
    {
      int code = virGetLastErrorCode ();

      /* It may have ended by itself meanwhile. */
      is_done = code == VIR_ERR_OPERATION_INVALID || code == VIR_ERR_NO_DOMAIN
                || dn_hypervisor_throw_words ("destroy", error);
    }
  virDomainFree (domain);
  return is_done;
}

gboolean
dn_hypervisor_destroy (const char *name, guint timeout_ms, GError **error)
{
  return finish (call_new (run_destroy, name), timeout_ms, NULL, NULL, error);
}

static gboolean
run_is_active (Call *call, virConnectPtr to, GError **error)
{
  GError *problem = NULL;
  virDomainPtr domain = look_up (to, call->name, &problem);

  if (problem != NULL)
    {
      g_propagate_error (error, problem);
      return FALSE;
    }
  if (domain == NULL)
    return TRUE;
  call->is_active = virDomainIsActive (domain) == 1;
  call->result = uuid_of (domain);
  virDomainFree (domain);
  return TRUE;
}

gboolean
dn_hypervisor_is_active (const char *name, gboolean *ret_is_active, char **ret_uuid, GError **error)
{
  Call *call = call_new (run_is_active, name);
  DnWorkerJob *job = NULL;

  if (!finish (call, DN_HYPERVISOR_TIMEOUT_MS, NULL, &job, error))
    return FALSE;
  *ret_is_active = call->is_active;
  if (ret_uuid != NULL)
    *ret_uuid = g_steal_pointer (&call->result);
  dn_worker_job_unref (job);
  return TRUE;
}

/* Looks the domain up and acts on it. */
static gboolean
with_domain (Call *call, virConnectPtr to, int (*act) (virDomainPtr, const char *xml),
             const char *what, GError **error)
{
  virDomainPtr domain = virDomainLookupByName (to, call->name);
  gboolean is_done;

  if (domain == NULL)
    return dn_hypervisor_throw_words (what, error);
  is_done = act (domain, call->xml) == 0 || dn_hypervisor_throw_words (what, error);
  virDomainFree (domain);
  return is_done;
}

static int
act_attach (virDomainPtr domain, const char *xml)
{
  return virDomainAttachDeviceFlags (domain, xml, VIR_DOMAIN_AFFECT_LIVE);
}

static int
act_detach (virDomainPtr domain, const char *xml)
{
  return virDomainDetachDeviceFlags (domain, xml, VIR_DOMAIN_AFFECT_LIVE);
}

static int
act_suspend (virDomainPtr domain, const char *xml)
{
  (void) xml;
  return virDomainSuspend (domain);
}

static int
act_resume (virDomainPtr domain, const char *xml)
{
  (void) xml;
  return virDomainResume (domain);
}

static gboolean
run_attach (Call *call, virConnectPtr to, GError **error)
{
  return with_domain (call, to, act_attach, "attach a disk", error);
}

static gboolean
run_detach (Call *call, virConnectPtr to, GError **error)
{
  return with_domain (call, to, act_detach, "detach a disk", error);
}

static gboolean
run_suspend (Call *call, virConnectPtr to, GError **error)
{
  return with_domain (call, to, act_suspend, "suspend", error);
}

static gboolean
run_resume (Call *call, virConnectPtr to, GError **error)
{
  return with_domain (call, to, act_resume, "resume", error);
}

gboolean
dn_hypervisor_attach (const char *name, const char *device_xml, GError **error)
{
  Call *call = call_new (run_attach, name);

  call->xml = g_strdup (device_xml);
  return finish (call, DN_HYPERVISOR_TIMEOUT_MS, NULL, NULL, error);
}

gboolean
dn_hypervisor_detach (const char *name, const char *device_xml, GError **error)
{
  Call *call = call_new (run_detach, name);

  call->xml = g_strdup (device_xml);
  return finish (call, DN_HYPERVISOR_TIMEOUT_MS, NULL, NULL, error);
}

static gboolean
run_get_xml (Call *call, virConnectPtr to, GError **error)
{
  virDomainPtr domain = virDomainLookupByName (to, call->name);
  char *xml = domain != NULL ? virDomainGetXMLDesc (domain, 0) : NULL;

  if (domain != NULL)
    virDomainFree (domain);
  if (xml == NULL)
    return dn_hypervisor_throw_words ("describe the domain", error);
  call->result = g_strdup (xml);
  free (xml);
  return TRUE;
}

char *
dn_hypervisor_get_xml (const char *name, GError **error)
{
  DnWorkerJob *job = NULL;
  Call *call = call_new (run_get_xml, name);
  char *xml;

  if (!finish (call, DN_HYPERVISOR_TIMEOUT_MS, NULL, &job, error))
    return NULL;
  xml = g_steal_pointer (&call->result);
  dn_worker_job_unref (job);
  return xml;
}

static int
act_dump (virDomainPtr domain, const char *path)
{
  return virDomainCoreDumpWithFormat (domain, path, VIR_DOMAIN_CORE_DUMP_FORMAT_RAW,
                                      VIR_DUMP_MEMORY_ONLY);
}

static gboolean
run_dump (Call *call, virConnectPtr to, GError **error)
{
  return with_domain (call, to, act_dump, "dump the memory", error);
}

gboolean
dn_hypervisor_dump_memory (const char *name, const char *path, guint timeout_ms, GError **error)
{
  Call *call = call_new (run_dump, name);

  call->xml = g_strdup (path);
  return finish (call, timeout_ms, NULL, NULL, error);
}

static gboolean
run_security_model (Call *call, virConnectPtr to, GError **error)
{
  virSecurityModel model = { 0 };

  if (virNodeGetSecurityModel (to, &model) < 0)
    return dn_hypervisor_throw_words ("security model", error);
  call->result = g_strdup (model.model[0] != '\0' ? model.model : "none");
  return TRUE;
}

char *
dn_hypervisor_get_security_model (GError **error)
{
  DnWorkerJob *job = NULL;
  Call *call = call_new (run_security_model, NULL);
  char *model;

  if (!finish (call, DN_HYPERVISOR_TIMEOUT_MS, NULL, &job, error))
    return NULL;
  model = g_steal_pointer (&call->result);
  dn_worker_job_unref (job);
  return model;
}

static gboolean
run_has_disk (Call *call, virConnectPtr to, GError **error)
{
  virDomainPtr domain = virDomainLookupByName (to, call->name);
  char *xml = domain != NULL ? virDomainGetXMLDesc (domain, 0) : NULL;
  g_autofree char *wanted = g_strdup_printf ("<serial>%s</serial>", call->text);

  if (domain != NULL)
    virDomainFree (domain);
  if (xml == NULL)
    return dn_hypervisor_throw_words ("look at the disks", error);
  call->is_active = strstr (xml, wanted) != NULL;
  free (xml);
  return TRUE;
}

gboolean
dn_hypervisor_has_disk (const char *name, const char *serial, gboolean *ret_has, GError **error)
{
  Call *call = call_new (run_has_disk, name);
  DnWorkerJob *job = NULL;

  call->text = g_strdup (serial);
  if (!finish (call, DN_HYPERVISOR_TIMEOUT_MS, NULL, &job, error))
    return FALSE;
  *ret_has = call->is_active;
  dn_worker_job_unref (job);
  return TRUE;
}

gboolean
dn_hypervisor_suspend (const char *name, GError **error)
{
  return finish (call_new (run_suspend, name), DN_HYPERVISOR_TIMEOUT_MS, NULL, NULL, error);
}

gboolean
dn_hypervisor_resume (const char *name, GError **error)
{
  return finish (call_new (run_resume, name), DN_HYPERVISOR_TIMEOUT_MS, NULL, NULL, error);
}

/* Compares text: danchid's owner attribute was written by domain-xml.c, whose paths need no
 * escaping. */
static gboolean
is_owned (virDomainPtr domain, const char *uri, const char *owner)
{
  char *metadata = virDomainGetMetadata (domain, VIR_DOMAIN_METADATA_ELEMENT, uri, 0);
  g_autofree char *single = g_strdup_printf ("owner='%s'", owner);
  g_autofree char *twofold = g_strdup_printf ("owner=\"%s\"", owner);
  gboolean is_it = metadata != NULL
                   && (strstr (metadata, single) != NULL || strstr (metadata, twofold) != NULL);

  free (metadata);
  return is_it;
}

static gboolean
run_list (Call *call, virConnectPtr to, GError **error)
{
  virDomainPtr *domains = NULL;
  int count = virConnectListAllDomains (to, &domains, VIR_CONNECT_LIST_DOMAINS_ACTIVE);

  if (count < 0)
    return dn_hypervisor_throw_words ("list", error);
  call->names = g_ptr_array_new_with_free_func (g_free);
  for (int i = 0; i < count; i++)
    {
      const char *name = virDomainGetName (domains[i]);

      if (g_str_has_prefix (name, call->name) && is_owned (domains[i], call->xml, call->text))
        g_ptr_array_add (call->names, g_strdup (name));
      virDomainFree (domains[i]);
    }
  free (domains);
  return TRUE;
}

GPtrArray *
dn_hypervisor_list (const char *prefix, const char *uri, const char *owner, GError **error)
{
  Call *call = call_new (run_list, prefix);
  DnWorkerJob *job = NULL;
  GPtrArray *names;

  call->xml = g_strdup (uri);
  call->text = g_strdup (owner);
  if (!finish (call, DN_HYPERVISOR_TIMEOUT_MS, NULL, &job, error))
    return NULL;
  names = g_steal_pointer (&call->names);
  dn_worker_job_unref (job);
  return names;
}

void
dn_hypervisor_machine_free (DnHypervisorMachine *machine)
{
  if (machine == NULL)
    return;
  g_free (machine->name);
  g_free (machine->uuid);
  g_free (machine->hypervisor);
  g_free (machine);
}

/* libvirt's API does not tell the pid; its QEMU driver of the system keeps it in a file that root
 * alone can write. */
static gint
read_pid (const char *name)
{
  g_autofree char *path = g_strdup_printf (PID_FILES "/%s.pid", name);
  g_autofree char *text = NULL;

  if (strchr (name, '/') != NULL || !g_str_has_suffix (dn_hypervisor_uri (), "/system")
      || !g_file_get_contents (path, &text, NULL, NULL))
    return 0;
  return (gint) CLAMP (g_ascii_strtoll (text, NULL, 10), 0, G_MAXINT);
}

static gboolean
run_list_machines (Call *call, virConnectPtr to, GError **error)
{
  virDomainPtr *domains = NULL;
  const char *type = virConnectGetType (to);
  int count = virConnectListAllDomains (to, &domains, VIR_CONNECT_LIST_DOMAINS_ACTIVE);

  if (count < 0)
    return dn_hypervisor_throw_words ("list", error);
  call->names = g_ptr_array_new_with_free_func ((GDestroyNotify) dn_hypervisor_machine_free);
  for (int i = 0; i < count; i++)
    {
      DnHypervisorMachine *machine = g_new0 (DnHypervisorMachine, 1);
      const char *name = virDomainGetName (domains[i]);

      machine->name = dn_hypervisor_flatten (name);
      machine->uuid = uuid_of (domains[i]);
      machine->hypervisor = g_ascii_strdown (type != NULL ? type : "unknown", -1);
      machine->pid = read_pid (name);
      machine->is_ours = is_owned (domains[i], call->xml, call->text);
      g_ptr_array_add (call->names, machine);
      virDomainFree (domains[i]);
    }
  free (domains);
  if (call->names->len > DN_HYPERVISOR_MACHINES_MAX)
    g_ptr_array_set_size (call->names, DN_HYPERVISOR_MACHINES_MAX);
  return TRUE;
}

GPtrArray *
dn_hypervisor_list_machines (const char *uri, const char *owner, guint timeout_ms, GError **error)
{
  Call *call = call_new (run_list_machines, NULL);
  DnWorkerJob *job = NULL;
  GPtrArray *machines;

  call->xml = g_strdup (uri);
  call->text = g_strdup (owner);
  if (!finish (call, timeout_ms, NULL, &job, error))
    return NULL;
  machines = g_steal_pointer (&call->names);
  dn_worker_job_unref (job);
  return machines;
}

static gboolean
run_versions (Call *call, virConnectPtr to, GError **error)
{
  if (virConnectGetLibVersion (to, &call->versions[0]) < 0
      || virConnectGetVersion (to, &call->versions[1]) < 0)
    return dn_hypervisor_throw_words ("versions", error);
  return TRUE;
}

gboolean
dn_hypervisor_get_versions (guint timeout_ms, gulong *ret_libvirt, gulong *ret_qemu, GError **error)
{
  Call *call = call_new (run_versions, NULL);
  DnWorkerJob *job = NULL;

  if (!finish (call, timeout_ms, NULL, &job, error))
    return FALSE;
  *ret_libvirt = call->versions[0];
  *ret_qemu = call->versions[1];
  dn_worker_job_unref (job);
  return TRUE;
}
