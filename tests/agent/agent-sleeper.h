/* SPDX-License-Identifier: Apache-2.0 */
/* What several tests of the agent begin with: a container that sleeps, and its streams. */
#pragma once

#include "agent-host.h"

#define ARGS(...) ((const char *const[]){ "probe", __VA_ARGS__, NULL })
#define ID "0123456789abcdef0123456789abcdef"

/* A container of that id with probe's @args; all else as usual.  Borrows @args. */
HostContainer agent_container_of (const char *const *args);

/* Made and started: it does nothing until it is killed. */
void agent_start_sleeper (Host *host);

/* Executes in the sleeper; returns the output. (transfer full) */
char *agent_exec_output (Host *host, guint32 process, const char *const *args, const char *more);

/* What VERIFY's answer has under @name; "(none)". */
const char *agent_fact (const Host *host, const char *name);

/* Starts @container, whose program says "ready" when it is. */
void agent_start_ready (Host *host, const HostContainer *container);
