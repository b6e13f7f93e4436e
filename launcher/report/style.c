/* SPDX-License-Identifier: Apache-2.0 */
#include "style.h"

/* Compilers run in the top directory; the makefile knows that this depends on the file. */
__asm__(".pushsection .rodata\n"
        ".globl dn_report_style\n"
        ".type dn_report_style, @object\n"
        "dn_report_style:\n"
        ".incbin \"launcher/report/page.css\"\n"
        ".byte 0\n"
        ".size dn_report_style, . - dn_report_style\n"
        ".popsection\n");
