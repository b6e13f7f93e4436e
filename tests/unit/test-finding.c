/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/survey/*.c launcher/cli/answer.c launcher/cli/escape.c launcher/record/*.c
   launcher/common/*.c launcher/base/*.c protocol/*.c */
/* From the audit's document to findings: each rule finds what it is for and nothing else, and is in
 * docs/audit.md as it is in the table.  Documents are written with ' for ". */
#include <string.h>

#include "../../launcher/cli/answer.h"
#include "../../launcher/survey/finding.h"

#define PAGE "docs/audit.md"

static const DnFindingLimits limits = { .image_age_days = 90 };

#define HOST(part) "{'host':{" part "}}"
#define CPU(flaw) HOST ("'cpu':{'smt':'off','vulnerabilities':[" flaw "]}")
#define SWAP(swap) HOST ("'memory':{'ksm':false,'swaps':[" swap "]}")
#define LSM(apparmor, selinux, label)                                                              \
  HOST ("'lsm':{'apparmor':'" apparmor "','selinux':'" selinux "','danchid_label':" label "}")
#define SETTING(key, value)                                                                        \
  HOST ("'libvirt':{'version':'9.0.0','settings':[{'key':'" key "','value':'" value                \
        "','file':'/etc/libvirt/qemu.conf'}]}")
#define TCP(authentication, file)                                                                  \
  HOST ("'libvirt':{'settings':[{'key':'listen_tcp','value':'1','file':'/l.conf'},"                \
        "{'key':'auth_tcp','value':'" authentication "','file':'" file "'}]}")
#define MACHINE(members) "{'machines':[{'name':'m','pid':7," members "}]}"
#define RUNTIME(members) "{'runtimes':[{" members "}]}"
#define LISTENER(service, exposure)                                                                \
  "{'listeners':[{'protocol':'tcp','address':'10.0.0.1','port':1,'exposure':'" exposure            \
  "','pid':5,'process':'p','service':" service "}]}"
#define LINK(context, uid, confinement)                                                            \
  "{'program':'qemu','context':" context ",'pid':9,'uid':" uid ",'confinement':{" confinement "}}"
#define CHAIN(links) "{'chain':[" links "]}"
#define GUARDED "'seccomp':'filter','capabilities':'0000000000000000','apparmor':'x (enforce)'"
#define ENFORCING "'host':{'lsm':{'apparmor':'enforcing','danchid_label':'danchid (enforce)'}}"
#define CONTEXT(members) "{'contexts':[{'name':'acme'," members "}]}"
#define CONTAINER(members) CONTEXT ("'containers':[{'name':'web','state':'running'," members "}]")
#define IMAGE(members) CONTAINER ("'image':{'reference':'nginx:1'," members "}")
#define PORT(address, port)                                                                        \
  "{'address':'" address "','host_port':" port ",'port':80,'protocol':'tcp'}"
#define PORTS(...) CONTAINER ("'ports':[" __VA_ARGS__ "]")
#define RUNS(limits) CONTEXT ("'guest':{'is_running':true,'limits':{" limits "}}")
#define TWO(limits)                                                                                \
  CONTEXT ("'containers':[{'name':'web','state':'running','limits':{" limits                       \
           "}},{'name':'db','state':'paused','limits':{" limits "}}]")
#define GUEST(name, boot) "{'name':'" name "','guest':{'boot_id':" boot "}}"

