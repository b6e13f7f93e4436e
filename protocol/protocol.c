/* SPDX-License-Identifier: Apache-2.0 */
#include "protocol.h"

#include <errno.h>

#include "pack.h"

#define DN_DEFINE_BODIES
#define DN_DEFINE_FILE "protocol.def"
#define DN_DEFINE_WIRE dn_guest_wire
#include "define.h"
