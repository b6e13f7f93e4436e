/* SPDX-License-Identifier: Apache-2.0 */
/* A container's secrets beside its other wishes.  Pure. */
#pragma once

#include "spec.h"

/* Their form (../common/secret-spec.h), and that none lies in what outlives the container: a volume
 * or a directory of the host's, where a link to it would stay, nor the other way round.
 * DN_ERROR_USAGE. */
gboolean dn_secrets_check (const DnContainerOptions *options, GError **error);
