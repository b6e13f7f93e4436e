/* SPDX-License-Identifier: Apache-2.0 */
/* What a domain's XML (domain-xml.h) is made of; for these files alone.
 *
 *     domain-check.c     what may be in it
 *     domain-xml.c       the machine, its limits and labels
 *     domain-disks.c     disks, and the ports for more
 *     domain-devices.c   all other devices
 *
 * Slots of the root bus, each in the file of its device: 0x00 is the host bridge, 0x02 the root
 * disk, 0x03 the channel, 0x04 to 0x0b disks, 0x0c the card, 0x0d the share, 0x0f the balloon, from
 * 0x10 on ports, 0x1f the LPC bridge.
 */
#pragma once

#include "domain-xml.h"
#include "xml-writer.h"

/* Without the registers of virtio before 1.0, a second way into each device. */
#define DN_DOMAIN_VIRTIO_MODEL "virtio-non-transitional"

#define MIB (1024 * 1024)

gboolean dn_domain_check (const DnDomain *domain, GError **error);
gboolean dn_domain_check_disk (const DnGuestDisk *disk, GError **error);

/* @unit: or NULL */
void dn_domain_write_number (DnXml *xml, const char *name, const char *unit, guint64 value);
void dn_domain_write_address (DnXml *xml, guint bus, guint slot, guint function,
                              gboolean is_multifunction);

/* @index: 0 is the root (vda).  @limits: NULL for none. */
void dn_domain_write_disk (DnXml *xml, const DnGuestDisk *disk, const DnGuestLimits *limits,
                           guint index, guint bus, guint slot);
void dn_domain_write_disks (DnXml *xml, const DnDomain *domain);
void dn_domain_write_ports (DnXml *xml, const DnDomain *domain);

/* <devices>, with those. */
void dn_domain_write_devices (DnXml *xml, const DnDomain *domain);
