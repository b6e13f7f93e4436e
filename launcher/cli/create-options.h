/* SPDX-License-Identifier: Apache-2.0 */
/* The flags that run and create share, and the arguments for danchid that they become.
 *
 * What can be judged here is judged here (numbers, names of files); what needs the image, the
 * context or policy is danchid's.  A flag that nothing is built for yet is refused, never ignored.
 */
#pragma once

#include "cli.h"
#include "health-options.h"
#include "limit-options.h"
#include "secret-source.h"

typedef struct
{
  char *context;
  char *tenant;
  char *stage;
  char *tier; /* owned, as are all texts here */
  char *name;
  gboolean is_removed_at_exit;
  gboolean wants_stdin;
  gboolean has_terminal;
  char **env;
  char **env_files;
  char *user;
  char *working_dir;
  char *entrypoint;
  char *hostname;
  char **labels;
  char *profile;
  char **cap_add;
  char **cap_drop;
  char **security;
  gboolean is_readonly;
  char *writable;
  char **tmpfs;
  char **volumes;     /* and --mount */
  char **volume_keys; /* of run: not among the arguments */
  DnLimitOptions limits;
  char **ulimits;
  DnHealthOptions health;
  char *restart;
  gboolean has_init;
  gboolean ends_whole;
  char **secrets;
  char **configs;
  DnSecretsUse secrets_use;  /* by the command, before the arguments are made */
  GPtrArray *secret_sources; /* owned; what came of them: for dn_secret_sources_answer() */
  char *network;
  char **publish;
  gboolean publishes_all;
  char **expose;
  char **add_hosts;
  char **dns;
  char **dns_search;
  char *guest_memory;
  char *guest_cpus;
  char *stop_signal;
  char *stop_timeout;
  char *pull; /* when the image is fetched: pull.h; not among the arguments */
} DnCreateOptions;

void dn_create_options_clear (DnCreateOptions *options);

/* The rows for @options, with @more (ended by an empty row) put in front. (transfer full) */
GOptionEntry *dn_create_options_rows (DnCreateOptions *options, const GOptionEntry *more);

/**
 * dn_create_options_to_args:
 * @words: IMAGE and the command
 *
 * Returns: (transfer full): the arguments of container-create, or NULL with DN_ERROR_USAGE
 */
JsonObject *dn_create_options_to_args (const DnCli *cli, DnCreateOptions *options, char **words,
                                       GError **error);
