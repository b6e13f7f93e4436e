/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <errno.h>
#include <string.h>

static const char *const capability_names[] = {
#define DN_CAPABILITY(name) name,
#include "../../protocol/capability.def"
#undef DN_CAPABILITY
};

static const struct
{
  const char *name;
  int resource;
} limit_names[] = {
  { "RLIMIT_AS", RLIMIT_AS },
  { "RLIMIT_CORE", RLIMIT_CORE },
  { "RLIMIT_CPU", RLIMIT_CPU },
  { "RLIMIT_DATA", RLIMIT_DATA },
  { "RLIMIT_FSIZE", RLIMIT_FSIZE },
  { "RLIMIT_LOCKS", RLIMIT_LOCKS },
  { "RLIMIT_MEMLOCK", RLIMIT_MEMLOCK },
  { "RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE },
  { "RLIMIT_NICE", RLIMIT_NICE },
  { "RLIMIT_NOFILE", RLIMIT_NOFILE },
  { "RLIMIT_NPROC", RLIMIT_NPROC },
  { "RLIMIT_RSS", RLIMIT_RSS },
  { "RLIMIT_RTPRIO", RLIMIT_RTPRIO },
  { "RLIMIT_RTTIME", RLIMIT_RTTIME },
  { "RLIMIT_SIGPENDING", RLIMIT_SIGPENDING },
  { "RLIMIT_STACK", RLIMIT_STACK },
};

static int
read_capability_set (const json_t *object, const char *name, uint64_t *ret_set, DnFault *fault)
{
  const size_t count = sizeof capability_names / sizeof capability_names[0];
  json_t *array = NULL;
  json_t *element;
  size_t i;
  int r = dn_json_array (object, name, count, &array, fault);

  if (r < 0)
    return r;
  json_array_foreach (array, i, element)
  {
    const char *text = json_string_value (element);
    size_t number = 0;

    if (text != NULL && strncmp (text, "CAP_", 4) == 0)
      while (number < count && strcmp (text + 4, capability_names[number]) != 0)
        number++;
    else
      number = count;
    if (number == count)
      return dn_fault_set (fault, -EINVAL, "config: '%s': '%s' is no capability", name,
                           text != NULL ? text : "?");
    *ret_set |= UINT64_C (1) << number;
  }
  return 0;
}

static int
read_capabilities (const json_t *process, DnCapabilities *sets, DnFault *fault)
{
  json_t *object = NULL;
  int r;

  if ((r = dn_json_object (process, "capabilities", &object, fault)) < 0
      || (r = read_capability_set (object, "bounding", &sets->bounding, fault)) < 0
      || (r = read_capability_set (object, "permitted", &sets->permitted, fault)) < 0
      || (r = read_capability_set (object, "effective", &sets->effective, fault)) < 0
      || (r = read_capability_set (object, "inheritable", &sets->inheritable, fault)) < 0
      || (r = read_capability_set (object, "ambient", &sets->ambient, fault)) < 0)
    return r;
  if ((sets->effective & ~sets->permitted) != 0
      || (sets->ambient & ~(sets->permitted & sets->inheritable)) != 0)
    return dn_fault_set (fault, -EINVAL, "config: 'capabilities': the sets contradict each other");
  return 0;
}

DnCapabilities
dn_config_capabilities_of (const DnCapabilities *sets, uint32_t uid)
{
  DnCapabilities others = { .inheritable = sets->ambient,
                            .permitted = sets->ambient,
                            .effective = sets->ambient,
                            .bounding = sets->bounding,
                            .ambient = sets->ambient };

  return uid == 0 ? *sets : others;
}

static int
read_limits (const json_t *process, DnConfigLimit *limits, DnFault *fault)
{
  const size_t count = sizeof limit_names / sizeof limit_names[0];
  json_t *array = NULL;
  json_t *element;
  size_t i;
  int r = dn_json_array (process, "rlimits", count, &array, fault);

  if (r < 0)
    return r;
  json_array_foreach (array, i, element)
  {
    const char *type = NULL;
    int64_t soft = -1;
    int64_t hard = -1;
    size_t known = 0;

    if ((r = dn_json_text (element, "type", &type, fault)) < 0
        || (r = dn_json_int (element, "soft", -1, INT64_MAX, &soft, fault)) < 0
        || (r = dn_json_int (element, "hard", -1, INT64_MAX, &hard, fault)) < 0)
      return r;
    while (known < count && (type == NULL || strcmp (type, limit_names[known].name) != 0))
      known++;
    if (known == count || (uint64_t) soft > (uint64_t) hard)
      return dn_fault_set (fault, -EINVAL, "config: rlimit '%s': unknown, or soft above hard",
                           type != NULL ? type : "?");
    /* -1 is no limit, as for the kernel. */
    limits[limit_names[known].resource] = (DnConfigLimit){ true, { (rlim_t) soft, (rlim_t) hard } };
  }
  return 0;
}

static int
read_user (const json_t *process, DnProcessConfig *config, DnFault *fault)
{
  json_t *user = NULL;
  json_t *groups = NULL;
  json_t *element;
  size_t i;
  int64_t uid = 0;
  int64_t gid = 0;
  int64_t umask_bits = 022;
  int r;

  if ((r = dn_json_object (process, "user", &user, fault)) < 0
      || (r = dn_json_int (user, "uid", 0, DN_CONFIG_IDS_MAX - 1, &uid, fault)) < 0
      || (r = dn_json_int (user, "gid", 0, DN_CONFIG_IDS_MAX - 1, &gid, fault)) < 0
      || (r = dn_json_int (user, "umask", 0, 0777, &umask_bits, fault)) < 0
      || (r = dn_json_text (user, "username", &config->user, fault)) < 0
      || (r = dn_json_array (user, "additionalGids", DN_CONFIG_GROUPS_MAX, &groups, fault)) < 0)
    return r;
  config->uid = (uint32_t) uid;
  config->gid = (uint32_t) gid;
  config->umask = (uint32_t) umask_bits;
  json_array_foreach (groups, i, element)
  {
    json_int_t number = json_is_integer (element) ? json_integer_value (element) : -1;

    if (number < 0 || number >= DN_CONFIG_IDS_MAX)
      return dn_fault_set (fault, -EINVAL, "config: 'additionalGids': not a group id");
    config->groups[config->group_count++] = (uint32_t) number;
  }
  return 0;
}

static int
refuse_labels (const json_t *process, DnFault *fault)
{
  const char *apparmor = NULL;
  const char *selinux = NULL;
  int r;

  if ((r = dn_json_text (process, "apparmorProfile", &apparmor, fault)) < 0
      || (r = dn_json_text (process, "selinuxLabel", &selinux, fault)) < 0)
    return r;
  if ((apparmor != NULL && apparmor[0] != '\0') || (selinux != NULL && selinux[0] != '\0'))
    return dn_fault_set (fault, -EINVAL, "config: LSM labels: this guest has no such LSM");
  return 0;
}

int
dn_config_process (const json_t *object, DnProcessConfig *process, DnFault *fault)
{
  int64_t oom_score_adj = 0;
  int r;

  if (object == NULL)
    return dn_fault_set (fault, -EINVAL, "config: 'process' is missing");
  if ((r = dn_json_texts (object, "args", DN_CONFIG_ARGS_MAX, &process->args, fault)) < 0
      || (r = dn_json_texts (object, "env", DN_CONFIG_ENV_MAX, &process->env, fault)) < 0
      || (r = dn_json_text (object, "cwd", &process->cwd, fault)) < 0
      || (r = dn_json_int (object, "oomScoreAdj", 0, 1000, &oom_score_adj, fault)) < 0
      || (r = read_user (object, process, fault)) < 0
      || (r = read_capabilities (object, &process->capabilities, fault)) < 0
      || (r = read_limits (object, process->limits, fault)) < 0
      || (r = refuse_labels (object, fault)) < 0)
    return r;
  process->oom_score_adj = (int32_t) oom_score_adj;
  if (process->args.count == 0 || process->args.items[0][0] == '\0')
    return dn_fault_set (fault, -EINVAL, "config: 'args': there is no command");
  if (process->cwd == NULL || process->cwd[0] != '/' || strlen (process->cwd) > DN_PATH_BYTES)
    return dn_fault_set (fault, -EINVAL, "config: 'cwd': must be an absolute path");
  for (size_t i = 0; i < process->env.count; i++)
    if (process->env.items[i][0] == '=' || strchr (process->env.items[i], '=') == NULL)
      return dn_fault_set (fault, -EINVAL, "config: 'env': '%.64s' is not NAME=value",
                           process->env.items[i]);
  return 0;
}
