/* SPDX-License-Identifier: Apache-2.0 */
/* What the host's processes were promised to be: QEMU and relay by their guest's journal entry,
 * danchid by its unit. */
#include "promise.h"

static void
promise_identity (GPtrArray *promises, const DnGuestInfo *info)
{
  dn_verify_promisef (promises, "uid", "R5.11", DN_HOW_EQUAL, "%u %u %u %u", info->uid, info->uid,
                      info->uid, info->uid);
  dn_verify_promisef (promises, "gid", "R5.11", DN_HOW_EQUAL, "%u %u %u %u", info->gid, info->gid,
                      info->gid, info->gid);
}

static void
promise_no_rights (GPtrArray *promises)
{
  static const char *const sets[]
      = { "cap.inheritable", "cap.permitted", "cap.effective", "cap.ambient" };

  for (gsize i = 0; i < G_N_ELEMENTS (sets); i++)
    dn_verify_promise (promises, sets[i], "R2.2", DN_HOW_SUBSET, "0000000000000000");
  dn_verify_promise (promises, "no_new_privs", "R3.4", DN_HOW_EQUAL, "1");
  dn_verify_promise (promises, "seccomp.mode", "R3.6", DN_HOW_EQUAL, "2");
  dn_verify_promise (promises, "rlimit.RLIMIT_CORE", "R2.2", DN_HOW_AT_MOST, "0 0");
}

/* What the host's kernel holds it to; a host without groups of its own for machines has none. */
static void
promise_limits (GPtrArray *promises, const DnGuestInfo *info)
{
  guint64 quota_us = dn_guest_limits_quota_us (&info->limits);

  if (info->host_limit_bytes == 0)
    return;
  dn_verify_promisef (promises, "limit.memory", "R5.14", DN_HOW_EQUAL_OR_ABSENT,
                      "%" G_GUINT64_FORMAT, info->host_limit_bytes);
  if (quota_us == 0)
    dn_verify_promise (promises, "limit.processors", "R5.14", DN_HOW_EQUAL_OR_ABSENT, "max");
  else
    dn_verify_promisef (promises, "limit.processors", "R5.14", DN_HOW_EQUAL_OR_ABSENT,
                        "%" G_GUINT64_FORMAT " %d", quota_us, DN_GUEST_CPU_PERIOD_US);
}

void
dn_verify_promise_qemu (GPtrArray *promises, const DnGuestInfo *info)
{
  DnVerifyPromise *groups;
  gboolean has_vsock = info->transport == DN_TRANSPORT_VSOCK;
  g_autofree char *ports = info->spare_disks > 0
                               ? g_strdup_printf (", pcie-root-port x%u", info->spare_disks)
                               : g_strdup ("");

  promise_identity (promises, info);
  groups = dn_verify_promise (promises, "groups", "R5.11", DN_HOW_IDS, "its own");
  groups->low = groups->high = info->gid;
  promise_no_rights (promises);
  dn_verify_promise (promises, "namespace.mnt", "R2.2", DN_HOW_EQUAL, "own");
  dn_verify_promise (promises, "label", "R3.3", DN_HOW_ONE_OF, "confined or no LSM on this host");
  dn_verify_promise (promises, "cgroup", "R5.14", DN_HOW_EQUAL, "own");
  dn_verify_promise (promises, "qemu.sandbox", "R4.1", DN_HOW_WORDS,
                     "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny");
  dn_verify_promise (promises, "qemu.machine", "R4.1", DN_HOW_WORDS,
                     "usb=off,vmport=off,smm=off,dump-guest-core=off,mem-merge=off,i8042=off,"
                     "sata=off,smbus=off");
  dn_verify_promise (promises, "qemu.defaults", "R4.1", DN_HOW_EQUAL, "none");
  dn_verify_promise (promises, "qemu.display", "R4.1", DN_HOW_EQUAL, "none");
  dn_verify_promise (promises, "qemu.accelerator", "R1.4", DN_HOW_EQUAL,
                     info->accelerator == DN_ACCELERATOR_KVM ? "kvm" : "tcg");
  dn_verify_promisef (promises, "qemu.memory", "R4.1", DN_HOW_EQUAL, "%" G_GUINT64_FORMAT " MiB",
                      (info->memory_bytes + (1 << 20) - 1) >> 20);
  dn_verify_promisef (promises, "qemu.devices", "R4.1", DN_HOW_EQUAL,
                      "isa-serial x1%s%s%s%s, virtio-blk-pci-non-transitional%s%s", ports,
                      info->has_share ? ", vhost-user-fs-pci x1" : "",
                      has_vsock ? ", vhost-vsock-pci-non-transitional x1" : "",
                      info->has_balloon ? ", virtio-balloon-pci-non-transitional x1" : "",
                      info->has_card ? ", virtio-net-pci-non-transitional x1" : "",
                      has_vsock ? ""
                                : ", virtio-serial-pci-non-transitional x1, virtserialport x1");
  promise_limits (promises, info);
  dn_verify_promise (promises, "qemu.disk-formats", "R4.1", DN_HOW_EQUAL, "raw");
  dn_verify_promise (promises, "qemu.disk-files", "R5.11", DN_HOW_EQUAL, "protected");
  dn_verify_promise (promises, "qemu.network", "R5.17", DN_HOW_EQUAL,
                     info->has_card ? "tap" : "none");
}

