/* SPDX-License-Identifier: Apache-2.0 */
#include "access.h"

#include <stdlib.h>
#include <string.h>

#include "../common/error.h"

#define GROUP "access"

const char *const dn_right_words[]
    = { "run", "exec", "attach", "logs", "inspect", "stop", "rm", "cp", "update", NULL };

char *
dn_right_names (guint rights)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();

  for (guint i = 0; dn_right_words[i] != NULL; i++)
    if ((rights & (1u << i)) != 0)
      g_ptr_array_add (names, (gpointer) dn_right_words[i]);
  g_ptr_array_add (names, NULL);
  return g_strjoinv (", ", (char **) names->pdata);
}

void
dn_access_rules_init (DnAccessRules *rules)
{
  *rules = (DnAccessRules){ .users = g_new0 (char *, 1),
                            .groups = g_new0 (char *, 1),
                            .verbs = g_strdupv ((char **) dn_right_words),
                            .readers = g_new0 (char *, 1),
                            .reader_groups = g_new0 (char *, 1) };
}

void
dn_access_rules_clear (DnAccessRules *rules)
{
  g_clear_pointer (&rules->users, g_strfreev);
  g_clear_pointer (&rules->groups, g_strfreev);
  g_clear_pointer (&rules->verbs, g_strfreev);
  g_clear_pointer (&rules->readers, g_strfreev);
  g_clear_pointer (&rules->reader_groups, g_strfreev);
}

void
dn_access_rules_copy (const DnAccessRules *rules, DnAccessRules *ret_copy)
{
  *ret_copy = (DnAccessRules){ .users = g_strdupv (rules->users),
                               .groups = g_strdupv (rules->groups),
                               .verbs = g_strdupv (rules->verbs),
                               .readers = g_strdupv (rules->readers),
                               .reader_groups = g_strdupv (rules->reader_groups) };
}

void
dn_access_rules_fill_keys (DnAccessRules *rules, DnKey *ret_keys)
{
  const DnKey keys[DN_ACCESS_KEYS] = {
    { GROUP, "users", DN_KEY_WORDS, &rules->users, 0, 0, 0, NULL },
    { GROUP, "groups", DN_KEY_WORDS, &rules->groups, 0, 0, 0, NULL },
    { GROUP, "verbs", DN_KEY_WORDS, &rules->verbs, 0, 0, 0, NULL },
    { GROUP, "readers", DN_KEY_WORDS, &rules->readers, 0, 0, 0, NULL },
    { GROUP, "reader_groups", DN_KEY_WORDS, &rules->reader_groups, 0, 0, 0, NULL },
  };

  memcpy (ret_keys, keys, sizeof keys);
}

/* 0: there is no such right. */
static guint
right_of (const char *word)
{
  for (guint i = 0; dn_right_words[i] != NULL; i++)
    if (g_str_equal (dn_right_words[i], word))
      return 1u << i;
  return 0;
}

gboolean
dn_access_rules_check (const DnAccessRules *rules, const char *what, const DnKeyPlaces *places,
                       GError **error)
{
  for (char **word = rules->verbs; *word != NULL; word++)
    if (right_of (*word) == 0)
      {
        g_autofree char *all = g_strjoinv (", ", (char **) dn_right_words);

        return dn_key_file_throw (error, what, places, GROUP, "verbs",
                                  "'%s': there is no such right\nthere are %s", *word, all);
      }
  return TRUE;
}

/* An entry of digits is an id, also where the host has a name that reads the same. */
static gboolean
is_meant (const char *word, guint id, const char *name)
{
  guint64 number;

  if (strspn (word, "0123456789") == strlen (word))
    return g_ascii_string_to_unsigned (word, 10, 0, G_MAXUINT32 - 1, &number, NULL) && number == id;
  return name != NULL && g_str_equal (word, name);
}

static gboolean
is_member (const char *word, const DnPrincipal *principal)
{
  if (is_meant (word, principal->gid, principal->group))
    return TRUE;
  for (guint i = 0; i < principal->n_groups; i++)
    if (is_meant (word, principal->groups[i],
                  principal->group_names != NULL ? principal->group_names[i] : NULL))
      return TRUE;
  return FALSE;
}

