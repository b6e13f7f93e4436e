/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "../cli/answer.h"
#include "finding-private.h"

void
dn_finding_each_container (DnFindingLook *look, DnFindingEachFunc func)
{
  JsonArray *contexts = dn_answer_array (look->document, "contexts");

  for (guint i = 0; i < dn_answer_length (contexts); i++)
    {
      JsonObject *context = dn_answer_nth (contexts, i);
      JsonArray *containers = context != NULL ? dn_answer_array (context, "containers") : NULL;

      for (guint k = 0; k < dn_answer_length (containers); k++)
        if (dn_answer_nth (containers, k) != NULL)
          func (look, dn_answer_nth (containers, k), dn_answer_text (context, "name"));
    }
}

/* With it, a process is as good as root of its guest, or is a step from it. */
static gboolean
is_strong (const char *capability)
{
  static const char *const names[] = {
    "ALL",     "BPF",       "CHECKPOINT_RESTORE", "DAC_READ_SEARCH", "MAC_ADMIN",  "NET_ADMIN",
    "PERFMON", "SYS_ADMIN", "SYS_BOOT",           "SYS_MODULE",      "SYS_PTRACE", "SYS_RAWIO",
    "SYSLOG",  NULL
  };

  if (g_str_has_prefix (capability, "CAP_"))
    capability += strlen ("CAP_");
  return g_strv_contains (names, capability);
}

static const char *
name_nth (JsonArray *names, guint index)
{
  JsonNode *node = json_array_get_element (names, index);

  return json_node_get_value_type (node) == G_TYPE_STRING ? json_node_get_string (node) : "";
}

/* All that it has, its profile's included: what was added is a relaxation besides. */
static void
find_capability (DnFindingLook *look, JsonObject *container, const char *context)
{
  g_autofree char *names = dn_answer_words (container, "capabilities");

  if (names[0] != '\0')
    dn_finding_add (look, dn_answer_text (container, "name"), context,
                    "its processes may have capabilities: %s", names);
}

static void
find_capability_strong (DnFindingLook *look, JsonObject *container, const char *context)
{
  JsonArray *names = dn_answer_array (container, "capabilities");

  for (guint i = 0; i < dn_answer_length (names); i++)
    if (is_strong (name_nth (names, i)))
      dn_finding_add (look, dn_answer_text (container, "name"), context,
                      "it has %s, which makes it as good as root of its guest",
                      name_nth (names, i));
}

void
dn_find_container_capability (DnFindingLook *look)
{
  dn_finding_each_container (look, find_capability);
}

void
dn_find_container_capability_strong (DnFindingLook *look)
{
  dn_finding_each_container (look, find_capability_strong);
}

/* What the container has beyond its profile: "capability NET_RAW", "seccomp relaxed". */
static void
find_relaxations (DnFindingLook *look, JsonObject *container, const char *context,
                  gboolean wants_capabilities)
{
  JsonObject *profile = dn_answer_object (container, "profile");
  JsonArray *relaxations = dn_answer_array (container, "relaxations");

  for (guint i = 0; i < dn_answer_length (relaxations); i++)
    {
      const char *relaxation = name_nth (relaxations, i);

      if (*relaxation != '\0' && g_str_has_prefix (relaxation, "capability ") == wants_capabilities)
        dn_finding_add (look, dn_answer_text (container, "name"), context,
                        "beyond its profile '%s': %s",
                        profile != NULL ? dn_answer_text (profile, "name") : "", relaxation);
    }
}

static void
find_relaxed (DnFindingLook *look, JsonObject *container, const char *context)
{
  find_relaxations (look, container, context, FALSE);
}

static void
find_capability_added (DnFindingLook *look, JsonObject *container, const char *context)
{
  find_relaxations (look, container, context, TRUE);
}

void
dn_find_container_relaxed (DnFindingLook *look)
{
  dn_finding_each_container (look, find_relaxed);
}

void
dn_find_container_capability_added (DnFindingLook *look)
{
  dn_finding_each_container (look, find_capability_added);
}

static void
find_listener (DnFindingLook *look, JsonObject *container, const char *context)
{
  JsonArray *listeners = dn_answer_array (container, "listeners");

  for (guint i = 0; i < dn_answer_length (listeners); i++)
    {
      JsonObject *listener = dn_answer_nth (listeners, i);

      if (listener != NULL && g_str_equal (dn_answer_text (listener, "exposure"), "all"))
        dn_finding_add (look, dn_answer_text (container, "name"), context,
                        "'%s' listens on all its addresses, %s port %" G_GINT64_FORMAT,
                        dn_answer_text (listener, "process"), dn_answer_text (listener, "protocol"),
                        dn_answer_int (listener, "port", 0));
    }
}

void
dn_find_container_listener (DnFindingLook *look)
{
  dn_finding_each_container (look, find_listener);
}

static void
find_listeners_unknown (DnFindingLook *look, JsonObject *container, const char *context)
{
  const char *error = dn_answer_text (container, "listeners_error");

  if (*error != '\0' && g_str_equal (dn_answer_text (container, "state"), "running"))
    dn_finding_add (look, dn_answer_text (container, "name"), context,
                    "what listens in it is not known: %s", error);
}

