/* SPDX-License-Identifier: Apache-2.0 */
#include "domain-parts.h"

#define SLOT_CHANNEL 0x03
#define SLOT_CARD 0x0c
#define SLOT_SHARE 0x0d
#define SLOT_BALLOON 0x0f

/* One queue, so that virtiofsd serves it with one thread. */
static void
write_share (DnXml *xml, const DnDomain *domain)
{
  if (domain->share == NULL)
    return;
  dn_xml_open (xml, "filesystem");
  dn_xml_attribute (xml, "type", "mount");
  dn_xml_attribute (xml, "accessmode", "passthrough");
  dn_xml_empty (xml, "driver", "type", "virtiofs", "queue", "1024", NULL);
  dn_xml_empty (xml, "source", "socket", domain->share, NULL);
  dn_xml_empty (xml, "target", "dir", DN_DOMAIN_SHARE_TAG, NULL);
  dn_domain_write_address (xml, 0, SLOT_SHARE, 0, FALSE);
  dn_xml_close (xml);
}

static void
write_channel (DnXml *xml, const DnDomain *domain)
{
  if (domain->vsock_cid != 0)
    {
      dn_xml_open (xml, "vsock");
      dn_xml_attribute (xml, "model", DN_DOMAIN_VIRTIO_MODEL);
      dn_xml_open (xml, "cid");
      dn_xml_attribute (xml, "auto", "no");
      dn_xml_attribute_number (xml, "address", domain->vsock_cid);
      dn_xml_close (xml);
      dn_domain_write_address (xml, 0, SLOT_CHANNEL, 0, FALSE);
      dn_xml_close (xml);
      return;
    }
  dn_xml_open (xml, "controller");
  dn_xml_attribute (xml, "type", "virtio-serial");
  dn_xml_attribute (xml, "index", "0");
  dn_xml_attribute (xml, "model", DN_DOMAIN_VIRTIO_MODEL);
  dn_xml_attribute (xml, "ports", "2");
  dn_domain_write_address (xml, 0, SLOT_CHANNEL, 0, FALSE);
  dn_xml_close (xml);
  dn_xml_open (xml, "channel");
  dn_xml_attribute (xml, "type", "unix");
  dn_xml_empty (xml, "source", "mode", "bind", "path", domain->agent, NULL);
  dn_xml_empty (xml, "target", "type", "virtio", "name", DN_AGENT_SERIAL_PORT, NULL);
  dn_xml_empty (xml, "address", "type", "virtio-serial", "controller", "0", "bus", "0", "port", "1",
                NULL);
  dn_xml_close (xml);
}

static void
write_console (DnXml *xml, const DnDomain *domain)
{
  dn_xml_open (xml, "serial");
  dn_xml_attribute (xml, "type", "unix");
  /* QEMU is the client and comes again: so the relay may be started anew under a running guest. */
  dn_xml_open (xml, "source");
  dn_xml_attribute (xml, "mode", "connect");
  dn_xml_attribute (xml, "path", domain->console);
  dn_xml_empty (xml, "reconnect", "enabled", "yes", "timeout", "1", NULL);
  dn_xml_close (xml);
  dn_xml_open (xml, "target");
  dn_xml_attribute (xml, "type", "isa-serial");
  dn_xml_attribute (xml, "port", "0");
  dn_xml_close (xml);
  dn_xml_close (xml);
}

/* Pages that the guest's kernel has free go back to the host by themselves (freePageReporting); and
 * a guest that runs short takes back what it was asked to give (autodeflate). */
static void
write_balloon (DnXml *xml, const DnDomain *domain)
{
  if (!domain->has_balloon)
    {
      dn_xml_empty (xml, "memballoon", "model", "none", NULL);
      return;
    }
  dn_xml_open (xml, "memballoon");
  dn_xml_attribute (xml, "model", DN_DOMAIN_VIRTIO_MODEL);
  dn_xml_attribute (xml, "autodeflate", "on");
  dn_xml_attribute (xml, "freePageReporting", "on");
  dn_domain_write_address (xml, 0, SLOT_BALLOON, 0, FALSE);
  dn_xml_close (xml);
}

/* The tap is there already, with its rules, and belongs to the guest's uid: libvirt only opens it.
 * QEMU itself moves the packets (driver qemu): with vhost-net the host's kernel would read the
 * guest's ring.  No option ROM: nothing boots from here. */
static void
write_card (DnXml *xml, const DnDomain *domain)
{
  if (domain->tap == NULL)
    return;
  dn_xml_open (xml, "interface");
  dn_xml_attribute (xml, "type", "ethernet");
  dn_xml_empty (xml, "mac", "address", domain->mac, NULL);
  dn_xml_empty (xml, "target", "dev", domain->tap, "managed", "no", NULL);
  dn_xml_empty (xml, "model", "type", DN_DOMAIN_VIRTIO_MODEL, NULL);
  dn_xml_empty (xml, "driver", "name", "qemu", NULL);
  dn_xml_empty (xml, "rom", "enabled", "no", NULL);
  dn_domain_write_address (xml, 0, SLOT_CARD, 0, FALSE);
  dn_xml_close (xml);
}

void
dn_domain_write_devices (DnXml *xml, const DnDomain *domain)
{
  dn_xml_open (xml, "devices");
  dn_xml_element (xml, "emulator", "/usr/bin/qemu-system-x86_64");
  dn_domain_write_disks (xml, domain);
  dn_xml_empty (xml, "controller", "type", "usb", "index", "0", "model", "none", NULL);
  dn_domain_write_ports (xml, domain);
  write_share (xml, domain);
  write_channel (xml, domain);
  write_card (xml, domain);
  write_console (xml, domain);
  dn_xml_open (xml, "video");
  dn_xml_empty (xml, "model", "type", "none", NULL);
  dn_xml_close (xml);
  write_balloon (xml, domain);
  dn_xml_close (xml);
}
