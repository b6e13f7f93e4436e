/* SPDX-License-Identifier: Apache-2.0 */
/* What a container was promised: read out of the OCI document that it was started with. */
#include <string.h>

#include "../spec/capability.h"
#include "document.h"
#include "promise.h"

#define PAGE_BYTES 4096
/* What every container has of its own, whatever its document lists. */
static const char *const namespaces[] = { "user", "mnt", "pid", "ipc", "uts", "net", "cgroup" };

/* The agent lays these over the image's, from the guest's /dev or with texts of its own. */
static const char *const own_mounts[] = {
  "/dev/null",    "/dev/zero",     "/dev/full",  "/dev/random",      "/dev/urandom", "/dev/tty",
  "/dev/console", "/etc/hostname", "/etc/hosts", "/etc/resolv.conf", NULL,
};

/* 0 for what is no capability. */
static guint64
capability_bit (const char *name)
{
  guint64 bit = 0;

  (void) dn_capability_bit (name, &bit);
  return bit;
}

static guint64
read_capabilities (JsonObject *sets, const char *name)
{
  JsonArray *array = dn_document_array (sets, name);
  guint64 bits = 0;

  for (guint i = 0; i < dn_document_length (array); i++)
    bits |= capability_bit (dn_document_nth (array, i));
  return bits;
}

static void
promise_rights (GPtrArray *promises, JsonObject *process)
{
  static const char *const sets[]
      = { "inheritable", "permitted", "effective", "bounding", "ambient" };
  JsonObject *object = dn_document_object (process, "capabilities");

  for (gsize i = 0; i < G_N_ELEMENTS (sets); i++)
    {
      g_autofree char *control = g_strconcat ("cap.", sets[i], NULL);

      dn_verify_promisef (promises, control, "R3.5", DN_HOW_SUBSET, "%016" G_GINT64_MODIFIER "x",
                          read_capabilities (object, sets[i]));
    }
  dn_verify_promise (promises, "no_new_privs", "R3.4", DN_HOW_EQUAL, "1");
  dn_verify_promise (promises, "seccomp.mode", "R3.6", DN_HOW_EQUAL, "2");
  dn_verify_promise (promises, "seccomp.filters", "R3.6", DN_HOW_AT_LEAST, "1");
  for (gsize i = 0; i < G_N_ELEMENTS (namespaces); i++)
    {
      g_autofree char *control = g_strconcat ("namespace.", namespaces[i], NULL);

      dn_verify_promise (promises, control, i == 0 ? "R2.4" : "R2.2", DN_HOW_EQUAL, "own");
    }
  dn_verify_promise (promises, "descriptors", "R2.2", DN_HOW_EQUAL, "clean");
}

/* Whose its namespace of processes is; only containers of a pod may be among others'. */
static void
promise_processes (GPtrArray *promises, JsonObject *spec)
{
  JsonObject *annotations = dn_document_object (spec, "annotations");
  const char *whose = dn_document_text (annotations, "org.danchi.processes");

  if (dn_document_text (annotations, "org.danchi.pod")[0] == '\0')
    return;
  if (whose[0] == '\0')
    dn_verify_promise (promises, "namespace.pid.whose", "R2.2", DN_HOW_EQUAL, "own");
  else if (g_str_equal (whose, "pod"))
    dn_verify_promise (promises, "namespace.pid.whose", "R2.2", DN_HOW_EQUAL, "the pod's");
  else
    dn_verify_promisef (promises, "namespace.pid.whose", "R2.2", DN_HOW_EQUAL, "container %s's",
                        whose);
}

static void
promise_ids (GPtrArray *promises, JsonObject *linux_object, const char *mapping, const char *map,
             const char *const *facts)
{
  JsonArray *array = dn_document_array (linux_object, mapping);
  JsonNode *node = dn_document_length (array) == 1 ? json_array_get_element (array, 0) : NULL;
  JsonObject *range
      = node != NULL && JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
  guint64 first = (guint64) dn_document_int (range, "hostID");
  guint64 size = (guint64) dn_document_int (range, "size");

  dn_verify_promisef (promises, map, "R2.4", DN_HOW_EQUAL,
                      "%" G_GINT64_FORMAT " %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT,
                      dn_document_int (range, "containerID"), first, size);
  for (; *facts != NULL; facts++)
    {
      DnVerifyPromise *promise = dn_verify_promisef (promises, *facts, "R5.3", DN_HOW_IDS,
                                                     "%" G_GUINT64_FORMAT " .. %" G_GUINT64_FORMAT,
                                                     first, first + size - 1);

      promise->low = MAX (first, 1);
      promise->high = size > 0 ? first + size - 1 : 0;
    }
}

