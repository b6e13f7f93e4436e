/* SPDX-License-Identifier: Apache-2.0 */
/* The page's style sheet: page.css, compiled in. */
#pragma once

extern const char dn_report_style[];