void
dn_find_container_listeners_unknown (DnFindingLook *look)
{
  dn_finding_each_container (look, find_listeners_unknown);
}

static void
find_damaged (DnFindingLook *look, JsonObject *container, const char *context)
{
  JsonObject *damage = dn_answer_object (container, "damage");
  JsonObject *image = dn_answer_object (container, "image");

  if (damage != NULL)
    dn_finding_add (look, dn_answer_text (container, "name"), context,
                    "a block of its image '%s' was changed: layer %" G_GINT64_FORMAT
                    ", block %" G_GINT64_FORMAT,
                    image != NULL ? dn_answer_text (image, "reference") : "",
                    dn_answer_int (damage, "layer", 0), dn_answer_int (damage, "block", 0));
}

void
dn_find_image_damaged (DnFindingLook *look)
{
  dn_finding_each_container (look, find_damaged);
}

static void
find_old (DnFindingLook *look, JsonObject *container, const char *context)
{
  JsonObject *image = dn_answer_object (container, "image");
  gint64 age = image != NULL ? dn_answer_int (image, "age_days", -1) : -1;

  if (age > (gint64) look->limits->image_age_days)
    dn_finding_add (look, dn_answer_text (container, "name"), context,
                    "its image '%s' is %" G_GINT64_FORMAT " days old, more than %u",
                    dn_answer_text (image, "reference"), age, look->limits->image_age_days);
}

void
dn_find_image_old (DnFindingLook *look)
{
  dn_finding_each_container (look, find_old);
}

static void
find_stale (DnFindingLook *look, JsonObject *container, const char *context)
{
  JsonObject *image = dn_answer_object (container, "image");

  if (image != NULL && dn_answer_is (image, "is_stale"))
    dn_finding_add (look, dn_answer_text (container, "name"), context,
                    "the registry has a newer image by the name of its image '%s'",
                    dn_answer_text (image, "reference"));
}

void
dn_find_image_stale (DnFindingLook *look)
{
  dn_finding_each_container (look, find_stale);
}

static void
find_unknown (DnFindingLook *look, JsonObject *container, const char *context, const char *member,
              const char *what)
{
  JsonObject *image = dn_answer_object (container, "image");

  if (image != NULL && !dn_finding_is_known (image, member))
    dn_finding_add (look, dn_answer_text (container, "name"), context, "its image '%s' %s",
                    dn_answer_text (image, "reference"), what);
}

static void
find_age_unknown (DnFindingLook *look, JsonObject *container, const char *context)
{
  find_unknown (look, container, context, "age_days", "does not say when it was made");
}

static void
find_digest (DnFindingLook *look, JsonObject *container, const char *context)
{
  find_unknown (look, container, context, "digest", "has no digest");
}

void
dn_find_image_age_unknown (DnFindingLook *look)
{
  dn_finding_each_container (look, find_age_unknown);
}

void
dn_find_image_digest (DnFindingLook *look)
{
  dn_finding_each_container (look, find_digest);
}

/* What a scanner is paid for; `error` says nothing of the image. */
static void
find_vulnerable (DnFindingLook *look, JsonObject *container, const char *context)
{
  JsonObject *image = dn_answer_object (container, "image");

  if (image != NULL && g_str_equal (dn_answer_text (image, "scan"), "fail"))
    dn_finding_add (look, dn_answer_text (container, "name"), context,
                    "the scanner's verdict on its image '%s' is fail",
                    dn_answer_text (image, "reference"));
}

void
dn_find_image_vulnerable (DnFindingLook *look)
{
  dn_finding_each_container (look, find_vulnerable);
}

static void
find_unscanned (DnFindingLook *look, JsonObject *container, const char *context)
{
  JsonObject *image = dn_answer_object (container, "image");
  const char *verdict = image != NULL ? dn_answer_text (image, "scan") : "";

  if (*verdict == '\0' || g_str_equal (verdict, "error"))
    dn_finding_add (look, dn_answer_text (container, "name"), context,
                    "no scanner's verdict on its image '%s' counts",
                    image != NULL ? dn_answer_text (image, "reference") : "");
}

void
dn_find_image_unscanned (DnFindingLook *look)
{
  dn_finding_each_container (look, find_unscanned);
}

static void
find_unsigned (DnFindingLook *look, JsonObject *container, const char *context)
{
  JsonObject *image = dn_answer_object (container, "image");
  const char *signature = image != NULL ? dn_answer_text (image, "signature") : "none";

  if (*signature == '\0' || g_str_equal (signature, "none"))
    dn_finding_add (look, dn_answer_text (container, "name"), context,
                    "nobody's signature vouches for its image '%s'",
                    image != NULL ? dn_answer_text (image, "reference") : "");
}

void
dn_find_image_unsigned (DnFindingLook *look)
{
  dn_finding_each_container (look, find_unsigned);
}

void
dn_find_image_policy (DnFindingLook *look)
{
  JsonObject *images = dn_answer_object (look->document, "images");

  if (images != NULL && g_str_equal (dn_answer_text (images, "takes"), "anything"))
    dn_finding_add (look, "policy", NULL,
                    "danchi pull takes images that nobody has signed: %s is insecureAcceptAnything "
                    "where it says nothing else",
                    dn_answer_text (images, "policy"));
}
