/* SPDX-License-Identifier: Apache-2.0 */
#include "context-definition.h"

#include <string.h>

#define MCS_CATEGORY_MAX 1023

static DnOrigin
new_origin (DnSettings *settings)
{
  return (DnOrigin){ .places = dn_key_places_new (), .settings = dn_settings_ref (settings) };
}

static void
clear_origin (DnOrigin *origin)
{
  g_clear_pointer (&origin->places, dn_key_places_free);
  g_clear_pointer (&origin->settings, dn_settings_unref);
}

static DnOrigin
copy_origin (const DnOrigin *origin)
{
  return (DnOrigin){ .places = dn_key_places_copy (origin->places),
                     .settings = dn_settings_ref (origin->settings) };
}

void
dn_context_definition_init (DnContextDefinition *definition, DnSettings *settings)
{
  *definition = (DnContextDefinition){
    .tenant = g_strdup ("none"),
    .stage = g_strdup ("none"),
    .tier = g_strdup ("none"),
    .guest_memory_bytes = settings->guest_memory_bytes,
    .guest_vcpus = settings->guest_vcpus,
    .limits = settings->guest_limits,
    .transport = settings->transport,
    .allow_emulation = settings->allow_emulation,
    .mcs = g_new0 (char *, 1),
    .guest_origin = new_origin (settings),
    .origin = new_origin (settings),
  };
  dn_policy_copy (&settings->policy, &definition->policy);
  dn_terms_copy (&settings->terms, &definition->terms);
  dn_network_policy_copy (&settings->network, &definition->network);
  dn_access_rules_init (&definition->access);
}

static void
clear_policy (DnContextDefinition *definition)
{
  dn_policy_clear (&definition->policy);
  dn_terms_clear (&definition->terms);
  dn_access_rules_clear (&definition->access);
  clear_origin (&definition->origin);
}

void
dn_context_definition_clear (DnContextDefinition *definition)
{
  g_clear_pointer (&definition->tenant, g_free);
  g_clear_pointer (&definition->stage, g_free);
  g_clear_pointer (&definition->tier, g_free);
  g_clear_pointer (&definition->mcs, g_strfreev);
  dn_network_policy_clear (&definition->network);
  clear_origin (&definition->guest_origin);
  clear_policy (definition);
}

/* Moves *@text behind "cN". Returns: N, or -1 */
static gint
take_category (const char **text)
{
  const char *digits = *text + 1;
  guint64 number;
  char *end;

  if (**text != 'c' || !g_ascii_isdigit (*digits)
      || (digits[0] == '0' && g_ascii_isdigit (digits[1])))
    return -1;
  number = g_ascii_strtoull (digits, &end, 10);
  *text = end;
  return number <= MCS_CATEGORY_MAX ? (gint) number : -1;
}

gboolean
dn_mcs_is_valid (const char *text)
{
  gint first = take_category (&text), second;

  if (first < 0 || *text++ != ',')
    return FALSE;
  second = take_category (&text);
  return second > first && *text == '\0';
}

const char *
dn_context_definition_mcs (const DnContextDefinition *definition)
{
  return definition->mcs != NULL ? definition->mcs[0] : NULL;
}

static gboolean
check_mcs (const DnContextDefinition *definition, const char *what, const DnKeyPlaces *places,
           GError **error)
{
  const char *mcs = dn_context_definition_mcs (definition);

  return mcs == NULL || (definition->mcs[1] == NULL && dn_mcs_is_valid (mcs))
         || dn_key_file_throw (error, what, places, "guest", "mcs",
                               "must be two categories, the smaller one first\n"
                               "for instance mcs = c17,c902; from c0 to c%d",
                               MCS_CATEGORY_MAX);
}

void
dn_context_definition_copy (const DnContextDefinition *definition, DnContextDefinition *ret_copy)
{
  *ret_copy = *definition;
  ret_copy->tenant = g_strdup (definition->tenant);
  ret_copy->stage = g_strdup (definition->stage);
  ret_copy->tier = g_strdup (definition->tier);
  ret_copy->mcs = g_strdupv (definition->mcs);
  ret_copy->guest_origin = copy_origin (&definition->guest_origin);
  ret_copy->origin = copy_origin (&definition->origin);
  dn_policy_copy (&definition->policy, &ret_copy->policy);
  dn_terms_copy (&definition->terms, &ret_copy->terms);
  dn_network_policy_copy (&definition->network, &ret_copy->network);
  dn_access_rules_copy (&definition->access, &ret_copy->access);
}