const char *
dn_access_match (char **users, char **groups, const DnPrincipal *principal)
{
  for (; users != NULL && *users != NULL; users++)
    if (is_meant (*users, principal->uid, principal->user))
      return *users;
  for (; groups != NULL && *groups != NULL; groups++)
    if (is_member (*groups, principal))
      return *groups;
  return NULL;
}

static guint
rights_of_verbs (const DnAccessRules *rules)
{
  guint rights = 0;

  for (char **word = rules->verbs; *word != NULL; word++)
    rights |= right_of (*word);
  return rights;
}

/* What an entry of a pair of lists gives, and which it was. */
typedef struct
{
  guint rights;
  const char *key;
  const char *word;
} Grant;

static Grant
find_grant (char **users, const char *users_key, char **groups, const char *groups_key,
            const DnPrincipal *principal, guint rights)
{
  const char *user = dn_access_match (users, NULL, principal);
  const char *group = user == NULL ? dn_access_match (NULL, groups, principal) : NULL;

  if (user == NULL && group == NULL)
    return (Grant){ 0, NULL, NULL };
  return (Grant){ rights, user != NULL ? users_key : groups_key, user != NULL ? user : group };
}

static DnAccessDecision
decide_by_rules (const DnAccessRules *rules, const DnPrincipal *principal, guint rights)
{
  const Grant full = find_grant (rules->users, "users", rules->groups, "groups", principal,
                                 rights_of_verbs (rules));
  const Grant reader = find_grant (rules->readers, "readers", rules->reader_groups, "reader_groups",
                                   principal, DN_RIGHT_OF_READERS);
  guint missing = rights & ~(full.rights | reader.rights);
  gboolean is_by_full = full.key != NULL && (rights & ~full.rights) == 0;

  if ((full.rights | reader.rights) == 0)
    return (DnAccessDecision){ .verdict = DN_ACCESS_INVISIBLE, .missing = rights };
  if (missing == 0)
    return (DnAccessDecision){ .verdict = DN_ACCESS_ALLOWED,
                               .key = is_by_full ? full.key : reader.key,
                               .word = is_by_full ? full.word : reader.word };
  return (DnAccessDecision){ .verdict = DN_ACCESS_DENIED,
                             .missing = missing,
                             .key = full.key != NULL ? "verbs" : reader.key,
                             .word = full.key != NULL ? full.word : reader.word };
}

DnAccessDecision
dn_access_decide (const DnAccessSubject *subject, const DnPrincipal *principal, guint rights)
{
  const DnAccessDecision yes = { .verdict = DN_ACCESS_ALLOWED };
  const DnAccessDecision no = { .verdict = DN_ACCESS_INVISIBLE, .missing = rights };

  if (principal->uid == 0)
    return yes;
  if (subject->is_closed)
    return no;
  if (subject->rules == NULL)
    return subject->owner_uid == principal->uid ? yes : no;
  return decide_by_rules (subject->rules, principal, rights);
}

char *
dn_access_rule_words (const DnAccessDecision *decision, const DnAccessSubject *subject,
                      const DnPrincipal *principal)
{
  g_autofree char *missing = NULL;

  if (principal->uid == 0)
    return g_strdup ("root");
  switch (decision->verdict)
    {
    case DN_ACCESS_INVISIBLE:
      return subject->rules != NULL ? g_strdup_printf ("file '%s': [" GROUP
                                                       "] names neither uid %u nor a group of its",
                                                       subject->file, principal->uid)
                                    : g_strdup_printf ("it is of uid %u alone", subject->owner_uid);
    case DN_ACCESS_DENIED:
      missing = dn_right_names (decision->missing);
      return g_strdup_printf ("file '%s': [" GROUP "] %s: gives '%s' no right to %s", subject->file,
                              decision->key, decision->word, missing);
    case DN_ACCESS_ALLOWED:
      return subject->rules != NULL ? g_strdup_printf ("file '%s': [" GROUP "] %s: %s",
                                                       subject->file, decision->key, decision->word)
                                    : g_strdup ("owner");
    }
  g_assert_not_reached ();
}
