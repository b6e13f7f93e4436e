/* SPDX-License-Identifier: Apache-2.0 */
/* Answers to LIST, STATS and TOP.  Source: proc(5), the kernel's cgroup-v2.rst. */
#pragma once

#include "container.h"

#define DN_REPORT_PROCESSES_MAX 1024 /* of one container, in TOP */

void dn_report_list (DnAgent *agent, DnRequest *request);
void dn_report_stats (DnContainer *container, DnRequest *request);
void dn_report_top (DnContainer *container, DnRequest *request);
