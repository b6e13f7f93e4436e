/* SPDX-License-Identifier: Apache-2.0 */
#include "publisher.h"

#include <errno.h>

#include "flow.h"
#include "stream.h"

/* While a client waits for a socket that cools. */
#define COOLING_TICK_NS 2000000ull

static void
tick (void *data)
{
  DnPublisher *publisher = data;
  bool is_waiting = false;

  for (DnDialKind kind = 0; kind < DN_DIAL_KINDS; kind++)
    {
      DnDialStock *stock = &publisher->dials[kind];

      dn_dial_stock_tidy (stock, publisher->loop.now_ns);
      is_waiting = is_waiting || stock->is_wanted;
      stock->is_wanted = stock->is_wanted && stock->free_count == 0;
    }
  for (DnPort *port = publisher->ports; port != NULL; port = port->next)
    {
      dn_stream_expire (port);
      dn_flow_expire (port);
    }
  if (is_waiting)
    dn_port_retry (publisher);
}

/* A second, or less where somebody waits for what will be there presently. */
static void
set_tick (DnPublisher *publisher)
{
  bool is_soon = false;

  for (DnDialKind kind = 0; kind < DN_DIAL_KINDS; kind++)
    is_soon
        = is_soon || (publisher->dials[kind].is_wanted && publisher->dials[kind].cooling_count > 0);
  if (publisher->tick.deadline_ns == 0
      || (is_soon && publisher->tick.deadline_ns > publisher->loop.now_ns + COOLING_TICK_NS))
    dn_loop_set_timer (&publisher->loop, &publisher->tick,
                       is_soon ? COOLING_TICK_NS : DN_PUBLISHER_TICK_NS);
}

uint32_t
dn_publisher_fds_max (const DnPublisherLimits *limits)
{
  /* A connection: two sockets, and two pipes when both of its readers stall.  The stocks have
   * what is not in use. */
  return limits->connections_max * (2 + 4) + limits->flows_max + DN_PUBLISH_PORTS_MAX
         + 2 * DN_PIPES_KEPT + DN_DIAL_KINDS * DN_DIAL_KEPT + 64;
}

int
dn_publisher_init (DnPublisher *publisher, const DnPublisherLimits *limits, int control_fd,
                   uid_t owner_uid)
{
  int r;

  *publisher = (DnPublisher){ .limits = *limits };
  publisher->tick = (DnTimer){ .fire = tick, .data = publisher };
  r = dn_loop_init (&publisher->loop);
  for (DnDialKind kind = 0; r == 0 && kind < DN_DIAL_KINDS; kind++)
    r = dn_dial_stock_init (&publisher->dials[kind], kind,
                            dn_dial_kind_is_udp (kind) ? limits->flows_max
                                                       : limits->connections_max);
  if (r < 0)
    return r;
  dn_loop_add_timer (&publisher->loop, &publisher->tick);
  return dn_publish_control_init (publisher, control_fd, owner_uid);
}

void
dn_publisher_clear (DnPublisher *publisher)
{
  dn_port_remove (publisher, NULL);
  dn_publish_control_clear (publisher);
  for (DnDialKind kind = 0; kind < DN_DIAL_KINDS; kind++)
    dn_dial_stock_clear (&publisher->dials[kind]);
  dn_pipe_stock_clear (&publisher->pipes);
  dn_loop_clear (&publisher->loop);
}

int
dn_publisher_turn (DnPublisher *publisher)
{
  dn_publish_control_ask (publisher);
  set_tick (publisher);
  return dn_loop_turn (&publisher->loop, -1);
}
