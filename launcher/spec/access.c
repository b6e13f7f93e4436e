/* SPDX-License-Identifier: Apache-2.0 */
#include "access.h"

const char *const dn_right_words[]
    = { "run", "exec", "attach", "logs", "inspect", "stop", "rm", "cp", "update", NULL };