static const struct
{
  const char *id;
  guint times;
  const char *document;
  const char *words; /* in the first one's text */
} cases[] = {
  { "host.end-of-life", 1,
    HOST ("'distribution':{'name':'Debian 10','end_of_life':'2024-06-30','is_over':true}"),
    "2024-06-30" },
  { "host.end-of-life", 0,
    HOST ("'distribution':{'name':'Debian 12','end_of_life':'2028-06-30','is_over':false}"), NULL },
  { "host.end-of-life-soon", 1,
    "{'generated':'2028-03-01T00:00:00Z','host':{'distribution':{'end_of_life':'2028-06-30',"
    "'is_over':false}}}",
    "2028-06-30" },
  { "host.end-of-life-soon", 0,
    "{'generated':'2027-12-01T00:00:00Z','host':{'distribution':{'end_of_life':'2028-06-30',"
    "'is_over':false}}}",
    NULL },
  { "host.end-of-life-soon", 0,
    "{'generated':'2028-07-01T00:00:00Z','host':{'distribution':{'end_of_life':'2028-06-30',"
    "'is_over':true}}}",
    NULL },
  { "host.end-of-life-unknown", 1, HOST ("'distribution':{'name':'x','end_of_life':null}"),
    "table" },
  { "host.end-of-life-unknown", 1, "{}", NULL },
  { "host.end-of-life-unknown", 0, HOST ("'distribution':{'end_of_life':'2028-06-30'}"), NULL },
  { "host.cpu-flaw", 1,
    CPU ("{'name':'mds','state':'Vulnerable: no microcode',"
         "'is_vulnerable':true}"),
    "no microcode" },
  { "host.cpu-flaw", 0,
    CPU ("{'name':'spec_store_bypass','state':'Vulnerable',"
         "'is_vulnerable':true}"),
    NULL },
  { "host.cpu-flaw", 0, CPU ("{'name':'mds','state':'Not affected','is_vulnerable':false}"), NULL },
  { "host.cpu-flaw-local", 1,
    CPU ("{'name':'spec_store_bypass','state':'Vulnerable',"
         "'is_vulnerable':true}"),
    "Vulnerable" },
  { "host.cpu-flaw-local", 0, CPU ("{'name':'mds','state':'Vulnerable','is_vulnerable':true}"),
    NULL },
  { "host.cpu-flaw-smt", 1,
    CPU ("{'name':'mds','state':'Mitigation: Clear CPU buffers; SMT "
         "vulnerable','is_vulnerable':false}"),
    "share a core" },
  { "host.cpu-flaw-smt", 0,
    CPU ("{'name':'mds','state':'Mitigation: Clear CPU buffers; SMT "
         "disabled','is_vulnerable':false}"),
    NULL },
  { "host.cpu-flaw-unknown", 1, CPU (""), "nothing" },
  { "host.cpu-flaw-unknown", 1, CPU ("{'name':'x','state':'Unknown: no mitigations'}"),
    "no mitigations" },
  { "host.cpu-flaw-unknown", 0, CPU ("{'name':'x','state':'Not affected'}"), NULL },
  { "host.smt", 1, HOST ("'cpu':{'smt':'on'}"), "one core" },
  { "host.smt", 0, HOST ("'cpu':{'smt':'notsupported'}"), NULL },
  { "host.ksm", 1, HOST ("'memory':{'ksm':true}"), "merges" },
  { "host.ksm", 0, HOST ("'memory':{'ksm':false}"), NULL },
  { "host.swap-plain", 1, SWAP ("{'name':'/dev/sda2','is_encrypted':false}"), "not encrypted" },
  { "host.swap-plain", 0, SWAP ("{'name':'/dev/dm-0','is_encrypted':true}"), NULL },
  { "host.swap-plain", 0, SWAP ("{'name':'/swap','is_encrypted':null}"), NULL },
  { "host.swap-unknown", 1, SWAP ("{'name':'/swap','is_encrypted':null}"), "not known" },
  { "host.swap-unknown", 0, SWAP ("{'name':'/dev/dm-0','is_encrypted':true}"), NULL },
  { "host.lsm-off", 1, LSM ("off", "absent", "null"), "switched off" },
  { "host.lsm-off", 1, LSM ("absent", "permissive", "null"), "permissive" },
  { "host.lsm-off", 1, LSM ("absent", "off", "null"), "switched off" },
  { "host.lsm-off", 0, LSM ("off", "enforcing", "null"), NULL },
  { "host.lsm-off", 0, LSM ("absent", "absent", "null"), NULL },
  { "host.lsm-absent", 1, LSM ("absent", "absent", "null"), "neither" },
  { "host.lsm-absent", 0, LSM ("off", "absent", "null"), NULL },
  { "host.danchid-unconfined", 1, LSM ("enforcing", "absent", "'unconfined'"), "confines" },
  { "host.danchid-unconfined", 1, LSM ("enforcing", "absent", "null"), "confines" },
  { "host.danchid-unconfined", 0, LSM ("enforcing", "absent", "'danchid (enforce)'"), NULL },
  { "host.danchid-unconfined", 0, LSM ("off", "absent", "'unconfined'"), NULL },

  { "record.changed", 1, "{'record':{'is_whole':false,'problems':2,'problem':'x:3: cut'}}",
    "x:3: cut" },
  { "record.changed", 0, "{'record':{'is_whole':true,'problems':0}}", NULL },
  { "record.unknown", 1, "{'record':{'is_whole':null,'error':'no such file'}}", "no such file" },
  { "record.unknown", 0, "{'record':{'is_whole':false,'problems':1}}", NULL },
  { "libvirt.unknown", 1, HOST ("'libvirt':{'version':null}"), "not known" },
  { "libvirt.unknown", 1, HOST ("'libvirt':{'version':'9.0.0','error':'timed out'}"), "timed out" },
  { "libvirt.unknown", 0, HOST ("'libvirt':{'version':'9.0.0'}"), NULL },
  { "libvirt.security-driver-off", 1, SETTING ("security_driver", "none"), "no label" },
  { "libvirt.security-driver-off", 1, SETTING ("security_driver", "apparmor none"), "qemu.conf" },
  { "libvirt.security-driver-off", 0, SETTING ("security_driver", "apparmor"), NULL },
  { "libvirt.default-unconfined", 1, SETTING ("security_default_confined", "0"), "none" },
  { "libvirt.default-unconfined", 0, SETTING ("security_default_confined", "1"), NULL },
  { "libvirt.user-root", 1, SETTING ("user", "root"), "root" },
  { "libvirt.user-root", 1, SETTING ("group", "+0"), "root" },
  { "libvirt.user-root", 0, SETTING ("user", "libvirt-qemu"), NULL },
  { "libvirt.keeps-capabilities", 1, SETTING ("clear_emulator_capabilities", "0"), "capabilities" },
  { "libvirt.keeps-capabilities", 0, SETTING ("seccomp_sandbox", "0"), NULL },
  { "libvirt.seccomp-off", 1, SETTING ("seccomp_sandbox", "0"), "filter" },
  { "libvirt.seccomp-off", 0, SETTING ("seccomp_sandbox", "1"), NULL },
  { "libvirt.display-exposed", 1, SETTING ("vnc_listen", "0.0.0.0"), "network" },
  { "libvirt.display-exposed", 1, SETTING ("spice_listen", "::"), "network" },
  { "libvirt.display-exposed", 0, SETTING ("vnc_listen", "127.0.0.1"), NULL },
  { "libvirt.tcp-open", 1, TCP ("none", "/l.conf"), "root" },
  { "libvirt.tcp-open", 0, TCP ("none", "/another.conf"), NULL },
  { "libvirt.tcp-open", 0, TCP ("sasl", "/l.conf"), NULL },
  { "libvirt.tcp", 1, TCP ("sasl", "/l.conf"), "not encrypted" },
  { "libvirt.tcp", 0, TCP ("none", "/l.conf"), NULL },

  { "machine.foreign", 1, MACHINE ("'is_danchi':false,'source':'libvirt'"), "not Danchi's" },
  { "machine.foreign", 0, MACHINE ("'is_danchi':true,'source':'libvirt'"), NULL },
  { "machine.foreign", 0, MACHINE ("'is_danchi':false,'source':'process'"), NULL },
  { "machine.unmanaged", 1,
    MACHINE ("'is_danchi':false,'source':'process','hypervisor':'firecracker'"), "firecracker" },
  { "machine.unmanaged", 0, MACHINE ("'is_danchi':false,'source':'libvirt'"), NULL },
  { "machine.root", 1, MACHINE ("'uid':0"), "root" },
  { "machine.root", 0, MACHINE ("'uid':64055"), NULL },
  { "machine.root", 0, MACHINE ("'uid':null"), NULL },
  { "runtime.container", 1, RUNTIME ("'name':'containerd-shim','kind':'process','pid':3"),
    "own kernel" },
  { "runtime.container", 0, RUNTIME ("'name':'docker','kind':'process','pid':3"), NULL },
  { "runtime.manager", 1, RUNTIME ("'name':'docker','kind':'process','pid':3"), "pid 3" },
  { "runtime.manager", 0, RUNTIME ("'name':'docker','kind':'socket','mode':'0660'"), NULL },
  { "runtime.namespace", 1, RUNTIME ("'name':'pid namespace','kind':'process','pid':3"), "pid 3" },
  { "runtime.namespace", 0, RUNTIME ("'name':'docker','kind':'process','pid':3"), NULL },
  { "runtime.manager", 0, RUNTIME ("'name':'pid namespace','kind':'process','pid':3"), NULL },
  { "runtime.socket", 1, RUNTIME ("'name':'docker','kind':'socket','mode':'0660'"), "0660" },
  { "runtime.socket", 0, RUNTIME ("'name':'docker','kind':'socket','mode':'0666'"), NULL },
  { "runtime.socket-open", 1, RUNTIME ("'name':'docker','kind':'socket','mode':'0666'"), "every" },
  { "runtime.socket-open", 0, RUNTIME ("'name':'docker','kind':'socket','mode':'0775'"), NULL },
  { "listener.control-open", 1, LISTENER ("'docker API'", "all"), "control" },
  { "listener.control-open", 1, LISTENER ("'etcd'", "address"), "'p', pid 5" },
  { "listener.control-open", 0, LISTENER ("'docker API'", "loopback"), NULL },
  { "listener.control-open", 0, LISTENER ("'docker API (TLS)'", "all"), NULL },
  { "listener.control-local", 1, LISTENER ("'docker API'", "loopback"), "every user" },
  { "listener.control-local", 0, LISTENER ("'docker API'", "all"), NULL },
  { "listener.control-exposed", 1, LISTENER ("'docker API (TLS)'", "all"), "control" },
  { "listener.control-exposed", 0, LISTENER ("'docker API (TLS)'", "loopback"), NULL },
  { "listener.data-open", 1, LISTENER ("'redis'", "address"), "authentication" },
  { "listener.data-open", 0, LISTENER ("'postgresql'", "all"), NULL },
  { "listener.data-local", 1, LISTENER ("'redis'", "loopback"), "every user" },
  { "listener.data-local", 0, LISTENER ("'redis'", "all"), NULL },
  { "listener.exposed", 1, LISTENER ("null", "all"), "all addresses" },
  { "listener.exposed", 1, LISTENER ("'postgresql'", "all"), "all addresses" },
  { "listener.exposed", 0, LISTENER ("'redis'", "all"), NULL },
  { "listener.exposed", 0, LISTENER ("null", "address"), NULL },

  { "chain.shared-uid", 1,
    CHAIN (LINK ("'a'", "70001", GUARDED) "," LINK ("'a'", "70001", GUARDED) "," LINK (
        "'b'", "70001", GUARDED) "," LINK ("'b'", "70001", GUARDED)),
    "70001" },
  { "chain.shared-uid", 0,
    CHAIN (LINK ("'a'", "70001", GUARDED) "," LINK ("'b'", "70002",
                                                    GUARDED) "," LINK ("null", "70001", GUARDED)),
    NULL },
  { "chain.root", 1, CHAIN (LINK ("'a'", "0", GUARDED)), "root" },
  { "chain.root", 0, CHAIN (LINK ("null", "0", GUARDED)), NULL },
  { "chain.no-filter", 1, CHAIN (LINK ("'a'", "7", "'seccomp':'none'")), "filter" },
  { "chain.no-filter", 0, CHAIN (LINK ("'a'", "7", "'seccomp':null")), NULL },
  { "chain.no-filter", 0, CHAIN (LINK ("'a'", "7", GUARDED)), NULL },
  { "chain.capabilities", 1, CHAIN (LINK ("'a'", "7", "'capabilities':'0000000000000400'")),
    "400" },
  { "chain.capabilities", 0, CHAIN (LINK ("'a'", "7", GUARDED)), NULL },
  { "chain.unlabelled", 1, "{" ENFORCING ",'chain':[" LINK ("'a'", "7", "'apparmor':null") "]}",
    "label" },
  { "chain.unlabelled", 1,
    "{" ENFORCING ",'chain':[" LINK ("'a'", "7", "'apparmor':'unconfined'") "]}", "label" },
  { "chain.unlabelled", 0, "{" ENFORCING ",'chain':[" LINK ("'a'", "7", GUARDED) "]}", NULL },
  { "chain.unlabelled", 0, CHAIN (LINK ("'a'", "7", "'apparmor':null")), NULL },

  { "context.shared-kernel", 1, "{'contexts':[" GUEST ("a", "'x'") "," GUEST ("b", "'x'") "]}",
    "context 'a'" },
  { "context.shared-kernel", 0, "{'contexts':[" GUEST ("a", "'x'") "," GUEST ("b", "'y'") "]}",
    NULL },
  { "context.shared-kernel", 0, "{'contexts':[" GUEST ("a", "null") "," GUEST ("b", "null") "]}",
    NULL },
  { "context.error", 1, CONTEXT ("'error':'line 3: unknown key'"), "line 3" },
  { "context.error", 0, CONTEXT ("'error':null"), NULL },
  { "context.emulated", 1, CONTEXT ("'guest':{'is_running':true,'accelerator':'tcg'}"), "tcg" },
  { "context.emulated", 0, CONTEXT ("'guest':{'is_running':true,'accelerator':'kvm'}"), NULL },
  { "context.emulated", 0, CONTEXT ("'guest':null"), NULL },
  { "context.root-only", 1, CONTEXT ("'access':{'users':[],'groups':[]}"), "root" },
  { "context.root-only", 0, CONTEXT ("'access':{'users':['alice'],'groups':[]}"), NULL },
  { "context.root-only", 0, CONTEXT ("'is_ephemeral':true,'access':{'users':[],'groups':[]}"),
    NULL },
  { "context.unenforced", 1, RUNS ("'enforced':{'cpu':'none','memory':'cgroup v1'}"),
    "no limit of processors" },
  { "context.unenforced", 1, RUNS ("'enforced':{'cpu':'none','memory':'none'}"),
    "processors and memory" },
  { "context.unenforced", 0, RUNS ("'enforced':{'cpu':'cgroup v2','memory':'cgroup v2'}"), NULL },
  { "context.unlimited", 1, RUNS ("'cpu_quota_percent':0"), "reads of disks, writes to disks" },
  { "context.unlimited", 1,
    RUNS ("'cpu_quota_percent':100,'io_read_per_s':5,'io_write_bytes_per_s':0"),
    "for: writes to disks" },
  { "context.unlimited", 0,
    RUNS ("'cpu_quota_percent':100,'io_read_per_s':5,'io_write_bytes_per_s':9"), NULL },
  { "context.unlimited", 0, CONTEXT ("'guest':{'is_running':false,'limits':{}}"), NULL },
  { "container.unlimited", 2, TWO ("'memory_bytes':null,'pids':null"),
    "no --memory and no --pids-limit" },
  { "container.unlimited", 2, TWO ("'memory_bytes':5,'pids':null"), "no --pids-limit" },
  { "container.unlimited", 0, TWO ("'memory_bytes':5,'pids':7"), NULL },
  { "container.unlimited", 0, CONTAINER ("'limits':{'memory_bytes':null,'pids':null}"), NULL },
  { "container.capability", 1, CONTAINER ("'capabilities':['NET_RAW','CHOWN']"), "NET_RAW CHOWN" },
  { "container.capability", 0, CONTAINER ("'capabilities':[]"), NULL },
  { "container.capability", 0, CONTAINER ("'capabilities':null"), NULL },
  { "container.capability-strong", 2, CONTAINER ("'capabilities':['SYS_PTRACE','CAP_SYS_ADMIN']"),
    "SYS_PTRACE" },
  { "container.capability-strong", 0, CONTAINER ("'capabilities':['NET_RAW']"), NULL },
  { "container.capability-added", 1,
    CONTAINER (
        "'profile':{'name':'strict'},'relaxations':['seccomp relaxed','capability NET_RAW']"),
    "NET_RAW" },
  { "container.capability-added", 0, CONTAINER ("'relaxations':['seccomp relaxed']"), NULL },
  { "container.relaxed", 0, CONTAINER ("'relaxations':['capability NET_RAW']"), NULL },
  { "container.relaxed", 2,
    CONTAINER ("'profile':{'name':'strict'},'relaxations':['seccomp unconfined','x']"),
    "'strict': seccomp" },
  { "container.relaxed", 0, CONTAINER ("'profile':{'name':'strict'},'relaxations':[]"), NULL },
  { "container.listener", 1,
    CONTAINER ("'listeners':[{'exposure':'all','process':'nginx','protocol':'tcp','port':80},"
               "{'exposure':'loopback'}]"),
    "'nginx' listens" },
  { "container.listeners-unknown", 1, CONTAINER ("'listeners_error':'no answer'"), "no answer" },
  { "container.listeners-unknown", 0, CONTAINER ("'listeners_error':null"), NULL },
  { "container.listeners-unknown", 0,
    CONTEXT ("'containers':[{'state':'exited','listeners_error':'it does not run'}]"), NULL },
  { "port.everywhere", 2, PORTS (PORT ("0.0.0.0", "8080") "," PORT ("::", "8080")),
    "its tcp port 80 is published on 0.0.0.0, every address of this host, port 8080" },
  { "port.everywhere", 0, PORTS (PORT ("192.0.2.1", "8080")), NULL },
  { "port.network", 1, PORTS (PORT ("192.0.2.1", "8080")), "on 192.0.2.1, port 8080" },
  { "port.network", 1, PORTS (PORT ("2001:db8::1", "8080")), "2001:db8::1" },
  { "port.network", 0, PORTS (PORT ("127.0.0.2", "8080") "," PORT ("::1", "8080")), NULL },
  { "port.network", 0, PORTS (PORT ("0.0.0.0", "8080") "," PORT ("::", "8080")), NULL },
  { "port.low", 1, PORTS (PORT ("127.0.0.1", "1023") "," PORT ("::1", "1024")),
    "published on 127.0.0.1, port 1023" },
  { "port.low", 0, CONTAINER ("'ports':[]"), NULL },
  { "port.low", 0, CONTAINER ("'ports':[null,7]"), NULL },
  { "image.damaged", 1,
    CONTAINER ("'image':{'reference':'nginx:1'},'damage':{'layer':2,'block':77,'count':1}"),
    "'nginx:1' was changed: layer 2, block 77" },
  { "image.damaged", 0, CONTAINER ("'damage':null"), NULL },
  { "image.old", 1, IMAGE ("'age_days':91"), "91 days" },
  { "image.old", 0, IMAGE ("'age_days':90"), NULL },
  { "image.old", 0, IMAGE ("'age_days':null"), NULL },
  { "image.vulnerable", 1, IMAGE ("'scan':'fail'"), "nginx:1" },
  { "image.vulnerable", 0, IMAGE ("'scan':'error'"), NULL },
  { "image.vulnerable", 0, IMAGE ("'scan':null"), NULL },
  { "image.stale", 1, IMAGE ("'is_stale':true"), "nginx:1" },
  { "image.stale", 0, IMAGE ("'is_stale':false"), NULL },
  { "image.stale", 0, IMAGE ("'is_stale':null"), NULL },
  { "image.age-unknown", 1, IMAGE ("'age_days':null"), "nginx:1" },
  { "image.age-unknown", 0, IMAGE ("'age_days':0"), NULL },
  { "image.no-digest", 1, IMAGE ("'digest':null"), "nginx:1" },
  { "image.no-digest", 0, IMAGE ("'digest':'sha256:0'"), NULL },
  { "image.unscanned", 1, IMAGE ("'scan':null"), "nginx:1" },
  { "image.unscanned", 1, IMAGE ("'scan':'error'"), "nginx:1" },
  { "image.unscanned", 0, IMAGE ("'scan':'warn'"), NULL },
  { "image.unsigned", 1, IMAGE ("'signature':'none'"), "nginx:1" },
  { "image.unsigned", 1, IMAGE ("'signature':null"), NULL },
  { "image.unsigned", 0, IMAGE ("'signature':'good'"), NULL },
  { "image.policy-open", 1, "{'images':{'policy':'/p.json','takes':'anything'}}", "/p.json" },
  { "image.policy-open", 0, "{'images':{'policy':'/p.json','takes':'signed'}}", NULL },
  { "image.policy-open", 0, "{'images':null}", NULL },
};

