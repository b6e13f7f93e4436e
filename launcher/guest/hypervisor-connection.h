/* SPDX-License-Identifier: Apache-2.0 */
/* The one connection to libvirt, kept up: for hypervisor.c alone.
 *
 * Made at the first use and again when it broke, by whoever needs it first: a call, or the keeper
 * thread, without which ends of guests would go unnoticed.  Events run on a thread of their own.
 *
 * Thread-safe.
 * Source: libvirt.org/html/libvirt-libvirt-host.html, libvirt.org/html/libvirt-libvirt-event.html.
 */
#pragma once

#include <glib.h>
#include <libvirt/libvirt.h>

/* Starts libvirt's library and the two threads; again and again harmless. */
void dn_hypervisor_initialize (void);

/* Connects if need be; may take as long as libvirt does.  (transfer full): virConnectClose() it.
 * NULL with DN_ERROR_HYPERVISOR */
virConnectPtr dn_hypervisor_get_connection (GError **error);

/* FALSE with DN_ERROR_HYPERVISOR: @what and this thread's last libvirt error. */
gboolean dn_hypervisor_throw_words (const char *what, GError **error);
