/* SPDX-License-Identifier: Apache-2.0 */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "sync.h"

/* What execve(2) is called with when the config has no PATH: as Docker's default. */
#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* The status of a shell that cannot run a command; nobody sees it unless the agent is gone. */
#define EXIT_CANNOT_RUN 127

typedef struct
{
  const char *name;
  int (*run) (DnChild *child, DnFault *fault);
} ChildStep;

/* Create: the process is the first of new user, mount, pid, ipc, uts and net namespaces, or in
 * those of its pod. */
static const ChildStep create_steps[] = {
  { "close the agent's descriptors", dn_child_close_others },
  { "open the first process's program", dn_child_open_reaper },
  /* The agent writes the id maps and sends the root: before that no id of ours is mapped. */
  { "wait for the root", dn_child_await_root },
  { "become the container's root", dn_child_become_root },
  /* Sysctls, hostname, loopback: need capabilities over the new namespaces, and the guest's /proc,
   * which goes with the old root. */
  { "set up the namespaces", dn_child_set_up_namespaces },
  { "attach the root", dn_child_attach_root },
  /* Before pivot: the kernel mounts a new /proc or /sys only where an unobstructed one is seen. */
  { "mount", dn_child_mount_all },
  /* In the image's tree, which may become read-only below. */
  { "link the secrets", dn_child_link_secrets },
  { "place the working directory", dn_child_place_cwd },
  { "provide files", dn_child_provide_files },
  /* After all mounts, so that none can lie over a mask. */
  { "hide paths", dn_child_hide_paths },
  /* From here on there is no path that leads to the guest. */
  { "change root", dn_child_pivot },
  { "open the terminal", dn_child_open_terminal },
};

/* Exec: the process is one of the agent's, in the container's pid namespace and cgroup only. */
static const ChildStep exec_steps[] = {
  /* First, so that nothing of the guest's is open when container processes can see this one. */
  { "close the agent's descriptors", dn_child_close_others },
  { "enter the container", dn_child_enter_container },
  { "become the container's root", dn_child_become_root },
  { "open the terminal", dn_child_open_terminal },
};

/* Both: giving up the rest.  The order is the security argument. */
static const ChildStep drop_steps[] = {
  /* Reads the image's files, so after pivot. */
  { "look up the user", dn_child_resolve_user },
  /* The host shows them to that user; before anything is entered that they will lie on. */
  { "wait for what comes from the host", dn_child_await_binds },
  /* chown of the pipes, for programs that open /dev/stdout anew: needs CAP_CHOWN. */
  { "take standard input and output", dn_child_take_stdio },
  { "make the working directory", dn_child_make_cwd },
  /* Resource limits were set by the agent from outside: raising needs the guest's root. */
  { "join a fresh keyring", dn_child_join_keyring },
  /* Groups before gid before uid: each needs a capability the next one loses. */
  { "drop ids", dn_child_drop_ids },
  /* Needs CAP_SETPCAP, kept over the change of ids; gives up everything not in the config. */
  { "drop capabilities", dn_child_drop_capabilities },
  /* As the user: entering it must not need rights the user lacks. */
  { "enter the working directory", dn_child_enter_cwd },
  { "forbid new privileges", dn_child_forbid_new_privileges },
  { "close descriptors at exec", dn_child_close_at_exec },
  /* Last: from here only read, write, execve and exit_group are called. */
  { "load the system call filter", dn_child_load_filter },
};

_Noreturn static void
fail (const DnChildPlan *plan, const DnFault *fault, bool is_exec)
{
  DnSyncReport report;

  memset (&report, 0, sizeof report);
  report.kind = DN_SYNC_FAULT;
  report.is_exec = is_exec;
  report.fault = *fault;
  (void) dn_sync_report (plan->sync_fd, &report, -1);
  _exit (EXIT_CANNOT_RUN);
}

int
dn_child_report_user (const DnChild *child, int kind)
{
  const DnUser *user = &child->user;
  DnSyncReport report;

  memset (&report, 0, sizeof report);
  report.kind = kind;
  report.ids.uid = user->uid;
  report.ids.gid = user->gid;
  report.ids.group_count = (uint32_t) user->group_count;
  memcpy (report.ids.groups, user->groups, sizeof report.ids.groups);
  return dn_sync_report (child->plan->sync_fd, &report, -1);
}

static void
run_steps (DnChild *child, const ChildStep *steps, size_t count)
{
  for (size_t i = 0; i < count; i++)
    {
      DnFault fault = { .status = -EIO, .message = "" };

      if (steps[i].run (child, &fault) == 0)
        continue;
      if (fault.message[0] == '\0')
        (void) dn_fault_set_errno (&fault, "%s", steps[i].name);
      /* These say something about the command, which has not been reached. */
      if (fault.status == -ENOENT || fault.status == -EACCES || fault.status == -ENOEXEC
          || fault.status == -EISDIR)
        fault.status = -EIO;
      fail (child->plan, &fault, false);
    }
}

