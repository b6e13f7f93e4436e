/* SPDX-License-Identifier: Apache-2.0 */
/* A TCP connection of a client, carried to the container and back, each direction for itself.
 *
 *     connecting   the container has not answered: nothing is read from the client
 *     open         bytes go through a pipe, by splice(2); a direction whose reader does not take
 *                  them is not read until it does
 *     half closed  one side has said all: it is told on, behind the last byte
 *     over         both have: the client's socket is closed, the other cools (dial.h)
 *
 * A container that does not listen, answers too late or resets the connection: the client's is
 * reset, as if it had been there itself; likewise the other way.
 */
#pragma once

#include "port.h"

/* Takes both descriptors. */
void dn_stream_start (DnPort *port, int client, int dial);
/* Resets both sides, and frees it. */
void dn_stream_abort (DnStream *stream);
/* Ends what has been idle for too long; once a second. */
void dn_stream_expire (DnPort *port);
