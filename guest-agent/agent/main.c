/* SPDX-License-Identifier: Apache-2.0 */
/* danchi-agent: makes and watches the containers of one guest, for the host.
 *
 * init has mounted what it needs; when it ends, the guest is switched off. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "agent.h"
#include "audit.h"
#include "autofd.h"
#include "console.h"
#include "container.h"
#include "damage.h"
#include "secret-memory.h"
#include "victim.h"
#include "volume.h"

#define SECRET_FILE "/sys/firmware/qemu_fw_cfg/by_name/" DN_LINK_FW_CFG "/raw"
#define DESCRIPTORS_MAX 16384

static const struct option long_options[] = {
  { "test-socket", required_argument, NULL, 's' },
  { "test-audit", required_argument, NULL, 'a' },
  { "test-events", required_argument, NULL, 'e' },
  { "test-log", required_argument, NULL, 'l' },
  { "secret-file", required_argument, NULL, 'f' },
  { "cgroup-root", required_argument, NULL, 'c' },
  { "run-dir", required_argument, NULL, 'r' },
  { "allow-missing-controllers", no_argument, NULL, 'm' },
  { "reaper", required_argument, NULL, 'i' },
  { "keeper", required_argument, NULL, 'k' },
  { "disk", required_argument, NULL, 'd' },
  { "volume-template", required_argument, NULL, 'v' },
  { "share", required_argument, NULL, 'h' },
  { NULL, 0, NULL, 0 },
};

/* In a guest there are no options: all are for tests of the agent as an ordinary process. */
static int
read_options (int argc, char **argv, DnAgentOptions *options)
{
  const int disks_max = (int) (sizeof options->test_disks / sizeof options->test_disks[0]);
  int option;

  *options = (DnAgentOptions){ .run_dir = "/run/danchi",
                               .cgroup_root = "/sys/fs/cgroup",
                               .secret_file = SECRET_FILE,
                               .reaper = "/sbin/danchi-reaper",
                               .keeper = "/sbin/danchi-keeper",
                               .volume_template = DN_VOLUME_TEMPLATE,
                               .test_socket = -1,
                               .test_audit = -1,
                               .test_log = -1,
                               .test_events = -1 };
  while ((option = getopt_long (argc, argv, "", long_options, NULL)) >= 0)
    switch (option)
      {
      case 's':
        options->test_socket = atoi (optarg);
        options->is_test = true;
        break;
      case 'a':
        options->test_audit = atoi (optarg);
        break;
      case 'e':
        options->test_events = atoi (optarg);
        break;
      case 'l':
        options->test_log = atoi (optarg);
        break;
      case 'f':
        options->secret_file = optarg;
        break;
      case 'c':
        options->cgroup_root = optarg;
        break;
      case 'r':
        options->run_dir = optarg;
        break;
      case 'v':
        options->volume_template = optarg;
        break;
      case 'h':
        options->test_share = optarg;
        break;
      case 'i':
        options->reaper = optarg;
        break;
      case 'k':
        options->keeper = optarg;
        break;
      case 'm':
        options->allow_missing_controllers = true;
        break;
      case 'd':
        if (strchr (optarg, '=') == NULL || options->test_disk_count == disks_max)
          return -EINVAL;
        options->test_disks[options->test_disk_count++] = optarg;
        break;
      default:
        return -EINVAL;
      }
  return optind == argc ? 0 : -EINVAL;
}

/* The secret lies in a page of its own that is never written to a swap or a core file and that no
 * child gets: a fork finds zeroes there. */
static int
read_secret (DnAgent *agent, DnFault *fault)
{
  dn_autofd int fd = open (agent->options.secret_file, O_RDONLY | O_CLOEXEC);
  void *page = dn_secret_memory_new (4096);

  if (fd < 0)
    return dn_fault_set_errno (fault, "the boot's secret, '%s'", agent->options.secret_file);
  if (page == NULL)
    return dn_fault_set_errno (fault, "memory for the boot's secret");
  if (read (fd, page, DN_LINK_SECRET_BYTES) != DN_LINK_SECRET_BYTES)
    return dn_fault_set (fault, -EINVAL, "the boot's secret is not %d bytes", DN_LINK_SECRET_BYTES);
  agent->secret = page;
  return 0;
}

