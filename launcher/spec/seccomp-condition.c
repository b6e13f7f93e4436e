/* SPDX-License-Identifier: Apache-2.0 */
#include "seccomp-condition.h"

#include <seccomp.h>
#include <string.h>

#include "../common/error.h"
#include "../common/json.h"
#include "capability.h"
#include "seccomp-profile.h"

/* Docker's names for the architectures of `includes` and `excludes`. */
static const char *const native_words[] = {
#if defined(__x86_64__)
  "amd64",
  "x86_64",
#elif defined(__aarch64__)
  "arm64",
  "aarch64",
#endif
  NULL,
};

/* "SCMP_ARCH_X86_64" to the token of libseccomp, 0 when it knows none. */
static guint32
architecture_from_word (const char *word)
{
  g_autofree char *name = NULL;

  if (!g_str_has_prefix (word, "SCMP_ARCH_"))
    return 0;
  name = g_ascii_strdown (word + strlen ("SCMP_ARCH_"), -1);
  return seccomp_arch_resolve_name (name);
}

static gboolean
check_architecture (const char *word, const char *what, gboolean *is_for_native, GError **error)
{
  guint32 architecture = architecture_from_word (word);

  /* libseccomp 2.5 knows no LoongArch; Docker's file names it. */
  if (architecture == 0 && !g_str_has_prefix (word, "SCMP_ARCH_LOONGARCH"))
    return dn_throw (error, DN_ERROR_CONFIG, "%s: architecture '%s': unknown", what, word);
  if (architecture == seccomp_arch_native ())
    *is_for_native = TRUE;
  return TRUE;
}

static gboolean
check_arch_map_entry (JsonNode *node, const char *what, gboolean *is_for_native, GError **error)
{
  g_autofree char *word = NULL;
  g_auto (GStrv) others = NULL;
  gboolean is_other_for_native = FALSE;
  const DnJsonField fields[] = { { "architecture", DN_JSON_STRING, TRUE, &word },
                                 { "subArchitectures", DN_JSON_STRINGS, FALSE, &others },
                                 { NULL } };

  if (!JSON_NODE_HOLDS_OBJECT (node))
    return dn_throw (error, DN_ERROR_CONFIG, "%s: an element of 'archMap' is no object", what);
  if (!dn_json_read (json_node_get_object (node), fields, what, error)
      || !check_architecture (word, what, is_for_native, error))
    return FALSE;
  for (guint i = 0; others != NULL && others[i] != NULL; i++)
    if (!check_architecture (others[i], what, &is_other_for_native, error))
      return FALSE;
  return TRUE;
}

gboolean
dn_seccomp_check_architectures (char **architectures, JsonArray *arch_map, const char *what,
                                GError **error)
{
  gboolean is_for_native = architectures == NULL && arch_map == NULL;

  if (architectures != NULL && arch_map != NULL)
    return dn_throw (error, DN_ERROR_CONFIG, "%s: has both 'architectures' and 'archMap'", what);
  for (guint i = 0; architectures != NULL && architectures[i] != NULL; i++)
    if (!check_architecture (architectures[i], what, &is_for_native, error))
      return FALSE;
  for (guint i = 0; arch_map != NULL && i < json_array_get_length (arch_map); i++)
    if (!check_arch_map_entry (json_array_get_element (arch_map, i), what, &is_for_native, error))
      return FALSE;
  if (!is_for_native)
    return dn_throw (error, DN_ERROR_CONFIG, "%s: is not for this machine's architecture", what);
  return TRUE;
}

gboolean
dn_seccomp_check_flags (char **flags, const char *what, GError **error)
{
  static const char *const refused[]
      = { "SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
          "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", NULL };

  for (guint i = 0; flags != NULL && flags[i] != NULL; i++)
    {
      if (g_str_equal (flags[i], "SECCOMP_FILTER_FLAG_TSYNC"))
        continue;
      return dn_throw (error, DN_ERROR_CONFIG, "%s: flag '%s': %s", what, flags[i],
                       g_strv_contains (refused, flags[i])
                           ? "not supported\nleave it out of the profile"
                           : "unknown");
    }
  return TRUE;
}

static gboolean
is_kernel_at_least (const char *text, const char *what, gboolean *ret_is, GError **error)
{
  g_autoptr (GRegex) pattern
      = g_regex_new ("^[0-9]{1,4}\\.[0-9]{1,4}$", G_REGEX_DOLLAR_ENDONLY, 0, NULL);
  guint64 major, minor;
  char *end;

  if (!g_regex_match (pattern, text, 0, NULL))
    return dn_throw (error, DN_ERROR_CONFIG, "%s: minKernel '%s': not like 4.8", what, text);
  major = g_ascii_strtoull (text, &end, 10);
  minor = g_ascii_strtoull (end + 1, NULL, 10);
  *ret_is = DN_SECCOMP_KERNEL_MAJOR > major
            || (DN_SECCOMP_KERNEL_MAJOR == major && DN_SECCOMP_KERNEL_MINOR >= minor);
  return TRUE;
}

typedef struct
{
  guint64 capabilities; /* empty: it names none */
  gboolean has_arches;
  gboolean is_native; /* where has_arches */
  gboolean has_kernel;
  gboolean is_kernel; /* where has_kernel */
} Condition;

static gboolean
read_capabilities (char **names, const char *what, guint64 *ret_set, GError **error)
{
  for (; names != NULL && *names != NULL; names++)
    {
      guint64 bit;

      if (!g_str_has_prefix (*names, "CAP_") || !dn_capability_bit (*names, &bit))
        return dn_throw (error, DN_ERROR_CONFIG, "%s: capability '%s': unknown", what, *names);
      *ret_set |= bit;
    }
  return TRUE;
}

static gboolean
read_condition (JsonObject *object, const char *what, Condition *ret_condition, GError **error)
{
  g_auto (GStrv) caps = NULL, arches = NULL;
  g_autofree char *kernel = NULL;
  const DnJsonField fields[] = { { "caps", DN_JSON_STRINGS, FALSE, &caps },
                                 { "arches", DN_JSON_STRINGS, FALSE, &arches },
                                 { "minKernel", DN_JSON_STRING, FALSE, &kernel },
                                 { NULL } };

  if (object == NULL)
    return TRUE;
  if (!dn_json_read (object, fields, what, error))
    return FALSE;
  if (!read_capabilities (caps, what, &ret_condition->capabilities, error))
    return FALSE;
  ret_condition->has_arches = arches != NULL && arches[0] != NULL;
  for (guint i = 0; arches != NULL && arches[i] != NULL; i++)
    if (g_strv_contains (native_words, arches[i]))
      ret_condition->is_native = TRUE;
  ret_condition->has_kernel = kernel != NULL && kernel[0] != '\0';
  return !ret_condition->has_kernel
         || is_kernel_at_least (kernel, what, &ret_condition->is_kernel, error);
}

gboolean
dn_seccomp_condition_applies (JsonObject *includes, JsonObject *excludes, guint64 capabilities,
                              const char *what, gboolean *ret_applies, GError **error)
{
  Condition with = { 0 }, without = { 0 };

  if (!read_condition (includes, what, &with, error)
      || !read_condition (excludes, what, &without, error))
    return FALSE;
  *ret_applies
      = (with.capabilities & ~capabilities) == 0 && (!with.has_arches || with.is_native)
        && (!with.has_kernel || with.is_kernel) && (without.capabilities & capabilities) == 0
        && !(without.has_arches && without.is_native) && !(without.has_kernel && without.is_kernel);
  return TRUE;
}
