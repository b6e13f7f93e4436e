/* SPDX-License-Identifier: Apache-2.0 */
/* From an image's config, a user's wishes and a profile to an OCI runtime-spec config.json.
 *
 * Pure, but for dn_seccomp_compile(): reads nothing, so that golden tests hold the whole of a
 * container's confinement.
 * Source: OCI runtime-spec, config.md and config-linux.md.
 */
#pragma once

#include <json-glib/json-glib.h>

#include "../../protocol/protocol.h"
#include "profile.h"

/* An image's config, as the unpack guest reported it field by field. */
typedef struct
{
  char *user; /* owned, may be NULL, as are all of these */
  char *working_dir;
  char *stop_signal;
  char **env; /* NULL or NULL-terminated */
  char **entrypoint;
  char **cmd;
  char **volumes; /* not owned: the image's, set by who builds a spec; or NULL */
} DnImageConfig;

/* What `create` and `run` ask for: JSON args of the API, read by dn_container_options_read(). */
typedef struct
{
  char *image; /* owned, as are all strings here; NULL: not given */
  char **command;
  char *context;
  char *tenant; /* labels that the context has to have; those of a context made for it */
  char *stage;
  char *tier;
  char *name;
  char *hostname;
  char **env;
  char *user;
  char *working_dir;
  char **entrypoint;
  GHashTable *labels; /* utf8 → utf8 */
  char *profile;      /* a name; NULL: the context's */
  char *profile_text; /* in its place: a profile of the caller's own, as text */
  char **cap_add;
  char **cap_drop;
  char *seccomp_json;    /* Docker's format, as text; or "unconfined" */
  gboolean is_writable;  /* whatever the profile says; not both */
  gboolean is_on_disk;   /* what is written: on a scratch disk, not in memory */
  gint64 writable_bytes; /* 0: the default */
  gboolean is_readonly;
  char **tmpfs;        /* PATH[:size=..,mode=..,noexec,exec] */
  gint64 memory_bytes; /* 0: the profile's default; -1: none, likewise below */
  double cpus;
  gint64 cpu_shares;
  gint64 pids_limit;
  gint64 memory_reservation_bytes; /* likewise */
  char *cpuset_cpus;               /* "0-1,3", or "all" */
  gint64 read_bytes_per_s;         /* of each of its disks; likewise below */
  gint64 write_bytes_per_s;
  gint64 reads_per_s;
  gint64 writes_per_s;
  gboolean ends_whole; /* when one of its processes is ended for want of memory, all are */
  char **ulimits;      /* NAME=SOFT[:HARD] */
  char *network;
  char **publish; /* [ADDRESS:]PORT:PORT[/udp]; without the host's: one is chosen */
  gboolean publishes_all;
  char **expose;    /* PORT[-PORT][/udp] */
  char **add_hosts; /* NAME:ADDRESS */
  char **dns;
  char **dns_search;
  char **volumes; /* --volume and --mount: mount-spec.h */
  char **secrets; /* names, targets and modes, never contents */
  char **configs; /* likewise */
  char *restart;  /* no, always, unless-stopped, on-failure[:N] */
  gboolean has_init;
  char *health_command;      /* run by a shell */
  gint64 health_interval_ns; /* 0: the image's, or else the default; likewise below */
  gint64 health_timeout_ns;
  gint64 health_start_ns;
  gint64 health_start_interval_ns;
  gint64 health_retries;
  gboolean has_no_health_check;
  char *stop_signal;
  gint64 stop_timeout_s; /* -1: default */
  gboolean has_terminal;
  gboolean keeps_stdin_open;
  gboolean is_removed_at_exit;
  gint64 guest_memory_bytes;
  gint64 guest_vcpus;
  gboolean allow_emulation;
} DnContainerOptions;

/* Of a scratch disk. */
#define DN_SCRATCH_LEAST_BYTES (16 * 1024 * 1024)
#define DN_SCRATCH_MOST_BYTES (G_GINT64_CONSTANT (64) * 1024 * 1024 * 1024)
#define DN_SCRATCH_DEFAULT_BYTES (G_GINT64_CONSTANT (1024) * 1024 * 1024)
#define DN_SCRATCH_SERIAL_BYTES 20

/* The serial number of a container's scratch disk: a letter that no image's has, and the id's
 * beginning. */
void dn_scratch_serial (const char *container_id, char ret_serial[DN_SCRATCH_SERIAL_BYTES + 1]);

/* Reads and checks the args of container-create; errors name the flag and the remedy.  Flags for
 * which nothing is built yet are an error that says so. */
DnContainerOptions *dn_container_options_read (JsonObject *args, GError **error);
/* Back to JSON, to be stored: dn_container_options_read() reads it again. */
JsonNode *dn_container_options_to_json (const DnContainerOptions *options);
void dn_container_options_free (DnContainerOptions *options);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DnContainerOptions, dn_container_options_free)

/**
 * dn_spec_build:
 * @profile: what the options and the context's policy came to
 * @image: the image's config
 * @first_uid: guest id to which the container's id 0 is mapped; 65,536 ids from it
 *
 * Returns: (transfer full): config.json, or NULL with DN_ERROR_CONFIG (for instance: no command)
 */
JsonNode *dn_spec_build (const DnContainerOptions *options, const DnProfile *profile,
                         const DnImageConfig *image, const char *container_id, guint32 first_uid,
                         GError **error);

/* Adds "resources" to the object that is open in @builder. */
void dn_spec_add_resources (JsonBuilder *builder, const DnContainerOptions *options,
                            const DnProfile *profile);

#define DN_EXEC_GROUPS_MAX 64 /* as many as the agent takes */

/* What is asked of an exec: the arguments of container-exec. */
typedef struct
{
  char **command; /* all borrowed */
  char **env;
  const char *user;    /* NULL: the container's, with its groups */
  JsonArray *groups;   /* besides those of @user; NULL: none */
  char **capabilities; /* of the container's, those that it is to have; NULL: all */
  const char *working_dir;
  gboolean has_terminal;
} DnSpecExec;

/**
 * dn_spec_build_exec:
 * @spec: the container's document
 *
 * Returns: (transfer full): the OCI process object, or NULL with DN_ERROR_USAGE or, for what the
 * container itself has not got, DN_ERROR_DENIED
 */
JsonNode *dn_spec_build_exec (JsonNode *spec, const DnSpecExec *exec, GError **error);

/**
 * dn_seccomp_compile:
 * @profile_json: a user's, in Docker's format or OCI's, or a list of such, or NULL: each can only
 *   take away from @base
 * @base: what is in force under it, of config/seccomp/
 * @capabilities: of the container: for the rules of all of them that are for holders of some
 * @ret_hash: (out) (optional): SHA-256, hexadecimal: of the profile's text (of the default one's
 * for NULL), or where @base is not the default one, of the filter
 *
 * Compiles with libseccomp for the native architecture.  The result is kept in memory and in
 * STATE/seccomp/ by the hash of all that it was made from, since compiling takes longer than
 * starting a process.  Thread-safe.  Unlike the rest of this file it reads files.
 *
 * Returns: (transfer full): struct sock_filter[], or NULL with DN_ERROR_CONFIG
 */
GBytes *dn_seccomp_compile (const char *profile_json, DnSeccompBase base, guint64 capabilities,
                            char **ret_hash, GError **error);
