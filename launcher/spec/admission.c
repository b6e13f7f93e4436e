/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of placement and image. */
#include "admission.h"

#include <string.h>

#include "../common/error.h"
#include "admission-private.h"
#include "bind-policy.h"
#include "reference-glob.h"
#include "signing-key.h"

#define DIGEST "@sha256:"

static const struct
{
  const char *group;
  const char *key;
} places[] = {
#define DN_RULE(name, word, group, key) [DN_RULE_##name] = { group, key },
#include "rule.def"
#undef DN_RULE
};

const char *const dn_rule_words[DN_RULES] = {
#define DN_RULE(name, word, group, key) [DN_RULE_##name] = word,
#include "rule.def"
#undef DN_RULE
};

void
dn_verdict_clear (DnVerdict *verdict)
{
  g_clear_pointer (&verdict->relaxations, g_strfreev);
}

static char *
find_host_place (const DnAdmissionHost *host, const char *group, const char *key)
{
  guint line = dn_key_places_find (host->places, group, key);

  return line != 0 ? g_strdup_printf ("%s:%u", host->file, line) : g_strdup ("built in");
}

/* What is settled when the guest starts. */
static gboolean
is_of_guest (DnRule rule)
{
  return rule == DN_RULE_TENANT || rule == DN_RULE_STAGE || rule == DN_RULE_TIER
         || rule == DN_RULE_NETWORK || rule == DN_RULE_NETWORK_TENANT;
}

/* "FILE:LINE"; "FILE" for a file as a whole; "built in" where no file says it.  (transfer full) */
static char *
find_place (const DnAdmission *admission, DnRule rule)
{
  const DnAdmissionContext *context = admission->context;
  const DnAdmissionHost *host = admission->host;
  const char *group = places[rule].group, *key = places[rule].key;
  const DnKeyPlaces *own = is_of_guest (rule) ? context->guest_places : context->places;
  guint line;

  if (rule == DN_RULE_CONTEXT_FILE)
    return g_strdup (context->file);
  if (rule == DN_RULE_HOST_ACCEPTS || rule == DN_RULE_NETWORK_EPHEMERAL)
    return find_host_place (host, group, key);
  line = context->file != NULL ? dn_key_places_find (own, group, key) : 0;
  if (line != 0)
    return g_strdup_printf ("%s:%u", context->file, line);
  line = dn_key_places_find (host->default_places, group, key);
  if (line != 0)
    return g_strdup_printf ("%s:%u", host->file, line);
  return g_strdup ("built in");
}

gboolean
dn_admission_refuse (const DnAdmission *admission, DnRule rule, const char *message,
                     const char *hint, GError **error)
{
  g_autofree char *place = find_place (admission, rule);

  return dn_throw (error, DN_ERROR_DENIED, "%s (rule %s, %s)\n%s", message, dn_rule_words[rule],
                   place, hint);
}

static gboolean
check_file (const DnAdmission *admission, GError **error)
{
  const DnAdmissionContext *context = admission->context;

  return context->error == NULL
         || dn_throw (error, DN_ERROR_CONFIG, "context '%s': %s (rule %s)", context->name,
                      context->error, dn_rule_words[DN_RULE_CONTEXT_FILE]);
}

/* What a container says that it belongs to has to be so. */
static gboolean
check_label (const DnAdmission *admission, DnRule rule, DnLabel label, GError **error)
{
  const char *asked = admission->request->labels.values[label];
  const char *found = admission->context->labels.values[label], *word = dn_label_words[label];
  g_autofree char *message = NULL, *hint = NULL;

  if (asked == NULL || g_str_equal (asked, found))
    return TRUE;
  message = g_strdup_printf ("container: is of %s '%s', and context '%s' of %s '%s'", word, asked,
                             admission->context->name, word, found);
  hint = g_strdup_printf ("choose a context of %s '%s', or leave out --%s", word, asked, word);
  return dn_admission_refuse (admission, rule, message, hint, error);
}