/* Of libvirt's own making, which takes root: device nodes, groups of processes, profiles. */
void
dn_verify_promise_qemu_of_session (GPtrArray *promises)
{
  static const char *const absent[] = { "namespace.mnt", "cgroup", "label", NULL };

  for (guint i = 0; i < promises->len; i++)
    {
      DnVerifyPromise *promise = promises->pdata[i];

      if (!g_strv_contains (absent, promise->control)
          && !g_str_has_prefix (promise->control, "limit."))
        continue;
      promise->how = DN_HOW_NOTHING;
      g_free (promise->promised);
      promise->promised = g_strdup ("nothing (session)");
    }
}

/* The system's are marked by danchi-gateway, so that nothing can be begun with them. */
void
dn_verify_promise_publish_of_session (GPtrArray *promises)
{
  dn_verify_promise (promises, "publish.mark", "R5.13", DN_HOW_NOTHING, "nothing (session)");
}

void
dn_verify_promise_share (GPtrArray *promises, const DnGuestInfo *info, const char *binds)
{
  static const char *const namespaces[]
      = { "namespace.user", "namespace.mnt", "namespace.pid",   "namespace.net",
          "namespace.ipc",  "namespace.uts", "namespace.cgroup" };
  static const char *const sets[] = { "cap.permitted", "cap.effective", "cap.bounding" };

  promise_identity (promises, info);
  dn_verify_promise (promises, "groups", "R5.11", DN_HOW_EQUAL, "");
  /* Of its own user namespace: CHOWN, DAC_OVERRIDE, FOWNER, SETGID, SETUID; and in a thread that
   * QEMU's library begins before virtiofsd gives them up, SETPCAP and SYS_CHROOT, under our filter
   * alone (../share/start.h). */
  for (gsize i = 0; i < G_N_ELEMENTS (sets); i++)
    dn_verify_promise (promises, sets[i], "R2.2", DN_HOW_SUBSET, "00000000000401cb");
  dn_verify_promise (promises, "cap.inheritable", "R2.2", DN_HOW_SUBSET, "0000000000000000");
  dn_verify_promise (promises, "cap.ambient", "R2.2", DN_HOW_SUBSET, "0000000000000000");
  for (gsize i = 0; i < G_N_ELEMENTS (namespaces); i++)
    dn_verify_promise (promises, namespaces[i], "R2.2", DN_HOW_EQUAL, "own");
  dn_verify_promise (promises, "no_new_privs", "R3.4", DN_HOW_EQUAL, "1");
  dn_verify_promise (promises, "seccomp.mode", "R3.6", DN_HOW_EQUAL, "2");
  dn_verify_promise (promises, "seccomp.filters", "R3.6", DN_HOW_ONE_OF, "1 or 2");
  dn_verify_promise (promises, "rlimit.RLIMIT_CORE", "R2.2", DN_HOW_AT_MOST, "0 0");
  dn_verify_promise (promises, "rlimit.RLIMIT_NOFILE", "R2.2", DN_HOW_AT_MOST, "131072 131072");
  /* What a guest makes it do counts to the guest. */
  dn_verify_promise (promises, "limit.group", "R5.14", DN_HOW_EQUAL_OR_ABSENT, "its guest's");
  dn_verify_promise (promises, "share.root", "R5.7", DN_HOW_EQUAL, "/share");
  dn_verify_promise (promises, "share.binds", "R5.7", DN_HOW_EQUAL, binds);
}

/* A program of the context's uid that has given up all (confined/lockdown.h).  @fds: 0 where it has
 * what a host's clients make of it. */
