/* SPDX-License-Identifier: Apache-2.0 */
/* What a container and a process are to be: the OCI runtime-spec documents, read strictly.
 *
 * The document is the host's, made of a user's wishes and an image's config, so its texts are the
 * tenant's.  Members this agent does not know are ignored, as the specification demands, except
 * those whose neglect would weaken the container: hooks, bind mounts, joined namespaces, LSM
 * labels and the like are refused.  linux.seccomp is ignored: the filter comes as compiled BPF.
 *
 * Pure: no I/O.  Texts are borrowed from the document, which the config owns.
 * Source: OCI runtime-spec 1.1, config.md and config-linux.md.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>

#include "json.h"

#define DN_CONFIG_ARGS_MAX 4096
#define DN_CONFIG_ENV_MAX 4096
#define DN_CONFIG_GROUPS_MAX 64
#define DN_CONFIG_MOUNTS_MAX 128
#define DN_CONFIG_MOUNT_OPTIONS_MAX 16
#define DN_CONFIG_DISK_MOUNTS_MAX 4
#define DN_CONFIG_VOLUME_MOUNTS_MAX 32
#define DN_CONFIG_POD_MOUNTS_MAX 32
#define DN_CONFIG_TREES_MAX                                                                        \
  (DN_CONFIG_DISK_MOUNTS_MAX + DN_CONFIG_VOLUME_MOUNTS_MAX + DN_CONFIG_POD_MOUNTS_MAX)
#define DN_CONFIG_PATHS_MAX 256
#define DN_CONFIG_SYSCTLS_MAX 64
#define DN_CONFIG_IDS_MAX 65536 /* in a container's range of ids */
#define DN_CONFIG_USER_BYTES 256

/* Annotations of ours. */
#define DN_CONFIG_ANNOTATION_USER "org.danchi.user"
#define DN_CONFIG_ANNOTATION_WRITABLE "org.danchi.writable-bytes"
/* Of the disk that a writable root is to be on, its serial number; without it, it is in memory. */
#define DN_CONFIG_ANNOTATION_SCRATCH "org.danchi.scratch-disk"
/* The name in the guest's share of the root, in the place of a disk's: share.h. */
#define DN_CONFIG_ANNOTATION_ROOT_SHARE "org.danchi.root-share"
/* The container is the pod's that this guest is: pod.h. */
#define DN_CONFIG_ANNOTATION_POD "org.danchi.pod"
/* Whose namespace of processes it joins: the pod's, or of a container of the pod by its id; without
 * it, it has its own: container-processes.h. */
#define DN_CONFIG_ANNOTATION_PROCESSES "org.danchi.processes"
#define DN_CONFIG_PROCESSES_OF_POD "pod"

#define DN_CONFIG_WRITABLE_DEFAULT_BYTES (64 * 1024 * 1024)

typedef struct
{
  uint64_t inheritable;
  uint64_t permitted;
  uint64_t effective;
  uint64_t bounding;
  uint64_t ambient;
} DnCapabilities;

typedef struct
{
  bool is_set;
  struct rlimit limit;
} DnConfigLimit;

/* The OCI process object. */
typedef struct
{
  DnTexts args;
  DnTexts env;
  const char *cwd;  /* absolute */
  const char *user; /* "name", "name:group", "uid", "uid:gid": resolved in the container; or NULL */
  uint32_t uid;     /* where user is NULL, as gid and groups */
  uint32_t gid;
  uint32_t groups[DN_CONFIG_GROUPS_MAX];
  size_t group_count;
  uint32_t umask;
  DnCapabilities capabilities;
  DnConfigLimit limits[RLIM_NLIMITS];
  int32_t oom_score_adj;
} DnProcessConfig;

/* The types of mounts whose tree is the agent's to make: of a disk, of a volume, of a pod. */
#define DN_CONFIG_MOUNT_DISK "disk"
/* The type of the place of a bind, which is mounted there later: share.h. */
#define DN_CONFIG_MOUNT_SHARE "share"
/* The type of the mount of a container's secrets: vault.h. */
#define DN_CONFIG_MOUNT_SECRETS "secrets"
#define DN_CONFIG_MOUNT_VOLUME "volume"
/* The type of the mount of a directory in memory that is the pod's: pod-memory.h. */
#define DN_CONFIG_MOUNT_POD "pod"

