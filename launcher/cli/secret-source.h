/* SPDX-License-Identifier: Apache-2.0 */
/* --secret and --config: where the content of each is, and bringing it to whoever danchid says.
 *
 *     NAME[=FILE][,src=FILE|env=VARIABLE|fd=N|stdin][,target=..][,uid=..][,gid=..][,mode=..]
 *
 * FILE "-" is standard input.  Without any of these, NAME is looked for in $CREDENTIALS_DIRECTORY,
 * where systemd puts a service's credentials.  What is not about the source goes to danchid:
 * ../common/secret-spec.h.
 *
 * No content is held here.  Each source is opened as a descriptor when the flags are read, so that
 * what is missing is told before anything starts; a variable's value is put into a pipe, which is
 * the kernel's memory, and overwritten in this process's environment.  When danchid asks for one
 * ({"secret": NAME}, with a socket), it goes there piece by piece through one locked page
 * (../base/locked-memory.h), which is zeroed.
 *
 * Source: docker-service-create(1), podman-run(1), systemd.exec(5) "CREDENTIALS".
 */
#pragma once

#include "cli.h"

typedef struct
{
  char *name;       /* owned */
  char *text;       /* owned; for danchid: without the source */
  const char *flag; /* for errors: "--secret" */
  gboolean is_config;
  int fd; /* owned; of the content; -1: none was given */
  gboolean is_stdin;
} DnSecretSource;

typedef enum
{
  DN_SECRETS_WHOLE,    /* run: all need a content */
  DN_SECRETS_NAMED,    /* create: none may have one */
  DN_SECRETS_CONTENTS, /* start: a content and nothing else */
  DN_SECRETS_UPDATE,   /* secret update: likewise, of words that are no flags */
} DnSecretsUse;

/**
 * dn_secret_sources_read:
 * @has_stdin: standard input is passed on to the container
 *
 * Reads what --secret and --config say (either may be NULL), and opens what they name.
 *
 * Returns: (transfer full) (element-type DnSecretSource): or NULL with DN_ERROR_USAGE, _FAILED
 */
GPtrArray *dn_secret_sources_read (char **secrets, char **configs, DnSecretsUse use,
                                   gboolean has_stdin, GError **error);

/* Sets "secrets" and "configs" where they are part of what is made, and "contents": the names of
 * those whose content danchid can ask for. */
void dn_secret_sources_fill_args (const GPtrArray *sources, DnSecretsUse use, JsonObject *args);

typedef struct
{
  GPtrArray *sources; /* of DnSecretSource */
  DnCli *cli;         /* where danchid goes, nobody is asked any more */
} DnSecretOffer;

/* A DnClientEventFunc; @data: a DnSecretOffer. */
gboolean dn_secret_sources_answer (JsonObject *event, DnFdList *fds, gpointer data, GError **error);