gboolean
dn_admission_check_host (const DnAdmission *admission, GError **error)
{
  const DnAdmissionContext *context = admission->context;
  char **accepts = admission->host->accepts;
  g_autofree char *message = NULL, *hint = NULL, *list = NULL;
  const char *word, *found;
  DnLabel label;

  if (dn_placement_is_accepted (accepts, &context->labels, &label))
    return TRUE;
  word = dn_label_words[label];
  found = context->labels.values[label];
  list = dn_placement_list (accepts, label);
  message = g_strdup_printf ("context '%s': is of %s '%s', and this host takes %s", context->name,
                             word, found, list);
  hint = context->file != NULL ? g_strdup ("run it on a host that takes it: [host] accepts")
                               : g_strdup_printf ("choose a context, or say --%s", word);
  return dn_admission_refuse (admission, DN_RULE_HOST_ACCEPTS, message, hint, error);
}

static gboolean
check_allow (const DnAdmission *admission, GError **error)
{
  const DnAdmissionImage *image = admission->image;
  char **allow = admission->context->terms->allow;
  g_autofree char *message = NULL, *hint = NULL, *list = NULL;

  for (char **reference = image->references; *reference != NULL; reference++)
    for (char **pattern = allow; *pattern != NULL; pattern++)
      if (dn_reference_glob_matches (*pattern, *reference))
        return TRUE;
  /* One that has no name at all is still one of "all images". */
  if (image->references[0] == NULL && g_strv_contains ((const char *const *) allow, "**"))
    return TRUE;
  list = g_strjoinv (", ", allow);
  message = g_strdup_printf ("image '%s': not permitted in context '%s'", image->asked,
                             admission->context->name);
  hint = g_strdup_printf ("permitted are %s: [images] allow", list);
  return dn_admission_refuse (admission, DN_RULE_IMAGE_ALLOW, message, hint, error);
}

/* A digest in a name is whoever named it's word, until it is compared. */
static gboolean
is_pinned (const DnAdmissionImage *image)
{
  if (image->is_by_id)
    return TRUE;
  for (char **reference = image->references; *reference != NULL; reference++)
    {
      const char *digest = strstr (*reference, DIGEST);

      if (digest != NULL
          && g_strv_contains ((const char *const *) image->digests, digest + strlen (DIGEST)))
        return TRUE;
    }
  return FALSE;
}

static gboolean
check_digest (const DnAdmission *admission, GError **error)
{
  const DnAdmissionImage *image = admission->image;
  g_autofree char *message = NULL;

  if (admission->context->terms->digest == DN_NEED_OPTIONAL || is_pinned (image))
    return TRUE;
  message = g_strdup_printf ("image '%s': context '%s' wants images pinned by their digest",
                             image->asked, admission->context->name);
  return dn_admission_refuse (admission, DN_RULE_IMAGE_DIGEST, message,
                              "name it with its digest, NAME@sha256:..., or by its id in full: "
                              "danchi images --format json",
                              error);
}

/* Whose key it was may be known no closer than that it was one of several: all have to do. */
static gboolean
is_signed_by_one_of (const GPtrArray *signatures, char **wanted)
{
  for (guint i = 0; signatures != NULL && i < signatures->len; i++)
    {
      char **key = signatures->pdata[i];

      if (wanted == NULL)
        return TRUE;
      if (*key == NULL)
        continue;
      while (*key != NULL && dn_signing_key_is_one_of (*key, wanted))
        key++;
      if (*key == NULL)
        return TRUE;
    }
  return FALSE;
}

static gboolean
check_signature (const DnAdmission *admission, GError **error)
{
  const DnAdmissionImage *image = admission->image;
  const char *context = admission->context->name;
  g_autofree char *message = NULL, *hint = NULL, *list = NULL;
  char **keys;

  if (!dn_terms_want_signature (admission->context->terms, &keys)
      || is_signed_by_one_of (image->signatures, keys))
    return TRUE;
  if (keys == NULL)
    message = g_strdup_printf ("image '%s': context '%s' wants signed images, and it is not",
                               image->asked, context);
  else
    {
      list = g_strjoinv (", ", keys);
      message = g_strdup_printf ("image '%s': context '%s' wants images signed by %s, and it is %s",
                                 image->asked, context, list,
                                 image->signatures != NULL && image->signatures->len > 0
                                     ? "signed by another"
                                     : "not signed");
    }
  return dn_admission_refuse (admission, DN_RULE_IMAGE_SIGNATURE, message,
                              "load it again with danchi load --signature, or pull it from where "
                              "the policy demands a signature: docs/images.md, \"Signatures\"",
                              error);
}

