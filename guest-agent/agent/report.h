/* SPDX-License-Identifier: Apache-2.0 */
/* Answers to LIST, STATS and TOP.  Source: proc(5), the kernel's cgroup-v2.rst. */
#pragma once

#include "container.h"

#define DN_REPORT_PROCESSES_MAX 1024 /* of one container, in TOP */

/* The number that a process has in its innermost namespace; 0: it has ended. */
uint32_t dn_report_inner_pid (int pid);

void dn_report_list (DnAgent *agent, DnRequest *request);
void dn_report_stats (DnContainer *container, DnRequest *request);
/* Of the guest: its memory and how many threads it has; all else is 0. */
void dn_report_guest_stats (DnAgent *agent, DnRequest *request);
void dn_report_top (DnContainer *container, DnRequest *request);
