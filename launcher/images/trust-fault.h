/* SPDX-License-Identifier: Apache-2.0 */
/* Why skopeo, or the jail itself, has found no signature that the policy wants: one of a closed
 * list, from words that are partly a stranger's.  They choose what the user reads, nothing else.
 *
 * Source: containers/image 5.23, signature/; gpg-error(1) for the codes.
 */
#pragma once

typedef struct
{
  const char *text;
  const char *remedy;
} DnTrustFault;

/* (transfer none): never NULL */
const DnTrustFault *dn_trust_fault_find (const char *words);
