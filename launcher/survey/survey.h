/* SPDX-License-Identifier: Apache-2.0 */
/* The audit's document: what danchid says of its contexts, and what this host's kernel says of the
 * rest.  Its members are in docs/audit.md.
 *
 * Needs: root, to see whose the processes and sockets are.
 */
#pragma once

#include <json-glib/json-glib.h>

#define DN_SURVEY_FORMAT "danchi-audit/1"

/**
 * dn_survey_make:
 * @root: "/", or a test's directory (root-file.h)
 * @now: the time that the document bears
 * @answer: danchid's to "audit": {contexts, chain, machines, libvirt}; what is missing is empty
 *
 * Returns: (transfer full): all of the document but the record's state, findings, verdicts and
 * summary, which finding.h adds; it shares @answer's objects
 */
JsonObject *dn_survey_make (const char *root, GDateTime *now, JsonObject *answer);
