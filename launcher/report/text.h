/* SPDX-License-Identifier: Apache-2.0 */
/* The sections of the text report, each with its heading. */
#pragma once

#include "paper.h"
#include "view.h"

void dn_text_host (DnPaper *paper, const DnView *view);
void dn_text_contexts (DnPaper *paper, const DnView *view);

/* Machines, runtimes, listeners and the chain of programs. */
void dn_text_machines (DnPaper *paper, const DnView *view);
void dn_text_runtimes (DnPaper *paper, const DnView *view);
void dn_text_listeners (DnPaper *paper, const DnView *view);
void dn_text_chain (DnPaper *paper, const DnView *view);