static int
make_directories (const DnAgentOptions *options, DnFault *fault)
{
  static const struct
  {
    const char *name;
    mode_t mode;
  } all[] = {
    /* A container's root passes through here before pivot, as an ordinary user of the guest. */
    { "", 0711 },      { "/disks", 0700 },  { "/root", 0755 },    { "/files", 0755 },
    { "/work", 0700 }, { "/vaults", 0700 }, { "/volumes", 0700 }, { "/pod", 0700 },
  };

  for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
    {
      char path[512];

      (void) snprintf (path, sizeof path, "%s%s", options->run_dir, all[i].name);
      if ((mkdir (path, all[i].mode) < 0 && errno != EEXIST) || chmod (path, all[i].mode) < 0)
        return dn_fault_set_errno (fault, "make '%s'", path);
    }
  return 0;
}

/* Descriptors 0 to 2 must be something: what the children are given is put there. */
static int
fill_standard_descriptors (void)
{
  int fd;

  do
    fd = open ("/dev/null", O_RDWR | O_CLOEXEC);
  while (fd >= 0 && fd <= 2);
  if (fd < 0)
    return -errno;
  return close (fd);
}

static void
protect_process (const DnAgentOptions *options)
{
  struct rlimit files = { DESCRIPTORS_MAX, DESCRIPTORS_MAX };
  dn_autofd int fd = -1;

  (void) signal (SIGPIPE, SIG_IGN);
  (void) umask (022);
  /* Children inherit it: none of them can be traced from inside a container before it executes. */
  (void) prctl (PR_SET_DUMPABLE, 0);
  if (options->is_test)
    return;
  (void) setrlimit (RLIMIT_NOFILE, &files);
  /* When memory runs out in the guest, a container is to go, not the way to its host. */
  fd = open ("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (fd >= 0)
    (void) !write (fd, "-1000", 5);
}

static void
after_turn (void *data)
{
  DnAgent *agent = data;

  if (agent->channel != NULL)
    dn_channel_flush (agent->channel);
}

static int
set_up (DnAgent *agent, DnFault *fault)
{
  const DnAgentOptions *options = &agent->options;
  int r;

  if ((r = dn_loop_init (&agent->loop)) < 0)
    return dn_fault_set (fault, r, "make the event loop: %s", strerror (-r));
  agent->loop.after_turn = after_turn;
  agent->loop.after_turn_data = agent;
  dn_timer_init (&agent->end_timer, &agent->loop, NULL, agent);
  dn_streams_init (&agent->streams, &agent->loop);
  dn_disks_init (&agent->disks, options->run_dir);
  agent->disks.test_disks = options->test_disks;
  agent->disks.test_disk_count = options->test_disk_count;
  agent->volumes = dn_volumes_new ();
  if (agent->volumes == NULL)
    return dn_fault_set (fault, -ENOMEM, "no memory");
  dn_pod_init (&agent->pod);
  dn_pod_keeper_init (agent);
  agent->own_pid_namespace = open ("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
  if (agent->own_pid_namespace < 0)
    return dn_fault_set_errno (fault, "open the guest's pid namespace");
  if ((r = read_secret (agent, fault)) < 0 || (r = make_directories (options, fault)) < 0
      || (r = dn_cgroups_open (&agent->cgroups, options->cgroup_root,
                               options->allow_missing_controllers, fault))
             < 0
      || (r = dn_audit_open (agent, options->test_audit, fault)) < 0
      || (r = dn_damage_open (agent, options->test_events, fault)) < 0)
    return r;
  dn_victim_open (agent, options->test_log);
  return dn_transport_open (&agent->transport, agent, fault);
}

int
main (int argc, char **argv)
{
  static DnAgent agent;
  DnFault fault;
  int status;

  if (fill_standard_descriptors () < 0 || read_options (argc, argv, &agent.options) < 0)
    return 2;
  dn_console_open (agent.options.is_test);
  dn_console_milestone (DN_MILESTONE_AGENT);
  protect_process (&agent.options);
  if (set_up (&agent, &fault) < 0)
    {
      dn_console_log ("%s", fault.message);
      return 1;
    }
  dn_console_milestone (DN_MILESTONE_LISTENING);
  status = dn_loop_run (&agent.loop);
  dn_containers_kill_all (&agent);
  return status < 0 ? 1 : status;
}
