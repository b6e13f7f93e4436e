/* SPDX-License-Identifier: Apache-2.0 */
/* That what skopeo has verified is what was planned, and the signatures that it cannot verify.
 *
 * Both end the run where something is not as it has to be.
 */
#pragma once

#include "task.h"

/* @digest: "sha256:..." of the manifest that was planned.  Of the manifest that skopeo copied: a
 * registry could answer otherwise when asked again, with another image that is signed. */
void dn_pull_check_copied (DnTaskRun *run, const char *digest);

/* Meets the requirements of the order's file `sigstore`, if there is one, by signatures that the
 * registry keeps beside the image.  @auth: the credentials' path. */
void dn_pull_check_sigstore (DnTaskRun *run, const char *digest, const char *auth);
