/* SPDX-License-Identifier: Apache-2.0 */
#include "network-policy.h"

#include <string.h>

#include "../common/error.h"
#include "../common/json.h"
#include "../common/names.h"

#define GROUP "network"

static const char *const mode_words[] = {
  [DN_NETWORK_NONE] = "none",
  [DN_NETWORK_INTERNAL] = "internal",
  [DN_NETWORK_EGRESS] = "egress",
  [DN_NETWORK_NAMED] = NULL,
};

/* Networks of other tools: as a name here each would be something else than was meant. */
static const char *const foreign_words[]
    = { "host", "bridge", "default", "private", "container", "slirp4netns", "pasta", NULL };

static void
clear_rules (DnNetworkPolicy *policy)
{
  g_clear_pointer (&policy->allow_rules, g_array_unref);
  g_clear_pointer (&policy->deny_rules, g_array_unref);
  g_clear_pointer (&policy->publish_places, g_array_unref);
  g_clear_pointer (&policy->servers, g_array_unref);
}

static void
make_rules (DnNetworkPolicy *policy)
{
  policy->allow_rules = g_array_new (FALSE, FALSE, sizeof (DnNetworkRule));
  policy->deny_rules = g_array_new (FALSE, FALSE, sizeof (DnNetworkRule));
  policy->publish_places = g_array_new (FALSE, FALSE, sizeof (DnPublishPlace));
  policy->servers = g_array_new (FALSE, FALSE, sizeof (DnNetworkEnd));
}

void
dn_network_policy_init (DnNetworkPolicy *policy)
{
  const DnPublishPlace loopback
      = { .place = DN_PUBLISH_LOOPBACK, .ports = { DN_NETWORK_LOW_PORTS, 65535 } };

  *policy = (DnNetworkPolicy){ .mode = g_strdup (mode_words[DN_NETWORK_NONE]),
                               .allow = g_new0 (char *, 1),
                               .deny = g_new0 (char *, 1),
                               .publish = g_strsplit ("loopback", ";", -1),
                               .dns = g_new0 (char *, 1) };
  make_rules (policy);
  g_array_append_val (policy->publish_places, loopback);
}

void
dn_network_policy_clear (DnNetworkPolicy *policy)
{
  g_clear_pointer (&policy->mode, g_free);
  g_clear_pointer (&policy->allow, g_strfreev);
  g_clear_pointer (&policy->deny, g_strfreev);
  g_clear_pointer (&policy->publish, g_strfreev);
  g_clear_pointer (&policy->dns, g_strfreev);
  clear_rules (policy);
}

void
dn_network_policy_copy (const DnNetworkPolicy *policy, DnNetworkPolicy *ret_copy)
{
  *ret_copy = *policy;
  ret_copy->mode = g_strdup (policy->mode);
  ret_copy->allow = g_strdupv (policy->allow);
  ret_copy->deny = g_strdupv (policy->deny);
  ret_copy->publish = g_strdupv (policy->publish);
  ret_copy->dns = g_strdupv (policy->dns);
  ret_copy->allow_rules = g_array_copy (policy->allow_rules);
  ret_copy->deny_rules = g_array_copy (policy->deny_rules);
  ret_copy->publish_places = g_array_copy (policy->publish_places);
  ret_copy->servers = g_array_copy (policy->servers);
}

void
dn_network_policy_fill_keys (DnNetworkPolicy *policy, DnKey *ret_keys)
{
  const DnKey keys[DN_NETWORK_POLICY_KEYS] = {
    { GROUP, "mode", DN_KEY_WORD, &policy->mode, 0, 0, 0, NULL },
    { GROUP, "egress", DN_KEY_BOOLEAN, &policy->egress, 0, 0, 0, NULL },
    { GROUP, "containers", DN_KEY_BOOLEAN, &policy->containers, 0, 0, 0, NULL },
    { GROUP, "allow", DN_KEY_LIST, &policy->allow, 0, 0, 0, NULL },
    { GROUP, "deny", DN_KEY_LIST, &policy->deny, 0, 0, 0, NULL },
    { GROUP, "egress_kbit", DN_KEY_INTEGER, &policy->egress_kbit, 0, DN_NETWORK_KBIT_MAX, 1, NULL },
    { GROUP, "ingress_kbit", DN_KEY_INTEGER, &policy->ingress_kbit, 0, DN_NETWORK_KBIT_MAX, 1,
      NULL },
    { GROUP, "publish", DN_KEY_LIST, &policy->publish, 0, 0, 0, NULL },
    { GROUP, "dns", DN_KEY_LIST, &policy->dns, 0, 0, 0, NULL },
  };

  for (guint i = 0; i < DN_NETWORK_POLICY_KEYS; i++)
    ret_keys[i] = keys[i];
}

