/* SPDX-License-Identifier: Apache-2.0 */
/* Drivers of a modular kernel, out of the initramfs.
 *
 * /modules/order lists files of /modules in load order, dependencies first.  A line is a file name
 * and, where the driver is for certain PCI devices only, their ids as VVVVDDDD in hexadecimal; it
 * is then loaded only if one of them is there.  So a guest with virtio-serial never has AF_VSOCK
 * in its kernel, and a boot pays for no driver it does not use.  "@WORD" in the place of an id is a
 * word of the kernel's command line, by which danchid says what the guest will be asked for.
 *
 * The list is part of Danchi's own initramfs, not of anything a tenant made.
 * Source: finit_module(2), images/initramfs.sh, /proc/bus/pci/devices.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define DN_MODULES_ORDER "/modules/order"
#define DN_MODULES_LIST_BYTES 4096
#define DN_MODULES_PCI_BYTES 32768
#define DN_MODULES_CMDLINE_BYTES 2048

/**
 * dn_modules_load_all:
 *
 * Loads what the list asks for and removes each file from the initramfs, which is memory.
 *
 * Needs /proc.  Privilege: CAP_SYS_MODULE.
 * Does not return on failure: see dn_poweroff_failed().
 */
void dn_modules_load_all (void);

/**
 * dn_modules_is_wanted:
 * @ids: the ids of a line, separated by blanks, perhaps empty
 * @pci_devices: the text of /proc/bus/pci/devices
 * @cmdline: that of /proc/cmdline
 *
 * Pure.  Returns: whether @ids is empty or one of them is in @pci_devices or @cmdline
 */
bool dn_modules_is_wanted (const char *ids, const char *pci_devices, const char *cmdline);
