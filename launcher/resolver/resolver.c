/* SPDX-License-Identifier: Apache-2.0 */
#include "resolver.h"

#include <errno.h>
#include <fcntl.h>

#include "ask.h"
#include "cache.h"
#include "control.h"
#include "gateway-link.h"
#include "server.h"

void
dn_resolver_unblock (int fd)
{
  int flags = fcntl (fd, F_GETFL);

  if (flags >= 0)
    (void) fcntl (fd, F_SETFL, flags | O_NONBLOCK);
}

int
dn_resolver_init (DnResolver *resolver, const DnResolverOptions *options)
{
  int r = dn_loop_init (&resolver->loop);

  resolver->table = &resolver->tables_of[0];
  resolver->gateway.socket.fd = -1;
  for (size_t i = 0; i < DN_RESOLVER_ASKS_MAX; i++)
    {
      resolver->asks[i].resolver = resolver;
      resolver->asks[i].socket.fd = -1;
    }
  dn_bucket_init (&resolver->queries, DN_RESOLVER_QUERIES_PER_S, DN_RESOLVER_QUERIES_BURST,
                  resolver->loop.now_ns);
  dn_bucket_init (&resolver->asked, DN_RESOLVER_ASKS_PER_S, DN_RESOLVER_ASKS_BURST,
                  resolver->loop.now_ns);
  r = r < 0 ? r : dn_control_init (resolver, options->control_fd, options->owner_uid);
  r = r < 0 ? r : dn_server_init (resolver, options->datagram_fds, options->connection_fds);
  if (r == 0 && options->gateway_fd >= 0)
    dn_gateway_link_set (resolver, options->gateway_fd);
  return r;
}

void
dn_resolver_clear (DnResolver *resolver)
{
  dn_ask_clear_all (resolver);
  dn_cache_clear (resolver);
  dn_gateway_link_clear (resolver);
  dn_server_clear (resolver);
  dn_control_clear (resolver);
  dn_loop_clear (&resolver->loop);
}

int
dn_resolver_turn (DnResolver *resolver, int timeout_ms)
{
  return dn_loop_turn (&resolver->loop, timeout_ms);
}
