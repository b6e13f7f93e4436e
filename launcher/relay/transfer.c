/* SPDX-License-Identifier: Apache-2.0 */
#include "transfer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "../confined/say.h"
#include "router.h"

#define READ_BYTES (32 * 1024)

DnTransfer *
dn_transfer_find (DnRouter *router, uint32_t stream)
{
  DnTransfer *transfer = router->transfers;

  while (transfer != NULL && transfer->inflow.stream != stream)
    transfer = transfer->next;
  return transfer;
}

void
dn_transfer_free (DnTransfer *transfer)
{
  DnRouter *router = transfer->router;
  DnTransfer **at = &router->transfers;

  while (*at != transfer)
    at = &(*at)->next;
  *at = transfer->next;
  router->transfer_count--;
  dn_loop_close (&router->loop, &transfer->source);
  dn_router_forget_credit (router, &transfer->inflow);
  dn_router_remember_forgotten (router, transfer->inflow.stream);
  dn_inflow_clear (&transfer->inflow);
  free (transfer);
}

/* Its descriptor's other side is gone: the guest need not go on. */
static void
give_up (DnTransfer *transfer)
{
  (void) dn_channel_put (transfer->router, DN_MSG_RESET, transfer->inflow.stream, NULL, 0);
  dn_transfer_free (transfer);
}

/* Writes what the descriptor takes of @bytes.  Returns: how many, or -errno: it is gone. */
static int64_t
write_some (DnTransfer *transfer, const uint8_t *bytes, size_t size)
{
  size_t written = 0;

  while (written < size)
    {
      ssize_t n = write (transfer->source.fd, bytes + written, size - written);

      if (n >= 0)
        written += (size_t) n;
      else if (errno == EAGAIN)
        break;
      else if (errno != EINTR)
        return -errno;
    }
  return (int64_t) written;
}

/* After bytes went out: credit, and the end once all have.  May free @transfer. */
static void
settle (DnTransfer *transfer)
{
  DnInflow *inflow = &transfer->inflow;
  size_t left = dn_backlog_length (&inflow->backlog);

  if (dn_inflow_owed (inflow) > 0)
    dn_router_owe_credit (transfer->router, inflow);
  if (left == 0 && inflow->is_ended)
    dn_transfer_free (transfer);
  else
    (void) dn_loop_want (&transfer->router->loop, &transfer->source,
                         left > 0 ? EPOLLOUT : DN_LOOP_HANGUP);
}

static void
drain (DnTransfer *transfer)
{
  DnInflow *inflow = &transfer->inflow;
  int64_t n = write_some (transfer, dn_backlog_bytes (&inflow->backlog),
                          dn_backlog_length (&inflow->backlog));

  if (n < 0)
    {
      give_up (transfer);
      return;
    }
  dn_inflow_consumed (inflow, dn_inflow_kept (inflow) + (uint64_t) n);
  settle (transfer);
}

static int
receive_data (DnTransfer *transfer, const uint8_t *bytes, size_t size)
{
  DnInflow *inflow = &transfer->inflow;
  bool is_direct = dn_backlog_length (&inflow->backlog) == 0;
  int64_t n = 0;
  size_t known;

  if (dn_inflow_take (inflow, size, &known) < 0)
    return -EPROTO;
  bytes += known;
  size -= known;
  if (is_direct)
    n = write_some (transfer, bytes, size);
  if (n < 0)
    {
      give_up (transfer);
      return 0;
    }
  if (dn_backlog_append (&inflow->backlog, bytes + n, size - (size_t) n) < 0)
    return -ENOMEM;
  dn_inflow_consumed (inflow, dn_inflow_kept (inflow));
  settle (transfer);
  return 0;
}

static int
receive_credit (DnTransfer *transfer, const DnFrameHeader *header, const uint8_t *payload)
{
  DnMsgCredit credit;

  if (dn_msg_credit_unpack (payload, header->length, &credit) < 0
      || credit.bytes > DN_STREAM_WINDOW_BYTES - transfer->window)
    return -EPROTO;
  transfer->window += credit.bytes;
  dn_transfer_resume (transfer);
  return 0;
}