static void
promise_limits (GPtrArray *promises, JsonObject *process)
{
  JsonArray *limits = dn_document_array (process, "rlimits");

  for (guint i = 0; i < dn_document_length (limits); i++)
    {
      JsonNode *node = json_array_get_element (limits, i);
      JsonObject *limit = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
      g_autofree char *control = g_strconcat ("rlimit.", dn_document_text (limit, "type"), NULL);
      gint64 soft = dn_document_int (limit, "soft"), hard = dn_document_int (limit, "hard");
      g_autofree char *softs
          = soft < 0 ? g_strdup ("unlimited") : g_strdup_printf ("%" G_GINT64_FORMAT, soft);
      g_autofree char *hards
          = hard < 0 ? g_strdup ("unlimited") : g_strdup_printf ("%" G_GINT64_FORMAT, hard);

      /* A process may raise the soft limit up to the hard one: that is what it is for. */
      dn_verify_promisef (promises, control, "R5.14", DN_HOW_AT_MOST, "%s %s",
                          g_str_equal (softs, hards) ? softs : hards, hards);
    }
  dn_verify_promisef (promises, "oom_score_adj", "R5.14", DN_HOW_AT_LEAST, "%" G_GINT64_FORMAT,
                      MAX (dn_document_int (process, "oomScoreAdj"), 0));
}

/* The flags of a mount that the kernel shows, of which the agent adds nosuid always. */
static char *
mount_words (JsonObject *mount)
{
  static const char *const flags[] = { "nodev", "noexec", "ro" };
  JsonArray *options = dn_document_array (mount, "options");
  GString *words = g_string_new (dn_document_text (mount, "type"));

  if (g_str_equal (words->str, "cgroup"))
    g_string_append_c (words, '2');
  if (g_str_equal (words->str, "share"))
    g_string_assign (words, "virtiofs");
  if (g_str_equal (words->str, "secrets")
      || g_str_equal (words->str, "pod")) /* as the kernel calls it */
    g_string_assign (words, "tmpfs");
  /* What the agent makes of one, in the kernel's word. */
  if (g_str_equal (words->str, "volume"))
    g_string_assign (words, "ext4");
  g_string_append (words, " nosuid");
  for (gsize k = 0; k < G_N_ELEMENTS (flags); k++)
    for (guint i = 0; i < dn_document_length (options); i++)
      if (g_str_equal (dn_document_nth (options, i), flags[k]))
        {
          g_string_append_printf (words, ",%s", flags[k]);
          break;
        }
  return g_string_free (words, FALSE);
}

static void
promise_paths (GPtrArray *promises, JsonArray *paths, DnVerifyHow how, const char *promised)
{
  for (guint i = 0; i < dn_document_length (paths); i++)
    {
      g_autofree char *control = g_strconcat ("mount.", dn_document_nth (paths, i), NULL);

      dn_verify_promise (promises, control, "R2.2", how, promised);
    }
}

static void
promise_mounts (GPtrArray *promises, JsonObject *spec, JsonObject *linux_object)
{
  JsonArray *mounts = dn_document_array (spec, "mounts");
  gboolean is_readonly = dn_document_bool (dn_document_object (spec, "root"), "readonly");
  DnVerifyPromise *others;

  dn_verify_promise (promises, "mount./", is_readonly ? "R4.3" : "R3.4", DN_HOW_WORDS,
                     is_readonly ? "ro,nosuid,nodev" : "nosuid,nodev");
  for (guint i = 0; i < dn_document_length (mounts); i++)
    {
      JsonNode *node = json_array_get_element (mounts, i);
      JsonObject *mount = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
      g_autofree char *control
          = g_strconcat ("mount.", dn_document_text (mount, "destination"), NULL);
      g_autofree char *words = mount_words (mount);

      dn_verify_promise (promises, control, "R5.15", DN_HOW_WORDS, words);
    }
  promise_paths (promises, dn_document_array (linux_object, "maskedPaths"), DN_HOW_HIDDEN,
                 "hidden");
  promise_paths (promises, dn_document_array (linux_object, "readonlyPaths"), DN_HOW_MOUNT, "ro");
  others = dn_verify_promise (promises, "mount.others", "R2.2", DN_HOW_NO_OTHERS, "none");
  g_free (others->fact);
  others->fact = g_strdup ("mount.");
  others->others = own_mounts;
}

/* As the kernel writes it: whole pages. */
static void
promise_memory (GPtrArray *promises, JsonObject *memory)
{
  gint64 limit = dn_document_int (memory, "limit");

  if (limit > 0)
    dn_verify_promisef (promises, "cgroup.memory.max", "R5.14", DN_HOW_EQUAL, "%" G_GINT64_FORMAT,
                        limit / PAGE_BYTES * PAGE_BYTES);
  dn_verify_promise (promises, "cgroup.memory.swap.max", "R5.14", DN_HOW_EQUAL_OR_ABSENT, "0");
  if (dn_document_int (memory, "reservation") > 0)
    dn_verify_promisef (promises, "cgroup.memory.low", "R5.14", DN_HOW_EQUAL, "%" G_GINT64_FORMAT,
                        dn_document_int (memory, "reservation") / PAGE_BYTES * PAGE_BYTES);
}

