/* SPDX-License-Identifier: Apache-2.0 */
#include "session.h"

#include <errno.h>

#include "../../protocol/pack.h"

#define DN_DEFINE_BODIES
#define DN_DEFINE_FILE "../launcher/base/session.def"
#define DN_DEFINE_WIRE dn_session_wire
#include "../../protocol/define.h"