void
dn_context_definition_take_policy (DnContextDefinition *definition, DnContextDefinition *from)
{
  clear_policy (definition);
  definition->policy = from->policy;
  definition->terms = from->terms;
  definition->access = from->access;
  definition->origin = from->origin;
  dn_network_policy_take_publish (&definition->network, &from->network);
  from->policy = (DnPolicy){ NULL };
  from->terms = (DnTerms){ NULL };
  from->access = (DnAccessRules){ NULL };
  from->origin = (DnOrigin){ NULL };
}

void
dn_context_definition_fill_keys (DnContextDefinition *definition, DnKey *ret_keys)
{
  const DnKey keys[DN_CONTEXT_OWN_KEYS] = {
    { "context", "tenant", DN_KEY_WORD, &definition->tenant, 0, 0, 0, NULL },
    { "context", "stage", DN_KEY_WORD, &definition->stage, 0, 0, 0, NULL },
    { "context", "tier", DN_KEY_WORD, &definition->tier, 0, 0, 0, NULL },
    { "guest", "memory_mib", DN_KEY_INTEGER, &definition->guest_memory_bytes,
      DN_GUEST_MEMORY_MIN_MIB, DN_GUEST_MEMORY_MAX_MIB, 1024 * 1024, NULL },
    { "guest", "vcpus", DN_KEY_INTEGER, &definition->guest_vcpus, 1, DN_GUEST_VCPUS_MAX, 1, NULL },
    { "guest", "transport", DN_KEY_CHOICE, &definition->transport, 0, 0, 0, dn_transport_words },
    { "guest", "allow_emulation", DN_KEY_BOOLEAN, &definition->allow_emulation, 0, 0, 0, NULL },
    { "guest", "mcs", DN_KEY_LIST, &definition->mcs, 0, 0, 0, NULL },
  };
  DnKey *at = ret_keys;

  memcpy (at, keys, sizeof keys);
  at += DN_CONTEXT_OWN_KEYS;
  dn_guest_limits_fill_keys (&definition->limits, at);
  at += DN_GUEST_LIMITS_KEYS;
  dn_access_rules_fill_keys (&definition->access, at);
  at += DN_ACCESS_KEYS;
  dn_policy_fill_keys (&definition->policy, at);
  at += DN_POLICY_KEYS;
  dn_terms_fill_keys (&definition->terms, at);
  at += DN_TERMS_KEYS;
  dn_network_policy_fill_keys (&definition->network, at);
  ret_keys[DN_CONTEXT_KEYS] = (DnKey){ .group = NULL };
}

gboolean
dn_context_definition_is_of_guest (const DnKey *key)
{
  return g_str_equal (key->group, "context") || g_str_equal (key->group, "guest")
         || (g_str_equal (key->group, "network") && !g_str_equal (key->key, "publish"));
}

const DnOrigin *
dn_context_definition_origin (const DnContextDefinition *definition, const DnKey *key)
{
  return dn_context_definition_is_of_guest (key) ? &definition->guest_origin : &definition->origin;
}

gboolean
dn_context_definition_parse (DnContextDefinition *definition, const char *text, gsize size,
                             const char *what, GError **error)
{
  DnKey keys[DN_CONTEXT_KEYS + 1];
  DnKeyPlaces *places = definition->origin.places;

  dn_context_definition_fill_keys (definition, keys);
  if (!dn_key_file_parse_places (text, size, what, keys, places, error)
      || !check_mcs (definition, what, places, error)
      || !dn_guest_limits_check (&definition->limits, what, places, error)
      || !dn_access_rules_check (&definition->access, what, places, error)
      || !dn_policy_check (&definition->policy, what, places, error)
      || !dn_terms_check (&definition->terms, what, places, error)
      || !dn_network_policy_check (&definition->network, what, places, error))
    return FALSE;
  dn_key_places_free (definition->guest_origin.places);
  definition->guest_origin.places = dn_key_places_copy (places);
  return TRUE;
}

DnLabels
dn_context_definition_labels (const DnContextDefinition *definition)
{
  return (DnLabels){ .values = { [DN_LABEL_TENANT] = definition->tenant,
                                 [DN_LABEL_STAGE] = definition->stage,
                                 [DN_LABEL_TIER] = definition->tier } };
}

char *
dn_context_definition_print (DnContextDefinition *definition)
{
  DnKey keys[DN_CONTEXT_KEYS + 1];
  GString *text = g_string_new (NULL);
  const char *group = "";

  dn_context_definition_fill_keys (definition, keys);
  for (const DnKey *key = keys; key->group != NULL; key++)
    {
      g_autofree char *value = dn_key_print (key);

      if (!g_str_equal (group, key->group))
        g_string_append_printf (text, "%s[%s]\n", *group != '\0' ? "\n" : "", key->group);
      group = key->group;
      g_string_append_printf (text, "%s = %s\n", key->key, value);
    }
  return g_string_free (text, FALSE);
}
