/* SPDX-License-Identifier: Apache-2.0 */
#include "pod-words.h"

#include <string.h>

#include "../common/error.h"

#define PREFIX "io.kubernetes.cri.sandbox-"
#define CRIO_MARK "io.kubernetes.cri-o.ContainerType"
#define CRIO_SUMS_MAX_BYTES 16384

/* In the order of DnPodWord. */
static const struct
{
  const char *containerd;
  const char *crio;
} words[] = {
  { PREFIX "name", "io.kubernetes.pod.name" },
  { PREFIX "namespace", "io.kubernetes.pod.namespace" },
  { PREFIX "uid", "io.kubernetes.pod.uid" },
  { "io.kubernetes.cri.container-name", "io.kubernetes.container.name" },
  { "io.kubernetes.cri.image-name", "io.kubernetes.cri-o.SomeNameOfTheImage" },
};

/* CRI-O's names for the sums, since 1.35 and before. */
static const char *const crio_sums[]
    = { "pod-linux-resources.crio.io", "io.kubernetes.cri-o.PodLinuxResources" };

static gboolean
is_crios (const DnOciConfig *config)
{
  return dn_oci_config_annotation (config, CRIO_MARK) != NULL;
}

const char *
dn_pod_word (const DnOciConfig *config, DnPodWord word)
{
  return dn_oci_config_annotation (config,
                                   is_crios (config) ? words[word].crio : words[word].containerd);
}

/* The number of an annotation; @missing where it is not there.  FALSE: it is none. */
static gboolean
read_number (const DnOciConfig *config, const char *name, gint64 missing, gint64 *ret_number,
             GError **error)
{
  const char *text = dn_oci_config_annotation (config, name);

  *ret_number = missing;
  return text == NULL || g_ascii_string_to_signed (text, 10, -1, G_MAXINT64, ret_number, NULL)
         || dn_throw (error, DN_ERROR_USAGE, "pod: annotation '%s': is no number", name);
}

static gboolean
read_containerds (const DnOciConfig *sandbox, DnPodSums *sums, GError **error)
{
  return read_number (sandbox, PREFIX "memory", sums->memory, &sums->memory, error)
         && read_number (sandbox, PREFIX "cpu-quota", sums->quota, &sums->quota, error)
         && read_number (sandbox, PREFIX "cpu-period", sums->period, &sums->period, error)
         && read_number (sandbox, PREFIX "cpu-shares", sums->shares, &sums->shares, error);
}

/* A document in an annotation: the CRI's LinuxContainerResources, or null. */
static gboolean
read_crios (const char *name, const char *text, DnPodSums *sums, GError **error)
{
  const DnJsonField fields[] = {
    { "memory_limit_in_bytes", DN_JSON_INT, FALSE, &sums->memory },
    { "cpu_quota", DN_JSON_INT, FALSE, &sums->quota },
    { "cpu_period", DN_JSON_INT, FALSE, &sums->period },
    { "cpu_shares", DN_JSON_INT, FALSE, &sums->shares },
    { NULL, DN_JSON_STRING, FALSE, NULL },
  };
  g_autoptr (JsonNode) node = NULL;
  g_autoptr (GError) local = NULL;

  if (g_str_equal (text, "null"))
    return TRUE;
  node = dn_json_parse (text, strlen (text), CRIO_SUMS_MAX_BYTES, name, &local);
  if (node == NULL || !JSON_NODE_HOLDS_OBJECT (node))
    return dn_throw (error, DN_ERROR_USAGE, "pod: annotation '%s': is no JSON object", name);
  return dn_oci_read (json_node_get_object (node), fields, name, error);
}

gboolean
dn_pod_sums_read (const DnOciConfig *sandbox, DnPodSums *ret_sums, GError **error)
{
  /* The shares of the sandbox's own document are the pause container's. */
  *ret_sums = (DnPodSums){ .memory = sandbox->memory_bytes,
                           .quota = sandbox->cpu_quota_us,
                           .period = sandbox->cpu_period_us };
  if (!is_crios (sandbox))
    return read_containerds (sandbox, ret_sums, error);
  for (gsize i = 0; i < G_N_ELEMENTS (crio_sums); i++)
    {
      const char *text = dn_oci_config_annotation (sandbox, crio_sums[i]);

      if (text != NULL)
        return read_crios (crio_sums[i], text, ret_sums, error);
    }
  return TRUE;
}