DnNetworkMode
dn_network_mode (const char *word)
{
  for (DnNetworkMode mode = DN_NETWORK_NONE; mode < DN_NETWORK_NAMED; mode++)
    if (g_str_equal (word, mode_words[mode]))
      return mode;
  return DN_NETWORK_NAMED;
}

gboolean
dn_network_mode_check (const char *word, const char *what, GError **error)
{
  if (dn_network_mode (word) != DN_NETWORK_NAMED)
    return TRUE;
  if (g_strv_contains (foreign_words, word))
    return dn_throw (error, DN_ERROR_USAGE,
                     "%s '%s': no network of that kind here\nthere is none, internal (published "
                     "ports alone), egress (public addresses), and NAME, a tenant's network",
                     what, word);
  if (!dn_name_is_valid (word))
    return dn_throw (error, DN_ERROR_USAGE,
                     "%s '%.100s': must be none, internal, egress, or a name of at most %d "
                     "letters, digits, '_', '.' and '-'",
                     what, word, DN_NAME_MAX_BYTES);
  return TRUE;
}

void
dn_network_policy_set_mode (DnNetworkPolicy *policy, const char *word)
{
  char *mode = g_strdup (word);

  g_free (policy->mode);
  policy->mode = mode;
}

void
dn_network_policy_take_publish (DnNetworkPolicy *policy, DnNetworkPolicy *from)
{
  char **publish = policy->publish;
  GArray *places = policy->publish_places;

  policy->publish = from->publish;
  policy->publish_places = from->publish_places;
  from->publish = publish;
  from->publish_places = places;
}

static gboolean
check_mode (const DnNetworkPolicy *policy, const char *what, const DnKeyPlaces *places,
            GError **error)
{
  if (g_strv_contains (foreign_words, policy->mode))
    return dn_key_file_throw (error, what, places, GROUP, "mode",
                              "'%s': no network of that kind here\nthere is none, internal, "
                              "egress, and NAME, a tenant's network",
                              policy->mode);
  return TRUE;
}

/* What can never be opened would look as if it were. */
static gboolean
can_be_opened (const DnNetworkRule *rule)
{
  return rule->kind == DN_RULE_DOMAIN || !rule->opens_special
         || !dn_range_is_never (rule->family, rule->address, rule->prefix);
}

/* Addresses of names are kept by the ports that they are open for: names with the same ports and
 * protocol share a list. */
static gboolean
number_lists (GArray *rules)
{
  guint lists = 0;

  for (guint i = 0; i < rules->len; i++)
    {
      DnNetworkRule *rule = &g_array_index (rules, DnNetworkRule, i);

      for (guint j = 0; rule->kind == DN_RULE_DOMAIN && j < i && rule->list == 0; j++)
        {
          const DnNetworkRule *other = &g_array_index (rules, DnNetworkRule, j);

          if (other->kind == DN_RULE_DOMAIN && other->protocol == rule->protocol
              && other->ports.first == rule->ports.first && other->ports.last == rule->ports.last)
            rule->list = other->list;
        }
      if (rule->kind == DN_RULE_DOMAIN && rule->list == 0)
        rule->list = (guint8) ++lists;
      if (lists > DN_NETWORK_LISTS_MAX)
        return FALSE;
    }
  return TRUE;
}

static gboolean
read_rules (char **texts, const char *key, GArray *rules, const char *what,
            const DnKeyPlaces *places, GError **error)
{
  gboolean is_deny = g_str_equal (key, "deny");

  if (g_strv_length (texts) > DN_NETWORK_RULES_MAX)
    return dn_key_file_throw (error, what, places, GROUP, key, "has more than %d entries",
                              DN_NETWORK_RULES_MAX);
  for (char **text = texts; *text != NULL; text++)
    {
      DnNetworkRule rule;
      const char *fault = dn_network_rule_parse (*text, &rule);

      if (fault != NULL)
        return dn_key_file_throw (error, what, places, GROUP, key, "'%s' %s", *text, fault);
      if (!is_deny && !can_be_opened (&rule))
        return dn_key_file_throw (error, what, places, GROUP, key,
                                  "'%s' is never opened\nloopback, link-local and multicast "
                                  "addresses are not, whatever a file says",
                                  *text);
      if (is_deny && rule.kind == DN_RULE_DOMAIN && (rule.ports.first != 0 || rule.protocol != 0))
        return dn_key_file_throw (error, what, places, GROUP, key,
                                  "'%s': a denied name is not resolved at all\nwrite it without "
                                  "port and protocol",
                                  *text);
      g_array_append_val (rules, rule);
    }
  if (!is_deny && !number_lists (rules))
    return dn_key_file_throw (error, what, places, GROUP, key,
                              "has names with more than %d different ports and protocols",
                              DN_NETWORK_LISTS_MAX);
  return TRUE;
}

