/* SPDX-License-Identifier: Apache-2.0 */
/* Settings of the kernel's network: files below /proc/sys/net, which is all of /proc that there is.
 *
 * Needs: CAP_NET_ADMIN over the network namespace, for whose holder the kernel takes these files'
 * owner's rights (net/sysctl_net.c).
 * Source: Documentation/networking/ip-sysctl.rst
 */
#pragma once

/* @path: below /proc/sys/net, e.g. "ipv4/ip_forward". Returns: the value, or -errno */
int dn_sysctl_read (const char *path);
int dn_sysctl_write (const char *path, int value);

/* Of one device: @family is 4 or 6. */
int dn_sysctl_read_device (int family, const char *device, const char *name);
int dn_sysctl_write_device (int family, const char *device, const char *name, int value);
