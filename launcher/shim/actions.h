/* SPDX-License-Identifier: Apache-2.0 */
/* What the program does, one function for each action.  Each returns the exit status. */
#pragma once

#include "options.h"

/* In the bundle of a container: prints the address of its pod's shim, which it starts for the first
 * one.  Source: containerd, docs/runtime-v2 "start". */
int dn_action_start (const DnShimOptions *options);

/* After a container is gone, or its shim: cleans up what is left of it, any number of times, and
 * prints a DeleteResponse. */
int dn_action_delete (const DnShimOptions *options);

/* Prints a RuntimeInfo. */
int dn_action_info (void);
