/* SPDX-License-Identifier: Apache-2.0 */
/* Which libvirt danchid talks to: the process at the other end of its connection, and versions.
 *
 * The process is the peer of the socket that is open, as the kernel names it; where a service
 * manager listens in its place, the one that libvirt's own pid file names.  Versions are asked for
 * once for each such process: a libvirt that hangs costs its deadline now and then, not each time.
 *
 * Thread-safe.
 * Source: unix(7), SO_PEERCRED.
 */
#pragma once

#include <json-glib/json-glib.h>

typedef struct
{
  gint pid;           /* 0: not known */
  char *version;      /* owned, or NULL */
  char *qemu_version; /* owned; of what libvirt would start, or NULL */
  char *error;        /* owned; why there are no versions, or NULL */
} DnLibvirtFacts;

void dn_libvirt_facts_clear (DnLibvirtFacts *facts);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (DnLibvirtFacts, dn_libvirt_facts_clear)

void dn_libvirt_facts_get (DnLibvirtFacts *ret_facts);

/* "libvirt" of the verb audit: {version qemu_version uri error}. (transfer full) */
JsonObject *dn_libvirt_facts_to_json (const DnLibvirtFacts *facts);

/* The pid of the process that listens where @fd, a connected unix socket, leads to, if that is a
 * socket of libvirt's; else 0. */
gint dn_libvirt_peer_of (int fd);
