/* SPDX-License-Identifier: Apache-2.0 */
#include "control.h"

#include <errno.h>

#include "../../protocol/pack.h"

#define DN_DEFINE_BODIES
#define DN_DEFINE_FILE "../launcher/base/control.def"
#define DN_DEFINE_WIRE dn_control_wire
#include "../../protocol/define.h"

#define DN_MSG(NAME, Noun, noun, id, sender, limit, fields)                                        \
  { (id), #NAME, DN_SENDER_##sender, (limit) },
static const DnWireRule all_rules[] = {
#include "../../protocol/protocol.def"
#include "control.def"
};
#undef DN_MSG

const DnWire dn_control_all_wire = { all_rules, sizeof all_rules / sizeof all_rules[0] };
