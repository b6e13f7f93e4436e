/* SPDX-License-Identifier: Apache-2.0 */
/* Published ports as ps and port show them.  Pure. */
#pragma once

#include <json-glib/json-glib.h>

/* "127.0.0.1:8080->80/tcp, [::1]:8080->80/tcp", and those that the image exposes and nobody
 * publishes: "443/tcp". (transfer full) */
char *dn_port_words (JsonObject *container);

/* "127.0.0.1:8080". (transfer full) */
char *dn_port_words_host (JsonObject *port);