/* "loopback", "any", "ADDR", "[ADDR6]", "ADDR6"; with ":PORTS" behind it. */
static gboolean
read_place (const char *text, DnPublishPlace *ret_place)
{
  g_autofree char *copy = g_strdup (text);
  char *colon = strrchr (copy, ':'), *at = copy;
  DnPublishPlace place = { .place = DN_PUBLISH_ADDRESS };
  gboolean is_in_brackets = copy[0] == '[';

  /* The last colon of an IPv6 address without brackets is its own. */
  if (colon != NULL
      && (is_in_brackets ? colon > copy && colon[-1] == ']' : strchr (copy, ':') == colon))
    {
      *colon = '\0';
      if (!dn_port_range_parse (colon + 1, &place.ports))
        return FALSE;
    }
  if (is_in_brackets)
    {
      gsize size = strlen (copy);

      if (copy[size - 1] != ']')
        return FALSE;
      copy[size - 1] = '\0';
      at = copy + 1;
    }
  if (place.ports.first == 0)
    place.ports = (DnPortRange){ DN_NETWORK_LOW_PORTS, 65535 };
  if (!is_in_brackets && g_str_equal (at, "loopback"))
    place.place = DN_PUBLISH_LOOPBACK;
  else if (!is_in_brackets && g_str_equal (at, "any"))
    place.place = DN_PUBLISH_ANY;
  else if (!dn_address_parse (at, &place.family, place.address)
           || (is_in_brackets && place.family != 6))
    return FALSE;
  *ret_place = place;
  return TRUE;
}

static gboolean
read_places (DnNetworkPolicy *policy, const char *what, const DnKeyPlaces *places, GError **error)
{
  if (g_strv_length (policy->publish) > DN_NETWORK_PUBLISH_MAX)
    return dn_key_file_throw (error, what, places, GROUP, "publish", "has more than %d entries",
                              DN_NETWORK_PUBLISH_MAX);
  for (char **text = policy->publish; *text != NULL; text++)
    {
      DnPublishPlace place;

      if (!read_place (*text, &place))
        return dn_key_file_throw (error, what, places, GROUP, "publish",
                                  "'%s' must be loopback, any or an address, with :PORT or "
                                  ":PORT-PORT behind it or not\nfor instance 192.0.2.7:80 or "
                                  "[2001:db8::7]:8000-8999",
                                  *text);
      g_array_append_val (policy->publish_places, place);
    }
  return TRUE;
}

static gboolean
read_servers (DnNetworkPolicy *policy, const char *what, const DnKeyPlaces *places, GError **error)
{
  if (g_strv_length (policy->dns) > DN_NETWORK_SERVERS_MAX)
    return dn_key_file_throw (error, what, places, GROUP, "dns", "has more than %d servers",
                              DN_NETWORK_SERVERS_MAX);
  for (char **text = policy->dns; *text != NULL; text++)
    {
      DnNetworkEnd end;
      const char *fault = dn_network_end_parse (*text, DN_NETWORK_DNS_PORT, &end);

      if (fault != NULL)
        return dn_key_file_throw (error, what, places, GROUP, "dns",
                                  "'%s' %s\nfor instance 192.0.2.53 or [2001:db8::53]:5353", *text,
                                  fault);
      g_array_append_val (policy->servers, end);
    }
  return TRUE;
}

gboolean
dn_network_policy_check (DnNetworkPolicy *policy, const char *what, const DnKeyPlaces *places,
                         GError **error)
{
  clear_rules (policy);
  make_rules (policy);
  return check_mode (policy, what, places, error)
         && read_rules (policy->allow, "allow", policy->allow_rules, what, places, error)
         && read_rules (policy->deny, "deny", policy->deny_rules, what, places, error)
         && read_places (policy, what, places, error) && read_servers (policy, what, places, error);
}

gboolean
dn_network_policy_has_card (const DnNetworkPolicy *policy)
{
  return dn_network_mode (policy->mode) != DN_NETWORK_NONE;
}

gboolean
dn_network_policy_has_names (const DnNetworkPolicy *policy)
{
  DnNetworkMode mode = dn_network_mode (policy->mode);

  return mode == DN_NETWORK_EGRESS || mode == DN_NETWORK_NAMED;
}

