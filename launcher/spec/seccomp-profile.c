/* SPDX-License-Identifier: Apache-2.0 */
#include "seccomp-profile.h"

#include <stdlib.h>
#include <string.h>

#include "../common/error.h"
#include "../common/json.h"
#include "seccomp-condition.h"
#include "seccomp-words.h"

#define ERRNO_MAX 4095 /* what fits into SECCOMP_RET_DATA and is an errno to the C library */

static void
rule_free (gpointer data)
{
  DnSeccompRule *rule = data;

  g_free (rule->name);
  g_free (rule);
}

void
dn_seccomp_profile_free (DnSeccompProfile *profile)
{
  if (profile == NULL)
    return;
  g_ptr_array_unref (profile->rules);
  g_free (profile);
}

gboolean
dn_seccomp_profile_permits (const DnSeccompProfile *profile, const char *name)
{
  for (guint i = 0; i < profile->rules->len; i++)
    {
      const DnSeccompRule *rule = g_ptr_array_index (profile->rules, i);

      if ((rule->action == SCMP_ACT_ALLOW || rule->action == SCMP_ACT_LOG)
          && g_str_equal (rule->name, name))
        return TRUE;
    }
  return FALSE;
}

/* The action of @word with @errno_value where it takes one; -1: not given, then EPERM as Docker
 * has it. */
static gboolean
read_action (const char *word, gint64 errno_value, const char *what, guint32 *ret_action,
             GError **error)
{
  guint32 action;

  if (!dn_seccomp_action_from_word (word, &action))
    return dn_throw (error, DN_ERROR_CONFIG, "%s: action '%s': unknown", what, word);
  if (action == SCMP_ACT_NOTIFY || action == SCMP_ACT_TRACE (0))
    return dn_throw (error, DN_ERROR_CONFIG,
                     "%s: action '%s': not supported, nobody in the guest would answer\n"
                     "use SCMP_ACT_ERRNO or SCMP_ACT_ALLOW",
                     what, word);
  if (errno_value != -1 && action != SCMP_ACT_ERRNO (0))
    return dn_throw (error, DN_ERROR_CONFIG, "%s: action '%s' takes no errno", what, word);
  if (errno_value != -1 && (errno_value < 0 || errno_value > ERRNO_MAX))
    return dn_throw (error, DN_ERROR_CONFIG, "%s: errno %" G_GINT64_FORMAT ": not in 0 to %d", what,
                     errno_value, ERRNO_MAX);
  if (action == SCMP_ACT_ERRNO (0))
    action = SCMP_ACT_ERRNO (errno_value == -1 ? 1 : (guint32) errno_value);
  *ret_action = action;
  return TRUE;
}

static gboolean
read_arg (JsonNode *node, const char *what, struct scmp_arg_cmp *ret_arg, GError **error)
{
  gint64 index = -1, value = -1, value_two = 0;
  g_autofree char *op = NULL;
  const DnJsonField fields[] = { { "index", DN_JSON_INT, TRUE, &index },
                                 { "value", DN_JSON_INT, TRUE, &value },
                                 { "valueTwo", DN_JSON_INT, FALSE, &value_two },
                                 { "op", DN_JSON_STRING, TRUE, &op },
                                 { NULL } };
  enum scmp_compare compare;

  if (!JSON_NODE_HOLDS_OBJECT (node))
    return dn_throw (error, DN_ERROR_CONFIG, "%s: an element of 'args' is no object", what);
  if (!dn_json_read (json_node_get_object (node), fields, what, error))
    return FALSE;
  if (index < 0 || index >= DN_SECCOMP_ARGS)
    return dn_throw (error, DN_ERROR_CONFIG, "%s: argument %" G_GINT64_FORMAT ": not in 0 to %d",
                     what, index, DN_SECCOMP_ARGS - 1);
  if (value < 0 || value_two < 0)
    return dn_throw (error, DN_ERROR_CONFIG,
                     "%s: argument %" G_GINT64_FORMAT ": negative; write the bits as a number",
                     what, index);
  if (!dn_seccomp_operator_from_word (op, &compare))
    return dn_throw (error, DN_ERROR_CONFIG, "%s: operator '%s': unknown", what, op);
  if (compare == SCMP_CMP_MASKED_EQ && (value_two & ~value) != 0)
    return dn_throw (error, DN_ERROR_CONFIG,
                     "%s: argument %" G_GINT64_FORMAT
                     ": never true, valueTwo has bits outside the mask in value",
                     what, index);
  if (compare != SCMP_CMP_MASKED_EQ && value_two != 0)
    return dn_throw (error, DN_ERROR_CONFIG, "%s: only SCMP_CMP_MASKED_EQ takes valueTwo", what);
  *ret_arg = (struct scmp_arg_cmp){ .arg = (unsigned int) index,
                                    .op = compare,
                                    .datum_a = (scmp_datum_t) value,
                                    .datum_b = (scmp_datum_t) value_two };
  return TRUE;
}

