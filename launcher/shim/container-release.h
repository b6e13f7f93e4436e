/* SPDX-License-Identifier: Apache-2.0 */
/* Gives back what a container has outside of this process: in danchid, with a pod of its own the
 * guest too, and the mounts of its root, in this order: what is in use is not taken away. */
#pragma once

#include "container.h"

/* @done: called in the main loop; @error: NULL where all is gone.  What is not there is no error,
 * so that it may be tried again. */
void dn_container_release (DnContainer *container,
                           void (*done) (const GError *error, gpointer user_data),
                           gpointer user_data);
