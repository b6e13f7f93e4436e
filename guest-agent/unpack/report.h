/* SPDX-License-Identifier: Apache-2.0 */
/* What the unpacker tells the host: frames of the guest's wire on standard output, which is a pipe
 * to the agent.  The request number is 0; the agent fills it in.
 *
 * A pipe that is broken ends the process: there is nobody left to unpack for.
 * Source: docs/protocol.md, protocol/protocol.def (UNPACK_*).
 */
#pragma once

#include "failure.h"

/* @phase: DN_UNPACK_PHASE_*.  Sent at most ten times a second, and always for a new phase and when
 * @done reaches @total. */
void dn_report_progress (uint32_t phase, uint64_t done, uint64_t total);

/* One value of a field; @size is within DN_IMAGE_FIELD_VALUE_BYTES. */
void dn_report_field (DnImageField field, const char *value, size_t size);

/* Where a layer is; the lowest first. */
void dn_report_entry (const DnMsgUnpackEntry *entry);

/* The last words of a success. */
void dn_report_read_done (const DnMsgUnpackReadDone *done);
void dn_report_layer_done (const DnMsgUnpackLayerDone *done);

/* The last words of a failure. */
void dn_report_failure (const DnFailure *failure);
