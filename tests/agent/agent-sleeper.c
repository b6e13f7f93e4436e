/* SPDX-License-Identifier: Apache-2.0 */
#include "agent-sleeper.h"

#include <string.h>

HostContainer
agent_container_of (const char *const *args)
{
  return (HostContainer){ .id = ID, .args = args };
}

void
agent_start_sleeper (Host *host)
{
  HostContainer container = agent_container_of (ARGS ("sleep"));

  g_assert_cmpint (host_create (host, &container), ==, 0);
  g_assert_cmpint (host_start (host, ID), ==, 0);
}

char *
agent_exec_output (Host *host, guint32 process, const char *const *args, const char *more)
{
  guint32 output = host_streams (ID, process) + DN_STREAM_STDOUT;

  g_assert_cmpint (host_exec (host, ID, process, 0, args, more), ==, 0);
  (void) host_await_exited (host, ID, process);
  g_assert_true (host_await_eof (host, output));
  return g_strndup ((char *) host_stream (host, output)->bytes->data,
                    host_stream (host, output)->bytes->len);
}

const char *
agent_fact (const Host *host, const char *name)
{
  const char *value = g_hash_table_lookup (host->facts, name);

  return value != NULL ? value : "(none)";
}

void
agent_start_ready (Host *host, const HostContainer *container)
{
  HostStream *output = host_stream (host, host_streams (ID, 0) + DN_STREAM_STDOUT);

  g_assert_cmpint (host_create (host, container), ==, 0);
  g_assert_cmpint (host_start (host, ID), ==, 0);
  while (output->bytes->len < strlen ("ready\n"))
    g_assert_true (host_pump (host, HOST_WAIT_MS));
  g_assert_cmpmem (output->bytes->data, output->bytes->len, "ready\n", strlen ("ready\n"));
}
