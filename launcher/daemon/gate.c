/* SPDX-License-Identifier: Apache-2.0 */
#include "gate.h"

#include "../common/error.h"
#include "../common/paths.h"
#include "lookup.h"
#include "settings-file.h"
#include "verbs.h"

static gboolean
pass (DnRequest *request, const char *rule)
{
  g_free (request->rule);
  request->rule = g_strdup (rule);
  return TRUE;
}

gboolean
dn_gate_pass (DnRequest *request, GError **error)
{
  const DnPrincipal principal = dn_caller_principal (request->caller);
  g_autoptr (DnSettings) settings = NULL;

  /* What the operator took away a moment ago is not given any more. */
  dn_settings_refresh (request->daemon);
  settings = dn_settings_get (request->daemon);
  if (principal.uid == 0)
    return pass (request, "root");
  if (!dn_lookup_has_anything (request))
    return dn_throw (
        error, DN_ERROR_DENIED,
        "uid %u: has no right to anything on this host\nroot gives rights in the group "
        "[access] of a context's file or of '%s/danchi.conf'",
        principal.uid, dn_paths ()->config);
  switch (request->verb->scope)
    {
    case DN_SCOPE_ROOT:
      return dn_throw (error, DN_ERROR_DENIED, "%s: only root may", request->verb->name);
    case DN_SCOPE_LOAD:
      return dn_host_access_loads (&settings->access, &principal)
                 ? pass (request, "danchi.conf: [access] load_users, load_groups")
                 : dn_throw (error, DN_ERROR_DENIED,
                             "%s: uid %u may not\n'%s/danchi.conf' names it neither in [access] "
                             "load_users nor by a group in load_groups",
                             request->verb->name, principal.uid, dn_paths ()->config);
    case DN_SCOPE_CONTAINER:
    case DN_SCOPE_CONTEXT:
    case DN_SCOPE_CHOICE:
    case DN_SCOPE_VOLUME:
    case DN_SCOPE_MAKING:
    case DN_SCOPE_HOST:
      return pass (request, "has some right on this host");
    }
  g_assert_not_reached ();
}

gboolean
dn_gate_may_make_ephemeral (DnRequest *request, GError **error)
{
  g_autoptr (DnSettings) settings = dn_settings_get (request->daemon);
  const DnPrincipal principal = dn_caller_principal (request->caller);

  if (principal.uid == 0)
    return pass (request, "root");
  if (dn_host_access_makes (&settings->access, &principal))
    return pass (request, "danchi.conf: [access] ephemeral_users, ephemeral_groups");
  return dn_throw (error, DN_ERROR_DENIED,
                   "container: uid %u may not make one without a context\nname one with --context; "
                   "'%s/danchi.conf' says in [access] ephemeral_users who may do without",
                   principal.uid, dn_paths ()->config);
}

gboolean
dn_gate_may_emulate (DnRequest *request, gboolean is_asked, GError **error)
{
  g_autoptr (DnSettings) settings = dn_settings_get (request->daemon);

  return !is_asked || dn_caller_is_root (request->caller) || settings->allow_emulation
         || dn_throw (
             error, DN_ERROR_DENIED,
             "emulation: only root may ask for it, since it is no security boundary\nleave "
             "out --allow-emulation; '%s/danchi.conf' may allow it in [guest] "
             "allow_emulation",
             dn_paths ()->config);
}
