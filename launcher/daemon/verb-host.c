/* SPDX-License-Identifier: Apache-2.0 */
/* Verbs about danchid and its host. */
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "../common/paths.h"
#include "../guest/kvm-probe.h"
#include "../limits/host-memory.h"
#include "../network/network-facts.h"
#include "../pods/pod-doctor.h"
#include "../pods/pod-overhead.h"
#include "container.h"
#include "daemon-record.h"
#include "doctor-access.h"
#include "doctor-policy.h"
#include "doctor.h"
#include "json-build.h"
#include "lookup.h"
#include "settings-file.h"
#include "verbs.h"

static gboolean
read_nothing (DnRequest *request, GError **error)
{
  const DnJsonField fields[] = { { NULL, DN_JSON_STRING, FALSE, NULL } };

  return dn_request_read (request, fields, error);
}

DN_VERB (version)
{
  JsonObject *ok;

  (void) ret_fds;
  if (!read_nothing (request, error))
    return NULL;
  ok = json_object_new ();
  json_object_set_string_member (ok, "version", DN_VERSION);
  json_object_set_int_member (ok, "generation", DN_PROTOCOL_GENERATION);
  json_object_set_int_member (ok, "pid", getpid ());
  return ok;
}

static JsonObject *
count_containers (DnRequest *request)
{
  DnDaemon *daemon = request->daemon;
  g_autoptr (GPtrArray) containers = dn_lookup_containers (request);
  JsonObject *object = json_object_new ();
  guint counts[DN_CONTAINER_EXITED + 1] = { 0 };

  g_mutex_lock (&daemon->lock);
  for (guint i = 0; i < containers->len; i++)
    counts[((DnContainer *) containers->pdata[i])->state]++;
  g_mutex_unlock (&daemon->lock);
  json_object_set_int_member (object, "total", containers->len);
  for (guint i = 0; i < G_N_ELEMENTS (counts); i++)
    json_object_set_int_member (object, dn_container_state_words[i], counts[i]);
  return object;
}

/* What all guests together were promised tells of others': root alone sees it. */
static JsonObject *
host_facts (const DnCaller *caller)
{
  JsonObject *object = json_object_new ();
  struct utsname names;
  DnHostMemory memory;
  struct sysinfo facts;

  if (uname (&names) == 0)
    {
      json_object_set_string_member (object, "name", names.nodename);
      json_object_set_string_member (object, "kernel", names.release);
      json_object_set_string_member (object, "machine", names.machine);
    }
  if (sysinfo (&facts) == 0)
    json_object_set_int_member (object, "memory_bytes", (gint64) facts.totalram * facts.mem_unit);
  if (dn_caller_is_root (caller) && dn_host_memory_read (&memory))
    {
      json_object_set_int_member (object, "available_bytes", (gint64) memory.available_bytes);
      json_object_set_int_member (object, "promised_bytes", (gint64) dn_guest_promised_memory ());
    }
  json_object_set_int_member (object, "processors", sysconf (_SC_NPROCESSORS_ONLN));
  return object;
}

static JsonObject *
accelerator_facts (void)
{
  JsonObject *object = json_object_new ();
  g_autoptr (GError) why = NULL;
  gboolean has_kvm = dn_kvm_probe (DN_KVM_PROBE_QUICKLY, &why);

  json_object_set_boolean_member (object, "kvm", has_kvm);
  if (!has_kvm && why != NULL)
    json_object_set_string_member (object, "reason", why->message);
  json_object_set_boolean_member (
      object, "vsock", !dn_paths ()->is_session && access ("/dev/vhost-vsock", F_OK) == 0);
  return object;
}

static guint
count_guests (DnDaemon *daemon, GPtrArray *contexts)
{
  guint count = 0;

  g_mutex_lock (&daemon->lock);
  for (guint i = 0; i < contexts->len; i++)
    count += ((DnContext *) contexts->pdata[i])->guest != NULL;
  g_mutex_unlock (&daemon->lock);
  return count;
}

/* As a RuntimeClass has it, to be put there: ../pods/pod-overhead.h. */
static JsonObject *
pod_facts (const DnSettings *settings, gboolean is_emulated)
{
  g_autofree char *memory = NULL, *cpu = NULL;
  JsonObject *object = json_object_new (), *fixed = json_object_new ();
  DnPodOverhead overhead;

  dn_pod_overhead (&settings->pods, is_emulated, &overhead);
  memory = g_strdup_printf ("%" G_GUINT64_FORMAT "Mi", overhead.memory_bytes >> 20);
  cpu = g_strdup_printf ("%um", overhead.cpu_millis);
  json_object_set_string_member (fixed, "memory", memory);
  json_object_set_string_member (fixed, "cpu", cpu);
  json_object_set_object_member (object, "overhead", fixed);
  return object;
}

