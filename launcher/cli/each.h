/* SPDX-License-Identifier: Apache-2.0 */
/* A verb on each of several names: rm, stop, pause and their like.
 *
 * A name that fails does not keep the others from their turn; its error is printed and the exit
 * status is 1 at the end.  Text prints each name as it was given, JSON one array of the answers.
 */
#pragma once

#include "cli.h"

/* The longest time that something is waited for: "as long as it takes". */
#define DN_EACH_PATIENT_S 86400

/**
 * dn_each_call:
 * @member: what the name is called in the arguments: "container"
 * @args: (nullable): further arguments, the same for all; borrowed
 * @print: (nullable): in place of printing the name
 *
 * Returns: the exit status
 */
int dn_each_call (DnCli *cli, const char *verb, const char *member, char **names, JsonObject *args,
                  void (*print) (const char *name, JsonObject *ok));

/* Likewise, with what each request has besides its arguments; descriptors that come back are
 * closed. */
int dn_each_call_with (DnCli *cli, const char *verb, const char *member, char **names,
                       JsonObject *args, DnClientCall *call);

/**
 * dn_each_run_timed:
 * @flag: help of --time, how long the thing may take to end
 * @args: further arguments; borrowed
 *
 * The commands that have names and --time alone: @words is parsed for these.
 *
 * Returns: the exit status
 */
int dn_each_run_timed (DnCli *cli, const char *verb, const char *member, const char *flag,
                       JsonObject *args, char **words);

/* The commands that have names and no flags at all: @words is parsed for these.  Returns: the exit
 * status */
int dn_each_run_plain (DnCli *cli, const char *verb, const char *member, char **words);