static const char *
find_env (char *const *env, const char *name)
{
  size_t bytes = strlen (name);

  for (; *env != NULL; env++)
    if (strncmp (*env, name, bytes) == 0 && (*env)[bytes] == '=')
      return *env + bytes + 1;
  return NULL;
}

/* The config's environment, with HOME where it is missing.  Borrowed texts; the child never frees.
 */
static char **
make_env (const DnProcessConfig *process, const DnUser *user)
{
  static char home[sizeof "HOME=" + DN_USER_HOME_BYTES];
  char **env = calloc (process->env.count + 2, sizeof *env);

  if (env == NULL)
    return NULL;
  for (size_t i = 0; i < process->env.count; i++)
    env[i] = (char *) process->env.items[i];
  if (find_env (env, "HOME") == NULL)
    {
      (void) snprintf (home, sizeof home, "HOME=%s", user->home);
      env[process->env.count] = home;
    }
  return env;
}

/* Tries the command in each directory of PATH.  Only execve(2) is called: the filter is loaded.
 * Returns: the errno that says most. */
static int
search_path (const char *path, char *const *args, char *const *env)
{
  int best = ENOENT;
  char file[DN_PATH_BYTES + 1];

  for (;;)
    {
      size_t bytes = strcspn (path, ":");
      const char *directory = bytes == 0 ? "." : path;

      if (snprintf (file, sizeof file, "%.*s/%s", bytes == 0 ? 1 : (int) bytes, directory, args[0])
          < (int) sizeof file)
        {
          (void) execve (file, args, env);
          if (errno == EACCES)
            best = EACCES;
          else if (errno != ENOENT && errno != ENOTDIR && errno != ENAMETOOLONG)
            return errno;
        }
      if (path[bytes] == '\0')
        return best;
      path += bytes + 1;
    }
}

/* The command behind the reaper's own words.  NULL: no memory */
static char **
make_reaper_args (const DnTexts *command)
{
  static char name[] = "danchi-reaper", end[] = "--";
  char **args = calloc (command->count + 3, sizeof *args);

  if (args == NULL)
    return NULL;
  args[0] = name;
  args[1] = end;
  for (size_t i = 0; i < command->count; i++)
    args[i + 2] = (char *) command->items[i];
  return args;
}

_Noreturn static void
execute_reaper (const DnChild *child, char *const *args, char **env)
{
  DnFault fault;

  (void) execveat (child->reaper_fd, "", args, env, AT_EMPTY_PATH);
  (void) dn_fault_set_errno (&fault, "--init: the first process's program cannot be run");
  /* It is not the command that could not. */
  fault.status = -EIO;
  fail (child->plan, &fault, true);
}

_Noreturn static void
execute (DnChild *child, char **env)
{
  const DnChildPlan *plan = child->plan;
  char *const *args = (char *const *) plan->process->args.items;
  const char *path = find_env (env, "PATH");
  DnFault fault;

  if (strchr (args[0], '/') != NULL)
    (void) execve (args[0], args, env);
  else
    errno = search_path (path != NULL ? path : DEFAULT_PATH, args, env);
  (void) dn_fault_set_errno (&fault, "%.256s", args[0]);
  /* A directory is EACCES for execve(2) too. */
  fail (plan, &fault, true);
}

_Noreturn void
dn_child_run (const DnChildPlan *plan)
{
  static DnChild child;
  char **env, **reaper_args;

  child = (DnChild){
    .plan = plan, .root_fd = -1, .secrets_fd = -1, .terminal_fd = -1, .reaper_fd = -1
  };
  (void) prctl (PR_SET_DUMPABLE, 0);
  if (plan->config != NULL)
    run_steps (&child, create_steps, sizeof create_steps / sizeof create_steps[0]);
  else
    run_steps (&child, exec_steps, sizeof exec_steps / sizeof exec_steps[0]);
  run_steps (&child, drop_steps, sizeof drop_steps / sizeof drop_steps[0]);

  /* Everything execute() needs is made before: memory may need calls the filter does not allow. */
  env = make_env (plan->process, &child.user);
  reaper_args = child.reaper_fd >= 0 ? make_reaper_args (&plan->process->args) : NULL;
  if (env == NULL || (child.reaper_fd >= 0 && reaper_args == NULL)
      || dn_child_report_user (&child, DN_SYNC_READY) < 0
      || dn_sync_await_order (plan->sync_fd, DN_SYNC_RUN, NULL) < 0)
    _exit (EXIT_CANNOT_RUN);
  if (plan->program != NULL)
    plan->program (plan->program_data);
  if (reaper_args != NULL)
    execute_reaper (&child, reaper_args, env);
  execute (&child, env);
}