static gboolean
read_args (JsonArray *array, const char *what, DnSeccompRule *ret_rule, GError **error)
{
  guint count = array != NULL ? json_array_get_length (array) : 0;

  if (count > DN_SECCOMP_ARGS)
    return dn_throw (error, DN_ERROR_CONFIG, "%s: more than %d comparisons", what, DN_SECCOMP_ARGS);
  for (guint i = 0; i < count; i++)
    {
      struct scmp_arg_cmp *arg = &ret_rule->args[i];

      if (!read_arg (json_array_get_element (array, i), what, arg, error))
        return FALSE;
      for (guint j = 0; j < i; j++)
        if (ret_rule->args[j].arg == arg->arg)
          return dn_throw (error, DN_ERROR_CONFIG,
                           "%s: two comparisons of argument %u\n"
                           "write two rules, if either will do",
                           what, arg->arg);
    }
  ret_rule->args_count = count;
  return TRUE;
}

/* Adds @pattern for each of @names that this architecture has. */
static gboolean
add_names (DnSeccompProfile *profile, char **names, const DnSeccompRule *pattern, const char *what,
           GError **error)
{
  for (char **name = names; *name != NULL; name++)
    {
      int number = seccomp_syscall_resolve_name (*name);
      DnSeccompRule *rule;

      if (number == __NR_SCMP_ERROR && !dn_seccomp_name_is_newer (*name))
        return dn_throw (error, DN_ERROR_CONFIG, "%s: system call '%s': unknown", what, *name);
      if (number < 0) /* newer than the table, or another architecture's */
        continue;
      if (pattern->action == profile->default_action)
        continue; /* says what would happen anyway; libseccomp refuses it with EACCES */
      if (profile->rules->len == DN_SECCOMP_RULES_MAX)
        return dn_throw (error, DN_ERROR_CONFIG, "%s: more than %d rules", what,
                         DN_SECCOMP_RULES_MAX);
      rule = g_memdup2 (pattern, sizeof *pattern);
      rule->number = number;
      rule->name = g_strdup (*name);
      g_ptr_array_add (profile->rules, rule);
    }
  return TRUE;
}

static gboolean
read_names (char **names, const char *name, const char *what, char ***ret_names, GError **error)
{
  const char *const single[] = { name, NULL };

  if ((names != NULL) == (name != NULL))
    return dn_throw (error, DN_ERROR_CONFIG, "%s: needs 'names', or 'name' alone", what);
  if (names != NULL && names[0] == NULL)
    return dn_throw (error, DN_ERROR_CONFIG, "%s: 'names' is empty", what);
  *ret_names = g_strdupv (names != NULL ? names : (char **) single);
  return TRUE;
}

static gboolean
read_rule (JsonNode *node, const char *what, DnSeccompProfile *profile, GError **error)
{
  g_auto (GStrv) names_given = NULL, names = NULL;
  g_autofree char *name = NULL, *action = NULL, *comment = NULL;
  g_autoptr (JsonArray) args = NULL;
  g_autoptr (JsonObject) includes = NULL, excludes = NULL;
  gint64 errno_value = -1;
  DnSeccompRule pattern = { .number = 0 };
  const DnJsonField fields[] = { { "names", DN_JSON_STRINGS, FALSE, &names_given },
                                 { "name", DN_JSON_STRING, FALSE, &name },
                                 { "action", DN_JSON_STRING, TRUE, &action },
                                 { "errnoRet", DN_JSON_INT, FALSE, &errno_value },
                                 { "args", DN_JSON_ARRAY, FALSE, &args },
                                 { "comment", DN_JSON_STRING, FALSE, &comment },
                                 { "includes", DN_JSON_OBJECT, FALSE, &includes },
                                 { "excludes", DN_JSON_OBJECT, FALSE, &excludes },
                                 { NULL } };
  gboolean applies;

  if (!JSON_NODE_HOLDS_OBJECT (node))
    return dn_throw (error, DN_ERROR_CONFIG, "%s: not an object", what);
  if (!dn_json_read (json_node_get_object (node), fields, what, error)
      || !read_names (names_given, name, what, &names, error)
      || !read_action (action, errno_value, what, &pattern.action, error)
      || !read_args (args, what, &pattern, error)
      || !dn_seccomp_condition_applies (includes, excludes, profile->capabilities, what, &applies,
                                        error))
    return FALSE;
  return !applies || add_names (profile, names, &pattern, what, error);
}

