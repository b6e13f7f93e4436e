/* SPDX-License-Identifier: Apache-2.0 */
#include "finding.h"

#include <string.h>

#include "../cli/answer.h"
#include "fact.h"
#include "finding-private.h"

#define INFO DN_SEVERITY_INFO
#define LOW DN_SEVERITY_LOW
#define MEDIUM DN_SEVERITY_MEDIUM
#define HIGH DN_SEVERITY_HIGH
#define CRITICAL DN_SEVERITY_CRITICAL

static const DnFindingRule rules[] = {
  { { "host.end-of-life", HIGH, "R3.1",
      "upgrade the host to a release that gets security updates" },
    dn_find_end_of_life,
    NULL },
  { { "host.end-of-life-soon", LOW, "R3.1", "plan the upgrade of the host" },
    dn_find_end_of_life_soon,
    NULL },
  { { "host.end-of-life-unknown", INFO, "R3.1",
      "look up at the vendor's until when the release gets security updates" },
    dn_find_end_of_life_unknown,
    NULL },
  { { "host.cpu-flaw", HIGH, "R1.4",
      "update kernel and microcode; remove mitigations=off from the kernel's command line" },
    dn_find_flaws,
    NULL },
  { { "host.cpu-flaw-local", MEDIUM, "R1.4", "update kernel and microcode" },
    dn_find_flaws_local,
    NULL },
  { { "host.cpu-flaw-smt", MEDIUM, "R1.4",
      "switch SMT off: kernel parameter nosmt, or mitigations=auto,nosmt" },
    dn_find_flaws_smt,
    NULL },
  { { "host.cpu-flaw-unknown", INFO, "R1.4", "use a kernel that reports on processor flaws" },
    dn_find_flaws_unknown,
    NULL },
  { { "host.smt", LOW, "R1.1", "kernel parameter nosmt, where tenants do not trust each other" },
    dn_find_smt,
    NULL },
  { { "host.ksm", MEDIUM, "R1.1", "echo 2 > /sys/kernel/mm/ksm/run" }, dn_find_ksm, NULL },
  { { "host.swap-plain", MEDIUM, "R4.2", "swapoff it, or encrypt it (crypttab(5), option swap)" },
    dn_find_swap_plain,
    NULL },
  { { "host.swap-unknown", LOW, "R4.2", "swapoff it, or use an encrypted block device" },
    dn_find_swap_unknown,
    NULL },
  { { "host.lsm-off", HIGH, "R3.3",
      "switch it on again: apparmor=1 security=apparmor, or SELINUX=enforcing, and reboot" },
    dn_find_lsm_off,
    NULL },
  { { "host.lsm-absent", MEDIUM, "R3.3", "use a kernel with AppArmor or SELinux" },
    dn_find_lsm_absent,
    NULL },
  { { "host.danchid-unconfined", MEDIUM, "R3.3",
      "load Danchi's profile: apparmor_parser -r /etc/apparmor.d/danchid, and restart danchid" },
    dn_find_danchid_unconfined,
    NULL },

  { { "record.changed", CRITICAL, "R4.6",
      "see danchi audit verify-log, and a copy from elsewhere" },
    dn_find_record_changed,
    NULL },
  { { "record.unknown", LOW, "R4.6", "see danchi audit verify-log" },
    dn_find_record_unknown,
    NULL },
  { { "libvirt.unknown", MEDIUM, "R1.5", "see danchi doctor" }, dn_find_libvirt_unknown, NULL },
  { { "libvirt.security-driver-off", HIGH, "R5.11",
      "remove security_driver from qemu.conf and restart libvirt" },
    dn_find_driver_off,
    NULL },
  { { "libvirt.default-unconfined", MEDIUM, "R5.11",
      "remove security_default_confined from qemu.conf and restart libvirt" },
    dn_find_setting_zero,
    "security_default_confined" },
  { { "libvirt.user-root", HIGH, "R5.11",
      "remove user and group from qemu.conf and restart libvirt" },
    dn_find_user_root,
    NULL },
  { { "libvirt.keeps-capabilities", HIGH, "R2.2",
      "remove clear_emulator_capabilities from qemu.conf and restart libvirt" },
    dn_find_setting_zero,
    "clear_emulator_capabilities" },
  { { "libvirt.seccomp-off", HIGH, "R2.2",
      "remove seccomp_sandbox from qemu.conf and restart libvirt" },
    dn_find_setting_zero,
    "seccomp_sandbox" },
  { { "libvirt.display-exposed", MEDIUM, "R3.2",
      "set it to 127.0.0.1 in qemu.conf and restart libvirt" },
    dn_find_display,
    NULL },
  { { "libvirt.tcp-open", CRITICAL, "R3.2",
      "remove listen_tcp and auth_tcp from the file and restart libvirt" },
    dn_find_tcp_open,
    NULL },
  { { "libvirt.tcp", HIGH, "R3.2",
      "remove listen_tcp from the file and restart libvirt; use ssh or TLS from afar" },
    dn_find_tcp,
    NULL },

  { { "machine.foreign", MEDIUM, "R1.5",
      "move it to another host, or account for it: no context of Danchi covers it" },
    dn_find_machine_foreign,
    NULL },
  { { "machine.unmanaged", HIGH, "R1.5",
      "find out who started it (ps -o user,lstart,args -p PID) and end it, or let libvirt run it" },
    dn_find_machine_unmanaged,
    NULL },
  { { "machine.root", HIGH, "R5.11", "run it under a uid of its own" },
    dn_find_machine_root,
    NULL },
  { { "runtime.container", CRITICAL, "R1.4", "stop it, and run it with danchi run" },
    dn_find_runtime_container,
    NULL },
  { { "runtime.manager", HIGH, "R1.5", "stop and remove it; Danchi needs no other runtime" },
    dn_find_runtime_manager,
    NULL },
  { { "runtime.namespace", MEDIUM, "R1.4",
      "find out whose they are (ls -l /proc/PID/ns/pid); a container belongs into a context" },
    dn_find_runtime_namespace,
    NULL },
  { { "runtime.socket-open", CRITICAL, "R1.6", "chmod o-w it, and find out who used it" },
    dn_find_runtime_socket_open,
    NULL },
  { { "runtime.socket", HIGH, "R1.6",
      "stop and remove the runtime; remove the socket if nobody listens there" },
    dn_find_runtime_socket,
    NULL },
  { { "listener.control-open", CRITICAL, "R3.2",
      "stop it, or bind it to 127.0.0.1 and demand client certificates" },
    dn_find_control_open,
    NULL },
  { { "listener.control-local", HIGH, "R3.2",
      "use a unix socket that only its users can open, or demand client certificates" },
    dn_find_control_local,
    NULL },
  { { "listener.control-exposed", MEDIUM, "R5.17",
      "bind it to an address of the management network, and let the firewall admit that alone" },
    dn_find_control_exposed,
    NULL },
  { { "listener.data-open", HIGH, "R3.2",
      "bind it to 127.0.0.1, or demand authentication; better: run it in a context of its own" },
    dn_find_data_open,
    NULL },
  { { "listener.data-local", LOW, "R3.2",
      "demand authentication; better: run it in a context of its own" },
    dn_find_data_local,
    NULL },
  { { "listener.exposed", LOW, "R3.2", "bind it to the one address that needs it, or stop it" },
    dn_find_listener_exposed,
    NULL },

  { { "chain.shared-uid", CRITICAL, "R5.11",
      "stop one of the contexts and start it anew; see danchi verify" },
    dn_find_chain_shared_uid,
    NULL },
  { { "chain.root", HIGH, "R5.11", "stop the context and start it anew; see danchi verify" },
    dn_find_chain_root,
    NULL },
  { { "chain.no-filter", HIGH, "R2.2", "stop the context and start it anew; see danchi verify" },
    dn_find_chain_filter,
    NULL },
  { { "chain.capabilities", HIGH, "R2.2", "stop the context and start it anew; see danchi verify" },
    dn_find_chain_capabilities,
    NULL },
  { { "chain.unlabelled", MEDIUM, "R5.11",
      "see that libvirt's security driver is on and Danchi's profiles are loaded; start the "
      "context anew" },
    dn_find_chain_label,
    NULL },

  { { "context.shared-kernel", CRITICAL, "R1.1",
      "stop both contexts and find out how that came to be" },
    dn_find_context_shared_kernel,
    NULL },
  { { "context.emulated", HIGH, "R1.4",
      "run it where KVM works: an emulated guest is no security boundary" },
    dn_find_context_emulated,
    NULL },
  { { "context.error", MEDIUM, "R4.4", "mend the context's file" }, dn_find_context_error, NULL },
  { { "context.root-only", INFO, "R1.2",
      "name users or groups in [access], where others than root are to use it" },
    dn_find_context_root_only,
    NULL },
  { { "context.unenforced", MEDIUM, "R5.14",
      "see danchi doctor, host-limits: the host needs control groups for processors and memory" },
    dn_find_context_unenforced,
    NULL },
  { { "context.unlimited", INFO, "R5.14",
      "danchi context update --cpu-quota, --read-bps, --write-bps" },
    dn_find_context_unlimited,
    NULL },
  { { "container.unlimited", INFO, "R5.14", "danchi update --memory, --pids-limit" },
    dn_find_container_unlimited,
    NULL },
  { { "container.capability-strong", HIGH, "R3.5", "start it without the capability" },
    dn_find_container_capability_strong,
    NULL },
  { { "container.capability", INFO, "R3.5",
      "use the profile strict, which gives none, where it works so" },
    dn_find_container_capability,
    NULL },
  { { "container.capability-added", MEDIUM, "R3.5", "start it without the capability" },
    dn_find_container_capability_added,
    NULL },
  { { "container.relaxed", MEDIUM, "R3.6", "start it without what goes beyond its profile" },
    dn_find_container_relaxed,
    NULL },
  { { "container.listener", INFO, "R3.2",
      "let it listen on 127.0.0.1, where only its context's containers need it" },
    dn_find_container_listener,
    NULL },
  { { "container.listeners-unknown", LOW, "R3.2", "see the reason; ask again with danchi audit" },
    dn_find_container_listeners_unknown,
    NULL },
  { { "port.everywhere", MEDIUM, "R3.2",
      "publish it on the loopback, behind a proxy of the host's, or on the one address that serves "
      "it" },
    dn_find_port,
    "everywhere" },
  { { "port.network", LOW, "R3.2", "publish it on the loopback, where only this host needs it" },
    dn_find_port,
    "network" },
  { { "port.low", INFO, "R3.2",
      "publish it from port 1024 on, and let [network] publish name no lower one" },
    dn_find_port,
    "low" },
  { { "image.damaged", HIGH, "R4.6",
      "check it with danchi image verify; remove it, and load or pull it again" },
    dn_find_image_damaged,
    NULL },
  { { "image.old", MEDIUM, "R5.5",
      "build or fetch the image anew and start the container with it" },
    dn_find_image_old,
    NULL },
  { { "image.vulnerable", HIGH, "R4.3",
      "danchi image inspect says what was found; start the container anew with a mended image" },
    dn_find_image_vulnerable,
    NULL },
  { { "image.stale", MEDIUM, "R5.5",
      "danchi pull fetches the newer one; start the container anew with it" },
    dn_find_image_stale,
    NULL },
  { { "image.age-unknown", INFO, "R5.5", "build images that say when they were made" },
    dn_find_image_age_unknown,
    NULL },
  { { "image.no-digest", INFO, "R5.4", "load the image anew by its digest" },
    dn_find_image_digest,
    NULL },
  { { "image.unscanned", INFO, "R4.3",
      "name a scanner in danchi.conf, [scan], and have it look: danchi image scan" },
    dn_find_image_unscanned,
    NULL },
  { { "image.unsigned", INFO, "R5.1", "sign images, and demand it in the context's file" },
    dn_find_image_unsigned,
    NULL },
  { { "image.policy-open", INFO, "R5.1",
      "let the policy name keys for what is pulled, and reject the rest" },
    dn_find_image_policy,
    NULL },
};