/* (transfer full) */
static JsonObject *
parse (const char *document)
{
  g_autoptr (JsonParser) parser = json_parser_new ();
  g_autoptr (GError) error = NULL;
  g_autofree char *text = g_strdup (document);

  json_parser_load_from_data (parser, g_strdelimit (text, "'", '"'), -1, &error);
  g_assert_no_error (error);
  return json_object_ref (json_node_get_object (json_parser_get_root (parser)));
}

/* How many of @findings have @id; *ret_first is the first, borrowed. */
static guint
count (JsonArray *findings, const char *id, JsonObject **ret_first)
{
  guint times = 0;

  *ret_first = NULL;
  for (guint i = 0; i < dn_answer_length (findings); i++)
    {
      JsonObject *finding = dn_answer_nth (findings, i);

      if (!g_str_equal (dn_answer_text (finding, "id"), id))
        continue;
      if (times++ == 0)
        *ret_first = finding;
    }
  return times;
}

static void
test_rules (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (JsonObject) document = parse (cases[i].document);
      g_autoptr (JsonArray) findings = dn_finding_find_all (document, &limits);
      JsonObject *first;
      guint times = count (findings, cases[i].id, &first);

      if (times != cases[i].times)
        g_error ("case %u, %s: %u findings, not %u, in %s", (guint) i, cases[i].id, times,
                 cases[i].times, cases[i].document);
      if (cases[i].words != NULL && strstr (dn_answer_text (first, "text"), cases[i].words) == NULL)
        g_error ("case %u, %s: no '%s' in '%s'", (guint) i, cases[i].id, cases[i].words,
                 dn_answer_text (first, "text"));
    }
}

