/* SPDX-License-Identifier: Apache-2.0 */
/* A guest of before generation 2 of the protocol: linked into a copy of the agent that only the
 * tests put into a guest.
 */
#include "../../protocol/link.h"

uint32_t __wrap_dn_link_choose_generation (const DnLinkHello *hello);

uint32_t
__wrap_dn_link_choose_generation (const DnLinkHello *hello)
{
  return hello->generation_oldest <= 1 && hello->generation_newest >= 1 ? 1 : 0;
}
