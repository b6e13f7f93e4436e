/* SPDX-License-Identifier: Apache-2.0 */
#include "transport.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/vm_sockets.h>

#include "../../protocol/protocol.h"
#include "agent.h"
#include "autofd.h"

static void
accept_ready (DnWatch *watch, uint32_t events)
{
  DnTransport *transport = watch->data;
  DnAgent *agent = transport->agent;
  struct sockaddr_vm address = { 0 };
  socklen_t size = sizeof address;
  int fd = accept4 (watch->fd, (struct sockaddr *) &address, &size, SOCK_CLOEXEC | SOCK_NONBLOCK);

  (void) events;
  if (fd < 0)
    return;
  if (!agent->options.is_test
      && (address.svm_family != AF_VSOCK || address.svm_cid != VMADDR_CID_HOST))
    {
      (void) close (fd);
      return;
    }
  for (int i = 0; i < DN_TRANSPORT_PENDING_MAX; i++)
    if (transport->pending[i] == NULL)
      {
        transport->pending[i] = dn_channel_new (agent, fd, false);
        return;
      }
  (void) close (fd);
}

void
dn_transport_forget (DnTransport *transport, DnChannel *channel)
{
  for (int i = 0; i < DN_TRANSPORT_PENDING_MAX; i++)
    if (transport->pending[i] == channel)
      transport->pending[i] = NULL;
}

static void
set_async (int fd, bool is_on)
{
  int flags = fcntl (fd, F_GETFL);

  (void) fcntl (fd, F_SETFL, is_on ? flags | O_ASYNC : flags & ~O_ASYNC);
}

/* Watches the port again if a host is connected. */
static void
look_for_host (DnTransport *transport)
{
  DnChannel *channel = transport->serial;
  struct pollfd poll_fd = { .fd = channel->watch.fd, .events = POLLIN };

  if (poll (&poll_fd, 1, 0) > 0 && (poll_fd.revents & POLLHUP) != 0)
    {
      dn_timer_set (&transport->look_timer, DN_TRANSPORT_LOOK_MS);
      return;
    }
  dn_timer_stop (&transport->look_timer);
  /* The driver signals each arrival of bytes too: only while it is of use. */
  set_async (channel->watch.fd, false);
  dn_channel_restart (channel);
}

static void
look_due (DnTimer *timer)
{
  look_for_host (timer->data);
}

static void
signal_ready (DnWatch *watch, uint32_t events)
{
  DnTransport *transport = watch->data;
  struct signalfd_siginfo info;

  (void) events;
  while (read (watch->fd, &info, sizeof info) == sizeof info)
    continue;
  if (transport->serial != NULL && transport->look_timer.is_running)
    look_for_host (transport);
}

void
dn_transport_host_gone (DnTransport *transport, DnChannel *channel)
{
  if (transport->agent->options.is_test)
    {
      /* A socket pair's other end does not come back. */
      dn_loop_end (&transport->agent->loop, 0);
      return;
    }
  dn_channel_restart (channel);
  (void) dn_watch_set (&channel->watch, DN_WATCH_OFF);
  set_async (channel->watch.fd, true);
  dn_timer_set (&transport->look_timer, DN_TRANSPORT_LOOK_MS);
}

/* Finds the port by its name in sysfs: devtmpfs has no links that udev would make. */
static int
open_serial_port (void)
{
  DIR *directory = opendir ("/sys/class/virtio-ports");
  struct dirent *entry;
  int found = -1;

  if (directory == NULL)
    return -1;
  while (found < 0 && (entry = readdir (directory)) != NULL)
    {
      char path[sizeof "/sys/class/virtio-ports//name" + 256];
      char name[64] = "";
      dn_autofd int fd = -1;

      (void) snprintf (path, sizeof path, "/sys/class/virtio-ports/%s/name", entry->d_name);
      fd = open (path, O_RDONLY | O_CLOEXEC);
      if (fd < 0 || read (fd, name, sizeof name - 1) <= 0)
        continue;
      name[strcspn (name, "\n")] = '\0';
      if (strcmp (name, DN_AGENT_SERIAL_PORT) != 0)
        continue;
      (void) snprintf (path, sizeof path, "/dev/%s", entry->d_name);
      found = open (path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    }
  (void) closedir (directory);
  return found;
}

static int
listen_on_vsock (DnFault *fault)
{
  struct sockaddr_vm address
      = { .svm_family = AF_VSOCK, .svm_port = DN_AGENT_VSOCK_PORT, .svm_cid = VMADDR_CID_ANY };
  dn_autofd int fd = socket (AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

  if (fd < 0 || bind (fd, (struct sockaddr *) &address, sizeof address) < 0
      || listen (fd, DN_TRANSPORT_PENDING_MAX) < 0)
    return dn_fault_set_errno (fault, "listen on vsock port %d", DN_AGENT_VSOCK_PORT);
  return dn_fd_steal (&fd);
}

static int
use_serial (DnTransport *transport, int fd, DnFault *fault)
{
  DnAgent *agent = transport->agent;
  sigset_t signals;

  transport->serial = dn_channel_new (agent, fd, true);
  if (transport->serial == NULL)
    return dn_fault_set (fault, -ENOMEM, "serial port: no memory");
  if (agent->options.is_test)
    return 0;
  (void) sigemptyset (&signals);
  (void) sigaddset (&signals, SIGIO);
  (void) sigprocmask (SIG_BLOCK, &signals, NULL);
  dn_watch_init (&transport->signals, &agent->loop,
                 signalfd (-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK), signal_ready, transport);
  (void) fcntl (fd, F_SETOWN, getpid ());
  if (dn_watch_set (&transport->signals, EPOLLIN) < 0)
    return dn_fault_set (fault, -EIO, "serial port: cannot watch for its signal");
  return 0;
}

static int
use_listener (DnTransport *transport, int fd, DnFault *fault)
{
  dn_watch_init (&transport->listener, &transport->agent->loop, fd, accept_ready, transport);
  if (dn_watch_set (&transport->listener, EPOLLIN) < 0)
    return dn_fault_set (fault, -EIO, "cannot watch the listening socket");
  return 0;
}

int
dn_transport_open (DnTransport *transport, DnAgent *agent, DnFault *fault)
{
  int is_listening = 0;
  socklen_t size = sizeof is_listening;
  int fd;

  *transport = (DnTransport){ .agent = agent };
  dn_timer_init (&transport->look_timer, &agent->loop, look_due, transport);
  if (agent->options.test_socket >= 0)
    {
      fd = fcntl (agent->options.test_socket, F_DUPFD_CLOEXEC, 3);
      (void) close (agent->options.test_socket);
      (void) getsockopt (fd, SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &size);
      return is_listening ? use_listener (transport, fd, fault) : use_serial (transport, fd, fault);
    }
  /* The port is there only when the host chose it. */
  fd = open_serial_port ();
  if (fd >= 0)
    return use_serial (transport, fd, fault);
  fd = listen_on_vsock (fault);
  return fd < 0 ? fd : use_listener (transport, fd, fault);
}
