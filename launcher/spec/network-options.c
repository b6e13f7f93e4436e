/* SPDX-License-Identifier: Apache-2.0 */
#include "network-options.h"

#include <arpa/inet.h>
#include <string.h>

#include "../base/public-address.h"
#include "../common/error.h"
#include "port-spec.h"

static gboolean
is_address (const char *text)
{
  struct in6_addr address;

  return inet_pton (AF_INET, text, &address) == 1 || inet_pton (AF_INET6, text, &address) == 1;
}

static gboolean
is_domain (const char *text)
{
  g_autofree char *lower = g_ascii_strdown (text, -1);

  return dn_domain_is_valid (lower);
}

static gboolean
check_hosts (char **hosts, GError **error)
{
  guint count = hosts != NULL ? g_strv_length (hosts) : 0;

  if (count > DN_ADD_HOSTS_MAX)
    return dn_throw (error, DN_ERROR_LIMIT, "--add-host: more than %d", DN_ADD_HOSTS_MAX);
  for (guint i = 0; i < count; i++)
    {
      const char *colon = strchr (hosts[i], ':');
      g_autofree char *name
          = colon != NULL ? g_strndup (hosts[i], (gsize) (colon - hosts[i])) : NULL;

      if (colon != NULL && g_str_equal (colon + 1, "host-gateway"))
        return dn_throw (error, DN_ERROR_USAGE,
                         "--add-host '%.100s': containers do not reach the host\n"
                         "name the address of what runs there",
                         hosts[i]);
      if (colon == NULL || !is_domain (name) || !is_address (colon + 1))
        return dn_throw (error, DN_ERROR_USAGE,
                         "--add-host '%.100s': must be NAME:ADDRESS, as db:192.0.2.7", hosts[i]);
    }
  return TRUE;
}

static gboolean
check_servers (char **dns, GError **error)
{
  if (dns != NULL && g_strv_length (dns) > DN_DNS_MAX)
    return dn_throw (error, DN_ERROR_LIMIT, "--dns: more than %d", DN_DNS_MAX);
  for (char **server = dns; server != NULL && *server != NULL; server++)
    if (!is_address (*server))
      return dn_throw (error, DN_ERROR_USAGE, "--dns '%.100s': must be an address, as 192.0.2.53",
                       *server);
  return TRUE;
}

static gboolean
check_search (char **domains, GError **error)
{
  if (domains != NULL && g_strv_length (domains) > DN_DNS_SEARCH_MAX)
    return dn_throw (error, DN_ERROR_LIMIT, "--dns-search: more than %d", DN_DNS_SEARCH_MAX);
  for (char **domain = domains; domain != NULL && *domain != NULL; domain++)
    if (!is_domain (*domain) && !g_str_equal (*domain, "."))
      return dn_throw (error, DN_ERROR_USAGE,
                       "--dns-search '%.100s': must be a domain, as example.com", *domain);
  return TRUE;
}

gboolean
dn_network_options_check (const DnContainerOptions *options, GError **error)
{
  g_autoptr (GArray) exposed = dn_ports_new ();

  for (char **text = options->expose; text != NULL && *text != NULL; text++)
    if (!dn_port_parse_exposed (*text, "--expose", exposed, error))
      return FALSE;
  return check_hosts (options->add_hosts, error) && check_servers (options->dns, error)
         && check_search (options->dns_search, error);
}

static gboolean
has_rule (const GArray *rules, guint family, const guint8 *address, gboolean is_special)
{
  for (guint i = 0; rules != NULL && i < rules->len; i++)
    {
      const DnNetworkRule *rule = &g_array_index (rules, DnNetworkRule, i);

      if (rule->kind == DN_RULE_ADDRESS && (!is_special || rule->opens_special)
          && dn_network_rule_has_address (rule, family, address)
          && (rule->ports.first == 0
              || (rule->ports.first <= DN_NETWORK_DNS_PORT
                  && rule->ports.last >= DN_NETWORK_DNS_PORT)))
        return TRUE;
    }
  return FALSE;
}

static gboolean
is_reached (const char *server, const DnNetworkPolicy *policy)
{
  guint8 address[DN_ADDRESS_BYTES] = { 0 };
  const guint family = inet_pton (AF_INET, server, address) == 1 ? 4 : 6;
  gboolean is_public;

  if (family == 6 && inet_pton (AF_INET6, server, address) != 1)
    return FALSE;
  is_public = dn_address_is_public ((guint8) family, address);
  if (has_rule (policy->deny_rules, family, address, FALSE))
    return FALSE;
  if (has_rule (policy->allow_rules, family, address, !is_public))
    return TRUE;
  /* Where something is allowed by name, nothing else is. */
  return is_public && dn_network_policy_has_egress (policy)
         && (policy->allow_rules == NULL || policy->allow_rules->len == 0);
}

gboolean
dn_network_dns_check (char **dns, const DnNetworkPolicy *policy, const char *context,
                      GError **error)
{
  for (char **server = dns; server != NULL && *server != NULL; server++)
    if (!dn_network_policy_has_names (policy) || !is_reached (*server, policy))
      return dn_throw (error, DN_ERROR_DENIED,
                       "--dns %s: context '%s' does not reach it\n"
                       "see [network] mode and allow in the context's file; without --dns the "
                       "context's own resolver answers",
                       *server, context);
  return TRUE;
}