int
dn_transfer_receive (DnTransfer *transfer, const DnFrameHeader *header, const uint8_t *payload,
                     const char **ret_why)
{
  *ret_why = "the guest broke the window of a copy, or its direction";
  if (header->type == DN_MSG_RESET)
    {
      dn_transfer_free (transfer);
      return 0;
    }
  if (transfer->is_to_guest)
    return header->type == DN_MSG_CREDIT ? receive_credit (transfer, header, payload) : -EPROTO;
  if (header->type == DN_MSG_DATA)
    return receive_data (transfer, payload, header->length);
  if (header->type != DN_MSG_EOF || dn_inflow_end (&transfer->inflow) < 0)
    return -EPROTO;
  settle (transfer);
  return 0;
}

void
dn_transfer_resume (DnTransfer *transfer)
{
  if (dn_inflow_owed (&transfer->inflow) > 0)
    dn_router_owe_credit (transfer->router, &transfer->inflow);
  if (transfer->is_to_guest && transfer->window > 0 && dn_channel_has_room (transfer->router))
    (void) dn_loop_want (&transfer->router->loop, &transfer->source, EPOLLIN | EPOLLRDHUP);
}

static void
feed_guest (DnTransfer *transfer)
{
  DnRouter *router = transfer->router;
  size_t most = transfer->window < READ_BYTES ? transfer->window : READ_BYTES;
  int n = -ENOBUFS;

  if (most > 0 && dn_channel_has_room (router))
    n = (transfer->is_secret ? dn_channel_put_secret_from : dn_channel_put_from) (
        router, transfer->source.fd, transfer->inflow.stream, most);
  if (n > 0)
    transfer->window -= (uint32_t) n;
  else if (n == -ENOBUFS)
    (void) dn_loop_want (&router->loop, &transfer->source, 0);
  else if (n == 0 && dn_channel_put (router, DN_MSG_EOF, transfer->inflow.stream, NULL, 0) == 0)
    dn_transfer_free (transfer);
  else if (n != -EAGAIN && n != -EINTR)
    give_up (transfer);
}

static void
ready (void *data, uint32_t events)
{
  DnTransfer *transfer = data;

  if (transfer->is_to_guest)
    feed_guest (transfer);
  else if ((events & (EPOLLHUP | EPOLLERR)) != 0)
    give_up (transfer);
  else
    drain (transfer);
}

void
dn_transfer_add (DnRouter *router, uint32_t stream, DnTransferKind kind, int fd)
{
  bool is_to_guest = kind != DN_TRANSFER_FROM_GUEST;
  DnProcess *process = dn_process_find_by_stream (router, stream);
  DnTransfer *transfer = NULL;
  int flags = fcntl (fd, F_GETFL);

  /* As in dn_process_add(): what danchid gives out anew is nobody's any more. */
  if (process != NULL)
    dn_process_free (router, process, "its streams were given to a copy");
  /* Before the copy's order goes to the guest, on the same socket, so that its first byte finds
   * this. */
  if (dn_channel_is_up (router) && router->transfer_count < DN_ROUTER_TRANSFERS_MAX && stream != 0
      && dn_transfer_find (router, stream) == NULL && flags >= 0
      && fcntl (fd, F_SETFL, flags | O_NONBLOCK) == 0)
    transfer = calloc (1, sizeof *transfer);
  if (transfer == NULL)
    {
      dn_say ("a copy on stream %u cannot be carried", stream);
      (void) dn_channel_put (router, DN_MSG_RESET, stream, NULL, 0);
      dn_router_remember_forgotten (router, stream);
      (void) close (fd);
      return;
    }
  transfer->router = router;
  transfer->source = (DnSource){ .fd = fd, .ready = ready, .data = transfer };
  transfer->is_to_guest = is_to_guest;
  transfer->is_secret = kind == DN_TRANSFER_SECRET;
  transfer->window = DN_STREAM_WINDOW_BYTES;
  dn_inflow_init (&transfer->inflow, stream);
  transfer->next = router->transfers;
  router->transfers = transfer;
  router->transfer_count++;
  if (dn_loop_want (&router->loop, &transfer->source,
                    is_to_guest ? EPOLLIN | EPOLLRDHUP : DN_LOOP_HANGUP)
      < 0)
    give_up (transfer);
}