static void
test_every_rule_is_tested (void)
{
  const DnFindingFacts *rule;

  for (guint i = 0; (rule = dn_finding_rule (i)) != NULL; i++)
    {
      gboolean finds = FALSE;

      for (gsize k = 0; k < G_N_ELEMENTS (cases); k++)
        finds |= cases[k].times > 0 && g_str_equal (cases[k].id, rule->id);
      if (!finds)
        g_error ("rule %s: no case finds anything by it", rule->id);
    }
}

/* The page has a row for each rule, and no other: | `id` | severity | demand | ... */
static void
test_the_page_lists_the_rules (void)
{
  g_autofree char *page = NULL;
  g_auto (GStrv) lines = NULL;
  guint rows = 0, rules = 0;
  const DnFindingFacts *rule;

  g_assert_true (g_file_get_contents (PAGE, &page, NULL, NULL));
  for (; (rule = dn_finding_rule (rules)) != NULL; rules++)
    {
      g_autofree char *row = g_strdup_printf ("\n| `%s` | %s | %s |", rule->id,
                                              dn_severity_name (rule->severity), rule->demand);

      if (strstr (page, row) == NULL)
        g_error (PAGE " has no row%s", row);
    }
  lines = g_strsplit (page, "\n", -1);
  for (char **line = lines; *line != NULL; line++)
    rows += g_regex_match_simple ("^\\| `[a-z]+\\.[a-z-]+` \\| (info|low|medium|high|critical) \\|",
                                  *line, 0, 0);
  g_assert_cmpuint (rows, ==, rules);
}

