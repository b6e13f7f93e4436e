/* SPDX-License-Identifier: Apache-2.0 */
#include "pull.h"

#include "../common/error.h"
#include "answer.h"
#include "auth-file.h"

JsonObject *
dn_pull (DnCli *cli, const char *reference, const char *auth_file, GError **error)
{
  DnFdList fds = DN_FD_LIST_INIT;
  DnClientCall call = { .fds = &fds };
  g_autoptr (GError) local = NULL;
  JsonObject *args, *ok;
  int fd = dn_auth_file_open (reference, auth_file, &local);

  if (local != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&local));
      return NULL;
    }
  if (fd >= 0)
    fds.fds[fds.count++] = fd;
  args = dn_args_new ("reference", reference);
  if (cli->allow_emulation)
    json_object_set_boolean_member (args, "allow_emulation", TRUE);
  ok = dn_cli_call (cli, "image-pull", args, &call, error);
  dn_fd_list_clear (&fds);
  dn_fd_list_clear (&call.ret_fds);
  return ok;
}

gboolean
dn_pull_check_policy (const char *policy, GError **error)
{
  static const char *const policies[] = { "never", "missing", "always", NULL };

  return policy == NULL || g_strv_contains (policies, policy)
         || dn_throw (error, DN_ERROR_USAGE, "--pull: '%s': never, missing or always", policy);
}

/* Also FALSE with @error when that cannot be known. */
static gboolean
is_there (DnCli *cli, const char *reference, GError **error)
{
  g_autoptr (GError) local = NULL;
  JsonObject *args = dn_args_new ("name", reference);
  g_autoptr (JsonObject) ok = NULL;

  dn_args_set_text (args, "kind", "image");
  ok = dn_cli_call (cli, "inspect", args, NULL, &local);
  if (ok == NULL && !g_error_matches (local, DN_ERROR, DN_ERROR_NOT_FOUND))
    g_propagate_error (error, g_steal_pointer (&local));
  return ok != NULL;
}

gboolean
dn_pull_before (DnCli *cli, const char *policy, const char *reference, GError **error)
{
  g_autoptr (JsonObject) ok = NULL;
  g_autoptr (GError) local = NULL;

  if (policy == NULL || g_str_equal (policy, "never"))
    return TRUE;
  if (g_str_equal (policy, "missing") && is_there (cli, reference, &local))
    return TRUE;
  if (local != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    }
  ok = dn_pull (cli, reference, NULL, error);
  return ok != NULL;
}
