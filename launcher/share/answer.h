/* SPDX-License-Identifier: Apache-2.0 */
/* What danchi-share says of an order that it cannot carry out. */
#pragma once

#include "../base/share-order.h"

/* Makes @answer a refusal: @code is an errno; the text says what and why, and after a newline
 * perhaps what to do.  It is cut to what fits. */
void dn_share_refuse (DnShareAnswer *answer, int code, const char *format, ...)
    __attribute__ ((format (printf, 3, 4)));