static void
test_verdicts_follow_the_worst_finding (void)
{
  g_autoptr (JsonObject) document
      = parse ("{'generated':'2026-11-29T00:00:00Z',"
               "'host':{'distribution':{'end_of_life':'2030-01-01','is_over':false},"
               "'cpu':{'vulnerabilities':[{'name':'x','state':'Not affected'}]},"
               "'libvirt':{'version':'9.0.0','error':null}},"
               "'contexts':[{'name':'good','containers':[{'name':'a'},{'name':'b'}]},"
               "{'name':'old','containers':[{'name':'c','image':{'age_days':100,'digest':'d',"
               "'signature':'good'}}]},"
               "{'name':'bad','guest':{'is_running':true,'accelerator':'tcg'}}]}");
  static const char *const verdicts[] = { "good", "attention", "bad" };
  JsonArray *contexts, *findings;
  JsonObject *summary;

  dn_finding_conclude (document, &limits);
  contexts = dn_answer_array (document, "contexts");
  for (guint i = 0; i < G_N_ELEMENTS (verdicts); i++)
    g_assert_cmpstr (dn_answer_text (dn_answer_nth (contexts, i), "verdict"), ==, verdicts[i]);
  summary = dn_answer_object (document, "summary");
  findings = dn_answer_array (document, "findings");
  g_assert_cmpstr (dn_answer_text (summary, "verdict"), ==, "bad");
  g_assert_cmpint (dn_answer_int (summary, "contexts", 0), ==, 3);
  g_assert_cmpint (dn_answer_int (summary, "containers", 0), ==, 3);
  summary = dn_answer_object (summary, "by_severity");
  g_assert_cmpint (dn_answer_int (summary, "critical", -1), ==, 0);
  g_assert_cmpint (dn_answer_int (summary, "high", -1), ==, 1);
  g_assert_cmpint (dn_answer_int (summary, "medium", -1), ==, 1);
  /* The worst first. */
  g_assert_cmpstr (dn_answer_text (dn_answer_nth (findings, 0), "id"), ==, "context.emulated");
  g_assert_cmpstr (dn_answer_text (dn_answer_nth (findings, 0), "context"), ==, "bad");
  g_assert_cmpstr (dn_answer_text (dn_answer_nth (findings, 0), "remedy"), !=, "");
  g_assert_cmpstr (dn_answer_text (dn_answer_nth (findings, 1), "id"), ==, "image.old");
  g_assert_true (dn_finding_reaches (findings, DN_SEVERITY_LOW));
  g_assert_true (dn_finding_reaches (findings, DN_SEVERITY_HIGH));
  g_assert_false (dn_finding_reaches (findings, DN_SEVERITY_CRITICAL));
}