static gboolean
check_contradictions (const DnSeccompProfile *profile, const char *what, GError **error)
{
  g_autoptr (GHashTable) first = g_hash_table_new (NULL, NULL); /* number → DnSeccompRule */

  for (guint i = 0; i < profile->rules->len; i++)
    {
      DnSeccompRule *rule = g_ptr_array_index (profile->rules, i);
      DnSeccompRule *other = g_hash_table_lookup (first, GINT_TO_POINTER (rule->number));

      if (other != NULL && other->action != rule->action)
        return dn_throw (error, DN_ERROR_CONFIG,
                         "%s: system call '%s': rules with different actions\n"
                         "which of them counts would depend on the order; keep one",
                         what, rule->name);
      g_hash_table_insert (first, GINT_TO_POINTER (rule->number), rule);
    }
  return TRUE;
}

static gboolean
read_rules (JsonArray *array, const char *what, DnSeccompProfile *profile, GError **error)
{
  for (guint i = 0; i < json_array_get_length (array); i++)
    {
      g_autofree char *rule = g_strdup_printf ("%s: syscalls[%u]", what, i);

      if (!read_rule (json_array_get_element (array, i), rule, profile, error))
        return FALSE;
    }
  return check_contradictions (profile, what, error);
}

static gboolean
read_document (JsonObject *object, const char *what, DnSeccompProfile *profile, GError **error)
{
  g_autofree char *action = NULL;
  gint64 errno_value = -1;
  g_auto (GStrv) architectures = NULL, flags = NULL;
  g_autoptr (JsonArray) arch_map = NULL, syscalls = NULL;
  const DnJsonField fields[] = { { "defaultAction", DN_JSON_STRING, TRUE, &action },
                                 { "defaultErrnoRet", DN_JSON_INT, FALSE, &errno_value },
                                 { "archMap", DN_JSON_ARRAY, FALSE, &arch_map },
                                 { "architectures", DN_JSON_STRINGS, FALSE, &architectures },
                                 { "flags", DN_JSON_STRINGS, FALSE, &flags },
                                 { "syscalls", DN_JSON_ARRAY, TRUE, &syscalls },
                                 { NULL } };

  if (!dn_json_read (object, fields, what, error)
      || !read_action (action, errno_value, what, &profile->default_action, error))
    return FALSE;
  return dn_seccomp_check_architectures (architectures, arch_map, what, error)
         && dn_seccomp_check_flags (flags, what, error)
         && read_rules (syscalls, what, profile, error);
}

DnSeccompProfile *
dn_seccomp_profile_read (const char *text, gsize size, guint64 capabilities, const char *what,
                         GError **error)
{
  g_autoptr (DnSeccompProfile) profile = g_new0 (DnSeccompProfile, 1);
  g_autoptr (JsonNode) root = NULL;

  profile->rules = g_ptr_array_new_with_free_func (rule_free);
  profile->capabilities = capabilities;
  root = dn_json_parse (text, size, DN_SECCOMP_PROFILE_MAX_BYTES, what, error);
  if (root == NULL)
    return NULL;
  if (!JSON_NODE_HOLDS_OBJECT (root))
    {
      dn_throw (error, DN_ERROR_CONFIG, "%s: not an object", what);
      return NULL;
    }
  if (!read_document (json_node_get_object (root), what, profile, error))
    return NULL;
  return g_steal_pointer (&profile);
}

gboolean
dn_seccomp_profile_refuses (const DnSeccompProfile *profile, const char *what, GError **error)
{
  if (profile->default_action == SCMP_ACT_ALLOW || profile->default_action == SCMP_ACT_LOG)
    return dn_throw (error, DN_ERROR_CONFIG,
                     "%s: permits every system call it does not name\n"
                     "make defaultAction SCMP_ACT_ERRNO and list what the program needs",
                     what);
  return TRUE;
}

gboolean
dn_seccomp_profile_extend (DnSeccompProfile *profile, DnSeccompProfile *more, const char *what,
                           GError **error)
{
  if (more->default_action != profile->default_action)
    return dn_throw (error, DN_ERROR_CONFIG, "%s: defaultAction: not as the default profile's",
                     what);
  g_ptr_array_extend_and_steal (profile->rules, g_steal_pointer (&more->rules));
  more->rules = g_ptr_array_new_with_free_func (rule_free);
  return check_contradictions (profile, what, error);
}
