/* SPDX-License-Identifier: Apache-2.0 */
/* Events for containerd: one queue, so that they arrive in the order in which they happened.
 *
 * Publishing never waits.  Events are handed over one after the other, each once it is answered;
 * while containerd is away they wait, up to %DN_EVENTS_MAX, and what comes then is dropped: whoever
 * starts anew asks for states.  One whose answer was lost comes again.  One that containerd does
 * not take is tried %DN_EVENTS_TRIES times. CRI-O gives no address: then nothing is published.
 *
 * Source: containerd, the service containerd.services.events.ttrpc.v1.Events.
 */
#pragma once

#include <protobuf-c/protobuf-c.h>

#include <glib.h>

#define DN_EVENTS_MAX 2048
#define DN_EVENTS_TRIES 5
#define DN_EVENTS_RETRY_MS 1000
#define DN_EVENTS_ANSWER_MS 5000

typedef struct DnEvents DnEvents;

/* @address: path of containerd's ttrpc socket, maybe with "unix://" before it; NULL or "": none */
DnEvents *dn_events_new (const char *address, const char *name_space);
void dn_events_free (DnEvents *events);

/* @topic: "/tasks/exit"; @message: one of events.proto, which names its type; the caller's */
void dn_events_publish (DnEvents *events, const char *topic, const ProtobufCMessage *message);

gboolean dn_events_are_pending (const DnEvents *events);
