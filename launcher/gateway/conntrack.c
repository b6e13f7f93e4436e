/* SPDX-License-Identifier: Apache-2.0 */
#include "conntrack.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>

#include "rules.h"

static int
send_request (struct nl_sock *socket, uint32_t slot)
{
  const struct nfgenmsg header = { .nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0 };
  struct nl_msg *message = nlmsg_alloc_simple (NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE,
                                               NLM_F_REQUEST | NLM_F_ACK);
  int r = message == NULL ? -NLE_NOMEM : 0;

  if (r == 0)
    r = nlmsg_append (message, (void *) &header, sizeof header, NLMSG_ALIGNTO);
  if (r == 0)
    r = nla_put_u32 (message, CTA_MARK, htonl (DN_RULES_MARK | slot));
  if (r == 0)
    r = nla_put_u32 (message, CTA_MARK_MASK, htonl (DN_RULES_MARK_MASK));
  if (r == 0 && (r = nl_send_auto (socket, message)) >= 0)
    r = nl_wait_for_ack (socket);
  nlmsg_free (message);
  return r;
}

int
dn_conntrack_forget (uint32_t slot, DnGatewayAnswer *answer)
{
  struct nl_sock *socket = nl_socket_alloc ();
  int r = socket == NULL ? -NLE_NOMEM : nl_connect (socket, NETLINK_NETFILTER);

  if (r == 0)
    r = send_request (socket, slot);
  if (socket != NULL)
    nl_socket_free (socket);
  /* None is none to forget. */
  if (r >= 0 || r == -NLE_OBJ_NOTFOUND)
    return 0;
  return dn_fault (answer, -EIO,
                   "tracked connections: %s\nload the kernel's module nf_conntrack_netlink",
                   nl_geterror (r));
}