typedef struct
{
  const char *target; /* absolute, within the container */
  const char
      *type; /* proc, tmpfs, devpts, mqueue, sysfs, cgroup2, disk, pod, share, volume or secrets */
  const char *disk; /* of type disk: its serial number, and its layers: disk-mounts.h */
  DnTexts layers;
  const char *volume; /* of type volume: what VOLUME_OPEN called it */
  const char *memory; /* of type pod: what it is called */
  char *sub;          /* owned; of type pod: which directory of it, "a/b"; or NULL: all of it */
  DnTexts files;      /* of type secrets: their names, and links to them */
  DnTexts links;
  unsigned long attributes; /* MOUNT_ATTR_*; nosuid always, nodev wherever no device is needed */
  char *options[DN_CONFIG_MOUNT_OPTIONS_MAX]; /* owned; "key=value" or "key" for the file system */
  size_t option_count;
  bool is_filled; /* a tmpfs or volume: with what the image has there */
  bool is_file;   /* of type share: what is to be mounted there is a file */
} DnConfigMount;

/* 0: not given; DN_LIMIT_NONE: none. */
typedef struct
{
  uint64_t memory_bytes;
  uint64_t memory_high_bytes;
  uint64_t memory_low_bytes;
  uint64_t pids;
  uint64_t cpu_quota_us;
  uint64_t cpu_period_us;
  uint64_t cpu_weight;
  bool ends_whole; /* when one of its processes is ended for want of memory, all are */
} DnResources;

typedef struct
{
  json_t *document; /* owned */
  DnProcessConfig process;
  bool is_root_readonly;
  uint64_t writable_bytes;
  const char *scratch_serial; /* or NULL */
  bool has_root_share;        /* its root is a name in the share, and no disk */
  uint32_t root_share;
  bool is_of_pod;        /* it shares the pod's user, ipc, uts and network namespaces */
  const char *processes; /* or NULL: its own */
  const char *hostname;
  bool needs_files;      /* /etc/hosts and its like, whatever the image has: set by its maker */
  DnConfigMount *mounts; /* owned */
  size_t mount_count;
  size_t disk_mount_count;      /* of them, those of type disk */
  size_t volume_mount_count;    /* likewise, of type volume */
  size_t pod_mount_count;       /* likewise, of type pod */
  const DnConfigMount *secrets; /* of them, the one of type secrets, or NULL */
  uint32_t first_uid;           /* guest ids of the container's id 0 */
  uint32_t first_gid;
  uint32_t id_count;
  DnTexts masked_paths;
  DnTexts readonly_paths;
  json_t *sysctls; /* an object of texts, or NULL; names were checked */
  DnResources resources;
} DnConfig;

/**
 * dn_config_read:
 * @ret_config: (out): zeroed first; dn_config_clear() it in any case
 *
 * Returns: 0, or -EINVAL or -E2BIG with @fault naming the member
 */
int dn_config_read (const char *text, size_t size, DnConfig *ret_config, DnFault *fault);

/* Likewise, a process object alone: only document and process are set. */
int dn_config_read_process (const char *text, size_t size, DnConfig *ret_config, DnFault *fault);

void dn_config_clear (DnConfig *config);

/* Parts of the above, in files of their own. */
int dn_config_process (const json_t *object, DnProcessConfig *process, DnFault *fault);
int dn_config_mount (const json_t *object, DnConfigMount *mount, DnFault *fault);
int dn_config_secrets (const json_t *object, DnConfigMount *mount, DnFault *fault);
int dn_config_resources (const json_t *object, DnResources *resources, DnFault *fault);

/* Whether the agent makes the mount's tree, since the root of a user namespace can mount no device.
 */
bool dn_config_mount_has_tree (const DnConfigMount *mount);

/* CPU shares of cgroup v1 (2 to 262144) as a weight of v2 (1 to 10000). */
uint64_t dn_config_weight_of_shares (uint64_t shares);

/* What of @sets a process of the container's id @uid gets: root all of them, any other user the
 * ambient set alone, which is what somebody asked for by name.  Only here is it known who a user of
 * the image is. */
DnCapabilities dn_config_capabilities_of (const DnCapabilities *sets, uint32_t uid);

/* Whether a sysctl belongs to the container's own namespaces, so that setting it changes nothing
 * for others. */
bool dn_config_sysctl_is_namespaced (const char *name);
