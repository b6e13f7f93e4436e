/* SPDX-License-Identifier: Apache-2.0 */
/* Why an order failed, in words for people, kept in the order's answer.
 */
#pragma once

#include "../network/gateway-order.h"

/* Keeps the first fault of an answer: -@code and "what: why\nremedy". Returns: @code, negative */
int dn_fault (DnGatewayAnswer *answer, int code, const char *format, ...)
    __attribute__ ((format (printf, 3, 4)));

/* A line of the answer's text.  More than fits is -EMSGSIZE. */
int dn_answer_line (DnGatewayAnswer *answer, const char *format, ...)
    __attribute__ ((format (printf, 2, 3)));
