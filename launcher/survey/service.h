/* SPDX-License-Identifier: Apache-2.0 */
/* Services by the port that they listen on or the program that listens: what a stranger could do
 * there (R3.2).
 *
 * A port is a hint and no proof: who runs something else on it moves it, or reads on.  Where many
 * programs use a port, the program must fit as well.  Pure.
 *
 * Source: each product's documentation of its default port and default authentication.
 */
#pragma once

#include <glib.h>

typedef enum
{
  DN_SERVICE_CONTROL, /* who may speak to it runs what he likes on this host or its cluster */
  DN_SERVICE_DATA,    /* gives out or takes data */
} DnServiceKind;

typedef struct
{
  const char *name;
  guint16 port;        /* 0: any */
  guint16 port_last;   /* of a range; 0: @port alone */
  const char *program; /* how the process's name begins; NULL: any */
  DnServiceKind kind;
  gboolean is_open; /* asks for no authentication unless it is configured to */
} DnService;

/* @process: the listener's name, or NULL.  Returns: NULL where it is none of the table */
const DnService *dn_service_find (guint port, const char *process);

/* A row with that name, as it stands in a document; NULL where there is none. */
const DnService *dn_service_find_name (const char *name);