static JsonObject *
settings_facts (const DnSettings *settings)
{
  JsonObject *object = json_object_new ();

  json_object_set_int_member (object, "guest_memory_bytes", (gint64) settings->guest_memory_bytes);
  json_object_set_int_member (object, "guest_vcpus", (gint64) settings->guest_vcpus);
  json_object_set_string_member (object, "kernel", dn_kernel_words[settings->kernel]);
  json_object_set_string_member (object, "transport", dn_transport_words[settings->transport]);
  json_object_set_boolean_member (object, "allow_emulation", settings->allow_emulation);
  json_object_set_int_member (object, "log_bytes", (gint64) settings->log_bytes);
  return object;
}

DN_VERB (info)
{
  const DnPaths *paths = dn_paths ();
  DnDaemon *daemon = request->daemon;
  g_autoptr (GPtrArray) contexts = NULL, images = NULL;
  g_autoptr (DnSettings) settings = NULL;
  JsonObject *ok, *directories, *accelerator;

  (void) ret_fds;
  if (!read_nothing (request, error))
    return NULL;
  contexts = dn_lookup_contexts (request);
  images = dn_lookup_images (request);
  settings = dn_settings_get (daemon);
  ok = json_object_new ();
  json_object_set_string_member (ok, "version", DN_VERSION);
  json_object_set_string_member (ok, "mode", paths->is_session ? "session" : "system");
  json_object_set_int_member (ok, "started_us", daemon->started_us);
  json_object_set_object_member (ok, "containers", count_containers (request));
  json_object_set_int_member (ok, "contexts", contexts->len);
  json_object_set_int_member (ok, "guests", count_guests (daemon, contexts));
  json_object_set_int_member (ok, "images", images->len);
  json_object_set_object_member (ok, "host", host_facts (request->caller));
  accelerator = accelerator_facts ();
  json_object_set_object_member (
      ok, "pods", pod_facts (settings, !json_object_get_boolean_member (accelerator, "kvm")));
  json_object_set_object_member (ok, "accelerator", accelerator);
  json_object_set_object_member (ok, "settings", settings_facts (settings));
  directories = json_object_new ();
  json_object_set_string_member (directories, "config", paths->config);
  json_object_set_string_member (directories, "state", paths->state);
  json_object_set_string_member (directories, "run", paths->run);
  json_object_set_string_member (directories, "images", paths->images);
  json_object_set_object_member (ok, "directories", directories);
  return ok;
}

/* Not one of the host: danchid's own. */
static void
add_record_check (DnDaemon *daemon, JsonObject *answer)
{
  g_autofree char *failure = dn_record_writer_failure (daemon->record->writer);
  g_auto (GStrv) lines = g_strsplit (failure != NULL ? failure : "", "\n", 2);
  JsonObject *check = json_object_new ();

  json_object_set_string_member (check, "id", "audit-record");
  json_object_set_string_member (check, "status", failure != NULL ? "fail" : "ok");
  json_object_set_string_member (
      check, "what", failure != NULL ? lines[0] : "what is asked of danchid is recorded");
  json_object_set_string_member (check, "remedy",
                                 failure != NULL && lines[1] != NULL ? lines[1] : "");
  json_array_add_object_element (json_object_get_array_member (answer, "checks"), check);
}

DN_VERB (doctor)
{
  g_autoptr (JsonNode) checks = NULL;
  g_autoptr (DnSettings) settings = NULL;
  JsonObject *ok;

  (void) ret_fds;
  if (!read_nothing (request, error))
    return NULL;
  checks = dn_doctor_run ();
  add_record_check (request->daemon, json_node_get_object (checks));
  ok = json_node_dup_object (checks);
  dn_doctor_add_access (request->daemon, json_object_get_array_member (ok, "checks"));
  dn_doctor_add_policy (request->daemon, json_object_get_array_member (ok, "checks"));
  dn_network_add_checks (request->daemon, json_object_get_array_member (ok, "checks"));
  settings = dn_settings_get (request->daemon);
  dn_pod_doctor_add_checks (settings->pods.kubelet, json_object_get_array_member (ok, "checks"));
  return ok;
}

DN_VERB (gc)
{
  g_autoptr (GPtrArray) removed = NULL;
  JsonObject *ok;

  (void) ret_fds;
  if (!read_nothing (request, error))
    return NULL;
  removed = dn_daemon_gc (request->daemon, error);
  if (removed == NULL)
    return NULL;
  g_ptr_array_add (removed, NULL);
  ok = json_object_new ();
  dn_json_set_strings (ok, "removed", (char **) removed->pdata);
  return ok;
}
