/* SPDX-License-Identifier: Apache-2.0 */
/* The sections of the page, each with its heading and anchor. */
#pragma once

#include "view.h"

void dn_page_findings (GString *out, const DnView *view);
void dn_page_host (GString *out, const DnView *view);
void dn_page_contexts (GString *out, const DnView *view);
void dn_page_machines (GString *out, const DnView *view);
void dn_page_runtimes (GString *out, const DnView *view);
void dn_page_listeners (GString *out, const DnView *view);
void dn_page_chain (GString *out, const DnView *view);