const DnFindingFacts *
dn_finding_rule (guint index)
{
  return index < G_N_ELEMENTS (rules) ? &rules[index].facts : NULL;
}

void
dn_finding_add (DnFindingLook *look, const char *subject, const char *context, const char *format,
                ...)
{
  const DnFindingFacts *facts = &look->rule->facts;
  JsonObject *finding = json_object_new ();
  g_autofree char *text = NULL;
  va_list arguments;

  va_start (arguments, format);
  text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  json_object_set_string_member (finding, "id", facts->id);
  json_object_set_string_member (finding, "severity", dn_severity_name (facts->severity));
  json_object_set_string_member (finding, "demand", facts->demand);
  dn_fact_set_text (finding, "subject", subject);
  dn_fact_set_text (finding, "context", context);
  dn_fact_set_text (finding, "text", text);
  json_object_set_string_member (finding, "remedy", facts->remedy);
  json_array_add_object_element (look->findings, finding);
}

gboolean
dn_finding_is_known (JsonObject *object, const char *name)
{
  return object != NULL && json_object_has_member (object, name)
         && !json_object_get_null_member (object, name);
}

JsonObject *
dn_finding_host (const DnFindingLook *look, const char *name)
{
  JsonObject *host = dn_answer_object (look->document, "host");

  return host != NULL ? dn_answer_object (host, name) : NULL;
}

