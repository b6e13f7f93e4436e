/* SPDX-License-Identifier: Apache-2.0 */
#include "resolver-control.h"

#include <errno.h>

#include "../../protocol/pack.h"

#define DN_DEFINE_BODIES
#define DN_DEFINE_FILE "../launcher/base/resolver.def"
#define DN_DEFINE_WIRE dn_resolver_wire
#include "../../protocol/define.h"
