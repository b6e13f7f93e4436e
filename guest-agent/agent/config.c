/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

uint64_t
dn_config_weight_of_shares (uint64_t shares)
{
  if (shares < 2)
    shares = 2;
  if (shares > 262144)
    shares = 262144;
  return 1 + (shares - 2) * 9999 / 262142;
}

bool
dn_config_sysctl_is_namespaced (const char *name)
{
  static const char *const whole[]
      = { "kernel.sem",    "kernel.shm_rmid_forced", "kernel.shmall", "kernel.shmmax",
          "kernel.shmmni", "kernel.msgmax",          "kernel.msgmnb", "kernel.msgmni" };
  static const char *const groups[] = { "net.", "fs.mqueue." };

  /* A name becomes a path: no way up, no slash of its own. */
  if (strlen (name) > 128 || strstr (name, "..") != NULL
      || strspn (name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")
             != strlen (name))
    return false;
  for (size_t i = 0; i < sizeof whole / sizeof whole[0]; i++)
    if (strcmp (name, whole[i]) == 0)
      return true;
  for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++)
    if (strncmp (name, groups[i], strlen (groups[i])) == 0)
      return true;
  return false;
}

static int
read_mapping (const json_t *linux_object, const char *name, uint32_t *ret_first,
              uint32_t *ret_count, DnFault *fault)
{
  json_t *array = NULL;
  json_t *range;
  int64_t inside = -1;
  int64_t outside = 0;
  int64_t count = 0;
  int r = dn_json_array (linux_object, name, 1, &array, fault);

  if (r < 0)
    return r;
  range = json_array_get (array, 0);
  if (!json_is_object (range))
    return dn_fault_set (fault, -EINVAL, "config: '%s': exactly one range is needed", name);
  if ((r = dn_json_int (range, "containerID", 0, UINT32_MAX, &inside, fault)) < 0
      || (r = dn_json_int (range, "hostID", 0, UINT32_MAX, &outside, fault)) < 0
      || (r = dn_json_int (range, "size", 0, DN_CONFIG_IDS_MAX, &count, fault)) < 0)
    return r;
  if (inside != 0 || count < 1)
    return dn_fault_set (fault, -EINVAL, "config: '%s': must begin with id 0 and not be empty",
                         name);
  /* The heart of the matter: no id of the container's is the guest's root. */
  if (outside == 0 || outside + count > (int64_t) INT32_MAX)
    return dn_fault_set (fault, -EINVAL, "config: '%s': %lld is no id for a container", name,
                         (long long) outside);
  *ret_first = (uint32_t) outside;
  *ret_count = (uint32_t) count;
  return 0;
}

static int
read_namespaces (const json_t *linux_object, DnFault *fault)
{
  json_t *array = NULL;
  json_t *element;
  size_t i;
  int r = dn_json_array (linux_object, "namespaces", 16, &array, fault);

  if (r < 0)
    return r;
  /* All namespaces are always new, so the list says nothing; but to join one is refused. */
  json_array_foreach (array, i, element) if (
      json_object_get (element, "path")
      != NULL) return dn_fault_set (fault, -EINVAL,
                                    "config: 'namespaces': joining others' is not possible");
  return 0;
}

static int
read_sysctls (const json_t *linux_object, DnConfig *config, DnFault *fault)
{
  const char *name;
  json_t *value;
  int r = dn_json_object (linux_object, "sysctl", &config->sysctls, fault);

  if (r < 0 || config->sysctls == NULL)
    return r;
  if (json_object_size (config->sysctls) > DN_CONFIG_SYSCTLS_MAX)
    return dn_fault_set (fault, -E2BIG, "config: 'sysctl': more than %d", DN_CONFIG_SYSCTLS_MAX);
  json_object_foreach (config->sysctls, name, value)
  {
    if (!json_is_string (value))
      return dn_fault_set (fault, -EINVAL, "config: sysctl '%s': must be a text", name);
    if (!dn_config_sysctl_is_namespaced (name))
      return dn_fault_set (fault, -EPERM, "sysctl '%s': is not the container's own", name);
  }
  return 0;
}