JsonArray *
dn_finding_find_all (JsonObject *document, const DnFindingLimits *limits)
{
  JsonArray *findings = json_array_new ();

  for (guint severity = DN_SEVERITIES; severity-- > 0;)
    for (gsize i = 0; i < G_N_ELEMENTS (rules); i++)
      {
        DnFindingLook look = { &rules[i], document, limits, findings };

        if (rules[i].facts.severity == severity)
          rules[i].find (&look);
      }
  return findings;
}

/* How many findings of each severity, of @context alone where it is not NULL. */
static void
count (JsonArray *findings, const char *context, guint ret_counts[DN_SEVERITIES])
{
  memset (ret_counts, 0, DN_SEVERITIES * sizeof ret_counts[0]);
  for (guint i = 0; i < dn_answer_length (findings); i++)
    {
      JsonObject *finding = dn_answer_nth (findings, i);
      DnSeverity severity;

      if (finding != NULL && dn_severity_parse (dn_answer_text (finding, "severity"), &severity)
          && (context == NULL || g_str_equal (dn_answer_text (finding, "context"), context)))
        ret_counts[severity]++;
    }
}

static const char *
verdict_of (const guint counts[DN_SEVERITIES])
{
  if (counts[CRITICAL] + counts[HIGH] > 0)
    return "bad";
  return counts[MEDIUM] + counts[LOW] > 0 ? "attention" : "good";
}