gboolean
dn_network_policy_has_egress (const DnNetworkPolicy *policy)
{
  DnNetworkMode mode = dn_network_mode (policy->mode);

  return mode == DN_NETWORK_EGRESS || (mode == DN_NETWORK_NAMED && policy->egress);
}

gboolean
dn_network_policy_lists_domains (const DnNetworkPolicy *policy)
{
  for (guint i = 0; i < policy->allow_rules->len; i++)
    if (g_array_index (policy->allow_rules, DnNetworkRule, i).kind == DN_RULE_DOMAIN)
      return TRUE;
  return FALSE;
}

char *
dn_network_policy_network (const DnNetworkPolicy *policy, const char *tenant, guint owner_uid)
{
  if (dn_network_mode (policy->mode) != DN_NETWORK_NAMED)
    return NULL;
  /* A tenant has no ':' in its name, and so is no uid. */
  return g_str_equal (tenant, "none") ? g_strdup_printf ("uid:%u/%s", owner_uid, policy->mode)
                                      : g_strdup_printf ("%s/%s", tenant, policy->mode);
}

static gboolean
holds (const DnPublishPlace *place, guint family, const guint8 *address)
{
  static const guint8 loopback4[DN_ADDRESS_BYTES] = { 127 };
  static const guint8 loopback6[DN_ADDRESS_BYTES] = { [DN_ADDRESS_BYTES - 1] = 1 };

  switch (place->place)
    {
    case DN_PUBLISH_ANY:
      return TRUE;
    case DN_PUBLISH_LOOPBACK:
      return family == 4 ? dn_address_is_within (address, loopback4, 8)
                         : dn_address_is_within (address, loopback6, 128);
    case DN_PUBLISH_ADDRESS:
      return place->family == family && memcmp (place->address, address, DN_ADDRESS_BYTES) == 0;
    }
  g_assert_not_reached ();
}

gboolean
dn_network_policy_may_publish (const DnNetworkPolicy *policy, guint family, const guint8 *address,
                               DnPortRange ports)
{
  for (guint i = 0; i < policy->publish_places->len; i++)
    {
      const DnPublishPlace *place = &g_array_index (policy->publish_places, DnPublishPlace, i);

      if (holds (place, family, address) && place->ports.first <= ports.first
          && ports.last <= place->ports.last)
        return TRUE;
    }
  return FALSE;
}

static void
add_texts (JsonObject *object, const char *name, char **texts)
{
  JsonArray *array = json_array_new ();

  for (char **text = texts; *text != NULL; text++)
    json_array_add_string_element (array, *text);
  json_object_set_array_member (object, name, array);
}

JsonObject *
dn_network_policy_to_json (const DnNetworkPolicy *policy)
{
  JsonObject *object = json_object_new ();

  json_object_set_string_member (object, "mode", policy->mode);
  json_object_set_boolean_member (object, "egress", policy->egress);
  json_object_set_boolean_member (object, "containers", policy->containers);
  add_texts (object, "allow", policy->allow);
  add_texts (object, "deny", policy->deny);
  json_object_set_int_member (object, "egress_kbit", (gint64) policy->egress_kbit);
  json_object_set_int_member (object, "ingress_kbit", (gint64) policy->ingress_kbit);
  add_texts (object, "publish", policy->publish);
  add_texts (object, "dns", policy->dns);
  return object;
}

gboolean
dn_network_policy_read_json (DnNetworkPolicy *policy, JsonObject *object, const char *what,
                             GError **error)
{
  gint64 egress_kbit = 0, ingress_kbit = 0;
  const DnJsonField fields[] = {
    { "mode", DN_JSON_STRING, TRUE, &policy->mode },
    { "egress", DN_JSON_BOOL, TRUE, &policy->egress },
    { "containers", DN_JSON_BOOL, TRUE, &policy->containers },
    { "allow", DN_JSON_STRINGS, TRUE, &policy->allow },
    { "deny", DN_JSON_STRINGS, TRUE, &policy->deny },
    { "egress_kbit", DN_JSON_INT, TRUE, &egress_kbit },
    { "ingress_kbit", DN_JSON_INT, TRUE, &ingress_kbit },
    { "publish", DN_JSON_STRINGS, TRUE, &policy->publish },
    { "dns", DN_JSON_STRINGS, TRUE, &policy->dns },
    { NULL, DN_JSON_STRING, FALSE, NULL },
  };

  if (!dn_json_read (object, fields, what, error))
    return FALSE;
  policy->egress_kbit = (guint64) egress_kbit;
  policy->ingress_kbit = (guint64) ingress_kbit;
  return dn_network_policy_check (policy, what, NULL, error);
}