static int
read_linux (DnConfig *config, DnFault *fault)
{
  json_t *linux_object = NULL;
  json_t *resources = NULL;
  const char *label = NULL;
  uint32_t gid_count = 0;
  int r = dn_json_object (config->document, "linux", &linux_object, fault);

  if (r < 0)
    return r;
  if ((r = read_mapping (linux_object, "uidMappings", &config->first_uid, &config->id_count, fault))
          < 0
      || (r = read_mapping (linux_object, "gidMappings", &config->first_gid, &gid_count, fault)) < 0
      || (r = read_namespaces (linux_object, fault)) < 0
      || (r = read_sysctls (linux_object, config, fault)) < 0
      || (r = dn_json_texts (linux_object, "maskedPaths", DN_CONFIG_PATHS_MAX,
                             &config->masked_paths, fault))
             < 0
      || (r = dn_json_texts (linux_object, "readonlyPaths", DN_CONFIG_PATHS_MAX,
                             &config->readonly_paths, fault))
             < 0
      || (r = dn_json_object (linux_object, "resources", &resources, fault)) < 0
      || (r = dn_json_text (linux_object, "mountLabel", &label, fault)) < 0)
    return r;
  if (label != NULL && label[0] != '\0')
    return dn_fault_set (fault, -EINVAL, "config: 'mountLabel': this guest has no such LSM");
  if (gid_count != config->id_count)
    return dn_fault_set (fault, -EINVAL, "config: 'gidMappings': not as many as 'uidMappings'");
  return dn_config_resources (resources, &config->resources, fault);
}

/* A decimal number from @least to @most, or -1. */
static int64_t
parse_number (const char *text, int64_t least, int64_t most)
{
  char *end = NULL;
  long long number;

  if (text[0] < '0' || text[0] > '9')
    return -1;
  errno = 0;
  number = strtoll (text, &end, 10);
  return errno != 0 || *end != '\0' || number < least || number > most ? -1 : number;
}

static int
read_pod (const json_t *annotations, DnConfig *config, DnFault *fault)
{
  const char *share = NULL, *pod = NULL;
  int64_t number;
  int r;

  if ((r = dn_json_text (annotations, DN_CONFIG_ANNOTATION_ROOT_SHARE, &share, fault)) < 0
      || (r = dn_json_text (annotations, DN_CONFIG_ANNOTATION_POD, &pod, fault)) < 0)
    return r;
  config->is_of_pod = pod != NULL;
  if ((r = dn_json_text (annotations, DN_CONFIG_ANNOTATION_PROCESSES, &config->processes, fault))
      < 0)
    return r;
  if (config->processes != NULL && !config->is_of_pod)
    return dn_fault_set (fault, -EINVAL, "config: '%s': its container is of no pod",
                         DN_CONFIG_ANNOTATION_PROCESSES);
  if (share == NULL)
    return 0;
  number = parse_number (share, 0, INT32_MAX);
  if (number < 0)
    return dn_fault_set (fault, -EINVAL, "config: '%s': must be a number of the share's",
                         DN_CONFIG_ANNOTATION_ROOT_SHARE);
  config->has_root_share = true;
  config->root_share = (uint32_t) number;
  return 0;
}

static int
read_annotations (DnConfig *config, DnFault *fault)
{
  json_t *annotations = NULL;
  const char *writable = NULL;
  int64_t bytes;
  int r = dn_json_object (config->document, "annotations", &annotations, fault);

  config->writable_bytes = DN_CONFIG_WRITABLE_DEFAULT_BYTES;
  if (r < 0 || annotations == NULL)
    return r;
  if ((r = dn_json_text (annotations, DN_CONFIG_ANNOTATION_USER, &config->process.user, fault)) < 0
      || (r = dn_json_text (annotations, DN_CONFIG_ANNOTATION_WRITABLE, &writable, fault)) < 0
      || (r = dn_json_text (annotations, DN_CONFIG_ANNOTATION_SCRATCH, &config->scratch_serial,
                            fault))
             < 0
      || (r = read_pod (annotations, config, fault)) < 0)
    return r;
  if (writable == NULL)
    return 0;
  bytes = parse_number (writable, 1, INT64_MAX);
  config->writable_bytes = bytes < 0 ? 0 : (uint64_t) bytes;
  if (bytes < 0)
    return dn_fault_set (fault, -EINVAL, "config: '%s': must be a number of bytes",
                         DN_CONFIG_ANNOTATION_WRITABLE);
  return 0;
}