static guint
count_containers (JsonArray *contexts)
{
  guint containers = 0;

  for (guint i = 0; i < dn_answer_length (contexts); i++)
    if (dn_answer_nth (contexts, i) != NULL)
      containers += dn_answer_length (dn_answer_array (dn_answer_nth (contexts, i), "containers"));
  return containers;
}

void
dn_finding_conclude (JsonObject *document, const DnFindingLimits *limits)
{
  JsonArray *findings = dn_finding_find_all (document, limits);
  JsonArray *contexts = dn_answer_array (document, "contexts");
  JsonObject *summary = json_object_new (), *by_severity = json_object_new ();
  guint counts[DN_SEVERITIES];

  for (guint i = 0; i < dn_answer_length (contexts); i++)
    {
      JsonObject *context = dn_answer_nth (contexts, i);

      if (context == NULL)
        continue;
      count (findings, dn_answer_text (context, "name"), counts);
      json_object_set_string_member (context, "verdict", verdict_of (counts));
    }
  count (findings, NULL, counts);
  json_object_set_string_member (summary, "verdict", verdict_of (counts));
  json_object_set_int_member (summary, "contexts", dn_answer_length (contexts));
  json_object_set_int_member (summary, "containers", count_containers (contexts));
  for (DnSeverity i = INFO; i < DN_SEVERITIES; i++)
    json_object_set_int_member (by_severity, dn_severity_name (i), counts[i]);
  json_object_set_object_member (summary, "by_severity", by_severity);
  json_object_set_array_member (document, "findings", findings);
  json_object_set_object_member (document, "summary", summary);
}

gboolean
dn_finding_reaches (JsonArray *findings, DnSeverity severity)
{
  guint counts[DN_SEVERITIES], reached = 0;

  count (findings, NULL, counts);
  for (DnSeverity i = severity; i < DN_SEVERITIES; i++)
    reached += counts[i];
  return reached > 0;
}
