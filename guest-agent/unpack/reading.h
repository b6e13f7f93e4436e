/* SPDX-License-Identifier: Apache-2.0 */
/* `danchi-unpack read`: what an archive says of the image in it, told to the host in fixed fields;
 * nothing is unpacked. */
#pragma once

#include "options.h"

/* Ends with UNPACK_READ_DONE; false with @failure, and then nothing was said but progress. */
bool dn_reading_run (const DnReadOptions *options, DnFailure *failure);