static int
read_mounts (DnConfig *config, DnFault *fault)
{
  json_t *array = NULL;
  json_t *element;
  size_t i;
  int r = dn_json_array (config->document, "mounts", DN_CONFIG_MOUNTS_MAX, &array, fault);

  if (r < 0 || json_array_size (array) == 0)
    return r;
  config->mounts = calloc (json_array_size (array), sizeof *config->mounts);
  if (config->mounts == NULL)
    return dn_fault_set (fault, -ENOMEM, "config: no memory");
  json_array_foreach (array, i, element)
  {
    config->mount_count++;
    if ((r = dn_config_mount (element, &config->mounts[i], fault)) < 0)
      return r;
    if (config->mounts[i].disk != NULL && ++config->disk_mount_count > DN_CONFIG_DISK_MOUNTS_MAX)
      return dn_fault_set (fault, -E2BIG, "config: mount '%s': more than %d disks",
                           config->mounts[i].target, DN_CONFIG_DISK_MOUNTS_MAX);
    if (config->mounts[i].volume != NULL
        && ++config->volume_mount_count > DN_CONFIG_VOLUME_MOUNTS_MAX)
      return dn_fault_set (fault, -E2BIG, "config: mount '%s': more than %d volumes",
                           config->mounts[i].target, DN_CONFIG_VOLUME_MOUNTS_MAX);
    if (config->mounts[i].memory != NULL && ++config->pod_mount_count > DN_CONFIG_POD_MOUNTS_MAX)
      return dn_fault_set (fault, -E2BIG, "config: mount '%s': more than %d of the pod",
                           config->mounts[i].target, DN_CONFIG_POD_MOUNTS_MAX);
    if (strcmp (config->mounts[i].type, DN_CONFIG_MOUNT_SECRETS) != 0)
      continue;
    if (config->secrets != NULL)
      return dn_fault_set (fault, -EINVAL, "config: mount '%s': secrets are mounted once",
                           config->mounts[i].target);
    config->secrets = &config->mounts[i];
  }
  return 0;
}

static int
read_container (DnConfig *config, DnFault *fault)
{
  json_t *root = NULL;
  json_t *process = NULL;
  json_t *hooks = NULL;
  int r;

  if ((r = dn_json_object (config->document, "process", &process, fault)) < 0
      || (r = dn_json_object (config->document, "root", &root, fault)) < 0
      || (r = dn_json_object (config->document, "hooks", &hooks, fault)) < 0
      || (r = dn_json_text (config->document, "hostname", &config->hostname, fault)) < 0)
    return r;
  if (json_object_size (hooks) > 0)
    return dn_fault_set (fault, -EINVAL, "config: 'hooks': there are none in a guest");
  if (config->hostname != NULL && strlen (config->hostname) > DN_HOSTNAME_BYTES)
    return dn_fault_set (fault, -EINVAL, "config: 'hostname': longer than %d bytes",
                         DN_HOSTNAME_BYTES);
  /* Where nothing is said the root is read-only: the stricter reading. */
  config->is_root_readonly = true;
  if ((r = dn_json_bool (root, "readonly", &config->is_root_readonly, fault)) < 0
      || (r = dn_config_process (process, &config->process, fault)) < 0
      || (r = read_annotations (config, fault)) < 0 || (r = read_mounts (config, fault)) < 0)
    return r;
  return read_linux (config, fault);
}

int
dn_config_read (const char *text, size_t size, DnConfig *ret_config, DnFault *fault)
{
  int r;

  memset (ret_config, 0, sizeof *ret_config);
  r = dn_json_parse (text, size, &ret_config->document, fault);
  return r < 0 ? r : read_container (ret_config, fault);
}

int
dn_config_read_process (const char *text, size_t size, DnConfig *ret_config, DnFault *fault)
{
  json_t *annotations = NULL;
  int r;

  memset (ret_config, 0, sizeof *ret_config);
  if ((r = dn_json_parse (text, size, &ret_config->document, fault)) < 0
      || (r = dn_config_process (ret_config->document, &ret_config->process, fault)) < 0
      || (r = dn_json_object (ret_config->document, "annotations", &annotations, fault)) < 0)
    return r;
  return dn_json_text (annotations, DN_CONFIG_ANNOTATION_USER, &ret_config->process.user, fault);
}

void
dn_config_clear (DnConfig *config)
{
  dn_texts_clear (&config->process.args);
  dn_texts_clear (&config->process.env);
  dn_texts_clear (&config->masked_paths);
  dn_texts_clear (&config->readonly_paths);
  for (size_t i = 0; i < config->mount_count; i++)
    {
      free (config->mounts[i].sub);
      for (size_t j = 0; j < config->mounts[i].option_count; j++)
        free (config->mounts[i].options[j]);
      dn_texts_clear (&config->mounts[i].layers);
      dn_texts_clear (&config->mounts[i].files);
      dn_texts_clear (&config->mounts[i].links);
    }
  free (config->mounts);
  json_decref (config->document);
  memset (config, 0, sizeof *config);
}