static gboolean
check_scan (const DnAdmission *admission, GError **error)
{
  const DnAdmissionImage *image = admission->image;
  int need = admission->context->terms->scan;
  g_autofree char *message = NULL;

  if (need == DN_SCAN_NEED_OPTIONAL || image->scan >= need)
    return TRUE;
  message = g_strdup_printf (
      "image '%s': context '%s' wants images whose scan says %s; its verdict "
      "is: %s",
      image->asked, admission->context->name, need == DN_SCAN_NEED_PASS ? "pass" : "pass or warn",
      image->scan_words != NULL ? image->scan_words : "none");
  return dn_admission_refuse (admission, DN_RULE_IMAGE_SCAN, message,
                              "see danchi image inspect for what was found; danchi image scan asks "
                              "again",
                              error);
}

static gboolean
check_network (const DnAdmission *admission, GError **error)
{
  const char *asked = admission->request->network;
  const char *mode = admission->context->network->mode;
  g_autofree char *message = NULL;

  if (asked == NULL || g_str_equal (asked, mode))
    return TRUE;
  message = g_strdup_printf ("--network %s: context '%s' has network %s", asked,
                             admission->context->name, mode);
  return dn_admission_refuse (admission, DN_RULE_NETWORK, message, "leave out --network", error);
}

/* A context that is made for one container has the network that was asked for: so it has to be one
 * that the operator lets be asked for. */
static gboolean
check_network_ephemeral (const DnAdmission *admission, GError **error)
{
  const DnAdmissionHost *host = admission->host;
  const char *mode = admission->context->network->mode;
  const char *const *networks = (const char *const *) host->networks;
  g_autofree char *message = NULL, *hint = NULL, *list = NULL;

  if (admission->context->file != NULL || g_str_equal (mode, host->network)
      || g_strv_contains (networks, mode)
      || (dn_network_mode (mode) == DN_NETWORK_NAMED && g_strv_contains (networks, "*")))
    return TRUE;
  list = g_strjoinv (", ", host->networks);
  message = g_strdup_printf ("--network %s: not permitted without a context on this host", mode);
  hint = g_strdup_printf ("permitted are %s: [network] ephemeral; or choose a context",
                          list[0] != '\0' ? list : "none others than its default");
  return dn_admission_refuse (admission, DN_RULE_NETWORK_EPHEMERAL, message, hint, error);
}

/* A label is a word that anybody can say; a tenant's network is for those who are let into one of
 * its contexts. */
static gboolean
check_network_tenant (const DnAdmission *admission, GError **error)
{
  const DnAdmissionContext *context = admission->context;
  const char *mode = context->network->mode, *tenant = context->labels.values[DN_LABEL_TENANT];
  g_autofree char *message = NULL;

  if (context->file != NULL || dn_network_mode (mode) != DN_NETWORK_NAMED
      || g_str_equal (tenant, "none") || admission->request->is_of_tenant)
    return TRUE;
  message = g_strdup_printf ("--network %s: is a network of tenant '%s', whose contexts you may "
                             "not run containers in",
                             mode, tenant);
  return dn_admission_refuse (admission, DN_RULE_NETWORK_TENANT, message,
                              "leave out --tenant: the network is your own then", error);
}

static gboolean
check_publish (const DnAdmission *admission, GError **error)
{
  const DnAdmissionRequest *request = admission->request;
  const DnNetworkPolicy *policy = admission->context->network;
  g_autofree char *message = NULL, *hint = NULL, *list = NULL;
  guint i = 0;

  while (i < request->n_ports
         && dn_network_policy_may_publish (policy, request->ports[i].family,
                                           request->ports[i].address, request->ports[i].ports))
    i++;
  if (i == request->n_ports)
    return TRUE;
  list = g_strjoinv (", ", policy->publish);
  message = g_strdup_printf ("--publish %s: not permitted in context '%s'", request->ports[i].text,
                             admission->context->name);
  hint = g_strdup_printf ("permitted are %s, where without ports those from %d on are meant: "
                          "[network] publish",
                          list[0] != '\0' ? list : "none", DN_NETWORK_LOW_PORTS);
  return dn_admission_refuse (admission, DN_RULE_PUBLISH, message, hint, error);
}