/* A document that somebody sent: nothing in it may be relied on. */
static void
test_a_document_of_other_types_is_survived (void)
{
  static const char *const documents[] = {
    "{'host':7,'chain':'x','machines':[1],'runtimes':{},'listeners':[[]],'contexts':[null,7]}",
    "{'host':{'cpu':[],'memory':{'swaps':{}},'lsm':7,'libvirt':{'settings':[7,{}]}},"
    "'chain':[{'context':7,'pid':'x','confinement':'y'}],'contexts':[{'containers':[7,{'image':3,"
    "'capabilities':[7,null],'relaxations':[{}],'listeners':[9]}],'guest':'x','access':[]}],"
    "'listeners':[{'service':7,'port':'x'}],'runtimes':[{'mode':7,'kind':'socket'}]}",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (documents); i++)
    {
      g_autoptr (JsonObject) document = parse (documents[i]);

      dn_finding_conclude (document, &limits);
      g_assert_nonnull (dn_answer_object (document, "summary"));
    }
}

static void
test_severities_have_names (void)
{
  DnSeverity severity = DN_SEVERITY_INFO;

  g_assert_true (dn_severity_parse ("critical", &severity));
  g_assert_cmpint (severity, ==, DN_SEVERITY_CRITICAL);
  g_assert_false (dn_severity_parse ("Critical", &severity));
  g_assert_cmpint (severity, ==, DN_SEVERITY_CRITICAL);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/finding/each rule finds what it is for", test_rules);
  g_test_add_func ("/finding/every rule is tested", test_every_rule_is_tested);
  g_test_add_func ("/finding/the page lists the rules", test_the_page_lists_the_rules);
  g_test_add_func ("/finding/verdicts follow the worst finding",
                   test_verdicts_follow_the_worst_finding);
  g_test_add_func ("/finding/a document of other types is survived",
                   test_a_document_of_other_types_is_survived);
  g_test_add_func ("/finding/severities have names", test_severities_have_names);
  return g_test_run ();
}
