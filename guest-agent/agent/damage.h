/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks of disks that are not what their hash trees promise: from the kernel's event to the host.
 *
 * Who reads such a block got EIO from the kernel; this is so that somebody hears of it.  Each disk
 * is told of at most once a second, the last block standing for those of that second.
 *
 * Privilege: none.  Source: netlink(7), NETLINK_KOBJECT_UEVENT.
 */
#pragma once

#include "agent.h"

/* No two DISK_DAMAGE of one disk within less. */
#define DN_DAMAGE_PAUSE_MS 1000

/* @test_socket: takes what comes there for the kernel's events; -1: none.  0 or a negative status
 * with @fault; without such events in the kernel damage is only not told. */
int dn_damage_open (DnAgent *agent, int test_socket, DnFault *fault);

/* Before a disk goes: takes what the kernel has said by now, and tells what was not told yet. */
void dn_damage_tell_last (DnDisks *disks, DnDisk *disk);

/* Tells a new link all there is. */
void dn_damage_tell_all (DnAgent *agent);