static gboolean
refuse_bind (const DnAdmission *admission, const DnAdmissionBind *bind, GError **error)
{
  char **permitted = admission->context->terms->binds;
  g_autofree char *list = g_strjoinv (", ", permitted);
  g_autofree char *message
      = g_strdup_printf ("bind '%s'%s: not permitted in context '%s'", bind->source,
                         bind->is_writable ? " for writing" : "", admission->context->name);
  g_autofree char *hint
      = g_strdup_printf ("permitted are %s: [volumes] binds", list[0] != '\0' ? list : "none");

  return dn_admission_refuse (admission, DN_RULE_BINDS, message, hint, error);
}

static gboolean
check_binds (const DnAdmission *admission, GError **error)
{
  const DnAdmissionRequest *request = admission->request;

  for (guint i = 0; i < request->n_binds; i++)
    {
      const DnAdmissionBind *bind = &request->binds[i];
      const char *reserved = dn_bind_policy_find_reserved (bind->source, request->own), *rest;
      g_auto (DnBindRoot) root = { NULL };

      if (reserved != NULL)
        return dn_throw (error, DN_ERROR_DENIED,
                         "bind '%s': '%s' is given to no container\nname a directory of your own",
                         bind->source, reserved);
      if (!dn_bind_policy_find (admission->context->terms->binds, request->home, bind->source,
                                &root, &rest)
          || (bind->is_writable && !root.is_writable))
        return refuse_bind (admission, bind, error);
    }
  return TRUE;
}

static gboolean
check_rule (const DnAdmission *admission, DnRule rule, DnVerdict *verdict, GError **error)
{
  switch (rule)
    {
    case DN_RULE_CONTEXT_FILE:
      return check_file (admission, error);
    case DN_RULE_TENANT:
      return check_label (admission, rule, DN_LABEL_TENANT, error);
    case DN_RULE_STAGE:
      return check_label (admission, rule, DN_LABEL_STAGE, error);
    case DN_RULE_TIER:
      return check_label (admission, rule, DN_LABEL_TIER, error);
    case DN_RULE_HOST_ACCEPTS:
      return dn_admission_check_host (admission, error);
    case DN_RULE_IMAGE_ALLOW:
      return check_allow (admission, error);
    case DN_RULE_IMAGE_DIGEST:
      return check_digest (admission, error);
    case DN_RULE_IMAGE_SIGNATURE:
      return check_signature (admission, error);
    case DN_RULE_IMAGE_SCAN:
      return check_scan (admission, error);
    case DN_RULE_NETWORK:
      return check_network (admission, error);
    case DN_RULE_NETWORK_EPHEMERAL:
      return check_network_ephemeral (admission, error);
    case DN_RULE_NETWORK_TENANT:
      return check_network_tenant (admission, error);
    case DN_RULE_PUBLISH:
      return check_publish (admission, error);
    case DN_RULE_BINDS:
      return check_binds (admission, error);
    case DN_RULE_PROFILE:
      /* This one and all after it. */
      return dn_admission_decide_confinement (admission, verdict, error);
    case DN_RULE_PROFILE_NAME:
    case DN_RULE_CAPABILITIES:
    case DN_RULE_SECCOMP:
    case DN_RULE_PROFILE_FILES:
    case DN_RULES:
      return TRUE;
    }
  g_assert_not_reached ();
}

gboolean
dn_admission_decide (const DnAdmission *admission, DnVerdict *ret_verdict, GError **error)
{
  *ret_verdict = (DnVerdict){ 0 };
  for (DnRule rule = 0; rule < DN_RULES; rule++)
    {
      ret_verdict->rule = rule;
      if (!check_rule (admission, rule, ret_verdict, error))
        return FALSE;
    }
  return TRUE;
}
