/* SPDX-License-Identifier: Apache-2.0 */
/* A device with a hash tree (dm-verity), in the kernel's words.
 *
 * On the kernel's command line the root is one table in the syntax that the kernel's own dm-init
 * takes, so that a kernel without an initramfs and our init read the same:
 *
 *   dm-mod.create="NAME,,MINOR,ro,0 SECTORS verity PARAMETERS"
 *
 * The parameters are those of the target: version, data device, hash device, their block sizes,
 * number of data blocks, first hash block, algorithm, root hash, salt, options.
 *
 * Pure.
 * Source: the kernel's Documentation/admin-guide/device-mapper/{dm-init,verity}.rst.
 */
#pragma once

#include "device-mapper.h"

#define DN_VERITY_OPTION "dm-mod.create="
#define DN_VERITY_TARGET "verity"
/* An algorithm's name and a digest in hexadecimal. */
#define DN_VERITY_ROOT_BYTES 191

/**
 * dn_verity_parse_cmdline:
 * @cmdline: a kernel command line
 *
 * Finds the one device that it asks for.  Strict: one device, read-only, without a uuid, of one
 * verity target that begins at 0.
 *
 * Returns: 0; -ENOENT for a line that asks for none, -EINVAL for all else that is not as above
 */
int dn_verity_parse_cmdline (const char *cmdline, DnMapperTable *ret_table);

/* The device with the data, of a table's parameters.  0 or -EINVAL. */
int dn_verity_find_device (const char *parameters, char *ret_device, size_t size);

/* "ALGORITHM HEX", of a table's parameters: what says which bytes the device can have.  0 or
 * -EINVAL. */
int dn_verity_find_root (const char *parameters, char *ret_root, size_t size);
