/* SPDX-License-Identifier: Apache-2.0 */
/* What a container needs beside its image, its configuration and its process: disks, networks,
 * secrets.  Each kind is a part, a table of hooks in the room that knows the kind; a start and an
 * end of a container go through all parts, whatever they are.
 *
 *     prepare    no guest yet          refuses what cannot work; says what the guest has to have
 *     specify    pure                  what of it stands in the OCI config.json
 *     enter      the guest runs        before CREATE: disks are attached, cards are known
 *     furnish    between CREATE and START: its namespaces are there, its program does not run
 *     resume     a danchid that starts anew has found it in its guest, running or paused
 *     leave      it is out of the guest, or never got in
 *     forget     it is removed
 *     describe   for inspect
 *
 * Order: hooks run in the order of the table, leave and forget in the opposite one.  Any may be
 * NULL.
 *
 * leave() and forget() are called also for what was never entered, more than once, and by a danchid
 * that did not start the container: a part derives from the container what there may be of it, and
 * what is not there is no error.
 *
 * Threads: with the container's op_lock held, but for describe(), specify() and resume(), which
 * comes before anybody can ask for the container, and without the daemon's lock.
 */
#pragma once

#include "container-start.h"
#include "context-guest.h"

typedef struct
{
  DnContainer *container;            /* borrowed, as are all of these */
  const DnContainerOptions *options; /* a copy of now */
  const DnContainerStart *plan;
  DnRequest *request;
  const DnImage *image;
  guint slot;
  DnContextEntry *entry; /* prepare() only */
  DnGuest *guest;        /* NULL in prepare() */
} DnPartStart;

typedef struct
{
  const char *name; /* of its step in a trace, "network" */
  gboolean (*prepare) (DnPartStart *start, GError **error);
  /* @slot: of the container's ids; @spec: config.json, to be added to. */
  gboolean (*specify) (DnContainer *container, const DnContainerOptions *options, guint slot,
                       JsonObject *spec, GError **error);
  gboolean (*enter) (DnPartStart *start, GError **error);
  gboolean (*furnish) (DnPartStart *start, GError **error);
  void (*resume) (DnContainer *container, DnGuest *guest);
  /* @guest: NULL where it is gone, or goes with this container */
  void (*leave) (DnContainer *container, DnGuest *guest);
  void (*forget) (DnContainer *container);
  /* Adds members of its own. */
  void (*describe) (DnContainer *container, JsonObject *object);
} DnContainerPart;

gboolean dn_container_parts_prepare (DnPartStart *start, GError **error);
gboolean dn_container_parts_specify (DnContainer *container, const DnContainerOptions *options,
                                     guint slot, JsonNode *spec, GError **error);
gboolean dn_container_parts_enter (DnPartStart *start, GError **error);
gboolean dn_container_parts_furnish (DnPartStart *start, GError **error);
void dn_container_parts_resume (DnContainer *container, DnGuest *guest);
void dn_container_parts_leave (DnContainer *container, DnGuest *guest);
void dn_container_parts_forget (DnContainer *container);
void dn_container_parts_describe (DnContainer *container, JsonObject *object);
