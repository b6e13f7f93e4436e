/* SPDX-License-Identifier: Apache-2.0 */
#include "context-definition.h"

#include "../common/error.h"
#include "../common/key-file.h"

#define DEFINITION_KEYS 8 /* in the table below, before the policy's */
#define MCS_CATEGORY_MAX 1023

void
dn_context_definition_init (DnContextDefinition *definition, const DnSettings *settings)
{
  *definition = (DnContextDefinition){
    .tenant = g_strdup ("none"),
    .stage = g_strdup ("none"),
    .tier = g_strdup ("none"),
    .guest_memory_bytes = settings->guest_memory_bytes,
    .guest_vcpus = settings->guest_vcpus,
    .transport = settings->transport,
    .allow_emulation = settings->allow_emulation,
  };
  dn_policy_copy (&settings->policy, &definition->policy);
  dn_access_rules_init (&definition->access);
}

void
dn_context_definition_clear (DnContextDefinition *definition)
{
  g_clear_pointer (&definition->tenant, g_free);
  g_clear_pointer (&definition->stage, g_free);
  g_clear_pointer (&definition->tier, g_free);
  g_clear_pointer (&definition->mcs, g_strfreev);
  dn_policy_clear (&definition->policy);
  dn_access_rules_clear (&definition->access);
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
check_mcs (const DnContextDefinition *definition, const char *what, GError **error)
{
  const char *mcs = dn_context_definition_mcs (definition);

  return mcs == NULL || (definition->mcs[1] == NULL && dn_mcs_is_valid (mcs))
         || dn_throw (error, DN_ERROR_CONFIG,
                      "file '%s': [guest] mcs: must be two categories, the smaller one first\n"
                      "for instance mcs = c17,c902; from c0 to c%d",
                      what, MCS_CATEGORY_MAX);
}

gboolean
dn_context_definition_parse (DnContextDefinition *definition, const char *text, gsize size,
                             const char *what, GError **error)
{
  DnKey keys[] = {
    { "context", "tenant", DN_KEY_WORD, &definition->tenant, 0, 0, 0, NULL },
    { "context", "stage", DN_KEY_WORD, &definition->stage, 0, 0, 0, NULL },
    { "context", "tier", DN_KEY_WORD, &definition->tier, 0, 0, 0, NULL },
    { "guest", "memory_mib", DN_KEY_INTEGER, &definition->guest_memory_bytes,
      DN_GUEST_MEMORY_MIN_MIB, DN_GUEST_MEMORY_MAX_MIB, 1024 * 1024, NULL },
    { "guest", "vcpus", DN_KEY_INTEGER, &definition->guest_vcpus, 1, DN_GUEST_VCPUS_MAX, 1, NULL },
    { "guest", "transport", DN_KEY_CHOICE, &definition->transport, 0, 0, 0, dn_transport_words },
    { "guest", "allow_emulation", DN_KEY_BOOLEAN, &definition->allow_emulation, 0, 0, 0, NULL },
    { "guest", "mcs", DN_KEY_LIST, &definition->mcs, 0, 0, 0, NULL },
    [DEFINITION_KEYS + DN_POLICY_KEYS + DN_ACCESS_KEYS]
    = { NULL, NULL, DN_KEY_INTEGER, NULL, 0, 0, 0, NULL },
  };

  dn_policy_fill_keys (&definition->policy, keys + DEFINITION_KEYS);
  dn_access_rules_fill_keys (&definition->access, keys + DEFINITION_KEYS + DN_POLICY_KEYS);
  return dn_key_file_parse (text, size, what, keys, error) && check_mcs (definition, what, error)
         && dn_policy_check (&definition->policy, what, error)
         && dn_access_rules_check (&definition->access, what, error);
}

char *
dn_context_definition_print (const DnContextDefinition *definition)
{
  g_autofree char *policy = dn_policy_print (&definition->policy);
  g_autofree char *access = dn_access_rules_print (&definition->access);

  return g_strdup_printf ("[context]\ntenant = %s\nstage = %s\ntier = %s\n\n"
                          "[guest]\nmemory_mib = %" G_GUINT64_FORMAT "\nvcpus = %" G_GUINT64_FORMAT
                          "\ntransport = %s\nallow_emulation = %s\n\n%s\n%s",
                          definition->tenant, definition->stage, definition->tier,
                          definition->guest_memory_bytes / (1024 * 1024), definition->guest_vcpus,
                          dn_transport_words[definition->transport],
                          definition->allow_emulation ? "yes" : "no", access, policy);
}