static void
promise_confined (GPtrArray *promises, const DnGuestInfo *info, guint fds, guint64 memory_bytes)
{
  static const char *const namespaces[]
      = { "namespace.mnt", "namespace.net", "namespace.ipc", "namespace.uts" };

  promise_identity (promises, info);
  dn_verify_promise (promises, "groups", "R5.11", DN_HOW_EQUAL, "");
  promise_no_rights (promises);
  /* danchid's, which it inherits, and its own, which is far narrower. */
  dn_verify_promise (promises, "seccomp.filters", "R3.6", DN_HOW_EQUAL, "2");
  dn_verify_promise (promises, "cap.bounding", "R2.2", DN_HOW_SUBSET, "0000000000000000");
  for (gsize i = 0; i < G_N_ELEMENTS (namespaces); i++)
    dn_verify_promise (promises, namespaces[i], "R2.2", DN_HOW_EQUAL, "own");
  dn_verify_promise (promises, "rlimit.RLIMIT_NPROC", "R2.2", DN_HOW_AT_MOST, "0 0");
  if (fds > 0)
    dn_verify_promisef (promises, "rlimit.RLIMIT_NOFILE", "R2.2", DN_HOW_AT_MOST, "%u %u", fds,
                        fds);
  dn_verify_promisef (promises, "rlimit.RLIMIT_AS", "R2.2", DN_HOW_AT_MOST,
                      "%" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT, memory_bytes, memory_bytes);
  dn_verify_promise (promises, "threads", "R2.2", DN_HOW_EQUAL, "1");
  dn_verify_promise (promises, "root", "R2.2", DN_HOW_EQUAL, "empty");
  if (fds > 0)
    dn_verify_promise (promises, "descriptors", "R2.2", DN_HOW_EQUAL, "clean");
  dn_verify_promise (promises, "label", "R3.3", DN_HOW_ONE_OF,
                     "confined or unconfined or no LSM on this host");
}

void
dn_verify_promise_resolver (GPtrArray *promises, const DnGuestInfo *info)
{
  promise_confined (promises, info, 256, G_GUINT64_CONSTANT (192) << 20);
  dn_verify_promise (promises, "file.resolver.sock", "R2.1", DN_HOW_EQUAL, "0600 0:0");
}

void
dn_verify_promise_publish (GPtrArray *promises, const DnGuestInfo *info)
{
  promise_confined (promises, info, 0, G_GUINT64_CONSTANT (256) << 20);
}

void
dn_verify_promise_relay (GPtrArray *promises, const DnGuestInfo *info)
{
  promise_confined (promises, info, 512, G_GUINT64_CONSTANT (512) << 20);
  dn_verify_promisef (promises, "file.secret", "R2.1", DN_HOW_EQUAL, "0400 %u:%u", info->uid,
                      info->gid);
  dn_verify_promisef (promises, "file.console.sock", "R2.1", DN_HOW_EQUAL, "0600 %u:%u", info->uid,
                      info->gid);
  dn_verify_promise (promises, "file.relay.sock", "R2.1", DN_HOW_EQUAL, "0600 0:0");
  dn_verify_promise (promises, "file.console.ring", "R2.1", DN_HOW_EQUAL, "0600 0:0");
}

void
dn_verify_promise_danchid (GPtrArray *promises, guint64 capabilities)
{
  dn_verify_promise (promises, "uid", "R2.2", DN_HOW_EQUAL, "0 0 0 0");
  dn_verify_promise (promises, "cap.inheritable", "R2.2", DN_HOW_SUBSET, "0000000000000000");
  dn_verify_promise (promises, "cap.ambient", "R2.2", DN_HOW_SUBSET, "0000000000000000");
  dn_verify_promisef (promises, "cap.bounding", "R2.2", DN_HOW_SUBSET, "%016" G_GINT64_MODIFIER "x",
                      capabilities);
  dn_verify_promisef (promises, "cap.permitted", "R2.2", DN_HOW_SUBSET,
                      "%016" G_GINT64_MODIFIER "x", capabilities);
  dn_verify_promise (promises, "no_new_privs", "R3.4", DN_HOW_EQUAL, "1");
  dn_verify_promise (promises, "seccomp.mode", "R2.2", DN_HOW_EQUAL, "2");
  dn_verify_promise (promises, "rlimit.RLIMIT_CORE", "R2.2", DN_HOW_AT_MOST, "0 0");
  dn_verify_promise (promises, "file.run", "R2.2", DN_HOW_EQUAL, "0711 0:0");
  dn_verify_promise (promises, "file.run/journal", "R2.2", DN_HOW_EQUAL, "0700 0:0");
  dn_verify_promise (promises, "file.state", "R2.2", DN_HOW_EQUAL, "0711 0:0");
  dn_verify_promise (promises, "file.state/containers", "R2.2", DN_HOW_EQUAL, "0700 0:0");
  dn_verify_promise (promises, "file.state/contexts", "R2.2", DN_HOW_EQUAL, "0700 0:0");
}
