/* SPDX-License-Identifier: Apache-2.0 */
/* A config.json as containerd or CRI-O wrote it: what of it a container in a guest can have, read
 * strictly.
 *
 * The text comes from root's own programs, but names, commands and environments in it are a
 * tenant's and annotations may be anything.  So each member that is known has to be of its type and
 * within its bounds; one that is not known is ignored, as the specification demands, unless its
 * neglect would give less than was asked for: hooks, devices of the host's, namespaces of the
 * host's are refused.
 *
 * What it says of the host is not taken: cgroup paths, labels of LSMs, device rules, numbers of
 * processors.  What it leaves open is closed by oci-spec.h.
 *
 * Pure.  Source: OCI runtime-spec 1.1, config.md and config-linux.md.
 */
#pragma once

#include <json-glib/json-glib.h>

#include "../common/json.h"
#include "../spec/ulimit.h"

#define DN_OCI_MOUNTS_MAX 96
#define DN_OCI_ANNOTATIONS_MAX 512
#define DN_OCI_GROUPS_MAX 64
#define DN_OCI_IDS 65536 /* in a container's user namespace */

typedef struct
{
  char *target;   /* owned, as are all; absolute */
  char *type;     /* "bind" where it was told by an option alone */
  char *source;   /* "" where there is none */
  char **options; /* NULL-terminated */
} DnOciMount;

/* What "namespaces" says of one. */
typedef enum
{
  DN_OCI_SPACE_HOST, /* it is not in the list */
  DN_OCI_SPACE_OWN,  /* a new one */
  DN_OCI_SPACE_PATH, /* somebody else's: in a pod's container, the pod's */
} DnOciSpace;

typedef struct
{
  /* process */
  char **args; /* NULL: there is no process */
  char **env;
  char *cwd;
  guint uid;
  guint gid;
  guint umask;
  GArray *groups; /* guint */
  gboolean has_terminal;
  gint64 rows; /* of the terminal, 0: not known */
  gint64 columns;
  guint64 capabilities; /* the bounding set */
  guint64 ambient;
  GArray *ulimits; /* DnUlimit */
  gint64 oom_score_adj;
  /* root and what is mounted in it */
  gboolean is_root_readonly;
  GPtrArray *mounts; /* DnOciMount */
  char **masked;     /* NULL-terminated, as are all lists */
  char **readonly;
  /* the rest */
  char *hostname; /* or NULL */
  DnOciSpace pid;
  DnOciSpace network;
  char *pid_path; /* or NULL, as the next */
  char *network_path;
  GPtrArray *sysctls;      /* name, value, name, value */
  GHashTable *annotations; /* utf8 -> utf8 */
  char *seccomp_json;      /* or NULL: none was given */
  gint64 memory_bytes;     /* 0: not said; -1: none, as are the next */
  gint64 pids;
  gint64 cpu_shares;
  gint64 cpu_quota_us;
  gint64 cpu_period_us;
  gboolean ends_whole;
} DnOciConfig;

/**
 * dn_oci_config_read:
 * @config: the document's object
 * @what: for errors: "container 'ID'"
 *
 * Returns: (transfer full): or NULL with DN_ERROR_USAGE, DN_ERROR_LIMIT, or DN_ERROR_DENIED for
 * what no container in a guest can have
 */
DnOciConfig *dn_oci_config_read (JsonObject *config, const char *what, GError **error);

void dn_oci_config_free (DnOciConfig *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DnOciConfig, dn_oci_config_free)

/* The annotation @name, or NULL. */
const char *dn_oci_config_annotation (const DnOciConfig *config, const char *name);

/* Parts of the above, in files of their own: each reads one member's object, which may be NULL. */
gboolean dn_oci_read_process (JsonObject *object, DnOciConfig *config, const char *what,
                              GError **error);
gboolean dn_oci_read_mounts (JsonArray *array, DnOciConfig *config, const char *what,
                             GError **error);
/* The text of a profile, whose object is changed. */
char *dn_oci_seccomp_text (JsonObject *seccomp);
gboolean dn_oci_read_linux (JsonObject *object, DnOciConfig *config, const char *what,
                            GError **error);

/* As dn_json_read(), but members that @fields do not name are left alone, and errors are
 * DN_ERROR_USAGE. */
gboolean dn_oci_read (JsonObject *object, const DnJsonField *fields, const char *what,
                      GError **error);