static void
promise_resources (GPtrArray *promises, JsonObject *resources)
{
  JsonObject *cpu = dn_document_object (resources, "cpu");
  gint64 pids = dn_document_int (dn_document_object (resources, "pids"), "limit");
  gint64 shares = dn_document_int (cpu, "shares"), quota = dn_document_int (cpu, "quota");
  gint64 period = dn_document_int (cpu, "period");
  JsonObject *unified = dn_document_object (resources, "unified");
  const char *rates = dn_document_text (unified, "io.max");
  const char *whole = dn_document_text (unified, "memory.oom.group");
  const char *cpus = dn_document_text (cpu, "cpus");

  dn_verify_promise (promises, "cgroup.memory.oom.group", "R5.14", DN_HOW_EQUAL,
                     whole[0] != '\0' ? whole : "0");
  if (rates[0] != '\0')
    dn_verify_promise (promises, "cgroup.io.max", "R5.14", DN_HOW_EQUAL, rates);
  if (cpus[0] != '\0')
    dn_verify_promise (promises, "cgroup.cpuset.cpus", "R5.14", DN_HOW_EQUAL, cpus);
  promise_memory (promises, dn_document_object (resources, "memory"));
  if (pids > 0)
    dn_verify_promisef (promises, "cgroup.pids.max", "R5.14", DN_HOW_EQUAL, "%" G_GINT64_FORMAT,
                        pids);
  if (quota > 0)
    dn_verify_promisef (promises, "cgroup.cpu.max", "R5.14", DN_HOW_EQUAL,
                        "%" G_GINT64_FORMAT " %" G_GINT64_FORMAT, quota,
                        period > 0 ? period : 100000);
  if (shares > 0)
    dn_verify_promisef (promises, "cgroup.cpu.weight", "R5.14", DN_HOW_EQUAL, "%" G_GINT64_FORMAT,
                        1 + (CLAMP (shares, 2, 262144) - 2) * 9999 / 262142);
}

static void
promise_sysctls (GPtrArray *promises, JsonObject *sysctls)
{
  g_autoptr (GList) names = sysctls != NULL ? json_object_get_members (sysctls) : NULL;

  dn_verify_promise (promises, "sysctl.user.max_user_namespaces", "R2.4", DN_HOW_EQUAL, "0");
  for (GList *at = names; at != NULL; at = at->next)
    {
      g_autofree char *control = g_strconcat ("sysctl.", (const char *) at->data, NULL);

      dn_verify_promise (promises, control, "R2.2", DN_HOW_EQUAL,
                         dn_document_text (sysctls, at->data));
    }
}

static void
promise_attempts (GPtrArray *promises, guint64 bounding)
{
  static const struct
  {
    const char *name;
    const char *demand;
    const char *capability;
  } attempts[] = {
#define DN_ATTEMPT(id, name, demand, capability) { name, demand, capability },
#include "../../protocol/verify.def"
  };

  for (gsize i = 0; i < G_N_ELEMENTS (attempts); i++)
    {
      g_autofree char *control = g_strconcat ("try.", attempts[i].name, NULL);

      if ((bounding & capability_bit (attempts[i].capability)) == 0)
        dn_verify_promise (promises, control, attempts[i].demand, DN_HOW_REFUSED, "refused");
    }
}

void
dn_verify_promise_container (GPtrArray *promises, JsonObject *spec)
{
  static const char *const uids[] = { "uid", NULL };
  static const char *const gids[] = { "gid", "groups", NULL };
  JsonObject *process = dn_document_object (spec, "process");
  JsonObject *linux_object = dn_document_object (spec, "linux");

  promise_rights (promises, process);
  promise_processes (promises, spec);
  promise_ids (promises, linux_object, "uidMappings", "id_map.uid", uids);
  promise_ids (promises, linux_object, "gidMappings", "id_map.gid", gids);
  promise_limits (promises, process);
  promise_mounts (promises, spec, linux_object);
  promise_resources (promises, dn_document_object (linux_object, "resources"));
  promise_sysctls (promises, dn_document_object (linux_object, "sysctl"));
  promise_attempts (promises,
                    read_capabilities (dn_document_object (process, "capabilities"), "bounding"));
}

void
dn_verify_promise_layers (GPtrArray *promises, const char *const *root_hashes,
                          const guint64 *blocks)
{
  guint count = g_strv_length ((char **) root_hashes);

  dn_verify_promisef (promises, "root.layers", "R4.6", DN_HOW_EQUAL, "%u", count);
  for (guint i = 0; i < count; i++)
    {
      g_autofree char *control = g_strdup_printf ("root.layer.%u", i);

      dn_verify_promisef (promises, control, "R4.6", DN_HOW_EQUAL,
                          "sha256 %s %" G_GUINT64_FORMAT " blocks", root_hashes[i], blocks[i]);
    }
}
