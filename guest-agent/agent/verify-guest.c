/* SPDX-License-Identifier: Apache-2.0 */
/* What the guest's kernel says of itself, and of the agent. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "../mapper/verity-words.h"
#include "autofd.h"
#include "verify.h"

static void
add_file (DnFacts *facts, const char *path, const char *name)
{
  char text[DN_FACT_VALUE_BYTES + 1];

  if (dn_facts_read_file (AT_FDCWD, path, text, sizeof text) == 0)
    dn_facts_add (facts, 0, name, text);
  else
    dn_facts_add (facts, 0, name, "absent");
}

static void
add_sysctls (DnFacts *facts)
{
  static const char *const paths[] = {
#define DN_GUEST_SYSCTL(path, value, demand) path,
#include "../../protocol/verify.def"
  };

  for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
    {
      char path[128];
      char name[128];

      (void) snprintf (path, sizeof path, "/proc/sys/%s", paths[i]);
      (void) snprintf (name, sizeof name, "sysctl.%s", paths[i]);
      add_file (facts, path, name);
    }
}

static void
add_root (DnFacts *facts)
{
  struct statvfs root;

  if (statvfs ("/", &root) == 0)
    dn_facts_addf (facts, 0, "mount./", "%s%s%s", (root.f_flag & ST_RDONLY) != 0 ? "ro" : "rw",
                   (root.f_flag & ST_NOSUID) != 0 ? ",nosuid" : "",
                   (root.f_flag & ST_NODEV) != 0 ? ",nodev" : "");
}

/* The root hash by which the kernel checks the root; or why it does not. */
static void
add_root_hash (DnFacts *facts)
{
  DnMapperTable table;
  struct stat root;
  char status[64], hash[DN_VERITY_ROOT_BYTES + 1];
  int r = stat ("/", &root) < 0 ? -errno
                                : dn_mapper_read (root.st_dev, &table, status, sizeof status);

  if (r < 0)
    dn_facts_addf (facts, 0, "root.hash", "none: %s", strerror (-r));
  else if (strcmp (table.target, DN_VERITY_TARGET) != 0
           || dn_verity_find_root (table.parameters, hash, sizeof hash) < 0)
    dn_facts_addf (facts, 0, "root.hash", "none: a target '%s'", table.target);
  else if (strcmp (status, "V") != 0)
    dn_facts_addf (facts, 0, "root.hash", "%s, and a block did not have it", hash);
  else
    dn_facts_add (facts, 0, "root.hash", hash);
}

void
dn_verify_guest (DnFacts *facts, const DnAgent *agent)
{
  struct sysinfo info;
  char executable[256];
  ssize_t n = readlink ("/proc/self/exe", executable, sizeof executable - 1);

  (void) agent;
  add_sysctls (facts);
  /* Nothing in a guest needs securityfs but this; it is mounted for nobody else. */
  if (unshare (CLONE_NEWNS) == 0 && mount (NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0)
    (void) mount ("securityfs", "/sys/kernel/security", "securityfs", MS_NOSUID | MS_NODEV, NULL);
  add_file (facts, "/proc/cmdline", "command_line");
  add_file (facts, "/sys/kernel/security/lsm", "lsm");
  add_file (facts, "/sys/kernel/security/lockdown", "lockdown");
  add_file (facts, "/proc/sys/kernel/random/boot_id", "boot_id");
  add_root (facts);
  add_root_hash (facts);
  add_file (facts, "/proc/self/oom_score_adj", "agent.oom_score_adj");
  add_file (facts, "/proc/self/cgroup", "agent.cgroup");
  if (n > 0)
    {
      executable[n] = '\0';
      dn_facts_add (facts, 0, "agent.executable", executable);
    }
  if (sysinfo (&info) == 0)
    dn_facts_addf (facts, 0, "memory_bytes", "%llu",
                   (unsigned long long) info.totalram * info.mem_unit);
  dn_facts_addf (facts, 0, "processors", "%ld", sysconf (_SC_NPROCESSORS_CONF));
}
